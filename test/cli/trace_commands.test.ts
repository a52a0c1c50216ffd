import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { cliUnderTest } from '../support/cli';
import { loadRecording } from '../support/oracle';

const cli = cliUnderTest();
const recording = loadRecording('k7.3-loop-copy-kublk-q1d32');

interface Request {
  readonly tag: number;
  readonly life: number;
  readonly op: string;
  readonly offset: number;
  readonly length: number;
  readonly result: number;
  readonly events: readonly number[];
}

beforeAll(() => {
  writeFileSync(join(cli.folder(), 't.txt'), recording.text);
});

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await cli.run([...args, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

test('requests: the table of a recording', async () => {
  const { code, stdout, stderr } = await cli.run(['requests', 't.txt']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.slice(0, 3)).toEqual([
    'dev    q  tag  life  op       offset   length   result     start(ms)  latency(us)  path  sqes   via        confidence',
    '259,0  0   16     1  READ          0     4096     4096  33394.073000     1604.000  copy  READ   task-work  exact',
    '259,0  0    3     1  READ       4096     4096     4096  33396.198000     1062.000  copy  READ   task-work  exact',
  ]);
  expect(lines).toHaveLength(1 + (await json<Request[]>('requests', 't.txt')).length);
});

test('requests --json: the reads and writes that the client got', async () => {
  const wanted = recording.meta.expected_ios!.filter((io) => io.res > 0 && /^(read|write)$/i.test(io.op));
  expect(wanted.length).toBeGreaterThan(10);
  const got = await json<Request[]>('requests', 't.txt');
  const key = (op: string, offset: number, length: number) => `${op.toUpperCase()} ${offset}+${length}`;
  const seen = new Set(got.map((request) => key(request.op, request.offset, request.length)));
  expect(wanted.map((io) => key(io.op, io.offset, io.length)).filter((io) => !seen.has(io))).toEqual([]);
});

test('requests --all-devices adds those of the backing disk', async () => {
  const own = await json<unknown[]>('requests', 't.txt');
  const all = await json<{ device: string }[]>('requests', 't.txt', '--all-devices');
  expect(all.length).toBeGreaterThan(own.length);
  expect(new Set(all.map((request) => request.device))).toEqual(new Set(['259,0', '254,0']));
});

test('show --tag: the events of all lives of a tag, or of one', async () => {
  const requests = (await json<Request[]>('requests', 't.txt')).filter((request) => request.tag === 3);
  const lives = requests.map((request) => request.life);
  expect(lives).toEqual(lives.map((_, k) => k + 1));
  expect(lives.length).toBeGreaterThan(1);
  const shown = await json<{ event: number }[]>('show', 't.txt', '--tag', '0:3');
  const events = [...new Set(requests.flatMap((request) => request.events))].sort((a, b) => a - b);
  expect(shown.map((row) => row.event)).toEqual(events);
  const second = await json<{ event: number }[]>('show', 't.txt', '--tag', '0:3#2');
  expect(second.map((row) => row.event)).toEqual(requests[1]!.events);
});

test('show: an event as text and as JSON', async () => {
  const { stdout } = await cli.run(['show', 't.txt']);
  const line = stdout.split('\n').find((text) => text.startsWith(' 14 '))!;
  const source = recording.text.split('\n');
  const [event] = (await json<Record<string, unknown>[]>('show', 't.txt')).slice(14);
  expect(event).toEqual({
    event: 14,
    line: source.indexOf(line.slice(4)) + 1,
    ts_ns: 33_394_773_000,
    comm: 'kublk',
    pid: 489,
    cpu: 0,
    name: 'io_uring_submit_req',
    fields: {
      ring: '0x2a9c2ffe',
      req: '0x8242f133',
      user_data: '0x8000000000000010',
      opcode: 'READ',
      flags: '0x400001',
      sq_thread: 0,
    },
  });
});

test('show --at: the state after an event, as tables and as JSON', async () => {
  const state = await json<{ event: number; slots: { tag: number; state: string }[] }>(
    'show',
    't.txt',
    '--at',
    '43',
  );
  expect(state.event).toBe(43);
  expect(state.slots).toContainEqual(expect.objectContaining({ queue: 0, tag: 3, state: 'OWNED' }));
  const only = await json<{ slots: { tag: number }[] }>('show', 't.txt', '--at', '43', '--tag', '0:16');
  expect(only.slots.map((slot) => slot.tag)).toEqual([16]);
  const { stdout } = await cli.run(['show', 't.txt', '--at', '43']);
  expect(stdout).toMatch(/io_uring_complete.*\nState after event 43, 33\.396813000 s\n/);
});

test.each([
  [['show', 't.txt', '--at', '699'], 't.txt:1:1: has no event 699: the last one is 698'],
  [['show', 't.txt', '--at', '-1'], 'ublk-trace: show: --at needs a value (N)'],
  [['show', 't.txt', '--at', '1e3'], "ublk-trace: --at needs a whole number from 0 on, not '1e3'"],
  [
    ['show', 't.txt', '--tag', '3'],
    "ublk-trace: --tag needs QUEUE:TAG or QUEUE:TAG#LIFE, like 0:3 or 0:3#2, not '3'",
  ],
  [['show', 't.txt', '--tag', '0:3#0'], 'ublk-trace: --tag counts lives from 1'],
  [['show', 't.txt', '--tag', '0:99'], 't.txt:1:1: no request on queue 0 tag 99'],
  [['show', 't.txt', '--tag', '0:3#99'], 't.txt:1:1: no request on queue 0 tag 3 life 99'],
  [
    ['show', 't.txt', '--tag', '0:3#1', '--at', '5'],
    'ublk-trace: with --at, --tag takes no life: event N says which one it is',
  ],
  [['export', 't.txt'], 'ublk-trace: export needs --to FORMAT (chrome)'],
  [
    ['export', 't.txt', '--to', 'crome'],
    "ublk-trace: no format 'crome'; did you mean 'chrome'?; formats: chrome",
  ],
  [['export', 't.txt', '--to', 'chrome', '-o', '.'], '.:1:1: is a directory'],
  [['export', 't.txt', '--to', 'chrome', '-o', 'no/x'], 'no/x:1:1: no such file or folder'],
])('%j is refused', async (args, message) => {
  expect(await cli.run(args)).toEqual({ code: 2, stdout: '', stderr: `${message}\n` });
});

test('export --to chrome: valid JSON with every request once; a link is followed and nothing is left beside', async () => {
  symlinkSync('real.json', join(cli.folder(), 'link.json'));
  writeFileSync(join(cli.folder(), 'real.json'), 'old');
  expect(await cli.run(['export', 't.txt', '--to', 'chrome', '-o', 'link.json'])).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  const text = readFileSync(join(cli.folder(), 'real.json'), 'utf8');
  const { traceEvents } = JSON.parse(text) as { traceEvents: { cat?: string; ts?: number }[] };
  const requests = await json<Request[]>('requests', 't.txt');
  expect(traceEvents.filter((row) => row.cat === 'request')).toHaveLength(requests.length);
  expect(traceEvents.filter((row) => row.cat === 'event')).toHaveLength(recording.meta.events);
  expect(readdirSync(cli.folder()).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  expect((await cli.run(['export', 't.txt', '--to', 'chrome'])).stdout).toBe(text);
});
