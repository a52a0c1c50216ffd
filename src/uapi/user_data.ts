/**
 * The 64-bit user_data of SQEs and CQEs as ublk servers lay it out.
 *
 * ublksrv: tag 0-15, op 16-23, tgt_data 24-39, bit 62 eventfd marker (with bit 63), bit 63 target I/O.
 * kublk:   the same, plus q_id in bits 56-62.
 */
import { checkRange, hiWord, loWord } from './bytes';

/** Tag value that says "nobody waits for this CQE" (ublksrv qcow2 FSYNC). */
export const UD_TAG_IGNORE = 0xffff;
/** user_data of ublksrv's eventfd read. */
export const UD_EVENTFD = 0xc000000000000000n;

/** Which server's layout a value follows. */
export type UserDataLayout = 'ublksrv' | 'kublk';

/** Fields of a user_data value. */
export interface UserData {
  tag: number;
  /** ublk command number (low 8 bits), or what the target put there: a ublk op or an io_uring opcode. */
  op: number;
  tgtData: number;
  /** true: backend I/O of the server; false: a ublk command. */
  isTarget: boolean;
  /** Queue id; 0 in the ublksrv layout, which has no such field. */
  qid: number;
}

/** Options of buildUserData. */
export interface BuildUserDataOptions {
  /** The Nov 2022 source shifts tgt_data in 32 bits: of its 16 bits only the low 8 survive. */
  readonly truncateTgtData?: boolean;
}

/** ublksrv's build_user_data. @throws RangeError when tag or tgtData exceed 16 bits or op exceeds 8 bits. */
export function buildUserData(
  tag: number,
  op: number,
  tgtData: number,
  isTarget: boolean,
  options: BuildUserDataOptions = {},
): bigint {
  checkFields(tag, op, tgtData);
  const data = options.truncateTgtData === true ? tgtData & 0xff : tgtData;
  return BigInt(tag) | (BigInt(op) << 16n) | (BigInt(data) << 24n) | (isTarget ? 1n << 63n : 0n);
}

/** kublk's build_user_data (kernel selftest). @throws RangeError; qid has 7 bits. */
export function buildKublkUserData(
  tag: number,
  op: number,
  tgtData: number,
  qid: number,
  isTarget: boolean,
): bigint {
  checkRange('qid', qid, 0, 0x7f);
  return buildUserData(tag, op, tgtData, isTarget) | (BigInt(qid) << 56n);
}

function checkFields(tag: number, op: number, tgtData: number): void {
  checkRange('tag', tag, 0, 0xffff);
  checkRange('op', op, 0, 0xff);
  checkRange('tgtData', tgtData, 0, 0xffff);
}

/** Low word of a user_data value, for a hot path that keeps values as two u32 words. */
export function udLo(tag: number, op: number, tgtData = 0): number {
  return ((tag & 0xffff) | ((op & 0xff) << 16) | ((tgtData & 0xff) << 24)) >>> 0;
}

/** High word of a user_data value. qid is kublk's and must be 0 for ublksrv. */
export function udHi(tgtData: number, isTarget: boolean, qid = 0): number {
  return (((tgtData >>> 8) & 0xff) | ((qid & 0x7f) << 24) | (isTarget ? 0x80000000 : 0)) >>> 0;
}

/** Tag of a value given its low word. */
export function udTag(lo: number): number {
  return lo & 0xffff;
}

/** Op of a value given its low word. */
export function udOp(lo: number): number {
  return (lo >>> 16) & 0xff;
}

/** tgt_data of a value given both words. */
export function udTgtData(lo: number, hi: number): number {
  return (lo >>> 24) | ((hi & 0xff) << 8);
}

/** Whether the value belongs to backend I/O, given its high word. */
export function udIsTarget(hi: number): boolean {
  return hi >>> 31 === 1;
}

/** kublk's queue id, given the high word. */
export function udQid(hi: number): number {
  return (hi >>> 24) & 0x7f;
}

/**
 * Whether the value is ublksrv's eventfd read, given both words. In the kublk layout bit 62 is part of q_id.
 */
export function udIsEventfd(lo: number, hi: number): boolean {
  return lo >>> 0 === 0 && hi >>> 0 === 0xc0000000;
}

/** Writes the fields of a value given as two words into `out` and returns it; allocates nothing. */
export function decodeUserDataWords(lo: number, hi: number, layout: UserDataLayout, out: UserData): UserData {
  out.tag = udTag(lo);
  out.op = udOp(lo);
  out.tgtData = udTgtData(lo, hi);
  out.isTarget = udIsTarget(hi);
  out.qid = layout === 'kublk' ? udQid(hi) : 0;
  return out;
}

/** Fields of a 64-bit value. Control commands use a pointer as user_data: such values have no fields. */
export function decodeUserData(value: bigint, layout: UserDataLayout = 'ublksrv'): UserData {
  const out: UserData = { tag: 0, op: 0, tgtData: 0, isTarget: false, qid: 0 };
  return decodeUserDataWords(loWord(value), hiWord(value), layout, out);
}

/**
 * Whether a value has only bits that the layout defines. False for the pointers that control commands carry
 * and for values of other programs, as far as their bits tell.
 */
export function isServerUserData(value: bigint, layout: UserDataLayout = 'ublksrv'): boolean {
  const hi = hiWord(value);
  const unused = layout === 'kublk' ? 0x00ffff00 : 0x7fffff00;
  return (layout === 'ublksrv' && value === UD_EVENTFD) || (hi & unused) === 0;
}
