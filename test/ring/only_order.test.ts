import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { explore } from '../../src/ring/explore';
import { onlyOrderVaries } from '../../src/ring/only_order';
import { readProgram } from '../../src/ring/read_program';
import { runProgram } from '../../src/ring/run';
import { cqeOrder } from '../../src/ring/schedule';

const LIMITS = { schedules: 30_000, time: Number.POSITIVE_INFINITY, outcomes: 10_000 };

const sqe = fc.record({
  op: fc.constantFrom('NOP', 'READ', 'FSYNC'),
  flags: fc.uniqueArray(fc.constantFrom('IO_LINK', 'IO_LINK', 'IO_DRAIN', 'ASYNC', 'ASYNC'), {
    maxLength: 2,
  }),
});

function programOf(
  sqes: readonly { op: string; flags: readonly string[] }[],
  setup: readonly string[],
): string {
  const fields = (op: string, i: number): object => {
    if (op === 'NOP') return { op };
    if (op === 'FSYNC') return { op, file: 'f' };
    return { op, file: 'f', off: i, buf: 'b', buf_off: i * 10, len: 10 };
  };
  return JSON.stringify({
    name: 'p',
    ring: { entries: 8, setup },
    files: { f: { kind: 'file', size: 6000 } },
    buffers: { b: { size: 4096 } },
    steps: [
      { submit: sqes.map(({ op, flags }, i) => ({ ...fields(op, i), flags, user_data: String(i + 1) })) },
      { reap: 'all' },
    ],
  });
}

describe('programs whose schedules differ in the order of CQEs only', () => {
  it('have as many outcomes as the rules of order leave orders', { timeout: 120_000 }, () => {
    const profile = uringProfile('6.18')!;
    const programs = fc.array(sqe, { minLength: 1, maxLength: 4 });
    const setups = fc.constantFrom([], ['SINGLE_ISSUER', 'DEFER_TASKRUN'], ['COOP_TASKRUN']);
    fc.assert(
      fc.property(programs, setups, (sqes, setup) => {
        const program = readProgram(programOf(sqes, setup));
        const run = runProgram(program, { profile });
        expect(onlyOrderVaries(program, run)).toBe(true);
        const quick = explore(program, profile, () => 0, LIMITS);
        // a request that nobody submits, in the set of contended ones: the exploration does not rely on the rules of order
        const asIfContended = { ...program, contended: new Set([{ ...run.ring.requests[0]!.sqe }]) };
        const every = explore(asIfContended, profile, () => 0, LIMITS);
        fc.pre(every.complete);
        expect(quick.complete).toBe(true);
        const orders = (list: typeof every): string[] =>
          list.found.map(({ outcome }) => cqeOrder(outcome).join()).sort();
        expect(orders(quick)).toEqual(orders(every));
        expect(quick.total).toBe(every.total);
      }),
      { numRuns: 150 },
    );
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
