import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRing } from '../../src/debug/open_ring';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { cqeOrder } from '../../src/ring/compare';
import { EXPLORE_LIMITS, explore } from '../../src/ring/explore';
import { orderRelation } from '../../src/ring/order';
import { readProgram } from '../../src/ring/read_program';
import { runProgram } from '../../src/ring/run';
import { scheduleFor } from '../../src/ring/schedule';

const SAMPLES = join(__dirname, '..', '..', 'samples');
const profile = uringProfile('6.18')!;
const host = { pause: async () => undefined };
const textOf = (name: string): string => readFileSync(join(SAMPLES, `${name}.ring.json`), 'utf8');
const names = readdirSync(SAMPLES)
  .filter((name) => name.endsWith('.ring.json'))
  .map((name) => name.slice(0, -'.ring.json'.length));

function run(name: string) {
  return runProgram(readProgram(textOf(name)), { profile }).outcome();
}

const results = (name: string): Record<string, number> =>
  Object.fromEntries(
    run(name).steps.flatMap((step) => (step.cqes ?? []).map(({ user_data, res }) => [user_data, res])),
  );

describe.each(names)('%s.ring.json', (name) => {
  it('says what it teaches, under its own name, and stands in the list', () => {
    const program = readProgram(textOf(name));
    expect(program.name).toBe(name);
    expect(program.description.length).toBeGreaterThan(150);
    expect(readFileSync(join(SAMPLES, 'README.md'), 'utf8')).toContain(`(${name}.ring.json)`);
  });

  it('opens as a trace whose requests are its SQEs, and breaks no rule', async () => {
    const text = textOf(name);
    const open = await openRing(`${name}.ring.json`, text, host, {});
    const sqes = readProgram(text).steps.flatMap((step) => (step.kind === 'submit' ? step.sqes : []));
    expect(
      Array.from({ length: open.requests.length }, (_, r) => open.requests.sqes(r)[0]!.user_data),
    ).toEqual(sqes.map(({ userData }) => `0x${userData.toString(16)}`));
    await open.ensureChecked(host);
    expect(open.violations).toEqual([]);
  });
});

it('chain-short-read: short breaks a soft link, not a hard one', () => {
  expect(results('chain-short-read')).toEqual({ 11: 6000, 12: -125, 13: -125, 21: 6000, 22: 8192, 23: 0 });
  expect(run('chain-short-read').files).toMatchObject({ soft: { size: 0 }, hard: { size: 8192 } });
});

it('drain-behind-fetch hangs without a CQE; drain-freed ends', () => {
  expect(run('drain-behind-fetch').steps.at(-1)).toEqual({ submitted: 2, cqes: [], hang: true });
  expect(results('drain-freed')).toMatchObject({ 200: 4, 100: -125, 103: -125, 1: 0, 2: 4096 });
});

describe('cqe-order-is-not-tag-order', () => {
  const program = readProgram(textOf('cqe-order-is-not-tag-order'));

  it('Claim 2: every permutation of the four tags may come', () => {
    const { found } = explore(program, profile, () => 0, EXPLORE_LIMITS);
    const orders = new Set(found.map(({ outcome }) => cqeOrder(outcome).split(' | ')[0]));
    expect(orders.size).toBe(24);
  });

  it('Claims 1 and 3: tag 3 is used again after its CQE, and its second CQE comes last', () => {
    const { found } = explore(program, profile, () => 0, EXPLORE_LIMITS);
    expect(new Set(found.map(({ outcome }) => cqeOrder(outcome).split(' | ')[1]))).toEqual(new Set(['3']));
    const pairs = orderRelation(runProgram(program, { profile })).pairs;
    const among = pairs.filter(({ rules }) => rules.length === 0);
    expect(among.length).toBe(6);
    expect(pairs.filter(({ second, rules }) => second === '3' && rules.length > 0)).toHaveLength(4);
  });
});

describe('cqe-overtakes-older-request', () => {
  const program = readProgram(textOf('cqe-overtakes-older-request'));

  it('a new life of a tag may complete before older requests, never before what was taken', () => {
    const early = scheduleFor(program, profile, ['2', '3', '65539', '0', '1'], () => 0);
    expect(early.kind).toBe('schedule');
    expect(scheduleFor(program, profile, ['2', '65539', '3', '0', '1'], () => 0).kind).not.toBe('schedule');
  });
});

it('splice-pair-workers: the second half runs on another worker, on a plain ring on the same one', async () => {
  const workers = async (text: string): Promise<string[]> => {
    const { trace, requests } = await openRing('x.ring.json', text, host, {});
    return ['0x1', '0x2'].map((userData) => {
      const row = Array.from({ length: requests.length }, (_, r) => r).find(
        (r) => requests.sqes(r)[0]!.user_data === userData,
      )!;
      const got = [...requests.events(row)].find((e) => trace.nameOf(e) === 'io_uring_file_get')!;
      const { comm, pid } = trace.taskOf(trace.task[got]!);
      return `${comm}-${pid}`;
    });
  };
  const text = textOf('splice-pair-workers');
  const [first, second] = await workers(text);
  expect(first).toMatch(/^iou-wrk-/);
  expect(second).toMatch(/^iou-wrk-/);
  expect(second).not.toBe(first);
  const [plain, follower] = await workers(text.replace(/"setup": \[[^\]]*\]/, '"setup": []'));
  expect(follower).toBe(plain);
});
