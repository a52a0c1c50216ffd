/** Numbers, sizes and durations as each tool spells them. */

/** A value, or why there is none. */
export type Read<T> = { ok: true; value: T } | { ok: false; reason: string };

/** Whose suffixes count: coreutils truncate, dd, fio, util-linux, the session's own settings, or none. */
export type SizeStyle = 'coreutils' | 'dd' | 'fio' | 'util-linux' | 'session' | 'bytes';

const LETTERS = 'kmgtpe';
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const MAX_S64 = (1n << 63n) - 1n;
const LONGEST_NUMBER = 64;

/** Bytes in one unit of `suffix`, undefined when the tool has no such suffix. */
function unit(suffix: string, style: SizeStyle): bigint | undefined {
  if (suffix === '') return 1n;
  if (style === 'bytes') return undefined;
  if (style === 'dd') {
    if (suffix === 'c') return 1n;
    if (suffix === 'w') return 2n;
    if (suffix === 'b') return 512n;
  }
  const lower = suffix.toLowerCase();
  if (style === 'fio' && lower === 'b') return 1n;
  const power = BigInt(LETTERS.indexOf(lower[0]!) + 1);
  if (power === 0n) return undefined;
  const binary = 1024n ** power;
  const decimal = 1000n ** power;
  const rest = suffix.slice(1);
  if (style === 'fio') {
    // With fio's default kb_base=1024, Ki is 1000 and K is 1024.
    if (/^b?$/i.test(rest)) return binary;
    return /^ib?$/i.test(rest) ? decimal : undefined;
  }
  if (rest === '') return binary;
  if (rest === 'iB' || (style !== 'dd' && style !== 'coreutils' && rest === 'i')) return binary;
  return rest === 'B' ? decimal : undefined;
}

/** What a size may look like, for messages. */
function examples(style: SizeStyle): string {
  switch (style) {
    case 'bytes':
      return 'a number of bytes';
    case 'fio':
      return 'a size such as 4096, 4k or 1m (k is 1024)';
    case 'dd':
      return 'a size such as 512, 64k, 1M or 2x4k (k is 1024, kB is 1000)';
    default:
      return 'a size such as 4096, 64K or 1M (K is 1024, KB is 1000)';
  }
}

function readOne(text: string, style: SizeStyle): bigint | undefined {
  const hex = (style === 'fio' || style === 'util-linux') && /^0x[0-9a-f]+$/i.test(text);
  if (hex) return BigInt(text);
  const match = /^(\d+)([A-Za-z]*)$/.exec(text);
  if (match === null) return undefined;
  const factor = unit(match[2]!, style);
  return factor === undefined ? undefined : BigInt(match[1]!) * factor;
}

/** A size in bytes, at most 2^53 - 1. */
export function readSize(text: string, style: SizeStyle): Read<number> {
  if (text === '' || text.length > LONGEST_NUMBER) return { ok: false, reason: `is not ${examples(style)}` };
  let bytes: bigint | undefined = 1n;
  for (const factor of style === 'dd' ? text.split('x') : [text]) {
    const one: bigint | undefined = readOne(factor, style);
    bytes = one === undefined || bytes === undefined ? undefined : bytes * one;
  }
  if (bytes === undefined) return { ok: false, reason: `is not ${examples(style)}` };
  if (bytes > MAX_S64) return { ok: false, reason: 'is too large: no tool or file takes more than 2^63 - 1' };
  if (bytes > MAX_SAFE) return { ok: false, reason: `is too large: the simulator takes up to ${MAX_SAFE}` };
  return { ok: true, value: Number(bytes) };
}

/** A decimal integer in [min, max]. */
export function readInteger(text: string, min: number, max: number): Read<number> {
  if (text.length > LONGEST_NUMBER || !/^-?\d+$/.test(text))
    return { ok: false, reason: 'is not a whole number' };
  const value = Number(text);
  if (value < min || value > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`;
    return { ok: false, reason: `is out of range: ${range} is accepted` };
  }
  return { ok: true, value };
}

/** An unsigned 64-bit integer, decimal or 0x hexadecimal. */
export function readU64(text: string): Read<bigint> {
  const shape = text.length <= LONGEST_NUMBER && /^(\d+|0x[0-9a-f]+)$/i.test(text);
  if (!shape) return { ok: false, reason: 'is not a whole number' };
  const value = BigInt(text);
  if (value >= 1n << 64n) return { ok: false, reason: 'is out of range: 0 to 2^64 - 1 is accepted' };
  return { ok: true, value };
}

const NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 86400e9,
};

/** Nanoseconds of a decimal number with a unit of `units`; a bare number has the unit `bare`. */
export function readDuration(text: string, bare: string, units: readonly string[]): Read<number> {
  const match = text.length <= LONGEST_NUMBER ? /^(\d+(?:\.\d*)?|\.\d+)([a-z]*)$/.exec(text) : null;
  const name = match?.[2] === '' ? bare : match?.[2];
  if (match === null || name === undefined || (match[2] !== '' && !units.includes(name))) {
    return { ok: false, reason: `is not a time; units: ${units.join(', ')}` };
  }
  const ns = Math.round(Number(match[1]) * NS[name]!);
  if (ns > Number.MAX_SAFE_INTEGER) return { ok: false, reason: 'is too long: 104 days is the most' };
  return { ok: true, value: ns };
}

const ERRNO: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EPIPE: 32,
  ENODATA: 61,
  ETIME: 62,
  ENOLINK: 67,
  EILSEQ: 84,
  EOPNOTSUPP: 95,
  ENOBUFS: 105,
  ETIMEDOUT: 110,
  EREMOTEIO: 121,
  ECANCELED: 125,
};

/** Names `readErrno` knows. */
export const ERRNO_NAMES: readonly string[] = Object.keys(ERRNO);

/** A negative errno from `EIO`, `5` or `-5`. */
export function readErrno(text: string): Read<number> {
  const named = Object.hasOwn(ERRNO, text) ? ERRNO[text] : undefined;
  if (named !== undefined) return { ok: true, value: -named };
  const number = /^-?\d{1,4}$/.test(text) ? Math.abs(Number(text)) : 0;
  if (number >= 1 && number <= 4095) return { ok: true, value: -number };
  return { ok: false, reason: 'is not an error: a name such as EIO, or 1 to 4095' };
}
