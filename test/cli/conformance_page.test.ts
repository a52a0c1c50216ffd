import { expect, it } from 'vitest';
import { judge } from '../../src/cli/conformance_judge';
import { conformancePage } from '../../src/cli/conformance_page';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { readProgram } from '../../src/ring/read_program';
import { runProgram } from '../../src/ring/run';

const program = readProgram(
  JSON.stringify({
    name: 'nop',
    ring: { entries: 8 },
    steps: [{ submit: [{ op: 'NOP', user_data: '1' }] }, { reap: 'all' }],
  }),
);
const outcome = runProgram(program, { profile: uringProfile('6.18')! }).outcome();
const agreeing = judge(program, [{ count: 1, outcome }], '6.18');

it('lists each program that differs, with its reason', () => {
  const page = conformancePage(
    [
      { ...agreeing, name: 'same', sameEvents: true },
      { ...agreeing, name: 'race', comparison: { ...agreeing.comparison, exact: false }, sameEvents: false },
      { ...agreeing, name: 'threads', sameEvents: false },
    ],
    [],
    { first: { race: 'two workers' }, trace: { threads: 'two threads' } },
  );
  const section = page.slice(page.indexOf('## Disagreements'), page.indexOf('## Tracepoints'));
  expect(section.match(/^None\.$/gm)).toHaveLength(1);
  expect(section).toContain('- race: two workers\n');
  expect(section).toContain('- race: the recorded run had another outcome, see above\n');
  expect(section).toContain('- threads: two threads\n');
  expect(section).not.toContain('same:');
  expect(page).toContain('- 1 of 3 whose recorded tracepoints');
});
