import { describe, expect, it } from 'vitest';
import { judge, judgeLive } from '../../src/cli/conformance_judge';
import { isWrong } from '../../src/cli/conformance_page';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { explore } from '../../src/ring/explore';
import { readProgram } from '../../src/ring/read_program';
import { runProgram } from '../../src/ring/run';

const KERNEL = '6.18.44';
const profile = uringProfile('6.18')!;
/** Four reads of /dev/zero in workers: their order is open. */
const program = readProgram(
  JSON.stringify({
    name: 'four',
    ring: { entries: 8, setup: [] },
    files: { z: { kind: 'zero' } },
    buffers: { b: { size: 4096 } },
    steps: [
      {
        submit: [0, 1, 2, 3].map((i) => ({
          op: 'READ',
          file: 'z',
          buf: 'b',
          buf_off: 1024 * i,
          len: 512,
          off: 0,
          flags: ['ASYNC'],
          user_data: String(i + 1),
        })),
        wait: 4,
      },
      { reap: 'all' },
    ],
  }),
);
const none = { schedules: 1, time: 1e9, outcomes: 1000 };

describe('judging a program against a kernel', () => {
  const { found } = explore(program, profile, () => 0);
  const unlikely = found.at(-1)!.outcome;

  it('looks for the order itself where the search of all orders is cut', () => {
    expect(found.length).toBeGreaterThan(2);
    const verdict = judge(program, [{ count: 1, outcome: unlikely }], KERNEL, { ...none, schedules: 12 });
    expect(verdict.comparison).toMatchObject({ allowed: true, exact: false });
    expect(isWrong(verdict)).toBe(false);
  });

  it('says that it does not know where both searches are cut', () => {
    const verdict = judge(program, [{ count: 1, outcome: unlikely }], KERNEL, none);
    expect(verdict.comparison.allowed).toBe(false);
    expect(verdict.undecided).toBeGreaterThan(0);
    expect(isWrong(verdict)).toBe(false);
  });

  it('calls wrong what no schedule gives', () => {
    const steps = unlikely.steps.map((step) => ({
      ...step,
      ...(step.cqes ? { cqes: step.cqes.map((cqe) => ({ ...cqe, res: -5 })) } : {}),
    }));
    const verdict = judge(program, [{ count: 1, outcome: { steps } }], KERNEL);
    expect(verdict.undecided).toBeUndefined();
    expect(isWrong(verdict)).toBe(true);
  });

  it('does not call wrong what only lacks the last CQEs of a live run', async () => {
    const lacking = (cqes: number) => ({
      steps: unlikely.steps.map((step) => (step.cqes ? { ...step, cqes: step.cqes.slice(0, cqes) } : step)),
    });
    const seen = [{ count: 1, outcome: lacking(3) }];
    const { verdicts } = await judgeLive([program], KERNEL, () => Promise.resolve(seen), {
      verdict: () => undefined,
      failure: () => undefined,
    });
    expect(verdicts[0]).toMatchObject({ cutShort: true, comparison: { allowed: false } });
    expect(isWrong(verdicts[0]!)).toBe(false);
    expect(isWrong(judge(program, seen, KERNEL))).toBe(true);
  });

  it('goes on after a program that cannot be run', async () => {
    const likely = runProgram(program, { profile }).outcome();
    const told: string[] = [];
    let call = 0;
    const { verdicts, failures } = await judgeLive(
      [{ ...program, name: 'bad' }, program],
      KERNEL,
      () =>
        call++ === 0
          ? Promise.reject(new Error('exit code -1'))
          : Promise.resolve([{ count: 1, outcome: likely }]),
      {
        verdict: ({ name }) => told.push(`judged ${name}`),
        failure: ({ name, message }) => told.push(`${name}: ${message}`),
      },
    );
    expect(failures).toEqual([{ name: 'bad', message: 'exit code -1' }]);
    expect(verdicts.map(({ comparison }) => comparison.exact)).toEqual([true]);
    expect(told).toEqual(['bad: exit code -1', `judged ${program.name}`]);
  });
});
