import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nearestProfile, uringProfile } from '../../src/kernel/uring/uring_profile';
import {
  type ComparedOutcome,
  compareOutcomes,
  equalOutcomes,
  firstDifference,
} from '../../src/ring/compare';
import { readProgram } from '../../src/ring/read_program';
import { rulesOf, URING_RULES } from '../../src/ring/rules';

const FIXTURES = join(__dirname, '..', 'fixtures', 'ring');
const profile = uringProfile('6.18')!;
const cqe = (user_data: string, res = 0) => ({ user_data, res, flags: 0 });
const outcome = (...order: string[]): ComparedOutcome => ({
  steps: [{ submitted: 2 }, { cqes: order.map((name) => cqe(name)) }],
});

describe('comparing', () => {
  it('tells exact, allowed and wrong apart', () => {
    const seen = [
      { count: 7, outcome: outcome('1', '2') },
      { count: 3, outcome: outcome('2', '1') },
    ];
    expect(compareOutcomes([outcome('1', '2'), outcome('2', '1')], seen)).toMatchObject({
      exact: true,
      allowed: true,
      share: 0.7,
    });
    expect(compareOutcomes([outcome('2', '1'), outcome('1', '2')], seen)).toMatchObject({
      exact: false,
      allowed: true,
      sameResults: true,
    });
    expect(compareOutcomes([outcome('1', '2')], seen)).toMatchObject({
      exact: true,
      allowed: false,
      unexpected: [{ count: 3 }],
    });
  });

  it('takes contents into account only where both sides tell them', () => {
    const contents = (sha256: string): ComparedOutcome => ({
      ...outcome('1'),
      files: { a: { size: 1, sha256 } },
    });
    expect(equalOutcomes(outcome('1'), contents('x'))).toBe(true);
    expect(equalOutcomes(contents('y'), contents('x'))).toBe(false);
    expect(firstDifference(contents('y'), contents('x'))).toMatch(
      /^file a: predicted 1 bytes y, the kernel gave/,
    );
    expect(equalOutcomes(outcome('1'), { ...outcome('1'), cq_overflow: 1 })).toBe(false);
  });

  it('says in words where two outcomes part', () => {
    expect(firstDifference(outcome('1', '2'), outcome('2', '1'))).toBe(
      'step 2: predicted CQEs 1=0 2=0, the kernel gave CQEs 2=0 1=0',
    );
    expect(firstDifference(outcome('1'), outcome('1'))).toBe('');
  });
});

describe('rules', () => {
  const ids = (name: string): string[] =>
    rulesOf(readProgram(readFileSync(join(FIXTURES, `${name}.json`), 'utf8')), profile).map(({ id }) => id);

  it('are found by what a program does', () => {
    expect(ids('link-short-first')).toEqual(
      expect.arrayContaining(['chain-order', 'chain-breaks', 'short-breaks']),
    );
    expect(ids('link-ok')).not.toContain('chain-breaks');
    expect(ids('drain-after-worker')).toContain('drain');
    expect(ids('hang-partial-reap')).toContain('hang');
    expect(ids('overflow-nops')).toContain('overflow');
    expect(ids('sqpoll-stop')).toContain('sqpoll');
  });

  it('are all exercised by a given program', () => {
    const names = readdirSync(FIXTURES).filter((name) => !name.includes('.expect.'));
    const seen = new Set(names.flatMap((name) => ids(name.slice(0, -'.json'.length))));
    expect(URING_RULES.map(({ id }) => id).filter((id) => !seen.has(id))).toEqual([]);
  });
});

it('a kernel is compared with its own profile, else with the newest before it', () => {
  const names = ['6.18.44-foo', '6.1.192', '6.13', '7.9.1', '5.15'].map(
    (release) => nearestProfile(release).name,
  );
  expect(names).toEqual(['6.18', '6.1', '6.12', '7.3', '6.1']);
});
