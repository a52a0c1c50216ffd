/** Little-endian helpers shared by the layouts: split 64-bit words, range checks, flag names, hex text. */

const MASK32 = 0xffffffffn;
const MASK64 = 0xffffffffffffffffn;

/** Low 32 bits of a 64-bit value, as an unsigned number. */
export function loWord(value: bigint): number {
  return Number(value & MASK32);
}

/** High 32 bits of a 64-bit value, as an unsigned number. Negative values are taken as two's complement. */
export function hiWord(value: bigint): number {
  return Number((value >> 32n) & MASK32);
}

/** The u64 made of two u32 words. */
export function joinWords(lo: number, hi: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

/** Two's complement view of any bigint as u64, so that -1n (an absent offset) becomes 2^64-1. */
export function asU64(value: bigint): bigint {
  return value & MASK64;
}

/** Two's complement view of any bigint as s64. */
export function asS64(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}

/** Writes a 64-bit field from two u32 words without creating a bigint. */
export function putU64(view: DataView, at: number, lo: number, hi: number): void {
  view.setUint32(at, lo, true);
  view.setUint32(at + 4, hi, true);
}

/** Low word of the 64-bit field at `at`. */
export function getLo(view: DataView, at: number): number {
  return view.getUint32(at, true);
}

/** High word of the 64-bit field at `at`. */
export function getHi(view: DataView, at: number): number {
  return view.getUint32(at + 4, true);
}

/**
 * The 64-bit field at `at` as a JS number.
 * @throws RangeError when the value is above 2^53-1; use getBigUint64 for such fields.
 */
export function getSafeU64(view: DataView, at: number): number {
  const hi = getHi(view, at);
  if (hi > 0x1fffff) throw new RangeError(`64-bit field at byte ${at} does not fit 53 bits`);
  return hi * 0x100000000 + getLo(view, at);
}

/** Writes a non-negative safe integer as u64. @throws RangeError for anything else. */
export function putSafeU64(view: DataView, at: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${value} is not an integer in 0..2^53-1`);
  putU64(view, at, value >>> 0, Math.floor(value / 0x100000000));
}

/** @throws RangeError naming the field unless min <= value <= max and value is an integer. */
export function checkRange(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} is ${value}, expected an integer in ${min}..${max}`);
  }
}

/** @throws RangeError naming the field unless min <= value <= max. */
export function checkBigRange(name: string, value: bigint, min: bigint, max: bigint): void {
  if (value < min || value > max) throw new RangeError(`${name} is ${value}, expected ${min}..${max}`);
}

/** A DataView over exactly the bytes of `bytes` (also when it is a window into a larger buffer). */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Bytes as lower-case hex without separators. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Parses hex without separators. @throws RangeError on an odd length or a character that is no hex digit. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new RangeError(`hex text of odd length ${text.length}`);
  const bad = text.search(/[^0-9a-fA-F]/);
  if (bad >= 0) throw new RangeError(`'${text.charAt(bad)}' at ${bad} is not a hex digit`);
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.substring(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Names of the bits set in `value`; bits without a name come last as one hex number. Zero gives []. */
export function flagNames(
  value: number | bigint,
  table: Readonly<Record<string, number | bigint>>,
): string[] {
  let rest = typeof value === 'bigint' ? asU64(value) : BigInt(value >>> 0);
  const names: string[] = [];
  for (const [name, bits] of Object.entries(table)) {
    const mask = BigInt(bits);
    if (mask !== 0n && (rest & mask) === mask) {
      names.push(name);
      rest &= ~mask;
    }
  }
  if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
  return names;
}

/** Key of the table entry equal to `value`, or undefined. */
export function nameOf(value: number, table: Readonly<Record<string, number>>): string | undefined {
  for (const [name, entry] of Object.entries(table)) if (entry === value) return name;
  return undefined;
}
