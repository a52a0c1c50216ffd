import type { DebugProtocol } from '@vscode/debugprotocol';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Client, FIXED_STACK, testHost, type TestHostOptions } from './client';

/** UPDATE_TRANSCRIPTS=1 writes the transcripts anew; look at the difference before committing it. */
const UPDATE = process.env.UPDATE_TRANSCRIPTS === '1';
const FOLDER = join(__dirname, '..', 'fixtures', 'dap');
const ZC = 'test/fixtures/dap/loop-zc.ublktrace.gz';
const SHORT = 'test/fixtures/dap/short-splice.ublktrace.gz';
const SESSION = 'samples/loop-zc.ublk';

/** Plays a session and compares everything said with the transcript of that name. */
function transcript(
  name: string,
  play: (client: Client) => Promise<void>,
  options: TestHostOptions = {},
): void {
  test(name, async () => {
    const client = new Client(testHost({ stack: FIXED_STACK, ...options }));
    await play(client);
    const said = client.messages.map((message) => `${JSON.stringify(message)}\n`).join('');
    const path = join(FOLDER, `${name}.jsonl`);
    if (UPDATE) writeFileSync(path, said);
    if (!existsSync(path))
      throw new Error(`no transcript ${path}; run with UPDATE_TRANSCRIPTS=1 and look at it`);
    const wanted = readFileSync(path, 'utf8');
    // the first line that differs says more than two walls of text
    const [a, b] = [said.split('\n'), wanted.split('\n')];
    const k = a.findIndex((line, i) => line !== b[i]);
    if (k >= 0) expect(`${k + 1}: ${a[k]}`).toBe(`${k + 1}: ${b[k]}`);
    expect(a.length).toBe(b.length);
  });
}

/** What VS Code asks for at each stop. */
async function look(client: Client, threadId: number, scopes: readonly string[] = []): Promise<void> {
  await client.ask('threads');
  const { stackFrames } = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', {
    threadId,
    startFrame: 0,
    levels: 20,
  });
  if (stackFrames.length === 0) return;
  const all = await client.ask<{ scopes: DebugProtocol.Scope[] }>('scopes', { frameId: stackFrames[0].id });
  for (const { name, variablesReference } of all.scopes) {
    if (scopes.includes(name)) await client.ask('variables', { variablesReference });
  }
}

transcript(
  'forwards',
  async (client) => {
    const { threadId } = await client.start({ program: ZC, stopOnEntry: true });
    await look(client, threadId, ['Request']);
    await client.move('next', { threadId });
    await client.move('ublk-goto', { event: 281 });
    const { threadId: request } = await client.where();
    await look(client, request, ['Request', 'SQE', 'CQE', 'Slots']);
    await client.move('next', { threadId: request });
    await client.move('next', { threadId: request });
    await client.move('stepIn', { threadId: request });
    await look(client, request, ['Request', 'SQE', 'Rings', 'Descriptors']);
    await client.move('stepOut', { threadId: request });
    await look(client, request, ['Request', 'CQE', 'Pages', 'Backing']);
    await client.move('ublk-step', { kind: 'last', threadId: request });
    await client.move('next', { threadId: request });
    await client.move('ublk-step', { kind: 'nextLife', threadId: request });
    await client.move('continue', { threadId: request });
    await client.ask('disconnect', { terminateDebuggee: true });
  },
  { session: SESSION },
);

transcript(
  'backwards',
  async (client) => {
    const { threadId } = await client.start({ program: ZC, tag: '0:2#5' });
    await client.move('ublk-step', { kind: 'last', threadId });
    for (let k = 0; k < 4; k++) await client.move('stepBack', { threadId });
    await look(client, threadId, ['Request', 'CQE']);
    for (let k = 0; k < 6; k++) await client.move('ublk-step', { kind: 'reverseOver', threadId });
    await look(client, threadId, ['Request', 'SQE', 'Pipes', 'Pages']);
    await client.move('ublk-step', { kind: 'reverseOut', threadId });
    await client.move('ublk-step', { kind: 'previousLife', threadId });
    await client.move('ublk-step', { kind: 'first', threadId: (await client.where()).threadId });
    await client.move('stepBack', { threadId: (await client.where()).threadId });
    await client.move('reverseContinue', { threadId: 1 });
    await client.move('stepBack', { threadId: 1 });
    await client.ask('terminate');
  },
  { session: SESSION },
);

transcript(
  'breakpoints',
  async (client) => {
    await client.start({ program: ZC, stopOnEntry: false }, async () => {
      await client.ask('setBreakpoints', {
        source: { path: ZC },
        breakpoints: [{ line: 5 }, { line: 300, condition: 'tga == 1' }],
      });
      await client.ask('setBreakpoints', { source: { path: SESSION }, breakpoints: [{ line: 10 }] });
      await client.ask('setBreakpoints', {
        source: { path: '/media/stack/ublk_drv.c' },
        breakpoints: [{ line: FIXED_STACK.locate('ublk_splice_read')!.line, hitCondition: '2' }],
      });
      await client.ask('setFunctionBreakpoints', {
        breakpoints: [
          { name: 'ublk_commit_completion', condition: 'result > 4096' },
          { name: 'free_pipe_info' },
          { name: 'no_such_function' },
        ],
      });
      await client.ask('setDataBreakpoints', {
        breakpoints: [
          { dataId: 'pipe:0:occupancy', hitCondition: '== 4' },
          { dataId: 'slot:0:3:deliveries', condition: 'life == 2' },
        ],
      });
      await client.ask('setExceptionBreakpoints', {
        filters: ['inv-splice'],
        filterOptions: [{ filterId: 'res', condition: 'tag ==' }],
      });
    });
    for (let k = 0; k < 12; k++) {
      const { reason, threadId } = await client.move('continue');
      if (reason === 'pause') break;
      await client.ask('stackTrace', { threadId, levels: 2 });
    }
    await client.ask('setBreakpoints', {
      source: { path: ZC },
      breakpoints: [{ line: 1000, logMessage: '{name} of tag {tag}, {res < 0}, {slot:0:1:state}' }],
    });
    for (let k = 0; k < 12; k++) if ((await client.move('reverseContinue')).reason === 'entry') break;
    await client.ask('breakpointLocations', { source: { path: SESSION }, line: 1, endLine: 20 });
    await client.ask('gotoTargets', { source: { path: SESSION }, line: 16 });
    const { targets } = await client.ask<{ targets: DebugProtocol.GotoTarget[] }>('gotoTargets', {
      source: { path: ZC },
      line: 700,
    });
    await client.move('goto', { threadId: 1, targetId: targets[0].id });
    await client.ask('disconnect');
  },
  { session: SESSION },
);

transcript('exceptions', async (client) => {
  await client.start({ program: SHORT }, async () => {
    await client.ask('setExceptionBreakpoints', {
      filters: ['inv-splice', 'inv-slots', 'res', 'cq-overflow'],
    });
  });
  for (let k = 0; k < 4; k++) {
    const { reason, threadId } = await client.move('continue');
    if (reason !== 'exception') break;
    await client.ask('exceptionInfo', { threadId });
  }
  await client.move('reverseContinue');
  await client.send('exceptionInfo', { threadId: 1 });
  await client.ask('disconnect');
});

transcript('overflow', async (client) => {
  await client.start(
    { program: 'test/fixtures/oracle/k6.1-iou-cq_overflow/trace.txt.gz', stopOnEntry: false },
    async () => {
      await client.ask('setExceptionBreakpoints', { filters: ['cq-overflow'] });
    },
  );
  await client.ask('exceptionInfo', { threadId: 1 });
  await look(client, 1, ['Request', 'Rings']);
  await client.ask('disconnect');
});

transcript('recording', async (client) => {
  const program = 'test/fixtures/oracle/k7.3-fio-libaio-randrw-kublk/trace.txt.gz';
  const { threadId } = await client.start({ program, filter: 'op == WRITE' });
  await client.move('next', { threadId });
  await look(client, (await client.where()).threadId, ['Request']);
  await client.move('ublk-goto', { event: 700 });
  const { threadId: request } = await client.where();
  await look(client, request, [
    'Request',
    'SQE',
    'CQE',
    'Rings',
    'Slots',
    'Descriptors',
    'Pipes',
    'Pages',
    'Backing',
  ]);
  await client.move('stepOut', { threadId: request });
  await client.move('stepBack', { threadId: request });
  await client.ask('evaluate', { expression: 'latency', context: 'hover' });
  await client.ask('evaluate', { expression: 'op == READ && latency > 50us', context: 'repl' });
  await client.send('evaluate', { expression: 'op == READ &&', context: 'repl' });
  await client.move('continue', { threadId: request });
  await client.ask('disconnect');
});

transcript('bad-path', async (client) => {
  await client.ask('initialize', { adapterID: 'ublk-trace' });
  await client.send('launch', { program: 'samples/nothing.ublk' });
  await client.send('launch', {});
  await client.send('threads');
  await client.send('nonsense');
  await client.ask('disconnect');
});

transcript(
  'bad-content',
  async (client) => {
    await client.ask('initialize', { adapterID: 'ublk-trace' });
    await client.send('launch', { program: 'wrong.ublk' });
    await client.send('launch', { program: 'notes.txt' });
    await client.send('launch', { program: 'comments.txt' });
    await client.send('launch', { program: ZC, filter: 'tag = 3' });
    await client.send('launch', { program: ZC, tag: '0:99' });
    await client.send('launch', { program: ZC, tag: 'three' });
    await client.ask('disconnect');
  },
  {
    texts: {
      'wrong.ublk': 'truncate -s 64M disk.img\nublk add -t loop -f disk.img -q 1 -y\n',
      'notes.txt': 'this is no trace\n',
      'comments.txt': '# tracer: nop\n',
    },
  },
);

transcript(
  'empty-trace',
  async (client) => {
    const { threadId } = await client.start({ program: 'empty.ublk' });
    await look(client, threadId);
    await client.move('next', { threadId });
    await client.move('stepBack', { threadId });
    await client.move('continue', { threadId });
    await client.move('reverseContinue', { threadId });
    await client.send('evaluate', { expression: 'tag == 3' });
    await client.send('ublk-goto', { event: 0 });
    await client.ask('disconnect');
  },
  { texts: { 'empty.ublk': '# nothing to do\n' } },
);

transcript(
  'terminate',
  async (client) => {
    await client.start({ program: ZC });
    await client.ask('setDataBreakpoints', {
      breakpoints: [{ dataId: 'totals::sqes', condition: 'event > 1000000' }],
    });
    await client.ask('continue', { threadId: 1 });
    await client.ask('terminate');
    await client.event('terminated');
    await client.send('next', { threadId: 1 });
    await client.ask('disconnect');
    await new Promise((resolve) => setTimeout(resolve, 20));
  },
  { session: SESSION },
);

transcript(
  'whole-trace',
  async (client) => {
    // from the whole trace into a request: the focus goes where the event belongs
    await client.start({ program: ZC });
    await client.move('ublk-goto', { event: 281 });
    await client.move('stepIn', { threadId: 1 });
    await look(client, (await client.where()).threadId, ['Request']);
    await client.move('stepBack', { threadId: 1 });
    await client.move('next', { threadId: 1 });
    await client.ask('setFunctionBreakpoints', {
      breakpoints: [{ name: 'io_uring_queue_async_work', condition: 'opcode == SPLICE' }],
    });
    await client.move('continue', { threadId: 1 });
    await client.move('stepIn', { threadId: 1 });
    await look(client, (await client.where()).threadId);
    await client.move('ublk-step', { kind: 'reverseOut', threadId: 1 });
    await client.move('ublk-step', { kind: 'last', threadId: 1 });
    await client.move('stepIn', { threadId: 1 });
    await client.move('ublk-step', { kind: 'first', threadId: 1 });
    await client.move('restart', {});
    await client.ask('disconnect');
  },
  { session: SESSION },
);

transcript(
  'values',
  async (client) => {
    await client.start({ program: ZC, tag: '0:2#5' });
    await client.ask('setFunctionBreakpoints', {
      breakpoints: [{ name: 'io_uring_submit_sqe', condition: 'opcode == SPLICE && tag == 2' }],
    });
    const { threadId } = await client.move('continue');
    for (const expression of [
      'user_data',
      '0x8000000000010002',
      '0x200003',
      '0x7f0012345678',
      'tag',
      'latency',
    ])
      await client.ask('evaluate', { expression, context: 'hover' });
    for (const expression of ['slot:0:2:state', 'slot:0:99:state', 'op == WRITE && life > 2', 'op = WRITE'])
      await client.send('evaluate', { expression, context: 'repl' });
    await client.ask('completions', { text: 'op == W', column: 8 });
    await client.ask('completions', { text: 'tag == 3 ', column: 10 });
    await client.ask('completions', { text: 'slot:0:2:ha', column: 12 });
    const { stackFrames } = await client.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', {
      threadId,
      levels: 1,
    });
    const { scopes } = await client.ask<{ scopes: DebugProtocol.Scope[] }>('scopes', {
      frameId: stackFrames[0].id,
    });
    for (const name of ['SQE', 'Slots', 'Descriptors']) {
      const { variablesReference } = scopes.find((scope) => scope.name === name)!;
      const { variables } = await client.ask<{ variables: DebugProtocol.Variable[] }>('variables', {
        variablesReference,
      });
      const chosen = variables.find((v) => v.memoryReference !== undefined) ?? variables.at(-1)!;
      await client.ask('variables', { variablesReference: chosen.variablesReference });
      if (chosen.memoryReference === undefined)
        await client.ask('dataBreakpointInfo', {
          variablesReference: chosen.variablesReference,
          name: 'deliveries',
        });
      else await client.ask('readMemory', { memoryReference: chosen.memoryReference, offset: 0, count: 64 });
    }
    await client.ask('dataBreakpointInfo', { name: 'pipe:0:occupancy' });
    await client.ask('dataBreakpointInfo', { name: 'nothing' });
    await client.send('readMemory', { memoryReference: 'sqe:99999999', offset: 0, count: 64 });
    await client.ask('loadedSources');
    await client.ask('disconnect');
  },
  { session: SESSION },
);

transcript(
  'counts-and-logs',
  async (client) => {
    await client.start({ program: ZC, stopOnEntry: false }, async () => {
      await client.ask('setDataBreakpoints', {
        breakpoints: [{ dataId: 'slot:0:3:deliveries', hitCondition: '% 2' }, { dataId: 'not:a:path' }],
      });
      await client.ask('setFunctionBreakpoints', {
        breakpoints: [
          { name: 'ublk_queue_rq', hitCondition: '>= 60' },
          { name: 'ublk_queue_rq', hitCondition: 'x' },
        ],
      });
      await client.ask('setBreakpoints', {
        source: { path: '/media/stack/ublk_drv.c' },
        breakpoints: [
          {
            line: FIXED_STACK.locate('ublk_commit_completion')!.line,
            condition: 'tag == 3',
            logMessage: 'commit {tag} #{life}: {result}, {slot:0:3:request}, \\{{latency}\\}',
          },
        ],
      });
    });
    for (let k = 0; k < 4; k++) await client.move('continue');
    for (let k = 0; k < 2; k++) await client.move('reverseContinue');
    await client.ask('setDataBreakpoints', { breakpoints: [] });
    await client.ask('setFunctionBreakpoints', { breakpoints: [] });
    await client.move('continue');
    await client.move('reverseContinue');
    await client.ask('disconnect');
  },
  { session: SESSION },
);
