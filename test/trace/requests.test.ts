import { describe, expect, it } from 'vitest';
import { matchRequests } from '../../src/trace/requests';
import type { RequestJson } from '../../src/trace/requests_types';
import { listRecordings, loadRecording, parseTrace, type RecordingMeta } from '../support/oracle';
import { requestsOf } from '../support/requests';

const served = listRecordings().filter((name) => loadRecording(name).meta.ublk_flag_names !== undefined);

/** Data path that the device's feature flags ask for. */
function pathOf(meta: RecordingMeta, op: string): string {
  const flags = (meta.ublk_flag_names ?? []).join(' ');
  if (op !== 'READ' && op !== 'WRITE') return 'none';
  if (/\bSPLICE_ZC\b/.test(flags)) return 'splice';
  if (/\bAUTO_BUF_REG\b/.test(flags)) return 'auto-buf';
  if (/\bUSER_COPY\b/.test(flags)) return 'user-copy';
  if (/\bSUPPORT_ZERO_COPY\b/.test(flags)) return 'registered';
  return /\bNEED_GET_DATA\b/.test(flags) && op === 'WRITE' ? 'get-data' : 'copy';
}

describe('data path', () => {
  it.each(served)('%s follows the flags of its device', (name) => {
    const { meta, text } = loadRecording(name);
    const rows = requestsOf(text).filter((row) => row.sqes.length > 0 && row.commands.length > 1);
    for (const row of rows) expect([row.op, row.path]).toEqual([row.op, pathOf(meta, row.op)]);
  });
});

describe('SQEs of requests', () => {
  it.each(served)('%s: every SQE of the server that has an owner is listed once', (name) => {
    const { text } = loadRecording(name);
    const { trace } = parseTrace(text);
    const table = matchRequests(trace);
    const submitted = new Map<number, number>();
    for (let e = 0; e < trace.length; e++) {
      const r = table.requestOf(e);
      if (
        r >= 0 &&
        /^io_uring_submit_/.test(trace.nameOf(e)) &&
        (trace.big(e, 'user_data') ?? 0n) >> 63n === 1n
      ) {
        submitted.set(r, (submitted.get(r) ?? 0) + 1);
      }
    }
    for (let r = 0; r < table.length; r++) expect(table.sqes(r).length).toBe(submitted.get(r) ?? 0);
  });

  it('carry result and way of their CQE', () => {
    const [row] = requestsOf(loadRecording('rfc-zc-loop-direct-q1d32').text);
    expect(row.sqes).toEqual([
      { user_data: '0x8000000000000011', opcode: 'SPLICE', result: 4096, via: 'io-wq' },
    ]);
    expect(row.commands).toEqual([
      { user_data: '0x200011', opcode: 'URING_CMD', cmd: 'FETCH_REQ', result: 0, via: 'task-work' },
      { user_data: '0x210011', opcode: 'URING_CMD', cmd: 'COMMIT_AND_FETCH_REQ', result: null, via: null },
    ]);
  });

  it('list the chain of a registered buffer', () => {
    const [row] = requestsOf(loadRecording('k7.3-loop-zc-regbuf-kublk-q1d32').text);
    expect(row.sqes.map(({ opcode, cmd, result }) => [opcode, cmd, result])).toEqual([
      ['URING_CMD', 'REGISTER_IO_BUF', null],
      ['READ_FIXED', undefined, 4096],
      ['URING_CMD', 'UNREGISTER_IO_BUF', 0],
    ]);
  });

  it('list NEED_GET_DATA between delivery and COMMIT', () => {
    const writes = requestsOf(loadRecording('k6.1-loop-getdata-ublksrvold-q1d32').text).filter(
      (row) => row.op === 'WRITE',
    );
    for (const row of writes) {
      expect(row.commands.map((command) => command.cmd)).toEqual([
        expect.any(String),
        'NEED_GET_DATA',
        'COMMIT_AND_FETCH_REQ',
      ]);
      expect(row.commands.map((command) => command.result)).toEqual([1, 0, null]);
    }
    expect(writes.length).toBeGreaterThan(5);
  });
});

describe('backing I/O', () => {
  /** Loop servers map byte for byte; the file has few extents, so sectors differ by few constants. */
  const loops = served.filter((name) => /loop|blkdev|misaligned|subrange/.test(name) && !/abort/.test(name));

  it.each(loops)('%s: lies where the request lies', (name) => {
    const { trace } = parseTrace(loadRecording(name).text);
    const table = matchRequests(trace);
    const shifts = new Map<number, number>();
    let bios = 0;
    for (let r = 0; r < table.length; r++) {
      const { offset, device, op, events } = table.get(r);
      let at = (offset ?? 0) / 512;
      for (const e of events) {
        if (
          trace.nameOf(e) !== 'block_bio_queue' ||
          `${trace.num(e, 'major')},${trace.num(e, 'minor')}` === device
        )
          continue;
        const sectors = trace.num(e, 'nr_sector') ?? 0;
        if (sectors === 0 || (op !== 'READ' && op !== 'WRITE')) continue;
        const shift = (trace.num(e, 'sector') ?? 0) - at;
        shifts.set(shift, (shifts.get(shift) ?? 0) + 1);
        at += sectors;
        bios++;
      }
    }
    expect(shifts.size).toBeLessThanOrEqual(Math.max(5, bios / 20));
  });
});

describe('short answers', () => {
  it('give a new life for the rest, perhaps on another tag', () => {
    const rows = requestsOf(loadRecording('k7.3-loop-copy-truncated-backing-kublk').text);
    const facts = rows.map(({ tag, offset, length, result, requeued }) => ({
      tag,
      offset,
      length,
      result,
      requeued,
    }));
    expect(facts.slice(2, 4)).toEqual([
      { tag: 7, offset: 0, length: 16384, result: 12288, requeued: true },
      { tag: 4, offset: 12288, length: 4096, result: -5, requeued: undefined },
    ]);
  });

  it('are given back whole when the server dies', () => {
    const rows = requestsOf(loadRecording('k7.3-recovery-reissue-faultinject-kublk').text);
    const ends = new Map<number | null, RequestJson[]>();
    for (const row of rows) ends.set(row.offset, [...(ends.get(row.offset) ?? []), row]);
    for (const tries of ends.values()) {
      expect(tries.at(-1)?.result).toBe(4096);
      for (const row of tries.slice(0, -1))
        expect(row).toMatchObject({ result: null, end_ns: null, requeued: true });
    }
    expect(ends.size).toBe(4);
  });
});

describe('FUSE requests', () => {
  it('over io_uring name queue and ring entry and lie inside the calls of the client', () => {
    const { text, io } = loadRecording('k6.18-fuse-uring-q4-hp');
    const calls = io as { op: string; args: number[]; res: number; t0_ns: number; t1_ns: number }[];
    const rows = requestsOf(text);
    const sent = rows.filter((row) => row.commands.length > 0);
    expect(sent.length).toBeGreaterThan(30);
    for (const row of sent) expect([row.queue, row.tag, row.device]).toEqual([1, 3, 'fuse39']);
    for (const call of calls.filter(({ op }) => op === 'read' || op === 'write')) {
      const inside = rows.filter(
        (row) => row.start_ns > call.t0_ns - 1000 && (row.end_ns ?? Infinity) < call.t1_ns + 1000,
      );
      expect(inside.map((row) => row.op)).toEqual([`FUSE_${call.op.toUpperCase()}`]);
      if (call.op === 'write') expect(inside[0].length).toBe(call.args[1]);
    }
  });

  it('over /dev/fuse have the bytes that the answer carried', () => {
    const rows = requestsOf(loadRecording('k6.18-fuse-legacy-hp').text);
    const reads = rows.filter((row) => row.op === 'FUSE_READ');
    expect(reads.map((row) => row.result)).toEqual([...Array(8).fill(4096), 65536, 4096]);
    expect(reads.every((row) => row.queue === null && row.tag === null)).toBe(true);
  });
});

describe('small traces', () => {
  const line = (task: string, time: number, body: string): string =>
    `${task.padStart(23)} [000] .....     1.${String(time).padStart(6, '0')}: ${body}`;
  const app = (time: number, body: string): string => line('app-10     ', time, body);
  const srv = (time: number, body: string): string => line('srv-20     ', time, body);
  const P = 'ring 00000000aaaaaaaa, req 00000000bbbbbbbb, user_data';

  it('split, merged and plugged bios become the requests that the driver sees', () => {
    const rows = requestsOf(
      [
        app(1, 'block_bio_queue: 259,0 WS 0 + 16 [app]'),
        app(2, 'block_split: 259,0 WS 0 / 8 [app]'),
        app(3, 'block_getrq: 259,0 WS 0 + 8 [app]'),
        app(4, 'block_getrq: 259,0 WS 8 + 8 [app]'),
        app(5, 'block_bio_queue: 259,0 WS 16 + 8 [app]'),
        app(6, 'block_bio_backmerge: 259,0 WS 16 + 8 [app]'),
        app(7, 'block_rq_issue: 259,0 WS 4096 () 0 + 8 [app]'),
        app(8, 'block_rq_issue: 259,0 WS 8192 () 8 + 16 [app]'),
        srv(9, `io_uring_complete: ${P} 0x200000, result 0, cflags 0x0 extra1 0 extra2 0 `),
        srv(
          10,
          'io_uring_complete: ring 00000000aaaaaaaa, req 00000000cccccccc, user_data 0x200001, result 0, cflags 0x0 extra1 0 extra2 0 ',
        ),
        srv(11, `io_uring_submit_sqe: ${P} 0x210001, opcode URING_CMD, flags 0x1, non block 1, sq_thread 0`),
        srv(12, 'block_rq_complete: 259,0 WS () 8 + 16 [0]'),
        srv(13, `io_uring_submit_sqe: ${P} 0x210000, opcode URING_CMD, flags 0x1, non block 1, sq_thread 0`),
        srv(14, 'block_rq_complete: 259,0 WS () 0 + 8 [0]'),
        '',
      ].join('\n'),
    );
    expect(rows).toMatchObject([
      {
        tag: 0,
        offset: 0,
        length: 4096,
        result: 4096,
        start_ns: 1_000_003_000,
        end_ns: 1_000_014_000,
        events: [2, 6, 8, 12, 13],
      },
      { tag: 1, offset: 4096, length: 8192, result: 8192, events: [3, 4, 5, 7, 9, 10, 11] },
    ]);
  });

  it('a refused COMMIT leaves the request with the server', () => {
    const [row] = requestsOf(
      [
        app(1, 'block_getrq: 259,0 RS 0 + 8 [app]'),
        app(2, 'block_rq_issue: 259,0 RS 4096 () 0 + 8 [app]'),
        srv(3, `io_uring_complete: ${P} 0x200000, result 0, cflags 0x0 extra1 0 extra2 0 `),
        srv(4, `io_uring_submit_sqe: ${P} 0x210000, opcode URING_CMD, flags 0x1, non block 1, sq_thread 0`),
        srv(5, `io_uring_complete: ${P} 0x210000, result -22, cflags 0x0 extra1 0 extra2 0 `),
        srv(6, `io_uring_submit_sqe: ${P} 0x210000, opcode URING_CMD, flags 0x1, non block 1, sq_thread 0`),
        srv(7, 'block_rq_complete: 259,0 RS () 0 + 8 [0]'),
        '',
      ].join('\n'),
    );
    expect(row).toMatchObject({ result: 4096, events: [0, 1, 2, 3, 4, 5, 6] });
    expect(row.commands.map(({ cmd, result }) => [cmd, result])).toEqual([
      ['FETCH_REQ', 0],
      ['COMMIT_AND_FETCH_REQ', -22],
      ['COMMIT_AND_FETCH_REQ', null],
    ]);
  });

  it('knows the disk by the name that a comment gives', () => {
    const { text } = loadRecording('k6.12-loop-copy-kublk-q1d32');
    expect(requestsOf(`# disk ublkb7 259,0\n${text}`)[0].device).toBe('ublkb7');
    expect(requestsOf(text)[0].device).toBe('259,0');
  });

  it('lists backing disks only when asked', () => {
    const { trace } = parseTrace(loadRecording('k6.12-loop-copy-kublk-q1d32').text);
    const table = matchRequests(trace, { allDevices: true });
    const devices = new Set(Array.from({ length: table.length }, (_, r) => table.get(r).device));
    expect(devices).toEqual(new Set(['259,0', '254,0']));
    const plain = matchRequests(trace);
    expect(plain.length).toBeLessThan(table.length);
    const io = matchRequests(parseTrace(loadRecording('k7.3-iou-direct_parallel').text).trace);
    expect(io.length).toBe(0);
  });

  it('keeps a request open that never ends', () => {
    const [row] = requestsOf(loadRecording('rfc-zc-off-minus1-in').text);
    expect(row).toMatchObject({ result: null, end_ns: null });
    expect(row.requeued).toBeUndefined();
  });
});
