import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cliUnderTest } from '../support/cli';

const ROOT = join(__dirname, '..', '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const SAMPLE = join(ROOT, 'samples', 'loop-zc.ublk');
const cli = cliUnderTest();

test('the requests that the README shows are those of the sample', async () => {
  const table = /```\n(dev .*?)```/s.exec(README)?.[1]?.trimEnd().split('\n') ?? [];
  expect(table.length).toBeGreaterThan(2);
  const { stdout } = await cli.run(['run', SAMPLE, '--requests']);
  const lines = stdout.split('\n').map((line) => line.trimEnd());
  for (const line of table) expect(lines).toContain(line.trimEnd());
});

test('the event that the README stops at puts a page of the request it follows into a pipe', async () => {
  const at = /show zc\.ublktrace --at (\d+)/.exec(README)?.[1] ?? '';
  const tag = /show zc\.ublktrace --tag (\S+?)`/.exec(README)?.[1] ?? '';
  const trace = join(cli.folder(), 'zc.ublktrace');
  await cli.run(['run', SAMPLE, '-o', trace]);
  const followed = (await cli.run(['show', trace, '--tag', tag])).stdout.split('\n');
  expect(followed.find((line) => line.trim().startsWith(`${at} `))).toContain('add_to_pipe');
  const state = JSON.parse((await cli.run(['show', trace, '--at', at, '--json'])).stdout) as {
    pages: { refs: number }[];
  };
  expect(state.pages).toMatchObject([{ refs: 2 }]);
});
