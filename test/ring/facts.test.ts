import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkTrace } from '../../src/check/check';
import { openRing } from '../../src/debug/open_ring';
import type { Chooser } from '../../src/kernel/uring/world';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { readProgram } from '../../src/ring/read_program';
import { intoWithFacts, Moments } from '../../src/ring/ring_facts';
import { writeRingTrace } from '../../src/ring/ring_trace';
import { runProgram } from '../../src/ring/run';
import type { Trace } from '../../src/trace/trace';

const FOLDER = join(import.meta.dirname, '../fixtures/ring');
const FACTS = [
  'io_uring_get_sqe',
  'io_uring_cq_advance',
  'io_uring_cqring_wait',
  'sys_enter_io_uring_enter',
  'sys_exit_io_uring_enter',
];
const profile = uringProfile('6.18')!;

function namesOf(trace: Trace): string[] {
  return Array.from({ length: trace.length }, (_, i) => trace.nameOf(i));
}

function both(text: string, chooser?: Chooser): { plain: Trace; facts: Trace } {
  const program = readProgram(text);
  const moments = new Moments();
  const run = runProgram(program, {
    profile,
    trace: true,
    ...moments.options,
    ...(chooser ? { chooser } : {}),
  });
  return {
    plain: writeRingTrace(program, profile, run),
    facts: writeRingTrace(program, profile, run, undefined, intoWithFacts(program, moments)),
  };
}

describe('a trace of a ring program with the facts of its application', () => {
  const files = readdirSync(FOLDER).filter((name) => /^[^.]+\.json$/.test(name));

  it.each([
    ['the likeliest run', undefined],
    ['another schedule', (n: number) => n - 1],
  ])(
    'has the tracepoints of the one without, and breaks no rule: %s',
    { timeout: 120_000 },
    (_run, chooser) => {
      expect(files.length).toBeGreaterThan(100);
      for (const file of files) {
        const { plain, facts } = both(readFileSync(join(FOLDER, file), 'utf8'), chooser);
        expect(
          namesOf(facts).filter((name) => !FACTS.includes(name)),
          file,
        ).toEqual(namesOf(plain));
        const { violations, evaluated } = checkTrace(facts);
        expect(
          violations.filter(({ severity }) => severity === 'K'),
          file,
        ).toEqual([]);
        expect(evaluated, file).toEqual(expect.arrayContaining([...checkTrace(plain).evaluated]));
      }
    },
  );

  it('tells every SQE, every CQE that is taken, and the wait that never ends', () => {
    const text = JSON.stringify({
      name: 'p',
      ring: { entries: 2 },
      files: { p: { kind: 'pipe' } },
      buffers: { b: { size: 8 } },
      steps: [
        { submit: [{ op: 'NOP', user_data: '1' }] },
        { reap: 1 },
        { submit: [{ op: 'READ', file: 'p.r', buf: 'b', len: 8, user_data: '2' }], wait: 1 },
      ],
    });
    const { facts, plain } = both(text);
    const order = namesOf(facts).filter((name) => FACTS.includes(name));
    const [fill, take, wait, enter, exit] = FACTS;
    expect(order).toEqual([fill, enter, exit, take, fill, enter, wait]);
    const more = checkTrace(facts).evaluated.filter((rule) => !checkTrace(plain).evaluated.includes(rule));
    expect(more.length).toBeGreaterThan(0);
  });

  it('is what VS Code opens', async () => {
    const text = readFileSync(join(FOLDER, 'link-ok.json'), 'utf8');
    const opened = await openRing('p.ring.json', text, { pause: async () => undefined }, {});
    expect(namesOf(opened.trace)).toEqual(namesOf(both(text).facts));
  });
});
