import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { explore } from '../../src/ring/explore';
import { outcomeKey } from '../../src/ring/outcome';
import { readProgram } from '../../src/ring/read_program';
import { runProgram } from '../../src/ring/run';

const profile = uringProfile('6.18')!;
const LIMITS = { schedules: 30_000, time: Number.POSITIVE_INFINITY, outcomes: Number.POSITIVE_INFINITY };
const RUNS = 60;

/** Factors of times: most of them near one, some far off. */
function paceOf(seed: number): () => number {
  let x = (seed * 2654435761) >>> 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    return Math.exp((x / 2 ** 32 - 0.5) * 5);
  };
}

/** Orders of CQEs that a machine with real workers gives at some pace, and no schedule of the exploration does. */
function missing(text: string, seeds: readonly number[]): string[] {
  const program = readProgram(text);
  const { found, complete } = explore(program, profile, () => 0, LIMITS);
  expect(complete).toBe(true);
  const allowed = new Set(found.map(({ outcome }) => outcomeKey(outcome)));
  const outside = new Set<string>();
  for (const seed of seeds) {
    const outcome = runProgram(program, { profile, pace: paceOf(seed) }).outcome();
    if (allowed.has(outcomeKey(outcome))) continue;
    const step = ({ cqes, overflow }: (typeof outcome.steps)[number]): string =>
      `${overflow ? 'overflow ' : ''}${(cqes ?? []).map(({ user_data, res }) => `${user_data}:${res}`).join(' ')}`;
    outside.add(outcome.steps.map(step).join(' | '));
  }
  return [...outside];
}

const SEEDS = Array.from({ length: RUNS }, (_, i) => i + 1);

const ring = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../fixtures/ring/${name}.json`, import.meta.url)), 'utf8');

/** One ring, one file, one pipe, a few buffers. */
function program(setup: readonly string[], calls: readonly (readonly object[])[], entries = 8): string {
  let nr = 0;
  return JSON.stringify({
    name: 'p',
    ring: { entries, cq_entries: entries, setup },
    files: {
      f: { kind: 'file', size: 8192 },
      d: { kind: 'file', size: 8192, open: ['DIRECT'] },
      p: { kind: 'pipe', size: 8192, fill: 100 },
    },
    buffers: { b: { size: 8192 } },
    steps: [
      ...calls.map((sqes) => ({ submit: sqes.map((sqe) => ({ ...sqe, user_data: String(++nr) })) })),
      { reap: 'all' },
    ],
  });
}

const LINK = { flags: ['IO_LINK'] };
const WRITE = { op: 'WRITE', file: 'f', off: 0, buf: 'b', len: 100 };

describe('what a faster or slower machine does is among the allowed outcomes', () => {
  it.each(['link-two-chains', 'rnd-0231', 'rnd-0302', 'rnd-0356', 'rnd-0446'])('%s', (name) => {
    expect(missing(ring(name), SEEDS)).toEqual([]);
  });

  it('a hashed request and the follower of the one before it', () => {
    const calls = [[{ ...WRITE, ...LINK }, { ...WRITE, off: 4096 }, WRITE]];
    expect(missing(program([], calls), SEEDS)).toEqual([]);
  });

  const sqe = fc
    .record({
      op: fc.constantFrom(
        { op: 'NOP' },
        WRITE,
        { op: 'READ', file: 'f', off: 0, buf: 'b', len: 100 },
        { op: 'FSYNC', file: 'f' },
        { op: 'FALLOCATE', file: 'f', off: 0, len: 100 },
        { op: 'SPLICE', file_in: 'p.r', file: 'f', off: 0, len: 50, splice_flags: ['NONBLOCK'] },
        { op: 'READ', file: 'p.r', off: 0, buf: 'b', len: 10 },
        { op: 'POLL_ADD', file: 'p.r', poll_events: ['IN'] },
        { op: 'TIMEOUT', ns: 5_000_000, count: 1 },
        { op: 'ASYNC_CANCEL', target: '1' },
      ),
      flags: fc.constantFrom([], [], ['IO_LINK'], ['IO_LINK'], ['ASYNC'], ['IO_DRAIN']),
    })
    .map(({ op, flags }) => ({ ...op, flags }));
  const drawn = fc.record({
    setup: fc.constantFrom([], ['SINGLE_ISSUER', 'DEFER_TASKRUN'], ['COOP_TASKRUN'], ['SUBMIT_ALL']),
    calls: fc.array(fc.array(sqe, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 }),
  });

  it('random programs', () => {
    fc.assert(
      fc.property(drawn, ({ setup, calls }) => {
        expect(missing(program(setup, calls), SEEDS.slice(0, 15))).toEqual([]);
      }),
      { numRuns: 60, seed: 5 },
    );
  }, 60_000);
});
