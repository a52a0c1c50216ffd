const ZERO = 48;
const DASH = 45;
const LOWER_A = 87;
/** Numbers below are counted down with integers of 32 bits. */
const BILLION = 1e9;
/** Chunks from this length on are copied by the runtime, shorter ones byte by byte. */
const LONG = 160;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text that is put together as bytes out of encoded chunks and numbers, without a JavaScript string for each of them. */
export class ByteText {
  private bytes: Uint8Array;
  private used = 0;

  constructor(size = 1 << 17) {
    this.bytes = new Uint8Array(size);
  }

  /** Bytes so far. */
  get length(): number {
    return this.used;
  }

  /** The text so far; it begins anew behind it. */
  take(): string {
    const text = decoder.decode(this.bytes.subarray(0, this.used));
    this.used = 0;
    return text;
  }

  /** Adds a string. */
  text(text: string): void {
    this.chunk(encoder.encode(text));
  }

  /** Adds encoded text. */
  chunk(chunk: Uint8Array): void {
    const { length } = chunk;
    this.room(length);
    const { bytes, used } = this;
    if (length >= LONG) bytes.set(chunk, used);
    else for (let k = 0; k < length; k++) bytes[used + k] = chunk[k]!;
    this.used = used + length;
  }

  /** Adds a safe integer in decimal. */
  decimal(value: number): void {
    this.room(17);
    let rest = value;
    if (rest < 0) {
      this.bytes[this.used++] = DASH;
      rest = -rest;
    }
    if (rest < BILLION) {
      this.digits(rest, 1);
      return;
    }
    const high = Math.floor(rest / BILLION);
    this.digits(high, 1);
    this.digits(rest - high * BILLION, 9);
  }

  /** Adds a number below 10^9 with at least so many digits, zeros in front. */
  digits(value: number, least: number): void {
    this.room(10);
    let count = least;
    for (let limit = 10 ** least; limit <= value; limit *= 10) count++;
    const { bytes } = this;
    let rest = value | 0;
    let at = this.used + count;
    this.used = at;
    for (; count > 0; count--) {
      const high = (rest / 10) | 0;
      bytes[--at] = ZERO + rest - high * 10;
      rest = high;
    }
  }

  /** Adds an unsigned number below 2^32 in hexadecimal, with at least so many digits, without a prefix. */
  hex(value: number, least = 1): void {
    this.room(8);
    const { bytes } = this;
    const count = Math.max(least, 8 - (Math.clz32(value) >>> 2));
    let rest = value;
    let at = this.used + count;
    this.used = at;
    for (let k = 0; k < count; k++) {
      const digit = rest & 15;
      bytes[--at] = digit + (digit < 10 ? ZERO : LOWER_A);
      rest >>>= 4;
    }
  }

  private room(more: number): void {
    if (this.used + more <= this.bytes.length) return;
    const next = new Uint8Array(Math.max(this.used + more, this.bytes.length * 2));
    next.set(this.bytes.subarray(0, this.used));
    this.bytes = next;
  }
}

/** Text as a chunk for {@link ByteText.chunk}. */
export function chunkOf(text: string): Uint8Array {
  return encoder.encode(text);
}
