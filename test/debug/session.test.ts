import type { DebugProtocol } from '@vscode/debugprotocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Client, testHost } from './client';
import { SAMPLE, SESSION, started } from './sample';

describe('threads and frames', () => {
  test('ids of threads last as long as the request, whatever the event', async () => {
    const client = await started({ tag: '0:2#3' });
    const names = new Map<number, string>();
    for (let k = 0; k < 30; k++) {
      const { threads } = await client.ask<{ threads: DebugProtocol.Thread[] }>('threads');
      expect(threads[0]).toEqual({ id: 1, name: 'whole trace' });
      for (const { id, name } of threads) expect(names.get(id) ?? name).toBe(name);
      for (const { id, name } of threads) names.set(id, name);
      await client.move('next', { threadId: 1 });
    }
    expect([...names.values()].some((name) => /^q0 tag 2 READ 4 KiB @ \d+ KiB$/.test(name))).toBe(true);
  });

  test('every frame has a source, the last one is the session', async () => {
    const client = await started();
    await client.ask('setFunctionBreakpoints', {
      breakpoints: [{ name: 'add_to_pipe', condition: 'op == WRITE' }],
    });
    const { threadId } = await client.move('continue');
    const { stackFrames, totalFrames } = await client.ask<{
      stackFrames: DebugProtocol.StackFrame[];
      totalFrames: number;
    }>('stackTrace', { threadId });
    expect(stackFrames.length).toBe(totalFrames);
    for (const { source, line } of stackFrames) {
      expect(source?.path ?? source?.sourceReference).toBeTruthy();
      expect(line).toBeGreaterThan(0);
    }
    const last = stackFrames.at(-1);
    expect(last?.source?.path).toBe(SESSION);
    expect(last?.name).toContain('fio');
    const part = await client.ask<{ stackFrames: DebugProtocol.StackFrame[]; totalFrames: number }>(
      'stackTrace',
      {
        threadId,
        startFrame: 3,
        levels: 2,
      },
    );
    expect(part.stackFrames.map((f) => f.name)).toEqual(stackFrames.slice(3, 5).map((f) => f.name));
    expect(part.totalFrames).toBe(totalFrames);
  });

  test('the top frames share one source name across files of the pseudo-code', async () => {
    const client = await started({ tag: '0:2#3' });
    const { threadId } = await client.where();
    const names = new Set<string | undefined>();
    const files = new Set<string | undefined>();
    for (let k = 0; k < 40; k++) {
      const { stackFrames } = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', {
        threadId,
        levels: 1,
      });
      names.add(stackFrames[0].source?.name);
      files.add(stackFrames[0].source?.path);
      await client.move('next', { threadId });
    }
    expect(names.size).toBe(1);
    expect(files.size).toBeGreaterThan(2);
  });

  test('scopes and their variables keep names and order', async () => {
    const client = await started({ tag: '0:2#3' });
    const { threadId } = await client.where();
    for (let k = 0; k < 40; k++) {
      const { stackFrames } = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', {
        threadId,
        levels: 1,
      });
      const { scopes } = await client.ask<{ scopes: DebugProtocol.Scope[] }>('scopes', {
        frameId: stackFrames[0].id,
      });
      expect(scopes.map((s) => s.name)).toEqual(
        'Request SQE CQE Rings Slots Descriptors Pipes Pages Backing'.split(' '),
      );
      const sqe = (await client.scope('SQE', threadId)) as Record<string, string>;
      expect(Object.keys(sqe)).toEqual([
        'user_data',
        'opcode',
        'flags',
        'ring',
        'req',
        'filled',
        'taken',
        'bytes',
      ]);
      await client.move('next', { threadId });
    }
  });
});

describe('steps', () => {
  test('forward then back returns to the same state', async () => {
    const host = testHost({ session: SESSION });
    const { open } = await host.open(SAMPLE, { progress: () => {}, cancelled: () => false });
    const client = new Client({ ...host, open: async () => ({ open }) });
    await client.start(SAMPLE);
    const total = open.length;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: total - 2 }), fc.boolean(), async (event, wholeTrace) => {
        await client.move('ublk-goto', { event });
        const before = await client.where();
        // bios that were merged into a request belong to it but are no steps of it
        const own =
          before.request !== undefined && open.requests.events(before.request).includes(before.event);
        const threadId = wholeTrace || !own ? 1 : before.threadId;
        const scopes = async (): Promise<unknown> => [
          await client.scope('Request', threadId),
          await client.scope('Slots', threadId, 2),
          await client.scope('Rings', threadId, 2),
          await client.scope('Pipes', threadId, 2),
        ];
        const was = await scopes();
        const stop = await client.move('next', { threadId });
        if (stop.text !== undefined) return;
        await client.move('stepBack', { threadId });
        expect((await client.where()).event).toBe(before.event);
        expect(await scopes()).toEqual(was);
      }),
      { numRuns: 40 },
    );
  });

  test('next and stepBack walk exactly the events of the request', async () => {
    const client = await started({ tag: '0:2#3' });
    const { threadId, event } = await client.where();
    const seen = [event];
    for (;;) {
      const { text } = await client.move('next', { threadId });
      if (text !== undefined) break;
      seen.push((await client.where()).event);
    }
    expect(seen.length).toBeGreaterThan(20);
    const back = [seen.at(-1)];
    for (;;) {
      const { text } = await client.move('stepBack', { threadId });
      if (text !== undefined) break;
      back.push((await client.where()).event);
    }
    // before the first event of the request there is only its bio
    expect(await client.ask('evaluate', { expression: 'name' })).toMatchObject({ result: 'block_bio_queue' });
    back.pop();
    expect(back.reverse()).toEqual(seen);
  });

  test('out goes to the completion, reverse over skips a call, next life takes over the tag', async () => {
    const client = await started({ tag: '0:2#3' });
    const { threadId } = await client.where();
    await client.move('stepOut', { threadId });
    const { event } = await client.where();
    expect(await client.ask('evaluate', { expression: 'name' })).toMatchObject({
      result: 'block_rq_complete',
    });
    await client.move('ublk-step', { kind: 'last', threadId });
    await client.move('ublk-step', { kind: 'reverseOver', threadId });
    expect((await client.where()).event).toBeGreaterThanOrEqual(event);
    await client.move('ublk-step', { kind: 'nextLife', threadId });
    expect(await client.ask('evaluate', { expression: 'life' })).toMatchObject({ result: '4' });
    expect(await client.ask('evaluate', { expression: 'tag == 2' })).toMatchObject({ result: 'true' });
  });

  test('in follows the cause into the next context', async () => {
    const client = await started();
    await client.ask('setFunctionBreakpoints', {
      breakpoints: [{ name: 'io_uring_queue_async_work', condition: 'opcode == SPLICE' }],
    });
    const { threadId } = await client.move('continue');
    await client.move('stepIn', { threadId });
    expect(await client.ask('evaluate', { expression: 'name' })).toMatchObject({
      result: 'io_wq_submit_work',
    });
  });
});

describe('two sessions, restart, end', () => {
  test('two traces do not mix', async () => {
    const a = await started();
    const b = new Client(testHost({ session: SESSION }));
    await b.start({ program: 'samples/null-qd8.ublk' });
    await a.move('ublk-goto', { event: 100 });
    await b.move('ublk-goto', { event: 50 });
    expect((await a.where()).event).toBe(100);
    expect((await b.where()).event).toBe(50);
  });

  test('a cursor moved by another view is followed', async () => {
    const host = testHost({ session: SESSION });
    const opened: { cursor: { move(event: number, request: undefined, by: string): void } }[] = [];
    const client = new Client({
      ...host,
      open: async (args, work) => {
        const o = await host.open(args, work);
        opened.push(o.open);
        return o;
      },
    });
    await client.start(SAMPLE);
    opened[0].cursor.move(77, undefined, 'tree');
    expect((await client.event('stopped')).body).toMatchObject({
      reason: 'goto',
      threadId: 1,
    });
    expect((await client.where()).event).toBe(77);
  });

  test('restart opens the program again and keeps breakpoints', async () => {
    const client = await started();
    await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'ublk_queue_rq' }] });
    await client.move('continue');
    const { event } = await client.where();
    await client.move('restart', {});
    expect((await client.where()).event).toBe(0);
    await client.move('continue');
    expect((await client.where()).event).toBe(event);
  });

  test('terminate while opening ends the session', async () => {
    const client = new Client(testHost({ session: SESSION }));
    await client.ask('initialize', {});
    const launch = client.send('launch', SAMPLE);
    await client.ask('terminate');
    expect((await launch).success).toBe(false);
    await client.event('terminated');
  });
});
