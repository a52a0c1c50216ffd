import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { expect, test } from 'vitest';
import { openRing } from '../../src/debug/open_ring';
import { Client, FIXED_STACK, testHost } from './client';

const CHAIN = 'samples/chain-short-read.ring.json';
const host = { pause: async () => undefined };
const SPREAD = `{
  "name": "spread", "ring": {"entries": 8},
  "files": {"f": {"kind": "file", "size": 4096}},
  "buffers": {"b": {"size": 4096}},
  "steps": [
    {"submit": [
      {
        "op": "READ", "file": "f", "buf": "b",
        "len": 4096, "user_data": "1"
      },
      {"op": "NOP", "user_data": "2"}, {"op": "NOP", "user_data": "3"}
    ], "wait": 3}
  ]
}
`;

interface Set {
  readonly breakpoints: DebugProtocol.Breakpoint[];
}

async function linesHeld(client: Client, path: string, lines: readonly number[]): Promise<Set> {
  return client.ask<Set>('setBreakpoints', {
    source: { path },
    breakpoints: lines.map((line) => ({ line })),
  });
}

test('a breakpoint on an SQE stops at the first event of its request, whose stack ends in that line', async () => {
  const client = new Client(testHost({ stack: FIXED_STACK }));
  await client.start({ program: CHAIN }, async () => {
    const { breakpoints } = await linesHeld(client, CHAIN, [14]);
    expect(breakpoints).toMatchObject([{ verified: true, line: 14 }]);
  });
  const { reason, threadId } = await client.move('continue');
  expect(reason).toBe('breakpoint');
  const open = await openRing(CHAIN, readFileSync(join(__dirname, '..', '..', CHAIN), 'utf8'), host, {});
  const { event, request } = await client.where();
  expect(open.requests.events(request!)[0]).toBe(event);
  expect(open.requests.sqes(request!)[0]).toMatchObject({ user_data: '0xc' });
  for (const kind of ['first', 'last']) {
    await client.move('ublk-step', { kind, threadId });
    const { stackFrames } = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', {
      threadId,
    });
    const asked = stackFrames.filter(({ source }) => source?.path === CHAIN);
    expect(asked[0]).toMatchObject({ line: 14, name: 'SQE WRITE · user_data 12' });
    expect(stackFrames.at(-1)).toBe(asked.at(-1));
  }
});

test('lines without an SQE lend their breakpoint to the next one; behind the last there is none', async () => {
  const client = new Client(testHost());
  await client.start({ program: CHAIN });
  const { breakpoints } = await linesHeld(client, CHAIN, [1, 12, 20]);
  expect(breakpoints.map(({ verified, line }) => [verified, line])).toEqual([
    [true, 13],
    [true, 13],
    [false, 20],
  ]);
  expect(breakpoints[2].message).toMatch(/nothing happens here or below/);
});

test('every line of an SQE stands for it, and several may share one', async () => {
  const client = new Client(testHost({ texts: { 'spread.ring.json': SPREAD } }));
  await client.start({ program: 'spread.ring.json' });
  const { breakpoints } = await linesHeld(client, 'spread.ring.json', [8, 9, 10, 11]);
  expect(breakpoints.map(({ line }) => line)).toEqual([7, 7, 7, 11]);
  const locations = await client.ask<{ breakpoints: { line: number }[] }>('breakpointLocations', {
    source: { path: 'spread.ring.json' },
    line: 1,
    endLine: 14,
  });
  expect(locations.breakpoints.map(({ line }) => line)).toEqual([7, 11]);
});
