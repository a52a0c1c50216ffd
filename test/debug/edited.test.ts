import type { DebugProtocol } from '@vscode/debugprotocol';
import { describe, expect, test } from 'vitest';
import { Client, testHost } from './client';

const TEXT =
  '#: kernel 6.1\nublk add -t null -q 1 -d 4\ndd if=/dev/ublkb0 of=/dev/null bs=4k count=4 iflag=direct\n';
const SOURCE = { path: 'own.ublk' };

/** A debugged session whose file can be edited: to another text, or to one that the host does not know (true), or back (false). */
async function debugged(): Promise<{ client: Client; edit: (edited: boolean | string) => void }> {
  const host = testHost({ texts: { 'own.ublk': TEXT } });
  const listeners = new Set<() => void>();
  let edited: boolean | string = false;
  const client = new Client({
    ...host,
    open: async (args, work) => ({
      ...(await host.open(args, work)),
      sessionText: {
        text: TEXT,
        edited: () => edited !== false,
        now: () => (typeof edited === 'string' ? edited : undefined),
        onDidEdit: (listener) => {
          listeners.add(listener);
          return { dispose: () => listeners.delete(listener) };
        },
      },
    }),
  });
  await client.start({ program: 'own.ublk' });
  const edit = (value: boolean | string): void => {
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

async function breakAt(
  client: Client,
  source: DebugProtocol.Source,
  line = 3,
): Promise<DebugProtocol.Breakpoint> {
  const args = { source, breakpoints: [{ line }] };
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

  const changed = async (client: Client): Promise<DebugProtocol.Breakpoint> =>
    ((await client.event('breakpoint')).body as DebugProtocol.BreakpointEvent['body']).breakpoint;
  const [kernel, add, dd] = TEXT.split('\n');

  test('breakpoints stay on lines that nobody changed, wherever these are now', async () => {
    const { client, edit } = await debugged();
    const { id } = await breakAt(client, SOURCE);
    edit([kernel, '# a note', add, 'sleep 1', dd, ''].join('\n'));
    expect(await changed(client)).toMatchObject({ id, verified: true, line: 5 });
    edit([kernel, dd, ''].join('\n'));
    expect(await changed(client)).toMatchObject({ id, verified: true, line: 2 });
    expect(await client.move('continue')).toMatchObject({ reason: 'breakpoint', hitBreakpointIds: [id] });
  });

  test('on a changed line they say so and do not stop, until the line is as it was', async () => {
    const { client, edit } = await debugged();
    const { id } = await breakAt(client, SOURCE);
    const message = 'this line was edited since the run; restart to use it';
    edit([kernel, add, `${dd} oflag=direct`, ''].join('\n'));
    expect(await changed(client)).toMatchObject({ id, verified: false, message });
    expect((await client.move('continue')).text).toBe('end of trace');
    // a line taken out: what stands there now is another one
    edit([kernel, add, '# end', ''].join('\n'));
    expect(await changed(client)).toMatchObject({ id, verified: false, message });
    edit(`# first\n${TEXT}`);
    expect(await changed(client)).toMatchObject({ id, verified: true, line: 4 });
    expect((await client.move('reverseContinue')).hitBreakpointIds).toEqual([id]);
  });

  test('set in the edited text they hold on the lines that ran; one above a changed line does not slide past it', async () => {
    const { client, edit } = await debugged();
    edit(['# one', kernel, '# two', add, '# three', `${dd} # slow`, ''].join('\n'));
    expect(await breakAt(client, SOURCE, 4)).toMatchObject({ verified: true, line: 4 });
    expect(await breakAt(client, SOURCE, 2)).toMatchObject({ verified: true, line: 4 });
    expect(await breakAt(client, SOURCE, 5)).toMatchObject({ verified: false });
    expect(await breakAt(client, SOURCE, 6)).toMatchObject({ verified: false });
    const locations = { source: SOURCE, line: 1, endLine: 7 };
    expect(await client.ask('breakpointLocations', locations)).toEqual({ breakpoints: [{ line: 4 }] });
  });

  test('going to a line of the edited file: to that of the run, or a word why not', async () => {
    const { client, edit } = await debugged();
    edit(['# one', kernel, add, `${dd} # slow`, ''].join('\n'));
    const { targets } = await client.ask<DebugProtocol.GotoTargetsResponse['body']>('gotoTargets', {
      source: SOURCE,
      line: 3,
    });
    expect(targets.map(({ label, line }) => [label.replace(/\d+/, 'N'), line])).toEqual([
      ['event N: session_command', 3],
    ]);
    const refused = await client.send('gotoTargets', { source: SOURCE, line: 4 });
    expect(refused).toMatchObject({
      success: false,
      message: 'this line was edited since the run; restart to use it',
    });
  });

  test('a restart takes breakpoints along to the lines where they are now', async () => {
    const host = testHost();
    let now = TEXT;
    const listeners = new Set<() => void>();
    const client = new Client({
      ...host,
      open: async (args, work) => {
        const ran = now;
        return {
          ...(await testHost({ texts: { 'own.ublk': ran } }).open(args, work)),
          sessionText: {
            text: ran,
            edited: () => now !== ran,
            now: () => now,
            onDidEdit: (listener) => {
              listeners.add(listener);
              return { dispose: () => listeners.delete(listener) };
            },
          },
        };
      },
    });
    await client.start({ program: 'own.ublk' });
    const { id } = await breakAt(client, SOURCE);
    now = `# one\n# two\n${TEXT}`;
    for (const listener of listeners) listener();
    expect(await changed(client)).toMatchObject({ id, verified: true, line: 5 });
    const restarted = client.ask('restart');
    expect(await changed(client)).toMatchObject({ id, verified: true, line: 5 });
    await restarted;
    await client.event('stopped');
    expect((await client.move('continue')).hitBreakpointIds).toEqual([id]);
  });
});
