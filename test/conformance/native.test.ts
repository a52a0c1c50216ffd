import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { compareOutcomes, cqeOrder } from '../../src/ring/compare';
import { explore } from '../../src/ring/explore';
import type { Outcome } from '../../src/ring/outcome';
import { readProgram } from '../../src/ring/read_program';
import { runProgram } from '../../src/ring/run';

const DIR = fileURLToPath(new URL('../fixtures/ring-native/', import.meta.url));
const LIMITS = { schedules: 40_000, time: 30_000, outcomes: Number.POSITIVE_INFINITY };
const NAMES = readdirSync(DIR)
  .filter((file) => file.endsWith('.expect.json'))
  .map((file) => file.replace('.expect.json', ''));

/** Answers of the native runner on a kernel 6.18.44. */
describe('kernel 6.18, by the native runner', () => {
  const profile = uringProfile('6.18')!;

  it.each(NAMES)('%s: nothing that is not allowed, the likeliest first', { timeout: 60_000 }, (name) => {
    const program = readProgram(readFileSync(join(DIR, `${name}.json`), 'utf8'));
    const expected = JSON.parse(readFileSync(join(DIR, `${name}.expect.json`), 'utf8')) as {
      outcomes: (Outcome & { count: number })[];
    };
    const seen = expected.outcomes.map(({ count, ...outcome }) => ({ count, outcome }));
    const first = runProgram(program, { profile }).outcome();
    const { found } = explore(program, profile, () => performance.now(), LIMITS);
    const compared = compareOutcomes([first, ...found.map(({ outcome }) => outcome)], seen);
    expect(compared.unexpected.map(({ outcome }) => cqeOrder(outcome))).toEqual([]);
    expect(compared.exact, `${cqeOrder(first)} is not the most frequent one`).toBe(true);
  });
});

describe('timers that repeat', () => {
  const run = (kernel: string, name: string) =>
    runProgram(readProgram(readFileSync(join(DIR, `${name}.json`), 'utf8')), {
      profile: uringProfile(kernel)!,
    }).outcome();

  it('came with 6.4: 6.1 refuses the flag', () => {
    const cqes = run('6.1', 'timeout-repeats').steps.flatMap((step) => step.cqes ?? []);
    expect(cqes.map(({ user_data, res }) => `${user_data}=${res}`)).toEqual(['1=-22']);
  });
});
