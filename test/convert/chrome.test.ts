import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chromeTrace, type ExportRequest, microseconds } from '../../src/convert/chrome';
import { parseTrace } from '../support/oracle';

interface Row {
  readonly ph: string;
  readonly name: string;
  readonly cat?: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly id?: number;
  readonly args: Readonly<Record<string, unknown>>;
}

const TEXT = `# tracer: nop
           iogen-586     [000] .....    33.394073: block_getrq: 259,0 RS 0 + 8 [iogen]
           kublk-489     [001] .....    33.394627: ublk_dispatch_req: (ublk_dispatch_req+0x0/0x280 [ublk_drv]) qid=0 tag=3
           kublk-489     [001] .....    33.394773: io_uring_submit_req: ring 000000002a9c2ffe, req 000000008242f133, user_data 0x8000000000000003, opcode READ, flags 0x400001, sq_thread 0
          <idle>-0       [001] d.h2.    33.395100: block_plug: [x]
           kublk-489     [001] .....    33.395601: io_uring_complete: ring 000000002a9c2ffe, req 000000008242f133, user_data 0x8000000000000003, result 4096, cflags 0x0 extra1 0 extra2 0 
           kublk-489     [001] b....    33.395677: block_rq_complete: 259,0 RS () 0 + 8 be,0,4 [0]
`;

const REQUEST: ExportRequest = {
  device: 'ublkb0',
  queue: 0,
  tag: 3,
  life: 1,
  op: 'READ',
  offset: 0,
  length: 4096,
  result: 4096,
  start_ns: 33_394_073_000,
  end_ns: 33_395_677_000,
  path: 'copy',
  confidence: 'exact',
  events: [0, 1, 2, 4, 5],
};

function exported(requests: readonly ExportRequest[]): { text: string; rows: Row[] } {
  const source = { length: requests.length, toJson: (r: number) => requests[r]! };
  const text = [...chromeTrace(parseTrace(TEXT).trace, source)].join('');
  return { text, rows: (JSON.parse(text) as { traceEvents: Row[] }).traceEvents };
}

test('one request becomes a span with its phases, and its events are joined by arrows', () => {
  const { rows } = exported([REQUEST]);
  const brief = (row: Row) => `${row.ph} ${row.name} ${row.ts}${row.dur === undefined ? '' : `+${row.dur}`}`;
  expect(rows.filter((row) => row.pid === 1 && row.ph === 'X').map(brief)).toEqual([
    'X READ 4096 @0 33394073+1604',
    'X queued 33394073+554',
    'X delivered 33394627+146',
    'X backend 33394773+828',
    'X commit 33395601+76',
  ]);
  expect(rows.filter((row) => row.cat === 'event').map(brief)).toEqual([
    'X block_getrq 33394073+0.001',
    'X ublk_dispatch_req 33394627+0.001',
    'X io_uring_submit_req 33394773+0.001',
    'i block_plug 33395100',
    'X io_uring_complete 33395601+0.001',
    'X block_rq_complete 33395677+0.001',
  ]);
  expect(rows.filter((row) => row.cat === 'flow').map((row) => `${row.ph}${row.id}`)).toEqual([
    's0',
    't0',
    't0',
    't0',
    'f0',
  ]);
  expect(
    rows.filter((row) => row.ph === 'M').map((row) => [row.pid, row.name, Object.values(row.args)[0]]),
  ).toEqual([
    [1, 'process_name', 'requests'],
    [2, 'process_name', 'iogen'],
    [2, 'thread_name', 'iogen'],
    [3, 'process_name', 'kublk'],
    [3, 'thread_name', 'kublk'],
    [4, 'process_name', 'idle CPUs'],
    [1, 'thread_name', 'ublkb0 q0 tag 3'],
    [1, 'thread_sort_index', 3],
  ]);
});

test('the text of a time has all its nanoseconds', () => {
  expect(exported([REQUEST]).text).toContain('"ts":33394073.000,"dur":1604.000}');
  expect(microseconds(9_007_199_254_740_991)).toBe('9007199254740.991');
  expect(microseconds(0)).toBe('0.000');
  expect(microseconds(-1_001)).toBe('-1.001');
});

test('64-bit values are text', () => {
  const { rows } = exported([]);
  const submit = rows.find((row) => row.name === 'io_uring_submit_req')!;
  expect(submit.args.user_data).toBe('0x8000000000000003');
});

test('a request that never ends lasts to the end of the trace and has no phases', () => {
  const { rows } = exported([{ ...REQUEST, end_ns: null, result: null }]);
  const [span, ...more] = rows.filter((row) => row.pid === 1 && row.ph === 'X');
  expect(span).toMatchObject({ ts: 33394073, dur: 1604, args: { finished: false } });
  expect(more).toEqual([]);
});

test('spans of one thread never overlap in part, and every request is there once', () => {
  const request = fc.record({
    tag: fc.option(fc.nat(3)),
    queue: fc.option(fc.nat(1)),
    start: fc.integer({ min: 33_394_000_000, max: 33_396_000_000 }),
    length: fc.nat(2_000_000),
    ended: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 30 }), (list) => {
      const requests = list
        .map((item) => ({
          ...REQUEST,
          tag: item.tag,
          queue: item.queue,
          start_ns: item.start,
          end_ns: item.ended ? item.start + item.length : null,
        }))
        .sort((a, b) => a.start_ns - b.start_ns);
      const { rows } = exported(requests);
      const spans = rows.filter((row) => row.cat === 'request');
      expect(spans.map((row) => row.args.request)).toEqual(requests.map((_, r) => r));
      expectNested(rows);
    }),
    { numRuns: 200 },
  );
});

/** Checks that any two slices of a thread are apart or one within the other, as the format demands. */
function expectNested(rows: readonly Row[]): void {
  const threads = new Map<string, { start: number; end: number }[]>();
  for (const row of rows) {
    if (row.ph !== 'X') continue;
    const key = `${row.pid}/${row.tid}`;
    const start = Math.round(row.ts * 1000);
    threads.set(key, [...(threads.get(key) ?? []), { start, end: start + Math.round(row.dur * 1000) }]);
  }
  for (const slices of threads.values()) {
    const open: number[] = [];
    for (const { start, end } of slices.sort((a, b) => a.start - b.start || b.end - a.end)) {
      while (open.length > 0 && open.at(-1)! <= start) open.pop();
      if (open.length > 0) expect(end).toBeLessThanOrEqual(open.at(-1)!);
      open.push(end);
    }
  }
}

test('a pid beyond every number of a damaged trace is no JSON number, and the rest stays JSON', () => {
  const { trace } = parseTrace(TEXT.replace('iogen-586 ', `iogen-${'9'.repeat(400)} `));
  const text = [...chromeTrace(trace, { length: 0, toJson: () => REQUEST })].join('');
  expect(() => JSON.parse(text)).not.toThrow();
});
