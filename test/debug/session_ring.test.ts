import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { expect, test } from 'vitest';
import { openSession, ringOfSession } from '../../src/debug/open';
import { scheduleText } from '../../src/debug/open_ring';
import { explore } from '../../src/ring/explore';
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
    const { stackFrames } = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', {
      threadId,
    });
    expect(stackFrames.at(-1)).toMatchObject({ line, source: { path: SAMPLE } });
  }
});

test('requests of a session that runs as a ring program are those of its lines', async () => {
  const open = await openSession(SAMPLE, TEXT, host);
  const found = Array.from(
    { length: open.requests.length },
    (_, r) => open.sqeOf(open.requests.events(r)[0]!)?.line,
  );
  const sqes = TEXT.split('\n').flatMap((line, i) => (line.startsWith('sqe ') ? [i + 1] : []));
  expect(found.sort((a, b) => a! - b!)).toEqual(sqes);
});

test('where the thread of an SQPOLL ring takes the SQEs, frames still end in their lines', async () => {
  const open = await openSession(
    's.ublk',
    `ring --setup SQPOLL\n#: kernel 6.18\nsqe NOP -u 1\nsqe NOP -u 2\nsubmit --wait 2\n`,
    host,
  );
  for (let r = 0; r < 2; r++) {
    const { sqeOf, requests } = { sqeOf: (e: number) => open.sqeOf(e), requests: open.requests };
    expect(requests.events(r).length).toBeGreaterThan(1);
    for (const event of requests.events(r)) expect(sqeOf(event)?.line).toBe(3 + r);
  }
});

test('each order of the CQEs of a session can be stepped through', async () => {
  const text =
    '#: kernel 6.18\ntruncate -s 8k f\nsqe READ f 0 4k -u 1\nsqe NOP -u 2\nsqe READ f 4k 4k -u 3\nsubmit --wait 3\n';
  const ring = await ringOfSession('s.ublk', text, host);
  const { found, complete } = explore(ring.program, ring.profile, () => 0);
  expect(complete).toBe(true);
  expect(found.length).toBeGreaterThan(1);
  for (const { outcome, choices } of found) {
    const { source } = await openSession('s.ublk', text, { ...host, schedule: scheduleText(choices) });
    const lines =
      source.kind === 'session' ? source.output.split('\n').filter((line) => line.startsWith('cqe')) : [];
    const cqes = outcome.steps.flatMap((step) => step.cqes ?? []);
    expect(lines).toEqual(cqes.map(({ user_data, res }) => `cqe user_data=0x${user_data} res=${res}`));
  }
});

test('what is no ring program, or only a run finds wrong, is told with its place', async () => {
  await expect(ringOfSession('s.ublk', 'ublk add -t null\nsqe NOP\nsubmit\n', host)).rejects.toThrow(
    /^s\.ublk:1:1: this session is no ring program/,
  );
  const text = '#: kernel 6.18\nsqe NOP\nsqe 18 --addr 4096\nsubmit\n';
  await expect(ringOfSession('s.ublk', text, host)).rejects.toThrow(
    /^s\.ublk:3:1: opcode 18 \(OPENAT\) is not simulated/,
  );
  await expect(openSession('s.ublk', text, host)).rejects.toThrow(/^s\.ublk:3:1: opcode 18/);
});
