/** struct io_uring_sqe: 64 bytes, or 128 on rings set up with SQE128. */
import { asU64 } from './bytes';

/** Size of an SQE in bytes. */
export type SqeSize = 64 | 128;

/** Byte offsets of the fields, aliases included. */
export const SQE_OFFSET = {
  OPCODE: 0,
  FLAGS: 1,
  IOPRIO: 2,
  FD: 4,
  OFF: 8,
  CMD_OP: 8,
  PAD1: 12,
  ADDR: 16,
  SPLICE_OFF_IN: 16,
  LEN: 24,
  OP_FLAGS: 28,
  USER_DATA: 32,
  BUF_INDEX: 40,
  PERSONALITY: 42,
  SPLICE_FD_IN: 44,
  ADDR3: 48,
  CMD: 48,
  PAD2: 56,
} as const;

/** Bytes of the command area of URING_CMD, which starts at SQE_OFFSET.CMD. */
export const SQE_CMD_SIZE = { 64: 16, 128: 80 } as const;

/**
 * An SQE by the primary field names. Aliases live in the same bytes: addr is splice_off_in, off carries
 * cmd_op in its low word, addr3 and pad2 (and ext) are the command area.
 */
export interface Sqe {
  opcode: number;
  flags: number;
  ioprio: number;
  fd: number;
  off: bigint;
  addr: bigint;
  len: number;
  opFlags: number;
  userData: bigint;
  bufIndex: number;
  personality: number;
  spliceFdIn: number;
  addr3: bigint;
  pad2: bigint;
  /** Bytes 64-127 of a 128-byte SQE; null in a 64-byte one. */
  ext: Uint8Array | null;
}

/** An all-zero SQE (a NOP) with the given fields set. */
export function makeSqe(fields: Partial<Sqe> = {}): Sqe {
  return {
    opcode: 0,
    flags: 0,
    ioprio: 0,
    fd: 0,
    off: 0n,
    addr: 0n,
    len: 0,
    opFlags: 0,
    userData: 0n,
    bufIndex: 0,
    personality: 0,
    spliceFdIn: 0,
    addr3: 0n,
    pad2: 0n,
    ext: null,
    ...fields,
  };
}

/**
 * Writes the 64 bytes of `sqe`, and 64 more when size is 128 (zeros without ext). Values are stored modulo
 * their width, as a C assignment does. @throws RangeError when ext has another length than 64 or does not
 * fit `size`.
 */
export function encodeSqe(dst: DataView, at: number, sqe: Readonly<Sqe>, size: SqeSize = 64): void {
  dst.setUint8(at, sqe.opcode);
  dst.setUint8(at + 1, sqe.flags);
  dst.setUint16(at + 2, sqe.ioprio, true);
  dst.setInt32(at + 4, sqe.fd, true);
  dst.setBigUint64(at + 8, asU64(sqe.off), true);
  dst.setBigUint64(at + 16, asU64(sqe.addr), true);
  dst.setUint32(at + 24, sqe.len, true);
  dst.setUint32(at + 28, sqe.opFlags, true);
  dst.setBigUint64(at + 32, asU64(sqe.userData), true);
  dst.setUint16(at + 40, sqe.bufIndex, true);
  dst.setUint16(at + 42, sqe.personality, true);
  dst.setInt32(at + 44, sqe.spliceFdIn, true);
  dst.setBigUint64(at + 48, asU64(sqe.addr3), true);
  dst.setBigUint64(at + 56, asU64(sqe.pad2), true);
  if (sqe.ext !== null && (size === 64 || sqe.ext.length !== 64)) {
    throw new RangeError(`sqe.ext of ${sqe.ext.length} bytes in a ${size}-byte SQE`);
  }
  if (size === 128) {
    const tail = new Uint8Array(dst.buffer, dst.byteOffset + at + 64, 64);
    if (sqe.ext === null) tail.fill(0);
    else tail.set(sqe.ext);
  }
}

/** Reads an SQE; ext is a copy. @throws RangeError when src is too short. */
export function decodeSqe(src: DataView, at: number, size: SqeSize = 64): Sqe {
  return {
    opcode: src.getUint8(at),
    flags: src.getUint8(at + 1),
    ioprio: src.getUint16(at + 2, true),
    fd: src.getInt32(at + 4, true),
    off: src.getBigUint64(at + 8, true),
    addr: src.getBigUint64(at + 16, true),
    len: src.getUint32(at + 24, true),
    opFlags: src.getUint32(at + 28, true),
    userData: src.getBigUint64(at + 32, true),
    bufIndex: src.getUint16(at + 40, true),
    personality: src.getUint16(at + 42, true),
    spliceFdIn: src.getInt32(at + 44, true),
    addr3: src.getBigUint64(at + 48, true),
    pad2: src.getBigUint64(at + 56, true),
    ext: size === 128 ? new Uint8Array(src.buffer, src.byteOffset + at + 64, 64).slice() : null,
  };
}

/** cmd_op of a URING_CMD: the low word of off. */
export function sqeCmdOp(sqe: Readonly<Sqe>): number {
  return Number(sqe.off & 0xffffffffn);
}

/** off value of a URING_CMD with the given cmd_op and a zero __pad1. */
export function offOfCmdOp(cmdOp: number): bigint {
  return BigInt(cmdOp >>> 0);
}
