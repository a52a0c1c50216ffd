import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  diffState,
  type MachineState,
  type StateChange,
  StateCache,
  stateLeaves,
} from '../../src/trace/state';
import { StateReducer } from '../../src/trace/state_reducer';
import type { Trace } from '../../src/trace/trace';
import { recording, sample, simulated } from '../view/support';

/** The states after every event, each made from nothing by a reducer that made no other one. */
function plainStates(trace: Trace, events: readonly number[]): MachineState[] {
  return events.map((event) => {
    const reducer = new StateReducer(trace);
    reducer.run(event);
    return reducer.state();
  });
}

/** What differs, from all values of both states. */
function slowDiff(before: MachineState, after: MachineState): StateChange[] {
  const [was, is] = [stateLeaves(before), stateLeaves(after)];
  const changes: StateChange[] = [];
  for (const [path, value] of is)
    if (was.get(path) !== value) changes.push({ path, before: was.get(path), after: value });
  for (const [path, value] of was) if (!is.has(path)) changes.push({ path, before: value, after: undefined });
  return changes;
}

const byPath = (a: StateChange, b: StateChange): number => (a.path < b.path ? -1 : 1);

const DEVICES = `ublk add -t null -q 2 -d 8
ublk add -t null -q 2 -d 8
fio --name=j --filename=/dev/ublkb1 --direct=1 --ioengine=libaio --rw=randread --bs=4k --iodepth=4 --number_ios=8
ublk del -n 0
ublk add -t null -q 1 -d 8
ublk del -n 1
`;

describe.each([
  ['samples/loop-zc.ublk', () => sample('loop-zc.ublk')],
  ['several devices that come and go', () => simulated(DEVICES)],
  ['a recording of the RFC', () => recording('rfc-zc-subrange-two-halves-8k')],
  ['a recording of 7.3', () => recording('k7.3-loop-copy-kublk-q1d32')],
])('states of %s', (_, load) => {
  it('are the same one after the other as each from nothing, and differ by what all their values tell', async () => {
    const { trace } = await load();
    const states = new StateCache(trace);
    const events = [...Array(Math.min(trace.length, 700) + 1).keys()].map((k) => k - 1);
    const plain = plainStates(trace, events);
    const asked = events.map((event) => states.at(event));
    expect(asked).toEqual(plain);
    for (let k = 1; k < asked.length; k++) {
      const fast = diffState(asked[k - 1]!, asked[k]!);
      expect(fast.toSorted(byPath)).toEqual(slowDiff(plain[k - 1]!, plain[k]!).toSorted(byPath));
      expect(fast).toEqual(diffState(plain[k - 1]!, plain[k]!));
    }
  });

  it('are the same in any order of questions', async () => {
    const { trace } = await load();
    const states = new StateCache(trace);
    const event = fc.integer({ min: -1, max: trace.length - 1 });
    fc.assert(
      fc.property(event, event, (a, b) => {
        const [before, after] = [states.at(a), states.at(b)];
        const [plainBefore, plainAfter] = plainStates(trace, [a, b]);
        expect(before).toEqual(plainBefore);
        expect(after).toEqual(plainAfter);
        expect(diffState(before, after)).toEqual(diffState(plainBefore!, plainAfter!));
      }),
      { numRuns: 40 },
    );
  });
});

describe('two states side by side', () => {
  it('share what the event between them did not touch', async () => {
    const { trace } = await sample('loop-zc.ublk');
    const states = new StateCache(trace);
    let shared = 0;
    let all = 0;
    for (let e = 0; e < trace.length; e++) {
      const before = states.at(e - 1);
      const after = states.at(e);
      const old = new Set(before.slots);
      shared += after.slots.filter((slot) => old.has(slot)).length;
      all += after.slots.length;
    }
    expect(shared).toBeGreaterThan(all * 0.9);
  });
});
