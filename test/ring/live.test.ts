import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NativeRing, NoNativeRing } from '../../src/cli/native_ring';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { compareOutcomes, cqeOrder } from '../../src/ring/compare';
import { readProgram } from '../../src/ring/read_program';
import { runProgram } from '../../src/ring/run';

const FIXTURES = join(__dirname, '..', 'fixtures', 'ring');
const program = (name: string) => readProgram(readFileSync(join(FIXTURES, `${name}.json`), 'utf8'));
/** Programs with one outcome in all recorded runs, one of each kind. */
const SURE = [
  'link-ok',
  'link-short-first',
  'pipe-two-readers',
  'cancel-all',
  'splice-copy',
  'skip-ok',
  'drain-first',
];

/** The kernel of this machine; why not, where it gives no ring. */
async function native(): Promise<NativeRing | string> {
  try {
    const ring = NativeRing.build();
    onTestFinished(() => ring.dispose());
    await ring.run(program('nop-one'), 1);
    return ring;
  } catch (error) {
    if (error instanceof NoNativeRing) return error.message;
    throw error;
  }
}

describe('the kernel of this machine', () => {
  it('does what is predicted for programs without races', { timeout: 120_000 }, async (context) => {
    const ring = await native();
    if (typeof ring === 'string') return context.skip(ring);
    if (!/^6\.(1[2-9]|[2-9]\d)|^7\./.test(ring.kernel)) return context.skip(`kernel ${ring.kernel}`);
    for (const name of SURE) {
      const predicted = runProgram(program(name), { profile: uringProfile('6.18')! }).outcome();
      const seen = await ring.run(program(name), 3);
      const orders = seen.map(({ outcome }) => cqeOrder(outcome));
      expect({ name, orders, ...compareOutcomes([predicted], seen) }).toMatchObject({ exact: true });
    }
  });

  it('answers with contents that the format asks for', { timeout: 60_000 }, async (context) => {
    const ring = await native();
    if (typeof ring === 'string') return context.skip(ring);
    const [seen] = await ring.run(program('link-ok'), 2);
    const recorded = JSON.parse(readFileSync(join(FIXTURES, 'link-ok.expect.json'), 'utf8')) as {
      outcomes: { files: object; buffers: object }[];
    };
    expect(seen!.count).toBe(2);
    expect(seen!.outcome.files).toEqual(recorded.outcomes[0]!.files);
    expect(seen!.outcome.buffers).toEqual(recorded.outcomes[0]!.buffers);
  });

  it('waits for whatever still runs when everything is taken', { timeout: 60_000 }, async (context) => {
    const ring = await native();
    if (typeof ring === 'string') return context.skip(ring);
    const late = readProgram(
      JSON.stringify({
        name: 'late',
        ring: { entries: 8 },
        files: { f: { kind: 'file', size: 0 }, p: { kind: 'pipe' } },
        buffers: { b: { size: 64 } },
        steps: [
          {
            submit: [
              { op: 'TIMEOUT', ns: 700_000_000, user_data: '1' },
              { op: 'READ', file: 'p.r', buf: 'b', len: 8, user_data: '2' },
              { op: 'FSYNC', file: 'f', flags: ['IO_DRAIN'], user_data: '3' },
            ],
          },
          { reap: 'all' },
          { close: 'p.w' },
          { reap: 'all' },
        ],
      }),
    );
    const [seen] = await ring.run(late, 1);
    expect(cqeOrder(seen!.outcome)).toBe('1 | 2 3');
  });
});
