import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands';
import { cliUnderTest } from '../support/cli';

const cli = cliUnderTest();

test.each([
  [['shwo', 'x'], "ublk-trace: no command 'shwo'; did you mean 'show'?"],
  [['frobnicate'], "ublk-trace: no command 'frobnicate'; see ublk-trace --help"],
  [['why', 'x', '--event', '3'], "ublk-trace: no command 'why'; see ublk-trace --help"],
  [
    ['--json', 'show', 'x'],
    "ublk-trace: the command comes first, then its options; before it stands '--json'",
  ],
  [['show'], 'ublk-trace: show needs TRACE; see ublk-trace show --help'],
  [['show', 'a', 'b'], "ublk-trace: show does not take a further argument 'b'"],
  [['show', 'a', '--jsn'], "ublk-trace: show has no option '--jsn'; did you mean '--json'?"],
  [['show', 'a', '-Z'], "ublk-trace: show has no option '-Z'"],
  [['show', 'a', '--json=yes'], 'ublk-trace: show: --json takes no value'],
  [['show', 'a', '--json', '--json'], 'ublk-trace: show: --json is given twice'],
])('%j is refused with one line and exit 2', async (args, message) => {
  expect(await cli.run(args)).toEqual({ code: 2, stdout: '', stderr: `${message}\n` });
});

test('without a command the help goes to stderr, exit 2; --help prints it to stdout, exit 0', async () => {
  const [bare, help] = await Promise.all([cli.run([]), cli.run(['--help'])]);
  expect(bare).toEqual({ code: 2, stdout: '', stderr: help.stdout });
  expect(help).toMatchObject({ code: 0, stderr: '' });
  for (const { name } of COMMANDS) expect(help.stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
});

test.each(COMMANDS.map((command) => command.name))('%s --help names each of its options', async (name) => {
  const { code, stdout, stderr } = await cli.run([name, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const command = COMMANDS.find((candidate) => candidate.name === name)!;
  for (const option of command.options) expect(stdout).toContain(`--${option.name}`);
});

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as {
    version: string;
  };
  expect(await cli.run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});
