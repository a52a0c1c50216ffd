import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { explore } from '../../src/ring/explore';
import { orderRelation } from '../../src/ring/order';
import { readProgram } from '../../src/ring/read_program';
import { runProgram } from '../../src/ring/run';
import { scheduleFor } from '../../src/ring/schedule';
import { readOrder, unknownName } from '../../src/ring/wanted_order';

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

  it('can name one of the requests of a user_data', () => {
    const again = readProgram(
      JSON.stringify({
        name: 'p',
        ring: { entries: 8 },
        files: { f: { kind: 'file', size: 6000 } },
        buffers: { b: { size: 10 } },
        steps: [
          {
            submit: [1, 3, 3].map((user_data, i) => ({
              op: 'READ',
              file: 'f',
              buf: 'b',
              len: i,
              flags: i === 0 ? ['ASYNC', 'IO_LINK'] : ['ASYNC'],
              user_data: String(user_data),
            })),
          },
          { reap: 'all' },
        ],
      }),
    );
    expect(asked(again, '3,1').kind).toBe('schedule');
    expect(asked(again, '3#2,1').kind).toBe('schedule');
    expect(asked(again, '3#2,3#1').kind).toBe('schedule');
    expect(asked(again, '3#1,1')).toMatchObject({
      kind: 'forbidden',
      pair: { first: '1', second: '3#1', rules: ['chain-order'] },
    });
    expect(asked(again, '3#1,3#1')).toMatchObject({ kind: 'forbidden', pair: { rules: ['once'] } });
    expect(unknownName(again, '3#3')).toBe('3#3 is none: 2 SQEs have the user_data 3, counted from 1');
    expect(unknownName(again, '1#0')).toContain('one SQE has the user_data 1');
    expect(unknownName(again, '4')).toBe('no SQE has the user_data 4');
    expect(['3#1', '0x3#2', '1'].map((name) => unknownName(again, readOrder(name)![0]!))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(readOrder('3#')).toBeUndefined();
  });

  it('is looked for in a bounded number of steps, whatever the clock says', () => {
    const nops = [1, 2, 3, 4, 5, 6].map((nr) => ({ op: 'NOP', flags: ['ASYNC'], user_data: String(nr) }));
    const turned = ['6', '5', '4', '3', '2', '1'];
    const find = (steps: number) =>
      scheduleFor(submit(...nops), profile, turned, () => 0, { ...LIMITS, steps });
    expect(find(1)).toMatchObject({ kind: 'absent', complete: false });
    expect(find(1)).toEqual(find(1));
    expect(find(1_000_000).kind).toBe('schedule');
  });
});
