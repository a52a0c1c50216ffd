import type { DebugProtocol } from '@vscode/debugprotocol';
import { describe, expect, test } from 'vitest';
import { Client, testHost } from './client';

const PROGRAM = 'test/fixtures/dap/loop-zc.ublktrace.gz';

async function started(): Promise<Client> {
  const client = new Client(testHost());
  await client.start({ program: PROGRAM });
  return client;
}

/** The top frame of the whole trace. */
async function topFrame(client: Client): Promise<number> {
  const { stackFrames } = await client.ask<DebugProtocol.StackTraceResponse['body']>('stackTrace', {
    threadId: 1,
  });
  return stackFrames[0].id;
}

/** All scopes of a frame with the names and values in them. */
async function shown(client: Client, frameId: number): Promise<unknown> {
  const { scopes } = await client.ask<DebugProtocol.ScopesResponse['body']>('scopes', { frameId });
  const all: unknown[] = [];
  for (const { name, variablesReference } of scopes) {
    const { variables } = await client.ask<DebugProtocol.VariablesResponse['body']>('variables', {
      variablesReference,
    });
    all.push([name, variables.map((v) => [v.name, v.value])]);
  }
  return all;
}

/** VS Code asks for the scopes of a stop some 0.4 s after it; by then a person may have stepped on. */
describe('a client that asks late', () => {
  test('is shown what was there at that stop, some stops later too', async () => {
    const client = await started();
    await client.move('ublk-goto', { event: 281 });
    const frame = await topFrame(client);
    const then = await shown(client, frame);
    for (let k = 0; k < 3; k++) {
      await client.move('next');
      await topFrame(client);
      expect(await shown(client, frame)).toEqual(then);
    }
    expect(await shown(client, await topFrame(client))).not.toEqual(then);
  });

  test('has the children of a scope that it asked for before the step', async () => {
    const client = await started();
    await client.move('ublk-goto', { event: 281 });
    const args = { frameId: await topFrame(client) };
    const { scopes } = await client.ask<DebugProtocol.ScopesResponse['body']>('scopes', args);
    await client.move('next');
    for (const { variablesReference } of scopes)
      expect((await client.send('variables', { variablesReference })).success).toBe(true);
  });

  test('is told so when it asks for a stop of long ago', async () => {
    const client = await started();
    const frameId = await topFrame(client);
    const { scopes } = await client.ask<DebugProtocol.ScopesResponse['body']>('scopes', { frameId });
    for (let k = 0; k < 12; k++) {
      await client.move('next');
      await shown(client, await topFrame(client));
    }
    expect((await client.send('scopes', { frameId })).message).toContain('earlier stop');
    const { variablesReference } = scopes[0];
    expect((await client.send('variables', { variablesReference })).message).toContain('earlier stop');
  });

  test('is shown nothing of another run, and no error', async () => {
    const client = await started();
    const frameId = await topFrame(client);
    const { scopes } = await client.ask<DebugProtocol.ScopesResponse['body']>('scopes', { frameId });
    await client.move('restart', {});
    expect(await topFrame(client)).not.toBe(frameId);
    expect(await client.ask('scopes', { frameId })).toEqual({ scopes: [] });
    const { variablesReference } = scopes[0];
    expect(await client.ask('variables', { variablesReference })).toEqual({ variables: [] });
    const never = { variablesReference: 1 << 20 };
    expect((await client.send('variables', never)).success).toBe(false);
  });
});
