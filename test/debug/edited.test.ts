import type { DebugProtocol } from '@vscode/debugprotocol';
import { describe, expect, test } from 'vitest';
import { Client, testHost } from './client';

const TEXT =
  '#: kernel 6.1\nublk add -t null -q 1 -d 4\ndd if=/dev/ublkb0 of=/dev/null bs=4k count=4 iflag=direct\n';
const SOURCE = { path: 'own.ublk' };

/** A debugged session whose file can be edited. */
async function debugged(): Promise<{ client: Client; edit: (edited: boolean) => void }> {
  const host = testHost({ texts: { 'own.ublk': TEXT } });
  const listeners = new Set<() => void>();
  let edited = false;
  const client = new Client({
    ...host,
    open: async (args, work) => ({
      ...(await host.open(args, work)),
      sessionText: {
        text: TEXT,
        edited: () => edited,
        onDidEdit: (listener) => {
          listeners.add(listener);
          return { dispose: () => listeners.delete(listener) };
        },
      },
    }),
  });
  await client.start({ program: 'own.ublk' });
  const edit = (value: boolean): void => {
    edited = value;
    for (const listener of listeners) listener();
  };
  return { client, edit };
}

async function sessionFrame(client: Client): Promise<DebugProtocol.StackFrame> {
  const { stackFrames } = await client.ask<DebugProtocol.StackTraceResponse['body']>('stackTrace', {
    threadId: 1,
  });
  return stackFrames.at(-1)!;
}

async function breakAt(client: Client, source: DebugProtocol.Source): Promise<DebugProtocol.Breakpoint> {
  const args = { source, breakpoints: [{ line: 3 }] };
  const body = await client.ask<DebugProtocol.SetBreakpointsResponse['body']>('setBreakpoints', args);
  return body.breakpoints[0];
}

describe('a session that is edited while it is debugged', () => {
  test('frames show the text that ran, read-only, and the file again once it is as it was', async () => {
    const { client, edit } = await debugged();
    const before = await sessionFrame(client);
    expect(before.source).toEqual({ name: 'own.ublk', path: 'own.ublk' });
    edit(true);
    const after = await sessionFrame(client);
    expect(after.line).toBe(before.line);
    expect(after.source?.name).toBe('own.ublk (as it ran)');
    const { sourceReference } = after.source!;
    expect(sourceReference).toBeGreaterThan(0);
    expect(await client.ask('source', { sourceReference })).toMatchObject({ content: TEXT });
    edit(false);
    expect((await sessionFrame(client)).source).toEqual(before.source);
  });

  test('breakpoints of the file say so and do not stop; those in the text that ran do', async () => {
    const { client, edit } = await debugged();
    const { id, verified } = await breakAt(client, SOURCE);
    expect(verified).toBe(true);
    edit(true);
    const message = 'edited since the run; restart to use it';
    expect((await client.event('breakpoint')).body).toMatchObject({
      reason: 'changed',
      breakpoint: { id, verified: false, message },
    });
    expect(await breakAt(client, SOURCE)).toMatchObject({ verified: false, message });
    expect((await client.move('continue')).text).toBe('end of trace');
    const { source } = await sessionFrame(client);
    const ran = source?.sourceReference === undefined ? { ...SOURCE, sourceReference: 0x7ffffffe } : source;
    expect((await breakAt(client, ran)).verified).toBe(true);
    expect((await client.move('reverseContinue')).reason).toBe('breakpoint');
    edit(false);
    await client.move('ublk-goto', { event: 0 });
    await client.ask('setBreakpoints', { source: ran, breakpoints: [] });
    expect((await client.move('continue')).reason).toBe('breakpoint');
  });
});
