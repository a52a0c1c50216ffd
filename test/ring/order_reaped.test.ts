import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { explore } from '../../src/ring/explore';
import { type OrderedPair, orderRelation } from '../../src/ring/order';
import { readProgram } from '../../src/ring/read_program';
import { runProgram } from '../../src/ring/run';
import { cqeOrder } from '../../src/ring/schedule';

const profile = uringProfile('6.18')!;
const LIMITS = { schedules: 3000, time: Number.POSITIVE_INFINITY, outcomes: 10_000 };

const programOf = (setup: readonly string[], steps: readonly object[]) =>
  readProgram(
    JSON.stringify({
      name: 'p',
      ring: { entries: 8, setup },
      files: {
        f: { kind: 'file', size: 6000 },
        g: { kind: 'file', size: 0 },
        p: { kind: 'pipe', size: 4096 },
      },
      buffers: { b: { size: 4096 }, c: { size: 4096 } },
      steps,
    }),
  );
const read = (name: number, more: object = {}): object => ({
  op: 'READ',
  file: 'f',
  off: name,
  buf: 'b',
  buf_off: name,
  len: 1,
  flags: ['ASYNC'],
  user_data: String(name),
  ...more,
});
const ruleOf = (pairs: readonly OrderedPair[], first: string, second: string) =>
  pairs.find((pair) => pair.first === first && pair.second === second);

describe('the order of what was reaped before', () => {
  const pairsOf = (steps: readonly object[]) =>
    orderRelation(runProgram(programOf([], steps), { profile })).pairs;

  it('is guaranteed where a reap takes all that can come', () => {
    const pairs = pairsOf([
      { submit: [read(1), read(2)] },
      { reap: 2 },
      { submit: [read(3)] },
      { reap: 'all' },
    ]);
    expect(ruleOf(pairs, '1', '2')).toMatchObject({ rules: [] });
    expect(ruleOf(pairs, '1', '3')).toMatchObject({ rules: ['rest'], guaranteed: true });
    expect(ruleOf(pairs, '2', '3')).toMatchObject({ rules: ['rest'], guaranteed: true });
  });

  it('is guaranteed of what too few others can come before', () => {
    const chain = [read(1, { flags: ['ASYNC', 'IO_LINK'] }), read(2)];
    const pairs = pairsOf([{ submit: chain }, { reap: 1 }, { submit: [read(3)] }, { reap: 'all' }]);
    expect(ruleOf(pairs, '1', '3')).toMatchObject({ rules: ['rest'], guaranteed: true });
    expect(ruleOf(pairs, '2', '3')).toMatchObject({ rules: [], guaranteed: false });
  });

  it('is not guaranteed where another one can be taken instead', () => {
    const pairs = pairsOf([
      { submit: [read(1), read(2)] },
      { reap: 1 },
      { submit: [read(3)] },
      { reap: 'all' },
    ]);
    expect(ruleOf(pairs, '1', '3')).toMatchObject({ rules: [], guaranteed: false });
  });

  it('does not count on chains of two calls while a thread takes the SQEs', () => {
    const nop = (name: number, ...flags: string[]) => ({ op: 'NOP', flags, user_data: String(name) });
    const pairs = orderRelation(
      runProgram(
        programOf(
          ['SQPOLL'],
          [{ submit: [nop(1, 'IO_LINK'), nop(2, 'IO_LINK')] }, { submit: [nop(3), nop(4)] }, { reap: 'all' }],
        ),
        { profile },
      ),
    ).pairs;
    expect(ruleOf(pairs, '1', '2')).toMatchObject({ rules: ['chain-order'], guaranteed: true });
    expect(ruleOf(pairs, '2', '3')).toMatchObject({ guaranteed: false });
  });

  it('is kept by every outcome', { timeout: 120_000 }, () => {
    const flags = fc.uniqueArray(fc.constantFrom('IO_LINK', 'IO_HARDLINK', 'IO_DRAIN', 'ASYNC'), {
      maxLength: 2,
    });
    const op = fc.constantFrom(
      { op: 'NOP' },
      { op: 'READ', file: 'f', off: 0, buf: 'b', len: 100 },
      { op: 'READ', file: 'f', off: 5990, buf: 'c', len: 100 },
      { op: 'WRITE', file: 'g', off: 0, buf: 'b', len: 100 },
      { op: 'FSYNC', file: 'f' },
      { op: 'SPLICE', file_in: 'p.r', file: 'g', off: 0, len: 40, splice_flags: ['NONBLOCK'] },
    );
    const call = fc.array(fc.record({ op, flags }), { minLength: 1, maxLength: 3 });
    const shape = fc.record({
      setup: fc.constantFrom([], ['SQPOLL'], ['SINGLE_ISSUER', 'DEFER_TASKRUN'], ['COOP_TASKRUN']),
      calls: fc.array(fc.record({ call, reap: fc.constantFrom(0, 0, 1, 2) }), { minLength: 2, maxLength: 3 }),
    });
    fc.assert(
      fc.property(shape, ({ setup, calls }) => {
        fc.pre(calls.reduce((sum, { call: { length } }) => sum + length, 0) <= 6);
        let name = 0;
        const steps = calls.flatMap(({ call: sqes, reap }) => [
          { submit: sqes.map((each) => ({ ...each.op, flags: each.flags, user_data: String(++name) })) },
          ...(reap > 0 ? [{ reap }] : []),
        ]);
        const program = programOf(setup, [...steps, { reap: 'all' }]);
        const { found } = explore(program, profile, () => 0, LIMITS);
        const { pairs } = orderRelation(runProgram(program, { profile }));
        for (const { outcome } of found) {
          const order = cqeOrder(outcome);
          const turned = pairs.filter(
            ({ first, second, rules }) =>
              rules.length > 0 && order.includes(second) && order.indexOf(first) > order.indexOf(second),
          );
          expect(turned, order.join()).toEqual([]);
        }
      }),
      { numRuns: 80 },
    );
  });
});
