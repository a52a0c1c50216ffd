import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { compareOutcomes, type SeenOutcome } from '../../src/ring/compare';
import { explore } from '../../src/ring/explore';
import type { Outcome } from '../../src/ring/outcome';
import { readProgram } from '../../src/ring/read_program';

const DIR = fileURLToPath(new URL('../fixtures/ring_live/', import.meta.url));
const LIMITS = { schedules: 5_000, time: 30_000, outcomes: Number.POSITIVE_INFINITY };

/** What the kernel of the development machine answered. */
function recorded(name: string): readonly SeenOutcome[] {
  const text = readFileSync(join(DIR, `${name}.expect.json`), 'utf8');
  const { outcomes } = JSON.parse(text) as { outcomes: (Outcome & { count: number })[] };
  return outcomes.map(({ count, ...outcome }) => ({ count, outcome }));
}

describe('kernel 6.18.44 of the development machine', () => {
  const profile = uringProfile('6.18')!;
  const names = readdirSync(DIR)
    .filter((file) => file.endsWith('.expect.json'))
    .map((file) => file.replace('.expect.json', ''));

  it.each(names)('%s: first as predicted, all allowed', (name) => {
    const program = readProgram(readFileSync(join(DIR, `${name}.json`), 'utf8'));
    const { found } = explore(program, profile, () => 0, LIMITS);
    const compared = compareOutcomes(
      found.map(({ outcome }) => outcome),
      recorded(name),
    );
    expect(compared).toMatchObject({ exact: true, allowed: true });
  });
});
