/** The three encodings of a place in a ublk request's buffer. They share no bits: do not mix them. */
import { checkBigRange, checkRange } from './bytes';

/** mmap offset of the descriptor array of queue 0. */
export const UBLKSRV_CMD_BUF_OFFSET = 0;
/** File position where USER_COPY starts. */
export const UBLKSRV_IO_BUF_OFFSET = 0x80000000n;

export const UBLK_IO_BUF_BITS = 25;
export const UBLK_TAG_OFF = 25;
export const UBLK_TAG_BITS = 16;
export const UBLK_QID_OFF = 41;
export const UBLK_QID_BITS = 12;
/** Position bit that selects the integrity buffer of a request. */
export const UBLK_INTEGRITY_FLAG_OFF = 62;

/** RFC of Nov 2022: bits of the offset, of the tag, and the first bit of the queue id. */
export const RFC_BUF_SIZE_BITS = 30;
export const RFC_TAG_BITS = 12;
export const RFC_QID_OFF = 42;
// A loff_t is not negative, so 21 bits are left above bit 42.
const RFC_MAX_QID = 0x1fffff;

const INTEGRITY_FLAG = 1n << BigInt(UBLK_INTEGRITY_FLAG_OFF);
const USER_COPY_MAX = UBLKSRV_IO_BUF_OFFSET + (1n << 53n) - 1n;

/** A byte of one request's buffer. */
export interface RequestPos {
  readonly qid: number;
  readonly tag: number;
  /** Byte offset inside the request. */
  readonly offset: number;
}

/** A USER_COPY position: the data buffer or, with `integrity`, the metadata buffer. */
export interface UserCopyPos extends RequestPos {
  readonly integrity: boolean;
}

/** A place in a registered shared-memory buffer. */
export interface ShmemPos {
  readonly index: number;
  /** Byte offset inside the buffer. */
  readonly offset: number;
}

/**
 * pread/pwrite position on /dev/ublkcN (6.5 and later). @throws RangeError when a field has too many bits.
 */
export function encodeUserCopyPos(qid: number, tag: number, offset: number, integrity = false): bigint {
  checkRange('qid', qid, 0, (1 << UBLK_QID_BITS) - 1);
  checkRange('tag', tag, 0, (1 << UBLK_TAG_BITS) - 1);
  checkRange('offset', offset, 0, (1 << UBLK_IO_BUF_BITS) - 1);
  const place =
    (BigInt(qid) << BigInt(UBLK_QID_OFF)) | (BigInt(tag) << BigInt(UBLK_TAG_OFF)) | BigInt(offset);
  return UBLKSRV_IO_BUF_OFFSET + place + (integrity ? INTEGRITY_FLAG : 0n);
}

/** Inverse of encodeUserCopyPos. @throws RangeError below the base offset or above 53 encoded bits. */
export function decodeUserCopyPos(pos: bigint): UserCopyPos {
  const integrity = pos >= 0n && (pos & INTEGRITY_FLAG) !== 0n;
  const plain = integrity ? pos - INTEGRITY_FLAG : pos;
  checkBigRange('USER_COPY position', plain, UBLKSRV_IO_BUF_OFFSET, USER_COPY_MAX);
  const place = plain - UBLKSRV_IO_BUF_OFFSET;
  return {
    qid: Number(place >> BigInt(UBLK_QID_OFF)),
    tag: Number((place >> BigInt(UBLK_TAG_OFF)) & 0xffffn),
    offset: Number(place & 0x1ffffffn),
    integrity,
  };
}

/** splice_off_in of the RFC's SPLICE on /dev/ublkcN. @throws RangeError when a field has too many bits. */
export function encodeSpliceZcPos(qid: number, tag: number, offset: number): bigint {
  checkRange('qid', qid, 0, RFC_MAX_QID);
  checkRange('tag', tag, 0, (1 << RFC_TAG_BITS) - 1);
  checkRange('offset', offset, 0, 2 ** RFC_BUF_SIZE_BITS - 1);
  return (BigInt(qid) << BigInt(RFC_QID_OFF)) | (BigInt(tag) << BigInt(RFC_BUF_SIZE_BITS)) | BigInt(offset);
}

/**
 * Inverse of encodeSpliceZcPos. @throws RangeError for a position that is no loff_t (negative or above
 * 2^63-1).
 */
export function decodeSpliceZcPos(pos: bigint): RequestPos {
  checkBigRange('splice position', pos, 0n, 0x7fffffffffffffffn);
  return {
    qid: Number(pos >> BigInt(RFC_QID_OFF)),
    tag: Number((pos >> BigInt(RFC_BUF_SIZE_BITS)) & 0xfffn),
    offset: Number(pos & 0x3fffffffn),
  };
}

/**
 * The iod.addr of a SHMEM_ZC request; no file position. @throws RangeError when a field has too many bits.
 */
export function encodeShmemAddr(index: number, offset: number): bigint {
  checkRange('index', index, 0, 0xffff);
  checkRange('offset', offset, 0, 0xffffffff);
  return (BigInt(index) << 32n) | BigInt(offset);
}

/** Inverse of encodeShmemAddr. @throws RangeError when bits 48-63 are set. */
export function decodeShmemAddr(addr: bigint): ShmemPos {
  checkBigRange('SHMEM_ZC address', addr, 0n, 0xffffffffffffn);
  return { index: Number(addr >> 32n), offset: Number(addr & 0xffffffffn) };
}

/** mmap offset of the descriptor array of a queue, in bytes. */
export function descArrayOffset(qid: number, pageSize = 4096, descSize = 24): number {
  return UBLKSRV_CMD_BUF_OFFSET + qid * roundUp(4096 * descSize, pageSize);
}

/** The one mmap length the driver accepts for a queue's descriptor array, in bytes. */
export function descArrayLength(queueDepth: number, pageSize = 4096, descSize = 24): number {
  return roundUp(queueDepth * descSize, pageSize);
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
