import type { DebugProtocol } from '@vscode/debugprotocol';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Client, testHost } from './client';

const SAMPLES = readdirSync(join(__dirname, '..', '..', 'samples')).filter((name) => name.endsWith('.ublk'));
const DEVICE = '#: kernel 6.1\ntruncate -s 16M disk.img\nublk add -t loop -f disk.img -q 1 -d 4\n';
const READ = 'dd if=/dev/ublkb0 of=/dev/null bs=4k count=4 iflag=direct\n';

/** Lines that the Debug Console shows of a category. */
function said(client: Client, category: string): string[] {
  return client.messages.flatMap((m) => {
    const { event, body } = m as DebugProtocol.OutputEvent;
    return event === 'output' && body.category === category ? [body.output.trimEnd()] : [];
  });
}

test.each(['{"name": "package"}\n', 'no {brace} {here}\n'])(
  'a program of %j is refused in its own words',
  async (text) => {
    const client = new Client(testHost({ texts: { 'package.json': text } }));
    await client.ask('initialize', { adapterID: 'ublk-trace' });
    const answer = await client.send('launch', { program: 'package.json' });
    expect(answer.success).toBe(false);
    const { error } = (answer as DebugProtocol.ErrorResponse).body;
    const shown = error?.format.replace(/\{(\w+)\}/g, (_, name: string) => error.variables?.[name] ?? '?');
    expect(shown).toBe(answer.message);
    expect(shown).toContain(text.slice(0, 5).trim());
  },
);

test('a session that hangs says so, and what never struck; before its exit code', async () => {
  const text = `${DEVICE}#: fault server no-commit\n${READ}`;
  const client = new Client(testHost({ texts: { 'hangs.ublk': text } }));
  await client.start({ program: 'hangs.ublk' });
  expect(said(client, 'stderr')).toEqual([
    'the session hangs: nothing is left that could wake its commands',
    'the session ended with exit code 1',
  ]);
});

test.each(SAMPLES)('what the commands of %s print comes once, and nothing else', async (name) => {
  const host = testHost();
  let output = '';
  const client = new Client({
    ...host,
    open: async (args, work) => {
      const opened = await host.open(args, work);
      if (opened.open.source.kind === 'session') output = opened.open.source.output;
      return opened;
    },
  });
  const stop = await client.start({ program: `samples/${name}` });
  expect(said(client, 'stderr').filter((line) => !line.startsWith('the session ended'))).toEqual([]);
  const flat = (text: string): string => text.replace(/\s+/g, ' ').trim();
  expect(flat(said(client, 'stdout').join(' '))).toBe(flat(output));
  expect(stop).toMatchObject({ reason: 'entry', description: 'start of trace', text: 'start of trace' });
});
