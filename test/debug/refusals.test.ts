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
  // a frame without a source shows no variables
  expect(stackFrames[0].source?.name).toBe('kernel path');
  expect(stackFrames[0].line).toBeGreaterThan(0);
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

test('a request without what it is about says what it needs', async () => {
  const client = await started();
  const needed: [string, string][] = [
    ['evaluate', 'expression'],
    ['readMemory', 'memoryReference'],
    ['readMemory', 'memoryReference'],
    ['completions', 'text'],
    ['setBreakpoints', 'source'],
    ['setFunctionBreakpoints', 'breakpoints'],
    ['dataBreakpointInfo', 'name'],
    ['gotoTargets', 'source'],
    ['breakpointLocations', 'source'],
    ['setExceptionBreakpoints', 'filters'],
    ['ublk-goto', 'event'],
    ['ublk-step', 'kind'],
  ];
  for (const [command, name] of needed)
    expect((await client.send(command, {})).message).toBe(`${command} needs "${name}"`);
  expect((await client.send('readMemory', { memoryReference: 'sqe:1' })).message).toBe(
    'readMemory needs "count"',
  );
});

test('a breakpoint in a document of another program says that it is none of this one', async () => {
  const client = await started();
  for (const path of ['other.ublk', '/media/stack/none.c']) {
    const { breakpoints } = await client.ask<DebugProtocol.SetBreakpointsResponse['body']>('setBreakpoints', {
      source: { path },
      breakpoints: [{ line: 1 }],
    });
    expect(breakpoints).toMatchObject([
      { verified: false, message: 'this document is none of the debugged trace' },
    ]);
  }
});

test('a pointer that is none names nothing that may change', async () => {
  const client = await started();
  const { breakpoints } = await client.ask<DebugProtocol.SetDataBreakpointsResponse['body']>(
    'setDataBreakpoints',
    { breakpoints: ['page:xyz:refs', 'req:0:12:state', 'page:0xffff:refs'].map((dataId) => ({ dataId })) },
  );
  expect(breakpoints.map(({ verified }) => verified)).toEqual([false, false, true]);
  expect(breakpoints[0].message).toBe("'page:xyz:refs' names no page; write page:POINTER:refs");
});
