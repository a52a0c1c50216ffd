import type { DebugProtocol } from '@vscode/debugprotocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPath } from '../../src/trace/state';
import { Client, testHost } from './client';

const SESSION = 'samples/loop-zc.ublk';
// a recorded run of the sample: what is tested here does not depend on the simulator
const SAMPLE = { program: 'test/fixtures/dap/loop-zc.ublktrace.gz' };

async function started(args: object = {}): Promise<Client> {
  const client = new Client(testHost({ session: SESSION }));
  await client.start({ ...SAMPLE, ...args });
  return client;
}

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

describe('breakpoints', () => {
  test('the same stops forwards and backwards', async () => {
    const client = await started();
    await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'ublk_queue_rq' }] });
    await client.ask('setDataBreakpoints', { breakpoints: [{ dataId: 'slot:0:2:state' }] });
    const forward: number[] = [];
    for (;;) {
      const { reason } = await client.move('continue');
      if (reason === 'pause') break;
      forward.push((await client.where()).event);
    }
    const backward: number[] = [];
    for (;;) {
      const { reason } = await client.move('reverseContinue');
      if (reason === 'entry') break;
      backward.push((await client.where()).event);
    }
    expect(forward.length).toBeGreaterThan(20);
    expect(backward.reverse()).toEqual(forward);
  });

  test('data breakpoints stop at exactly the events that change the value', async () => {
    const host = testHost();
    const { open } = await host.open(SAMPLE, { progress: () => {}, cancelled: () => false });
    for (const path of [
      'slot:0:1:iod.startSector',
      'ring:1:cq.tail',
      'pipe:0:occupancy',
      'totals::splices',
    ]) {
      const wanted: number[] = [];
      for (let i = 0; i < open.length; i++) {
        if (readPath(open.states.at(i), path) !== readPath(open.states.at(i - 1), path)) wanted.push(i);
      }
      const client = new Client({ ...host, open: async () => ({ open }) });
      await client.start(SAMPLE);
      // the tree adds them as function breakpoints, which is all that the API of VS Code can add
      await client.ask('setFunctionBreakpoints', { breakpoints: [{ name: path }] });
      const stops: number[] = [];
      while ((await client.move('continue')).reason === 'data breakpoint')
        stops.push((await client.where()).event);
      expect(stops).toEqual(wanted);
      expect(stops.length).toBeGreaterThan(3);
      while ((await client.move('reverseContinue')).reason === 'data breakpoint')
        stops.push((await client.where()).event);
      expect(stops.slice(wanted.length)).toEqual(wanted.reverse());
    }
  });

  test('hit counts mean the same in both directions', async () => {
    const client = await started();
    await client.ask('setFunctionBreakpoints', {
      breakpoints: [{ name: 'ublk_queue_rq', hitCondition: '3' }],
    });
    const { reason } = await client.move('continue');
    expect(reason).toBe('function breakpoint');
    const { event } = await client.where();
    expect((await client.move('continue')).text).toBe('end of trace');
    await client.move('reverseContinue');
    expect((await client.where()).event).toBe(event);
  });

  test('wrong conditions, names and data ids are told', async () => {
    const client = await started();
    const ask = async (command: string, breakpoint: object): Promise<string> => {
      const { breakpoints } = await client.ask<{ breakpoints: DebugProtocol.Breakpoint[] }>(command, {
        breakpoints: [breakpoint],
      });
      expect(breakpoints[0].verified).toBe(false);
      return breakpoints[0].message ?? '';
    };
    expect(await ask('setFunctionBreakpoints', { name: 'ublk_queue_rq', condition: 'tga == 3' })).toContain(
      "column 1: unknown field 'tga'; did you mean 'tag'?",
    );
    expect(await ask('setFunctionBreakpoints', { name: 'ublk_queue' })).toContain('did you mean');
    expect(await ask('setFunctionBreakpoints', { name: 'ublk_queue_rq', hitCondition: 'x' })).toContain(
      'hit count',
    );
    expect(await ask('setDataBreakpoints', { dataId: 'nothing' })).toContain('no state variable');
  });

  test('a data breakpoint on any leaf stops where it changes', async () => {
    const client = await started();
    await client.move('ublk-goto', { event: 300 });
    const again = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', {
      threadId: 1,
    });
    const { scopes } = await client.ask<{ scopes: DebugProtocol.Scope[] }>('scopes', {
      frameId: again.stackFrames[0].id,
    });
    const slots = scopes.find((s) => s.name === 'Slots')!;
    const { variables } = await client.ask<{ variables: DebugProtocol.Variable[] }>('variables', slots);
    const slot = variables.find((v) => v.name === 'q0 tag 2')!;
    await client.ask('variables', slot);
    const info = await client.ask('dataBreakpointInfo', {
      variablesReference: slot.variablesReference,
      name: 'state',
    });
    expect(info).toMatchObject({ dataId: 'slot:0:2:state', canPersist: true });
    await client.ask('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId }] });
    const before = await client.ask('evaluate', { expression: 'slot:0:2:state' });
    const stop = await client.move('continue');
    expect(stop.reason).toBe('data breakpoint');
    expect(await client.ask('evaluate', { expression: 'slot:0:2:state' })).not.toEqual(before);
  });
});

describe('evaluate and memory', () => {
  test('bytes of the SQE are those that user space filled', async () => {
    const client = await started();
    await client.ask('setFunctionBreakpoints', {
      breakpoints: [{ name: 'io_uring_submit_sqe', condition: 'opcode == SPLICE' }],
    });
    const { threadId } = await client.move('continue');
    const sqe = (await client.scope('SQE', threadId, 2)) as Record<
      string,
      [string, Record<string, string>] | string
    >;
    expect(sqe.opcode).toBe('SPLICE');
    const [size, fields] = sqe.bytes as [string, Record<string, string>];
    expect(size).toBe('64 bytes');
    expect(fields['000 opcode']).toMatch(/^30 SPLICE/);
    expect(Object.keys(fields)).toContain('028 splice_flags');
    const { stackFrames } = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', {
      threadId,
    });
    const { scopes } = await client.ask<{ scopes: DebugProtocol.Scope[] }>('scopes', {
      frameId: stackFrames[0].id,
    });
    const { variables } = await client.ask<{ variables: DebugProtocol.Variable[] }>('variables', scopes[1]);
    const memoryReference = variables.find((v) => v.name === 'bytes')?.memoryReference;
    const { data } = await client.ask<{ data: string }>('readMemory', {
      memoryReference,
      offset: 0,
      count: 64,
    });
    const bytes = Buffer.from(data, 'base64');
    expect(bytes.length).toBe(64);
    expect(bytes[0]).toBe(30);
    const data32 = `0x${bytes.readBigUInt64LE(32).toString(16)}`;
    expect(sqe.user_data).toMatch(
      new RegExp(`^${data32} \\(tag \\d+, op (READ|WRITE), tgt 0, backend I/O\\)$`),
    );
    const beyond = await client.ask('readMemory', { memoryReference, offset: 60, count: 8 });
    expect(beyond).toMatchObject({ unreadableBytes: 4 });
  });

  test('changed values carry what they were', async () => {
    const client = await started();
    await client.ask('setDataBreakpoints', { breakpoints: [{ dataId: 'slot:0:2:state' }] });
    const { threadId } = await client.move('continue');
    const slots = (await client.scope('Slots', threadId, 1)) as Record<
      string,
      [string, Record<string, string>]
    >;
    expect(slots['q0 tag 2'][0]).toContain('changed');
    expect(slots['q0 tag 2'][1].state).toMatch(/ACTIVE \((was \S+|new)\)/);
  });

  test('completions of the console', async () => {
    const client = await started();
    const { targets } = await client.ask<{ targets: DebugProtocol.CompletionItem[] }>('completions', {
      text: 'op == R',
      column: 8,
    });
    expect(targets).toMatchObject([{ label: 'READ', start: 7, length: 1 }]);
    await client.move('ublk-goto', { event: 300 });
    const paths = await client.ask<{ targets: DebugProtocol.CompletionItem[] }>('completions', {
      text: 'slot:0:2:st',
      column: 12,
    });
    expect(paths.targets.map((t) => t.label)).toContain('slot:0:2:state');
    const labels = async (text: string): Promise<string[]> => {
      const args = { text, column: text.length + 1 };
      const { targets: found } = await client.ask<{ targets: DebugProtocol.CompletionItem[] }>(
        'completions',
        args,
      );
      return found.map((t) => t.label);
    };
    expect(await labels('sl')).toEqual(['slot:']);
    expect(await labels('op == READ && p')).toEqual(expect.arrayContaining(['path', 'pipe:', 'page:']));
    expect(await labels('latency > sl')).toEqual([]);
  });

  test('the console counts what a filter finds; errors name the column', async () => {
    const client = await started();
    const { result } = await client.ask('evaluate', {
      expression: 'op == READ && length >= 64k',
      context: 'repl',
    });
    expect(result).toMatch(/^false here; [1-9]\d* of \d+ requests, \d+ of \d+ events$/);
    await expect(client.ask('evaluate', { expression: 'tag ==', context: 'repl' })).rejects.toThrow(
      'column 7',
    );
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
