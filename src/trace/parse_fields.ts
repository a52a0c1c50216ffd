import type { ReadForm } from './shapes';
import type { Format } from './template';
import type { Trace } from './trace';

const DASH = 45;
const ZERO = 48;
const INLINE = 0x80000000;

const decoder = new TextDecoder();
/** Formats as small integers, in the order of the switch in {@link FieldReader.read}. */
const CODE: Readonly<Record<Format, number>> = { s: 0, d: 1, u: 2, x: 3, h: 3, p: 4, z: 5, H: 6 };
/** Value of each byte as a lower-case hexadecimal digit, -1 for the others. */
const HEX = new Int8Array(256).fill(-1);
for (let k = 0; k < 16; k++) HEX[k < 10 ? ZERO + k : 87 + k] = k;

/** A form made ready for reading: all literals in one array, and the text that each string field had last. */
export interface ReadyForm {
  readonly form: ReadForm;
  readonly count: number;
  readonly codes: Uint8Array;
  /** Literal k is literals[starts[k] .. starts[k + 1]). */
  readonly literals: Uint8Array;
  readonly starts: Uint32Array;
  readonly lastId: Int32Array;
  readonly lastBytes: Uint8Array[];
}

/** Makes a form ready. */
export function readyForm(form: ReadForm): ReadyForm {
  const { formats, literalBytes } = form.template;
  const starts = new Uint32Array(literalBytes.length + 1);
  literalBytes.forEach((bytes, k) => {
    starts[k + 1] = starts[k] + bytes.length;
  });
  const literals = new Uint8Array(starts[literalBytes.length]);
  literalBytes.forEach((bytes, k) => {
    literals.set(bytes, starts[k]);
  });
  return {
    form,
    count: formats.length,
    codes: Uint8Array.from(formats, (format) => CODE[format]),
    literals,
    starts,
    lastId: new Int32Array(formats.length),
    lastBytes: formats.map(() => new Uint8Array(0)),
  };
}

/** Reads the body of an event by a form, into words of the trace that are reserved but not yet committed. */
export class FieldReader {
  private buf: Uint8Array = new Uint8Array(0);
  private pos = 0;
  private lo = 0;
  private hi = 0;

  constructor(private readonly trace: Trace) {}

  /** False when buf[start..end) does not follow the form exactly. */
  read(ready: ReadyForm, buf: Uint8Array, start: number, end: number): boolean {
    const { count, codes, literals, starts } = ready;
    const { trace } = this;
    const at = trace.reserve(count);
    const { words } = trace;
    this.buf = buf;
    let pos = start;
    let j = 0;
    for (let k = 0; ; k++) {
      const stop = starts[k + 1];
      if (pos + stop - j > end) return false;
      while (j < stop) if (buf[pos++] !== literals[j++]) return false;
      if (k === count) return pos === end;
      const from = pos;
      // Digits behind the line's end belong to no field: the byte there is a line end, or not of this piece.
      switch (codes[k]) {
        case 0: {
          const id = this.text(ready, k, pos, end);
          if (id < 0) return false;
          words[at + k] = id;
          pos = this.pos;
          continue;
        }
        case 1:
        case 2: {
          let value = 0;
          while (pos < end) {
            const digit = buf[pos] - ZERO;
            if (digit < 0 || digit > 9) break;
            value = value * 10 + digit;
            if (++pos - from === 9) break;
          }
          const digits = pos - from;
          const next = pos < end ? buf[pos] - ZERO : -1;
          if (digits > 0 && (next < 0 || next > 9) && (digits === 1 || buf[from] !== ZERO)) {
            words[at + k] = value;
            continue;
          }
          this.pos = from;
          if (!this.decimal(codes[k] === 2, end)) return false;
          break;
        }
        case 3: {
          let value = 0;
          while (pos < end && pos - from < 7) {
            const digit = HEX[buf[pos]];
            if (digit < 0) break;
            value = (value << 4) | digit;
            pos++;
          }
          const digits = pos - from;
          if (digits > 0 && (pos === end || HEX[buf[pos]] < 0) && (digits === 1 || buf[from] !== ZERO)) {
            words[at + k] = value;
            continue;
          }
          this.pos = from;
          if (!this.hex(false, end)) return false;
          break;
        }
        case 4:
          this.pos = pos;
          if (!this.hex(true, end) || this.pos - pos !== 16) return false;
          break;
        case 5:
          this.pos = pos;
          if (!this.hex(true, end)) return false;
          break;
        default:
          this.pos = pos;
          if (buf[pos] === ZERO && buf[pos + 1] === 120) {
            this.pos = pos + 2;
            if (!this.hex(false, end) || (this.hi === 0 && this.lo < 10)) return false;
          } else if (!this.decimal(true, end) || this.hi !== 0 || this.lo > 9) {
            return false;
          }
      }
      pos = this.pos;
      words[at + k] = this.hi === 0 && this.lo < INLINE ? this.lo : trace.wide.word(this.lo, this.hi);
    }
  }

  /**
   * Id of the text up to the next literal, -1 where that does not come. Most fields say what they said last, so that is
   * compared first; the literal cannot come earlier then, because it did not in the same bytes before.
   */
  private text(ready: ReadyForm, k: number, start: number, end: number): number {
    const { buf } = this;
    const { literals, starts } = ready;
    const from = starts[k + 1];
    const to = starts[k + 2];
    const last = k === ready.count - 1;
    const known = ready.lastBytes[k];
    const guess = start + known.length;
    if (last ? guess === end - (to - from) : from < to && guess + (to - from) <= end) {
      let i = 0;
      while (i < known.length && buf[start + i] === known[i]) i++;
      if (i === known.length) {
        let j = from;
        if (!last) while (j < to && buf[guess + j - from] === literals[j]) j++;
        if (last || j === to) {
          this.pos = guess;
          return ready.lastId[k];
        }
      }
    }
    const stop = last ? end - (to - from) : this.find(literals, from, to, start, end);
    if (stop < start) return -1;
    const { strings } = this.trace;
    const id = strings.idOfBytes(buf, start, stop);
    ready.lastId[k] = id;
    ready.lastBytes[k] = strings.rawBytes(id);
    this.pos = stop;
    return id;
  }

  /** Where literals[from..to) first occurs at or behind `start`, -1 when not in front of `end`. */
  private find(literals: Uint8Array, from: number, to: number, start: number, end: number): number {
    const { buf } = this;
    const first = literals[from];
    const stop = end - (to - from);
    for (let pos = start; pos <= stop; pos++) {
      if (buf[pos] !== first) continue;
      let j = from + 1;
      while (j < to && buf[pos + j - from] === literals[j]) j++;
      if (j === to) return pos;
    }
    return -1;
  }

  /** Decimal at `pos` into lo/hi; false when it is not written the way %lld or %llu writes it or leaves 64 bits. */
  private decimal(unsigned: boolean, end: number): boolean {
    const { buf } = this;
    let pos = this.pos;
    const negative = !unsigned && buf[pos] === DASH;
    if (negative) pos++;
    const from = pos;
    let value = 0;
    while (pos < end && buf[pos] >= ZERO && buf[pos] <= 57) value = value * 10 + buf[pos++] - ZERO;
    const digits = pos - from;
    if (digits === 0 || (digits > 1 && buf[from] === ZERO) || (negative && value === 0)) return false;
    if (digits <= 15) {
      if (negative) value = -value;
      this.lo = value >>> 0;
      this.hi = value >= 0 && value < 0x100000000 ? 0 : Math.floor(value / 0x100000000) >>> 0;
    } else {
      if (digits > 20) return false;
      const big = BigInt(decoder.decode(buf.subarray(this.pos, pos)));
      if (big > (unsigned ? 0xffffffffffffffffn : 0x7fffffffffffffffn) || big < -0x8000000000000000n)
        return false;
      const bits = BigInt.asUintN(64, big);
      this.lo = Number(bits & 0xffffffffn);
      this.hi = Number(bits >> 32n);
    }
    this.pos = pos;
    return true;
  }

  /** Lower-case hexadecimal at `pos` into lo/hi, at most 16 digits. */
  private hex(leadingZeros: boolean, end: number): boolean {
    const { buf } = this;
    let pos = this.pos;
    let lo = 0;
    let hi = 0;
    while (pos < end) {
      const digit = HEX[buf[pos]];
      if (digit < 0) break;
      hi = (hi << 4) | (lo >>> 28);
      lo = (lo << 4) | digit;
      pos++;
    }
    const digits = pos - this.pos;
    if (digits === 0 || digits > 16 || (!leadingZeros && digits > 1 && buf[this.pos] === ZERO)) return false;
    this.lo = lo >>> 0;
    this.hi = hi >>> 0;
    this.pos = pos;
    return true;
  }
}
