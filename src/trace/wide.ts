/** Words at or above this value are indices into a {@link WideTable}; below it they are the value itself. */
const INLINE_LIMIT = 0x80000000;

/**
 * Interned 64-bit values. Every numeric field of an event takes one 32-bit word: values 0..2^31-1 are stored as they are,
 * every other value (user_data with bit 63, kernel pointers, negative results) once here, in two's complement.
 */
export class WideTable {
  private lo = new Uint32Array(256);
  private hi = new Uint32Array(256);
  private slots = new Int32Array(1024).fill(-1);
  private count = 0;

  /** Number of distinct values stored outside their word. */
  get size(): number {
    return this.count;
  }

  /** Word for the 64-bit value given as two unsigned halves. */
  word(lo: number, hi: number): number {
    if (hi === 0 && lo < INLINE_LIMIT) return lo;
    let mask = this.slots.length - 1;
    let slot = hashWords(lo, hi) & mask;
    for (;;) {
      const index = this.slots[slot];
      if (index < 0) break;
      if (this.lo[index] === lo && this.hi[index] === hi) return (INLINE_LIMIT | index) >>> 0;
      slot = (slot + 1) & mask;
    }
    if (this.count * 2 >= this.slots.length) {
      this.rehash();
      mask = this.slots.length - 1;
      slot = hashWords(lo, hi) & mask;
      while (this.slots[slot] >= 0) slot = (slot + 1) & mask;
    }
    if (this.count === this.lo.length) {
      this.lo = grow32(this.lo);
      this.hi = grow32(this.hi);
    }
    const index = this.count++;
    this.lo[index] = lo;
    this.hi[index] = hi;
    this.slots[slot] = index;
    return (INLINE_LIMIT | index) >>> 0;
  }

  /** Word for an integer JavaScript number (|value| at most 2^53). */
  ofNumber(value: number): number {
    if (value >= 0) {
      if (value < INLINE_LIMIT) return value;
      return this.word(value >>> 0, Math.floor(value / 0x100000000) >>> 0);
    }
    return this.word(value >>> 0, Math.floor(value / 0x100000000) >>> 0);
  }

  /** Word for a bigint, taken modulo 2^64. */
  ofBig(value: bigint): number {
    const v = BigInt.asUintN(64, value);
    return this.word(Number(v & 0xffffffffn), Number(v >> 32n));
  }

  /** Low 32 bits of the value behind a word, unsigned. */
  lowOf(word: number): number {
    return word < INLINE_LIMIT ? word : this.lo[word & 0x7fffffff];
  }

  /** High 32 bits of the value behind a word, unsigned. */
  highOf(word: number): number {
    return word < INLINE_LIMIT ? 0 : this.hi[word & 0x7fffffff];
  }

  /** The value as a signed integer number; exact up to 2^53, rounded beyond (use {@link big} there). */
  number(word: number): number {
    if (word < INLINE_LIMIT) return word;
    const index = word & 0x7fffffff;
    return (this.hi[index] | 0) * 0x100000000 + this.lo[index];
  }

  /** The value as an unsigned 64-bit bigint. */
  big(word: number): bigint {
    if (word < INLINE_LIMIT) return BigInt(word);
    const index = word & 0x7fffffff;
    return (BigInt(this.hi[index]) << 32n) | BigInt(this.lo[index]);
  }

  /** The value as a signed 64-bit bigint. */
  signed(word: number): bigint {
    return BigInt.asIntN(64, this.big(word));
  }

  private rehash(): void {
    const slots = new Int32Array(this.slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (let index = 0; index < this.count; index++) {
      let slot = hashWords(this.lo[index], this.hi[index]) & mask;
      while (slots[slot] >= 0) slot = (slot + 1) & mask;
      slots[slot] = index;
    }
    this.slots = slots;
  }
}

function hashWords(lo: number, hi: number): number {
  let h = Math.imul(lo, 0x9e3779b1) ^ Math.imul(hi, 0x85ebca77);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}

/** A copy of the array with half as much room again. */
export function grow32(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(old.length + (old.length >>> 1) + 16);
  next.set(old);
  return next;
}
