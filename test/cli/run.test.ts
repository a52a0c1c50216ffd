import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readArgs } from '../../src/cli/args';
import type { Environment } from '../../src/cli/command';
import { runCommand, type Simulate, type SimulateResult } from '../../src/cli/commands/run';
import { CliError } from '../../src/cli/errors';
import { paintFor, Progress } from '../../src/cli/terminal';
import { loadRecording, parseTrace } from '../support/oracle';

const recording = loadRecording('k7.3-null-kublk-q1d32');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ublk-run-'));
  writeFileSync(
    join(folder, 's.ublk'),
    '#: kernel 6.1+splice-zc\ntruncate -s 1M disk.img\nublk add -t loop -f disk.img\nublk del -a\n',
  );
  writeFileSync(join(folder, 'bad.ublk'), 'ublk add -t lop -f x\nfrobnicate\n');
  writeFileSync(join(folder, 'disk.img'), 'real');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command in this process with a simulator that answers what is given. */
async function run(argv: readonly string[], result: Partial<SimulateResult> = {}) {
  const told: string[] = [];
  const calls: Parameters<Simulate>[] = [];
  const simulate: Simulate = (...call) => {
    calls.push(call);
    return { trace: parseTrace(recording.text).trace, exitCode: 0, output: '', files: [], ...result };
  };
  const command = runCommand(simulate);
  const env: Environment = {
    paint: paintFor({}, {}),
    progress: new Progress({ write: () => expect.unreachable('no terminal') }),
    tell: (line) => void told.push(line),
  };
  try {
    return { code: await command.run(readArgs(command, argv), env), told, calls };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { code: error.exitCode, told: [...told, error.message], calls };
  }
}

test('the trace is written to -o; seed and kernel reach the simulator with all their digits', async () => {
  const trace = join(folder, 't.ublktrace');
  const { code, told, calls } = await run(
    [join(folder, 's.ublk'), '-o', trace, '--seed', '18446744073709551615', '--kernel', '6.1'],
    { output: 'dev id 0\n' },
  );
  expect({ code, told }).toEqual({ code: 0, told: ['dev id 0'] });
  expect(readFileSync(trace, 'utf8')).toBe(recording.text);
  const [session, options] = calls[0]!;
  expect(session.settings).toMatchObject({ kernel: '6.1', seed: 0xffffffffffffffffn });
  expect(Buffer.from(options.realFile('disk.img')!).toString()).toBe('real');
  expect(options.realFile('other.img')).toBeUndefined();
});

test('a session command that failed makes exit code 1', async () => {
  expect(await run([join(folder, 's.ublk'), '-o', join(folder, 't2')], { exitCode: 5 })).toMatchObject({
    code: 1,
  });
});

test('a session with errors is not run; each error is one line with its place', async () => {
  const { code, told, calls } = await run([join(folder, 'bad.ublk')]);
  expect({ code, calls }).toEqual({ code: 2, calls: [] });
  const lines = told.join('\n').split('\n');
  expect(lines.length).toBeGreaterThanOrEqual(2);
  for (const line of lines) expect(line).toMatch(/bad\.ublk:[12]:\d+: ./);
});

test.each([
  [['--kernel', '6.2'], /^ublk-trace: kernel '6\.2' is unknown; did you mean '6\.1[^']*'\?; simulated: 6\.1/],
  [['--kernel', '7.3'], /^ublk-trace: kernel '7\.3' is not simulated; simulated: 6\.1/],
  [['--seed', '18446744073709551616'], /^ublk-trace: --seed needs a number from 0 to 2\^64-1/],
  [['--seed', '-1'], /^ublk-trace: run: --seed needs a value/],
  [['--count', '--requests'], /^ublk-trace: run takes --requests or --count, not both$/],
])('%j is refused', async (args, message) => {
  const { code, told, calls } = await run([join(folder, 's.ublk'), ...args]).catch((error: unknown) => {
    if (!(error instanceof CliError)) throw error;
    return { code: error.exitCode, told: [error.message], calls: [] };
  });
  expect({ code, calls }).toEqual({ code: 2, calls: [] });
  expect(told.join('\n')).toMatch(message);
});

test('--save-files writes the simulated files with their holes, and none outside the folder', async () => {
  const ranges = [{ offset: 8192, bytes: new TextEncoder().encode('data') }];
  const saved = join(folder, 'saved');
  const argv = [join(folder, 's.ublk'), '-o', join(folder, 't3'), '--save-files', saved];
  expect(await run(argv, { files: [{ path: 'a/disk.img', size: 16384, ranges }] })).toMatchObject({
    code: 0,
  });
  const bytes = readFileSync(join(saved, 'a/disk.img'));
  expect(bytes.length).toBe(16384);
  expect(bytes.subarray(8192, 8196).toString()).toBe('data');
  expect(bytes.filter((byte) => byte !== 0)).toHaveLength(4);
  const escaping = await run(argv, { files: [{ path: '../escaped.img', size: 1, ranges: [] }] });
  expect(escaping).toMatchObject({ code: 2, told: [`../escaped.img:1:1: leads out of ${saved}: not saved`] });
  expect(existsSync(join(folder, 'escaped.img'))).toBe(false);
});
