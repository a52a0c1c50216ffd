import { ChangeIndex, type Leaf as Value, readPath, type StateCache, STRETCH } from '../trace/state';
import { indexAfter } from './sorted';
import type { Leaf } from './filter_parse';
import { numberTest, textTest } from './filter_values';

/** Test of a state variable after an event: replayed stretch by stretch, read only where it changes. */
export function stateTest(leaf: Leaf, states: StateCache): (event: number) => boolean {
  const changes = new ChangeIndex(states);
  const known = new Map<number, boolean>();
  const test = valueTest(leaf);
  return (event) => {
    const n = Math.floor(event / STRETCH);
    const [list] = changes.stretch([leaf.field], n);
    const k = indexAfter(list, event) - 1;
    const since = k < 0 ? n * STRETCH : list[k];
    let answer = known.get(since);
    if (answer === undefined) {
      const value = readPath(states.at(since), leaf.field);
      answer = value !== undefined && value !== null && test(value);
      known.set(since, answer);
    }
    return answer;
  };
}

function valueTest(leaf: Leaf): (value: Exclude<Value, null>) => boolean {
  if (leaf.kind === 'has') return (value) => value !== '' && value !== 0 && value !== false;
  const { op, value: than } = leaf;
  const text = textTest(op, than.text);
  const number = than.number === undefined ? undefined : numberTest(op, than.number);
  return (value) => (number !== undefined && typeof value === 'number' ? number(value) : text(String(value)));
}
