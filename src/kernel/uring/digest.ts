/** Digests of states: 52 bits, so that two among a million agree by chance once in thousands of explorations. */

const SEED_A = 0x2545f491;
const SEED_B = 0x1b873593;

/** A digest of numbers in their order. */
export class Digest {
  private a = SEED_A;
  private b = SEED_B;

  /** Begins again. */
  reset(): void {
    this.a = SEED_A;
    this.b = SEED_B;
  }

  /** Takes an integer, or a truth. */
  add(value: number | boolean): void {
    const n = Number(value);
    this.word(n | 0);
    if (n > 0x7fffffff || n < -0x80000000) this.word(Math.floor(n / 0x100000000) | 0);
  }

  /** Takes a text. */
  text(value: string): void {
    for (let i = 0; i < value.length; i++) this.word(value.charCodeAt(i));
    this.word(-1);
  }

  get value(): number {
    let { a, b } = this;
    a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
    b = Math.imul(b ^ (b >>> 15) ^ a, 0xc2b2ae35);
    a ^= b >>> 13;
    return ((a >>> 0) & 0xfffff) * 0x100000000 + (b >>> 0);
  }

  private word(n: number): void {
    this.a = Math.imul(this.a ^ n, 0x85ebca6b) ^ (this.a >>> 13);
    this.b = Math.imul(this.b + n, 0x27d4eb2f) ^ (this.b >>> 15) ^ this.a;
  }
}

/** A number to add up where the order of numbers does not matter. */
export function unordered(n: number): number {
  let x = Math.imul(n, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  return (x ^ (x >>> 13)) >>> 0;
}

/** Digest of bytes. */
export function bytesKey(bytes: Uint8Array): number {
  let a = 0x811c9dc5;
  let b = bytes.length;
  const words = bytes.byteOffset % 4 === 0 ? bytes.length >> 2 : 0;
  if (words > 0) {
    const view = new Uint32Array(bytes.buffer, bytes.byteOffset, words);
    for (let i = 0; i < words; i++) {
      const n = view[i]!;
      a = Math.imul(a ^ n, 0x01000193) ^ (a >>> 15);
      b = Math.imul(b + n, 0x85ebca6b) ^ (b >>> 13);
    }
  }
  for (let i = words * 4; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i]!, 0x01000193) ^ (a >>> 15);
    b = Math.imul(b + bytes[i]!, 0x85ebca6b) ^ (b >>> 13);
  }
  return ((a ^ (a >>> 11)) & 0xfffff) * 0x100000000 + (b >>> 0);
}
