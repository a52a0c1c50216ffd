/** Largest period, so that 32-bit arithmetic is exact. */
const LARGEST = 2 ** 30;

/** A permutation of 0..n-1 that needs no memory: a full-period generator over the next power of two, values beyond n skipped. */
export class Shuffle {
  private readonly mask: number;
  private readonly multiplier: number;
  private readonly increment: number;
  private state: number;
  private index = -1;
  private value = 0;
  private readonly stripes: number;

  constructor(
    private readonly n: number,
    seed: number,
  ) {
    let size = 4;
    while (size < n && size < LARGEST) size *= 2;
    // a region beyond 2^30 blocks is cut into stripes of as many; each block of a stripe is met once
    this.stripes = Math.max(1, Math.ceil(n / size));
    this.mask = size - 1;
    const mixed = mix(seed);
    // a ≡ 1 (mod 4) and c odd give the full period of 2^k
    this.multiplier = ((mixed & 0xfffff8) | 5) >>> 0;
    this.increment = (mix(mixed) | 1) >>> 0;
    this.state = mix(mixed ^ 0x55) & this.mask;
  }

  /** The i-th value; i must not go down except to 0. */
  at(i: number): number {
    while (this.index < i) {
      do {
        this.state = (Math.imul(this.state, this.multiplier) + this.increment) & this.mask;
        this.value = scramble(this.state, this.mask);
        if (this.stripes > 1) this.value = this.value * this.stripes + (mix(this.state) % this.stripes);
      } while (this.value >= this.n);
      this.index++;
    }
    if (this.index > i) {
      // the next round over the region goes on where the period is: another order of the same blocks
      this.index = i - 1;
      return this.at(i);
    }
    return this.value;
  }
}

/** Payload bytes that tell where and in which order they were written. */
export class Pattern {
  private state: number;

  constructor(seed: number) {
    this.state = mix(seed) || 1;
  }

  /** 32 random bits. */
  next(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return this.state >>> 0;
  }

  /** Fills `data` for the write number `n` at `offset`. */
  fill(data: Uint8Array, offset: number, n: number): void {
    let x = mix(mix(offset / 512) ^ (n + 1)) | 1;
    const words = data.length >>> 2;
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    for (let i = 0; i < words; i++) {
      x = Math.imul(x, 0x915f77f5) + 0x9e3779b9;
      view.setUint32(i * 4, x >>> 0, true);
    }
    for (let i = words * 4; i < data.length; i++) data[i] = x >>> (8 * (i & 3));
  }
}

/** An invertible scramble of the low bits, so that neighbours of the period do not follow each other. */
function scramble(value: number, mask: number): number {
  let v = value;
  v = (v ^ (v >>> 3)) & mask;
  v = Math.imul(v, 0x2c1b3c6d | 1) & mask;
  return (v ^ (v >>> 5)) & mask;
}

function mix(value: number): number {
  let z = (Math.floor(value) + 0x9e3779b9) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}
