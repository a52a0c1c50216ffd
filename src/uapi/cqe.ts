/** struct io_uring_cqe: 16 bytes, or 32 with CQE32. */
import { asU64 } from './bytes';

/** Size of a CQE in bytes. */
export type CqeSize = 16 | 32;

/** Byte offsets of the fields. */
export const CQE_OFFSET = { USER_DATA: 0, RES: 8, FLAGS: 12, BIG_CQE: 16 } as const;

/** A completion. */
export interface Cqe {
  userData: bigint;
  res: number;
  flags: number;
  /** The two extra words of a 32-byte CQE; 0 in a 16-byte one. */
  extra1: bigint;
  extra2: bigint;
}

/** A CQE without flags and extra words. */
export function makeCqe(userData: bigint, res: number, flags = 0): Cqe {
  return { userData, res, flags, extra1: 0n, extra2: 0n };
}

/** Writes a CQE; the extra words only when size is 32. */
export function encodeCqe(dst: DataView, at: number, cqe: Readonly<Cqe>, size: CqeSize = 16): void {
  dst.setBigUint64(at, asU64(cqe.userData), true);
  dst.setInt32(at + 8, cqe.res, true);
  dst.setUint32(at + 12, cqe.flags, true);
  if (size === 32) {
    dst.setBigUint64(at + 16, asU64(cqe.extra1), true);
    dst.setBigUint64(at + 24, asU64(cqe.extra2), true);
  }
}

/** Writes a 16-byte CQE from split words, without a bigint. */
export function putCqe(
  dst: DataView,
  at: number,
  userLo: number,
  userHi: number,
  res: number,
  flags: number,
): void {
  dst.setUint32(at, userLo, true);
  dst.setUint32(at + 4, userHi, true);
  dst.setInt32(at + 8, res, true);
  dst.setUint32(at + 12, flags, true);
}

/** Reads a CQE. @throws RangeError when src is too short. */
export function decodeCqe(src: DataView, at: number, size: CqeSize = 16): Cqe {
  return {
    userData: src.getBigUint64(at, true),
    res: src.getInt32(at + 8, true),
    flags: src.getUint32(at + 12, true),
    extra1: size === 32 ? src.getBigUint64(at + 16, true) : 0n,
    extra2: size === 32 ? src.getBigUint64(at + 24, true) : 0n,
  };
}
