import type { DebugProtocol } from '@vscode/debugprotocol';
import { describe, expect, test } from 'vitest';
import type { Opened } from '../../src/debug/dap_session';
import { OpenTrace } from '../../src/debug/model';
import { STEP_KINDS } from '../../src/debug/steps';
import { Trace } from '../../src/trace/trace';
import { Client, testHost } from './client';

const DEVICE = '#: kernel 6.1\ntruncate -s 16M disk.img\nublk add -t loop -f disk.img -q 1 -d 4\n';
const READS =
  'fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randread --bs=4k --iodepth=4 --number_ios=200';
const TEXTS = {
  'deleted.ublk': `${DEVICE}${READS} &\nsleep 0.002\nublk del -n 0\nwait\n`,
  'hanging.ublk': `${DEVICE}#: fault server no-commit\ndd if=/dev/ublkb0 of=/dev/null bs=4k count=1 iflag=direct &\nsleep 3\n`,
  'wide.ublk': '#: kernel 6.1\nublk add -t null -q 2 -d 128\nublk del -n 0\n',
  'one.ublk': `${DEVICE}dd if=/dev/ublkb0 of=/dev/null bs=4k count=4 iflag=direct\n`,
};
const ZC = 'test/fixtures/dap/loop-zc.ublktrace.gz';

/** A host that opens a program once, as one that shares traces among its sessions does, and what it opened. */
function sharing(): { host: ReturnType<typeof testHost>; opened: Map<string, Opened> } {
  const host = testHost({ texts: TEXTS });
  const opened = new Map<string, Opened>();
  return {
    opened,
    host: {
      ...host,
      open: async (args, work) => {
        const known = opened.get(args.program ?? '') ?? (await host.open(args, work));
        opened.set(args.program ?? '', known);
        return known;
      },
    },
  };
}

async function variables(client: Client, args: object): Promise<DebugProtocol.Variable[]> {
  return (await client.ask<{ variables: DebugProtocol.Variable[] }>('variables', args)).variables;
}

async function scopesOf(client: Client, threadId: number): Promise<DebugProtocol.Scope[]> {
  const { stackFrames } = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', {
    threadId,
    levels: 1,
  });
  return (await client.ask<{ scopes: DebugProtocol.Scope[] }>('scopes', { frameId: stackFrames[0].id }))
    .scopes;
}

describe('two sessions on one trace', () => {
  test('the second joins where the first stands; a step of either moves both, and says who moved', async () => {
    const { host } = sharing();
    const a = new Client(host);
    await a.start({ program: ZC });
    await a.move('ublk-goto', { event: 300 });
    const b = new Client(host);
    const entry = await b.start({ program: ZC });
    expect(entry).toMatchObject({
      reason: 'entry',
      text: 'where the other debug session of this trace stands',
    });
    expect(await b.where()).toEqual(await a.where());
    const told = b.messages.filter((m) => JSON.stringify(m).includes('both follow one cursor'));
    expect(told.length).toBe(1);
    await b.move('next', { threadId: 1 });
    const follows = (await a.event('stopped')).body;
    expect(follows).toMatchObject({
      reason: 'goto',
      text: 'moved by another debug session of this trace',
      preserveFocusHint: true,
    });
    expect(await a.where()).toEqual(await b.where());
    await b.ask('disconnect');
    await a.move('next', { threadId: 1 });
    expect((await a.where()).event).toBe(302);
    // alone again, it starts over
    await a.move('restart', {});
    expect((await a.where()).event).toBe(0);
  });

  test('breakpoints of one do not stop the other, which is only told of the move', async () => {
    const { host } = sharing();
    const [a, b] = [new Client(host), new Client(host)];
    await a.start({ program: ZC });
    await b.start({ program: ZC });
    await a.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'ublk_queue_rq' }] });
    expect((await a.move('continue')).reason).toBe('function breakpoint');
    expect((await b.event('stopped')).body).toMatchObject({ reason: 'goto' });
    expect((await b.move('continue')).text).toBe('end of trace');
  });

  test('a session that is ended is not counted', async () => {
    const { host, opened } = sharing();
    const [a, b] = [new Client(host), new Client(host)];
    await a.start({ program: ZC });
    await b.start({ program: ZC });
    const { sessions } = opened.get(ZC)!.open;
    expect(sessions.size).toBe(2);
    await a.ask('terminate');
    expect(sessions.size).toBe(1);
    b.session.dispose();
    expect(sessions.size).toBe(0);
  });
});

describe('two sessions on two traces', () => {
  test('steps, breakpoints and variables of one leave the other alone', async () => {
    const { host } = sharing();
    const [a, b] = [new Client(host), new Client(host)];
    await Promise.all([a.start({ program: ZC }), b.start({ program: 'one.ublk' })]);
    await b.ask('setDataBreakpoints', { breakpoints: [{ dataId: 'ring:0:cq.tail' }] });
    const before = a.messages.length;
    const stop = await b.move('continue');
    expect(stop.reason).toBe('data breakpoint');
    const { event } = await b.where();
    const [scope] = await scopesOf(b, stop.threadId);
    expect(a.messages.length).toBe(before);
    expect((await a.move('continue')).text).toBe('end of trace');
    await a.ask('disconnect');
    // what b shows is still the same stop
    expect((await variables(b, scope)).length).toBeGreaterThan(0);
    expect((await b.where()).event).toBe(event);
  });
});

describe('odd traces', () => {
  test('no events: every command answers, nothing moves', async () => {
    const open = new OpenTrace(new Trace(), {
      kind: 'text',
      path: 'empty.txt',
      session: undefined,
      damaged: 0,
      firstDamaged: 0,
      unknown: 0,
      lost: 0,
      bytes: 0,
    });
    const client = new Client({ ...testHost(), open: async () => ({ open }) });
    const { threadId, description } = await client.start({ program: 'empty.txt' });
    expect(description).toBe('the trace has no events');
    const { stackFrames } = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', {
      threadId,
    });
    expect(stackFrames).toMatchObject([{ name: 'no events', line: 1 }]);
    const { source } = stackFrames[0];
    expect(await client.ask('source', { source, sourceReference: source?.sourceReference })).toMatchObject({
      content: '',
    });
    expect(await client.ask('scopes', { frameId: stackFrames[0].id })).toEqual({ scopes: [] });
    await client.ask('setFunctionBreakpoints', {
      breakpoints: [{ name: 'ublk_queue_rq' }, { name: 'totals::sqes' }],
    });
    await client.ask('setExceptionBreakpoints', { filters: ['inv-rings', 'res'] });
    for (const command of ['next', 'stepIn', 'stepOut', 'stepBack', 'continue', 'reverseContinue'])
      await client.move(command, { threadId });
    for (const kind of STEP_KINDS) await client.move('ublk-step', { kind, threadId });
    expect((await client.where()).event).toBe(-1);
    const { threads } = await client.ask<{ threads: object[] }>('threads');
    expect(threads.length).toBe(1);
    expect((await client.send('exceptionInfo', { threadId })).success).toBe(false);
  });

  test('a device that is deleted in the middle: its end is seen, and steps go over it both ways', async () => {
    const { host, opened } = sharing();
    const client = new Client(host);
    await client.start({ program: 'deleted.ublk', stopOnEntry: true });
    await client.ask('setExceptionBreakpoints', { filters: ['inv-rings', 'inv-tags', 'inv-slots'] });
    await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'ublk_stop_dev' }] });
    const { reason, threadId } = await client.move('continue');
    expect(reason).toBe('function breakpoint');
    for (const scope of await scopesOf(client, threadId)) await variables(client, scope);
    while ((await client.move('continue')).reason === 'function breakpoint')
      for (const scope of await scopesOf(client, 1)) await variables(client, scope);
    const { open } = opened.get('deleted.ublk')!;
    expect((await client.where()).event).toBe(open.length - 1);
    expect(open.requests.length).toBeGreaterThan(0);
    expect([...open.requests.status].includes(0)).toBe(false);
    for (let k = 0; k < 10; k++) await client.move('stepBack', { threadId: 1 });
    for (const scope of await scopesOf(client, 1)) await variables(client, scope);
  });

  test('a request that never completes: stepping out of it says so, and it stays in flight', async () => {
    const { host, opened } = sharing();
    const client = new Client(host);
    await client.start({ program: 'hanging.ublk' });
    const { open } = opened.get('hanging.ublk')!;
    const row = open.requests.status.indexOf(0);
    await client.move('ublk-goto', { event: open.requests.events(row)[0] });
    const { threadId } = await client.where();
    for (let k = 0; k < 2; k++)
      expect((await client.move('stepOut', { threadId })).text).toBe(
        'the trace does not show its completion',
      );
    await client.move('continue');
    const { threads } = await client.ask<{ threads: DebugProtocol.Thread[] }>('threads');
    expect(threads.map((thread) => thread.id)).toContain(threadId);
    expect(await client.scope('Request', threadId)).toMatchObject({ status: 'open', result: '?' });
  });

  test('terminating ends a search in the middle without another word', async () => {
    const host = testHost({ texts: TEXTS });
    const waiting: (() => void)[] = [];
    let held = false;
    // from the search on, nothing goes on until it is let go
    const pause = (): Promise<void> =>
      held ? new Promise((resolve) => waiting.push(resolve)) : host.pause();
    const client = new Client({ ...host, pause });
    await client.start({ program: ZC });
    await client.ask('setExceptionBreakpoints', { filters: ['inv-rings'] });
    held = true;
    await client.ask('continue', { threadId: 1 });
    expect(waiting.length).toBeGreaterThan(0);
    await client.ask('terminate');
    const said = client.messages.length;
    held = false;
    for (const go of waiting.splice(0)) go();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(client.messages.slice(said).map((m) => JSON.stringify(m))).toEqual([]);
    expect((await client.send('next', { threadId: 1 })).success).toBe(false);
  });

  test('a search that takes long tells how far it is, and can be cancelled there', async () => {
    const host = testHost({ texts: TEXTS });
    let slow = false;
    const pause = async (): Promise<void> => {
      if (slow) await new Promise((resolve) => setTimeout(resolve, 300));
      else await host.pause();
    };
    const client = new Client({ ...host, pause });
    await client.ask('initialize', { adapterID: 'ublk-trace', supportsProgressReporting: true });
    await client.ask('launch', { program: 'deleted.ublk' });
    await client.ask('configurationDone');
    await client.event('stopped');
    await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'device:9:state' }] });
    slow = true;
    await client.ask('continue', { threadId: 1 });
    const { progressId } = (await client.event('progressStart')).body as { progressId: string };
    await client.ask('cancel', { progressId });
    expect((await client.event('stopped')).body).toMatchObject({ reason: 'pause' });
    const ends = client.messages.filter((m) => JSON.stringify(m).includes('"progressEnd"'));
    expect(ends.at(-1)).toMatchObject({ body: { progressId } });
  });

  test('a search can be paused in the middle and tells where it is', async () => {
    const host = testHost({ texts: TEXTS });
    const client = new Client(host);
    await client.start({ program: ZC });
    await client.ask('setDataBreakpoints', { breakpoints: [{ dataId: 'device:9:state' }] });
    const going = client.ask('continue', { threadId: 1 });
    await going;
    await client.ask('pause', { threadId: 1 });
    expect((await client.event('stopped')).body).toMatchObject({ reason: 'pause' });
  });
});

describe('many variables', () => {
  test('slots come by pages, each slot once and in order; devices come by name', async () => {
    const client = new Client(testHost({ texts: TEXTS }));
    await client.start({ program: 'wide.ublk' });
    await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'ublk_stop_dev' }] });
    const { threadId } = await client.move('continue');
    const scopes = await scopesOf(client, threadId);
    for (const name of ['Slots', 'Descriptors']) {
      const { variablesReference, indexedVariables } = scopes.find((scope) => scope.name === name)!;
      expect(indexedVariables).toBe(256);
      const all = await variables(client, { variablesReference });
      const named = await variables(client, { variablesReference, filter: 'named' });
      expect(named.map((v) => v.name)).toEqual(name === 'Slots' ? ['device 0'] : []);
      const paged: string[] = [];
      for (let start = 0; start < 256; start += 100) {
        const part = await variables(client, { variablesReference, filter: 'indexed', start, count: 100 });
        expect(part.length).toBe(Math.min(100, 256 - start));
        paged.push(...part.map((v) => v.name));
      }
      expect([...named.map((v) => v.name), ...paged]).toEqual(all.map((v) => v.name));
      expect(paged[129]).toBe('q1 tag 1');
      const page = { variablesReference, filter: 'indexed', start: 200, count: 1 };
      const [slot] = await variables(client, page);
      expect((await variables(client, slot)).length).toBeGreaterThan(3);
    }
  });
});
