import type { DebugProtocol } from '@vscode/debugprotocol';
import { expect, test } from 'vitest';
import type { OpenTrace } from '../../src/debug/model';
import { Client, testHost } from './client';

/** Reads and writes while the server makes a mistake. */
function faulty(mistake: string, kernel: string, options: string): string {
  const io = '--filename=/dev/ublkb0 --direct=1 --ioengine=libaio --bs=4k --iodepth=4 --number_ios=16';
  return [
    `#: kernel ${kernel}`,
    'truncate -s 64M disk.img',
    `ublk add -t loop -f disk.img ${options} -q 1 -d 4`,
    `#: fault server ${mistake}`,
    `fio --name=w --rw=randwrite ${io}`,
    `fio --name=r --rw=randread ${io}`,
    '',
  ].join('\n');
}

test.each([
  ['no-commit', 'INV-30', '6.1', ''],
  ['no-commit', 'INV-30', '6.1+splice-zc', '-z'],
  ['read-to-read-only', 'INV-57', '6.1+splice-zc', '-z'],
  ['commit-early', 'INV-59', '6.1+splice-zc', '-z'],
  ['retry-same', 'INV-56', '6.1+splice-zc', '-z'],
])('a server with the mistake %s breaks %s, and each broken rule tells its first cause', async (...row) => {
  const [mistake, wanted, kernel, options] = row;
  const host = testHost({ texts: { 'faulty.ublk': faulty(mistake, kernel, options) } });
  let open: OpenTrace | undefined;
  const client = new Client({
    ...host,
    open: async (args, work) => {
      const opened = await host.open(args, work);
      open = opened.open;
      return opened;
    },
  });
  await client.start({ program: 'faulty.ublk' }, async () => {
    const { exceptionBreakpointFilters: filters = [] } = await client.ask<DebugProtocol.Capabilities>(
      'initialize',
      { adapterID: 'ublk-trace' },
    );
    await client.ask('setExceptionBreakpoints', {
      filters: filters.map(({ filter }) => filter).slice(0, 6),
    });
  });
  await client.ask('continue', { threadId: 1 });
  await client.event('stopped');
  const rules = new Set<string>();
  const { trace, violations } = open!;
  for (const { event } of violations) {
    const { threadId } = await client.move('ublk-goto', { event });
    const info = await client.ask<DebugProtocol.ExceptionInfoResponse['body']>('exceptionInfo', {
      threadId,
    });
    rules.add(info.exceptionId);
    const [first, ...more] = info.details?.innerException ?? [];
    expect(more).toEqual([]);
    const [, at, line] =
      /^first cause, (this event itself|event \d+): (.*)$/s.exec(first?.message ?? '') ?? [];
    const cause = at === 'this event itself' ? event : Number(at?.slice('event '.length));
    expect(cause).toBeLessThanOrEqual(event);
    expect(first?.typeName).toBe(trace.nameOf(cause));
    expect(line).toContain(trace.nameOf(cause).replace(/^sys_(enter|exit)_/, 'sys_'));
  }
  expect([...rules]).toContain(wanted);
});
