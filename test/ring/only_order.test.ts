import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { explore, exploring } from '../../src/ring/explore';
import { onlyOrderVaries } from '../../src/ring/only_order';
import { orderRelation } from '../../src/ring/order';
import { readProgram } from '../../src/ring/read_program';
import { runProgram } from '../../src/ring/run';
import { cqeOrder } from '../../src/ring/schedule';

const LIMITS = { schedules: 30_000, time: Number.POSITIVE_INFINITY, outcomes: 10_000 };

const sqe = fc.record({
  op: fc.constantFrom('NOP', 'READ', 'FSYNC', 'WRITE', 'SPLICE'),
  call: fc.constantFrom(0, 0, 1),
  flags: fc.uniqueArray(fc.constantFrom('IO_LINK', 'IO_LINK', 'IO_DRAIN', 'ASYNC', 'ASYNC'), {
    maxLength: 2,
  }),
});

interface Drawn {
  readonly op: string;
  readonly call: number;
  readonly flags: readonly string[];
}

function programOf(sqes: readonly Drawn[], setup: readonly string[]): string {
  const fields = (op: string, i: number): object => {
    if (op === 'NOP') return { op };
    if (op === 'FSYNC') return { op, file: 'f' };
    if (op === 'WRITE') return { op, file: `g${i}`, buf: 'b', buf_off: i * 10, len: 10 };
    if (op === 'SPLICE') return { op, file_in: 'f', off_in: 0, file: `p${i}.w`, len: 10 };
    return { op, file: 'f', off: i, buf: 'b', buf_off: i * 10, len: 10 };
  };
  const all = sqes.map(({ op, call, flags }, i) => ({
    call,
    sqe: { ...fields(op, i), flags, user_data: String(i + 1) },
  }));
  const calls = [0, 1].map((nr) => all.filter(({ call }) => call === nr).map((each) => each.sqe));
  return JSON.stringify({
    name: 'p',
    ring: { entries: 8, setup },
    files: Object.fromEntries([
      ['f', { kind: 'file', size: 6000 }],
      ...sqes.map((_, i) => [`g${i}`, { kind: 'file', size: 0 }]),
      ...sqes.map((_, i) => [`p${i}`, { kind: 'pipe' }]),
    ]),
    buffers: { b: { size: 4096 } },
    steps: [...calls.map((submit) => ({ submit })), { reap: 'all' }],
  });
}

describe('programs whose schedules differ in the order of CQEs only', () => {
  const programs = fc.array(sqe, { minLength: 1, maxLength: 4 });
  const setups = fc.constantFrom([], ['SINGLE_ISSUER', 'DEFER_TASKRUN'], ['COOP_TASKRUN']);

  it.each(['6.1', '6.12', '6.18', '7.3'])(
    'have on %s as many outcomes as the rules of order leave orders, and none turns a ruled pair round',
    { timeout: 120_000 },
    (name) => {
      const profile = uringProfile(name)!;
      fc.assert(
        fc.property(programs, setups, (sqes, setup) => {
          const program = readProgram(programOf(sqes, setup));
          const run = runProgram(program, { profile });
          const drained = sqes.some(({ flags }) => flags.includes('IO_DRAIN'));
          if (profile.drainByLive || !drained) expect(onlyOrderVaries(program, run)).toBe(true);
          const quick = explore(program, profile, () => 0, LIMITS);
          // a request that nobody submits, in the set of contended ones: this exploration does not rely on the rules of order
          const asIfContended = { ...program, contended: new Set([{ ...run.ring.requests[0]!.sqe }]) };
          const every = explore(asIfContended, profile, () => 0, LIMITS);
          fc.pre(every.complete);
          expect(quick.complete).toBe(true);
          const orders = every.found.map(({ outcome }) => cqeOrder(outcome));
          expect(quick.found.map(({ outcome }) => cqeOrder(outcome).join()).sort()).toEqual(
            orders.map((order) => order.join()).sort(),
          );
          expect(quick.total).toBe(every.total);
          for (const { first, second, rules } of orderRelation(run).pairs) {
            if (rules.length === 0) continue;
            expect(orders.filter((order) => order.indexOf(first) > order.indexOf(second))).toEqual([]);
          }
        }),
        { numRuns: 100 },
      );
    },
  );

  it('are explored in slices of a few milliseconds', () => {
    const profile = uringProfile('6.18')!;
    const drawn = Array.from({ length: 6 }, () => ({ op: 'READ', call: 0, flags: ['ASYNC'] }));
    const program = readProgram(programOf(drawn, []));
    let now = 0;
    const work = exploring(program, profile, () => (now += 5), { ...LIMITS, time: 1_000_000 });
    const slices: number[] = [];
    for (let step = work.next(); ; step = work.next()) {
      if (step.done === true) {
        expect(step.value).toMatchObject({ total: 720, complete: true });
        break;
      }
      slices.push(step.value);
    }
    expect(slices.length).toBeGreaterThan(100);
    expect(slices.slice(1).every((share, i) => share >= slices[i]! && share <= 1)).toBe(true);
  });

  it('are no programs in which requests meet at a file, or whose CQEs wait for room', () => {
    const profile = uringProfile('6.18')!;
    const varies = (steps: readonly object[]): boolean => {
      const program = readProgram(
        JSON.stringify({
          name: 'p',
          ring: { entries: 8, cq_entries: 8 },
          files: { f: { kind: 'file', size: 6000 } },
          buffers: { b: { size: 4096 } },
          steps,
        }),
      );
      return onlyOrderVaries(program, runProgram(program, { profile }));
    };
    const write = { op: 'WRITE', file: 'f', buf: 'b', len: 10 };
    const nop = { op: 'NOP' };
    const submit = (list: readonly object[]): object => ({
      submit: list.map((each, i) => ({ ...each, user_data: String(i) })),
    });
    expect(varies([submit([write, nop]), { reap: 'all' }])).toBe(true);
    expect(varies([submit([write, write]), { reap: 'all' }])).toBe(false);
    expect(varies([submit([nop, { op: 'TIMEOUT', ns: 1000 }]), { reap: 'all' }])).toBe(false);
    const eight = Array.from({ length: 8 }, () => nop);
    expect(varies([submit(eight), { reap: 'all' }])).toBe(true);
    expect(varies([submit(eight), submit([nop]), { reap: 'all' }])).toBe(false);
    expect(varies([submit([nop]), { reap: 2 }])).toBe(false);
  });
});
