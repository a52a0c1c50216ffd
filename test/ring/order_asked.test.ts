import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { explore } from '../../src/ring/explore';
import { orderRelation } from '../../src/ring/order';
import { readProgram } from '../../src/ring/read_program';
import { runProgram } from '../../src/ring/run';
import { scheduleFor } from '../../src/ring/schedule';

const SAMPLES = join(__dirname, '..', '..', 'samples');
const profile = uringProfile('6.18')!;
const LIMITS = { schedules: 20_000, time: 1e9, outcomes: 1000 };
const sample = (name: string) => readProgram(readFileSync(join(SAMPLES, `${name}.ring.json`), 'utf8'));
const asked = (program: ReturnType<typeof sample>, order: string) =>
  scheduleFor(program, profile, order.split(','), () => 0, LIMITS);
const submit = (...sqes: object[]) =>
  readProgram(
    JSON.stringify({
      name: 'p',
      ring: { entries: 8 },
      files: { f: { kind: 'file', size: 6000 }, g: { kind: 'file', size: 0 }, p: { kind: 'pipe' } },
      steps: [{ submit: sqes }, { reap: 'all' }],
    }),
  );

/** A splice pair without a link: the second one posts a CQE only where it comes too early. */
const EARLY = submit(
  { op: 'SPLICE', file_in: 'f', off_in: 0, file: 'p.w', off: -1, len: 100, user_data: '1' },
  {
    op: 'SPLICE',
    file_in: 'p.r',
    off_in: -1,
    file: 'g',
    off: 0,
    len: 100,
    splice_flags: ['NONBLOCK'],
    flags: ['CQE_SKIP_SUCCESS'],
    user_data: '2',
  },
);

describe('an order that is asked for', () => {
  it('may have a CQE that the likeliest run has not', () => {
    expect(asked(EARLY, '2,1').kind).toBe('schedule');
    const { comes, found } = explore(EARLY, profile, () => 0, LIMITS);
    expect(found.length).toBeGreaterThan(1);
    const { pairs } = orderRelation(runProgram(EARLY, { profile }), comes, ['2']);
    expect(pairs).toMatchObject([{ guaranteed: false }]);
  });

  it('names what keeps a request from ever posting a CQE', () => {
    const drain = sample('drain-behind-fetch');
    expect(asked(drain, '1,2')).toMatchObject({ kind: 'forbidden', pair: { second: '1', rules: ['drain'] } });
    const skipped = submit(
      { op: 'NOP', user_data: '1' },
      { op: 'NOP', flags: ['CQE_SKIP_SUCCESS'], user_data: '2' },
    );
    expect(asked(skipped, '1,2')).toMatchObject({ kind: 'forbidden', pair: { rules: ['skip'] } });
  });

  it('tells requests of one user_data apart by their order', () => {
    const reused = sample('cqe-order-is-not-tag-order');
    expect(asked(reused, '3,3,1')).toMatchObject({ kind: 'forbidden', pair: { rules: ['rest'] } });
    expect(asked(reused, '3,1,3').kind).toBe('schedule');
    expect(asked(reused, '1,1')).toMatchObject({ kind: 'forbidden', pair: { rules: ['once'] } });
    const { pairs } = orderRelation(runProgram(reused, { profile }));
    const ones = pairs.filter(({ first, second }) => first === '1' && second === '3');
    expect(new Set(ones.map(({ secondSqe }) => secondSqe)).size).toBe(ones.length);
  });
});
