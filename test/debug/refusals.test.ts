import type { DebugProtocol } from '@vscode/debugprotocol';
import { expect, test } from 'vitest';
import { Client, testHost } from './client';

const PROGRAM = 'test/fixtures/dap/loop-zc.ublktrace.gz';

async function started(args: object = {}): Promise<Client> {
  const client = new Client(testHost());
  await client.start({ program: PROGRAM, ...args });
  return client;
}

test('a second launch is refused, and a restart after the end', async () => {
  const client = await started();
  expect((await client.send('launch', { program: PROGRAM })).message).toContain('open already');
  await client.ask('terminate');
  expect((await client.send('restart', {})).message).toBe('no trace is open');
});

test('threads that are none have no frames and no steps; the one of the rest says what it is', async () => {
  const client = await started();
  for (const command of ['next', 'stackTrace'])
    expect((await client.send(command, { threadId: 999999 })).message).toBe('there is no thread 999999');
  const rest = { threadId: 0x7fffffff };
  expect((await client.send('next', rest)).message).toContain('several requests');
  const { stackFrames } = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', rest);
  expect(stackFrames.map(({ name }) => name)).toEqual([expect.stringContaining('more requests in flight')]);
});

test('an unknown exception filter is not verified', async () => {
  const client = await started();
  const { breakpoints } = await client.ask<{ breakpoints: DebugProtocol.Breakpoint[] }>(
    'setExceptionBreakpoints',
    { filters: ['inv-rings', 'inv-ring'] },
  );
  expect(breakpoints.map(({ verified }) => verified)).toEqual([true, false]);
  expect(breakpoints[1].message).toContain("'inv-rings'");
});

test('the next life of the whole trace is that of the request at the cursor', async () => {
  const client = await started();
  expect((await client.move('ublk-step', { kind: 'nextLife', threadId: 1 })).text).toContain(
    'no request here',
  );
  await client.move('restart', {});
  await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'ublk_queue_rq' }] });
  const { threadId } = await client.move('continue');
  await client.move('ublk-step', { kind: 'nextLife', threadId: 1 });
  const other = await client.where();
  expect(other.request).toBeGreaterThanOrEqual(0);
  expect(other.threadId).not.toBe(threadId);
});

test('a filter that nothing passes is told', async () => {
  const client = await started({ filter: 'tag == 99' });
  expect(client.messages.some((m) => JSON.stringify(m).includes('nothing in this trace passes'))).toBe(true);
});
