import { errnoByName } from '../uapi/errno';

/** What a number of a filter measures: bytes (`64k`), time (`50us`), or nothing in particular. */
export type Measure = 'bytes' | 'time' | 'plain';

/** The right side of a comparison. */
export interface Literal {
  readonly text: string;
  /** Quoted: text, whatever it looks like. */
  readonly quoted: boolean;
  /** Value in bytes, ns or plain; undefined where it is no number. */
  readonly number: number | undefined;
  /** Whole numbers exactly, as unsigned 64 bits. */
  readonly big: bigint | undefined;
  readonly measure: Measure;
  readonly column: number;
}

const TIMES: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9 };
const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

/** Reads the right side of a comparison: a number with or without unit, `-EIO`, or a word. */
export function literal(text: string, quoted: boolean, column: number): Literal {
  const as = (number: number | undefined, big: bigint | undefined, measure: Measure): Literal => ({
    text,
    quoted,
    number,
    big: big === undefined ? undefined : BigInt.asUintN(64, big),
    measure,
    column,
  });
  if (quoted) return as(undefined, undefined, 'plain');
  if (/^-?0x[0-9a-f]+$/i.test(text)) {
    const big = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
    return as(Number(big), big, 'plain');
  }
  if (/^-?\d+$/.test(text)) return as(Number(text), BigInt(text), 'plain');
  const errno = text.startsWith('-') ? errnoByName(text.slice(1)) : undefined;
  if (errno !== undefined) return as(-Math.abs(errno), BigInt(-Math.abs(errno)), 'plain');
  const match = /^(-?\d+(?:\.\d+)?)([a-zµ]*)$/i.exec(text);
  if (match === null) return as(undefined, undefined, 'plain');
  const unit = match[2].toLowerCase();
  if (unit === '') return as(Number(match[1]), undefined, 'plain');
  const scaled = (size: number, measure: Measure): Literal => {
    const value = Number(match[1]) * size;
    return as(value, Number.isSafeInteger(value) ? BigInt(value) : undefined, measure);
  };
  if (Object.hasOwn(TIMES, unit)) return scaled(TIMES[unit], 'time');
  const size = unit.replace(/ib$/, '').replace(/^([kmgt])b$/, '$1');
  return Object.hasOwn(SIZES, size) ? scaled(SIZES[size], 'bytes') : as(undefined, undefined, 'plain');
}

/** A number of a filter that compares for {@link Literal.number} in all six ways; false for NaN. */
export function numberTest(op: string, than: number): (value: number) => boolean {
  switch (op) {
    case '==':
      return (value) => value === than;
    case '!=':
      return (value) => value !== than && !Number.isNaN(value);
    case '<':
      return (value) => value < than;
    case '<=':
      return (value) => value <= than;
    case '>':
      return (value) => value > than;
    default:
      return (value) => value >= than;
  }
}

/** Comparison of texts without regard to case; `~` is contains. */
export function textTest(op: string, than: string): (value: string) => boolean {
  const wanted = than.toLowerCase();
  switch (op) {
    case '==':
      return (value) => value.toLowerCase() === wanted;
    case '!=':
      return (value) => value.toLowerCase() !== wanted;
    case '~':
      return (value) => value.toLowerCase().includes(wanted);
    case '!~':
      return (value) => !value.toLowerCase().includes(wanted);
    case '<':
      return (value) => value.toLowerCase() < wanted;
    case '<=':
      return (value) => value.toLowerCase() <= wanted;
    case '>':
      return (value) => value.toLowerCase() > wanted;
    default:
      return (value) => value.toLowerCase() >= wanted;
  }
}
