import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { expect, test } from 'vitest';
import { openSession } from '../../src/debug/open';
import { Client, FIXED_STACK, testHost } from './client';

const SAMPLE = 'samples/linked-timeout.ublk';
const TEXT = readFileSync(join(__dirname, '..', '..', SAMPLE), 'utf8');
const host = { pause: async () => undefined };
const lineOf = (start: string): number => TEXT.split('\n').findIndex((line) => line.startsWith(start)) + 1;

test('a breakpoint on an sqe line stops where its request begins; every event of it leads to that line', async () => {
  const line = lineOf('sqe WRITE');
  const client = new Client(testHost({ stack: FIXED_STACK }));
  await client.start({ program: SAMPLE }, async () => {
    const { breakpoints } = await client.ask<{ breakpoints: DebugProtocol.Breakpoint[] }>('setBreakpoints', {
      source: { path: SAMPLE },
      breakpoints: [{ line }],
    });
    expect(breakpoints).toMatchObject([{ verified: true, line }]);
  });
  const { reason, threadId } = await client.move('continue');
  expect(reason).toBe('breakpoint');
  for (const kind of ['first', 'last']) {
    await client.move('ublk-step', { kind, threadId });
    const { stackFrames } = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', { threadId });
    expect(stackFrames.at(-1)).toMatchObject({ line, source: { path: SAMPLE } });
  }
});

test('requests of a session that runs as a ring program are those of its lines', async () => {
  const open = await openSession(SAMPLE, TEXT, host);
  const found = Array.from({ length: open.requests.length }, (_, r) => open.sqeOf(open.requests.events(r)[0]!)?.line);
  const sqes = TEXT.split('\n').flatMap((line, i) => (line.startsWith('sqe ') ? [i + 1] : []));
  expect(found.sort((a, b) => a! - b!)).toEqual(sqes);
});

test('where the thread of an SQPOLL ring takes the SQEs, frames still end in their lines', async () => {
  const open = await openSession('s.ublk', `ring --setup SQPOLL\n#: kernel 6.18\nsqe NOP -u 1\nsqe NOP -u 2\nsubmit --wait 2\n`, host);
  for (let r = 0; r < 2; r++) {
    const { sqeOf, requests } = { sqeOf: (e: number) => open.sqeOf(e), requests: open.requests };
    expect(requests.events(r).length).toBeGreaterThan(1);
    for (const event of requests.events(r)) expect(sqeOf(event)?.line).toBe(3 + r);
  }
});
