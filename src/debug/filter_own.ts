import type { Trace } from '../trace/trace';
import type { Leaf } from './filter_parse';
import { numberTest, textTest } from './filter_values';

/** Fields that hold identities of 64 bits: they compare unsigned and exactly. */
const EXACT = 2 ** 53;

/**
 * Test of a field that events print themselves; undefined for an event without such a field, or with one that cannot be compared
 * with the value. The place of the field is looked up once per text form, not per event.
 */
export function ownTest(
  leaf: Leaf,
  trace: Trace,
  names: readonly string[],
): (event: number) => boolean | undefined {
  const place = new Int32Array(trace.shapes.size).fill(-1);
  const isText = new Uint8Array(trace.shapes.size);
  const numeric = leaf.kind === 'has' || leaf.value.number !== undefined;
  for (let id = 0; id < place.length; id++) {
    const { fields, template } = trace.shapes.get(id);
    for (const name of names) {
      const k = fields.get(name);
      if (k === undefined) continue;
      const text = template.formats[k] === 's';
      if (!text && !numeric) continue;
      place[id] = k;
      isText[id] = text ? 1 : 0;
      break;
    }
  }
  const word = wordTest(leaf, trace);
  const text = stringTest(leaf, trace);
  const { shape, at, words } = trace;
  return (event) => {
    const id = shape[event];
    const k = place[id];
    if (k < 0) return undefined;
    const w = words[at[event] + k];
    return isText[id] === 1 ? text(w) : word(w);
  };
}

function wordTest(leaf: Leaf, trace: Trace): (word: number) => boolean {
  const { wide } = trace;
  if (leaf.kind === 'has') return (word) => word !== 0;
  const { number, big } = leaf.value;
  if (number === undefined) return () => false;
  if (big !== undefined && (leaf.op === '==' || leaf.op === '!=')) {
    const lo = Number(big & 0xffffffffn);
    const hi = Number(big >> 32n);
    const same = leaf.op === '==';
    return (word) => (wide.lowOf(word) === lo && wide.highOf(word) === hi) === same;
  }
  if (big !== undefined && number >= EXACT) {
    const test = numberTest(leaf.op, 0);
    return (word) => test(compare(wide.big(word), big));
  }
  const test = numberTest(leaf.op, number);
  return (word) => test(wide.number(word));
}

function stringTest(leaf: Leaf, trace: Trace): (word: number) => boolean {
  const { strings } = trace;
  if (leaf.kind === 'has') return (word) => strings.text(word) !== '';
  const test = textTest(leaf.op, leaf.value.text);
  const known = new Map<number, boolean>();
  return (word) => {
    let answer = known.get(word);
    if (answer === undefined) {
      answer = test(strings.text(word));
      known.set(word, answer);
    }
    return answer;
  };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
