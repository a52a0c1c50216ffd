import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Recorder } from '../../src/trace/recorder';
import { finish } from '../../src/trace/slices';
import {
  ChangeIndex,
  formatState,
  pathReader,
  StateCache,
  StateReducer,
  stateAt,
  stateLeaves,
  statePaths,
} from '../../src/trace/state';
import { UNKNOWN } from '../../src/trace/state_work';
import { loadRecording, parseTrace } from '../support/oracle';
import { checkCounters, reordered, simulatedRead } from './support';

const SOURCES = [
  'k6.1-life-loop-ublksrvold-q1d4',
  'k7.3-iou-cqe_skip',
  'k7.3-recovery-reissue-faultinject-kublk',
  'rfc-zc-short-backing',
  'k6.18-fuse-uring-q4-hp',
  'k6.1-iou-cq_overflow',
  'k7.3-loop-zc-regbuf-kublk-q1d32',
].map((name) => parseTrace(loadRecording(name).text).trace);
SOURCES.push(simulatedRead().trace);

/** Number of a source, and some of its events in any order, with repetitions. */
const anyOrder = fc
  .nat(SOURCES.length - 1)
  .chain((k) => fc.tuple(fc.constant(k), fc.array(fc.nat(SOURCES[k].length - 1), { maxLength: 300 })));

/** Number of a recording and a contiguous part of it. */
const part = fc
  .nat(SOURCES.length - 2)
  .chain((k) => fc.tuple(fc.constant(k), fc.nat(SOURCES[k].length - 1), fc.integer({ min: 1, max: 400 })));

describe('any events in any order', () => {
  test('never throw, and make a state that can be shown', () => {
    fc.assert(
      fc.property(anyOrder, ([k, order]) => {
        const trace = reordered(SOURCES[k], order);
        const state = new StateCache(trace).at(trace.length - 1);
        expect(state.event).toBe(trace.length - 1);
        expect(formatState(state)).toContain('State after event');
        for (const leaf of stateLeaves(state).values()) expect(leaf).not.toBe(UNKNOWN);
      }),
      { numRuns: 150 },
    );
  });

  test('forward and backward seeks agree, whatever the memory limit', () => {
    fc.assert(
      fc.property(
        anyOrder,
        fc.array(fc.integer({ min: -1, max: 300 }), { maxLength: 8 }),
        ([k, order], seeks) => {
          const trace = reordered(SOURCES[k], order);
          const cache = new StateCache(trace, 1);
          for (const n of seeks) {
            const target = Math.min(n, trace.length - 1);
            expect(cache.at(n)).toEqual(stateAt(trace, target));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a recording cut anywhere keeps its counters right and does not know what came before', () => {
    fc.assert(
      fc.property(part, ([k, from, count]) => {
        const source = SOURCES[k];
        const order = Array.from({ length: Math.min(count, source.length - from) }, (_, i) => from + i);
        const trace = reordered(source, order);
        const reducer = new StateReducer(trace);
        for (let i = 0; i < trace.length; i++) {
          reducer.run(i);
          checkCounters(reducer.view.w);
        }
        const created = new Set<string>();
        for (let i = 0; i < trace.length; i++) {
          if (trace.nameOf(i) === 'io_uring_create') created.add(`0x${trace.big(i, 'ring')?.toString(16)}`);
        }
        for (const ring of reducer.state().rings) {
          if (created.has(ring.ptr)) continue;
          expect([ring.fd, ring.flags, ring.sq.entries, ring.sq.head, ring.sq.tail, ring.cq.tail]).toEqual(
            new Array(6).fill(null),
          );
        }
      }),
      { numRuns: 100 },
    );
  });
});

test('the nearest change is exactly where the value changes, both ways', () => {
  fc.assert(
    fc.property(fc.constantFrom(0, 3, 7), fc.nat(), fc.nat(), (k, a, b) => {
      const trace = SOURCES[k];
      const cache = new StateCache(trace);
      const values = (path: string): (string | number | boolean | null | undefined)[] =>
        Array.from({ length: trace.length }, (_, i) => pathReader(path)(cache.seek(i).view));
      const paths = statePaths(cache.at(trace.length - 1));
      const path = paths[a % paths.length];
      const from = b % trace.length;
      const read = values(path);
      const changes = read
        .map((_, i) => i)
        .filter((i) => read[i] !== (i === 0 ? pathReader(path)(cache.seek(-1).view) : read[i - 1]));
      const index = new ChangeIndex(cache);
      expect(finish(index.nearest(path, from, 1))).toBe(changes.find((i) => i > from));
      expect(finish(index.nearest(path, from, -1))).toBe(changes.findLast((i) => i <= from));
    }),
    { numRuns: 60 },
  );
});

test('the index of changes passes over what was not touched and misses nothing, on a trace of many snapshots', () => {
  const source = SOURCES[SOURCES.length - 1];
  const times = Math.ceil(12_000 / source.length);
  const order = Array.from({ length: times * source.length }, (_, i) => i % source.length);
  const trace = reordered(source, order);
  const cache = new StateCache(trace);
  cache.seek(trace.length - 1);
  expect(cache.size).toBeGreaterThan(5);
  const paths = statePaths(cache.at(trace.length - 1)).filter((_, k) => k % 4 === 1);
  const readers = paths.map((path) => pathReader(path));
  const changes: number[][] = paths.map(() => []);
  const last = readers.map((read) => read(cache.seek(-1).view));
  for (let i = 0; i < trace.length; i++) {
    const { view } = cache.seek(i);
    for (const [k, read] of readers.entries()) {
      const value = read(view);
      if (value !== last[k]) changes[k].push(i);
      last[k] = value;
    }
  }
  const index = new ChangeIndex(cache);
  const froms = [-1, 2048, trace.length - 1];
  for (const [k, path] of paths.entries()) {
    for (const from of froms) {
      expect(finish(index.nearest(path, from, 1))).toBe(changes[k].find((i) => i > from));
      expect(finish(index.nearest(path, from, -1))).toBe(changes[k].findLast((i) => i <= from));
    }
  }
});

describe('snapshots', () => {
  test('a restored snapshot is not changed by what is replayed after it', () => {
    for (const trace of SOURCES) {
      const reducer = new StateReducer(trace);
      const half = trace.length >> 1;
      reducer.run(half);
      const expected = reducer.state();
      const snapshot = reducer.snapshot();
      reducer.run(trace.length - 1);
      const end = reducer.state();
      reducer.restore(snapshot);
      expect(reducer.state()).toEqual(expected);
      reducer.run(trace.length - 1);
      expect(reducer.state()).toEqual(end);
      reducer.restore(snapshot);
      expect(reducer.state()).toEqual(expected);
    }
  });

  test('thinning keeps memory bounded and the answers the same', () => {
    const long = reordered(
      SOURCES[3],
      Array.from({ length: 60000 }, (_, i) => i % SOURCES[3].length),
    );
    const wide = new StateCache(long);
    const narrow = new StateCache(long, 20000);
    expect(wide.at(59999)).toEqual(narrow.at(59999));
    expect(wide.size).toBeGreaterThan(10);
    expect(narrow.size).toBeLessThan(wide.size);
    expect(narrow.step).toBeGreaterThan(wide.step);
    for (const n of [100, 41000, 8191, 8192, 33333, 59998]) expect(narrow.at(n)).toEqual(wide.at(n));
  });

  test('prepare makes the snapshots in slices', () => {
    const long = reordered(
      SOURCES[0],
      Array.from({ length: 30000 }, (_, i) => i % SOURCES[0].length),
    );
    const cache = new StateCache(long);
    let calls = 0;
    while (!cache.prepare(5000)) calls++;
    expect(calls).toBeGreaterThan(2);
    expect(cache.size).toBe(15);
  });

  test('a trace that grows', () => {
    const trace = reordered(SOURCES[0], [0]);
    const cache = new StateCache(trace);
    expect(cache.at(5)).toMatchObject({ event: 0, tasks: [{ syscall: 'io_uring_setup' }] });
    const recorder = new Recorder(trace);
    recorder.emit.sys_exit_io_uring_setup(4);
    expect(cache.at(5)).toMatchObject({ event: 1, tasks: [{ syscall: null }] });
  });

  test('a fraction is no event', () => {
    expect(() => new StateCache(SOURCES[0]).at(0.5)).toThrow(RangeError);
  });
});

describe('facts of the simulator', () => {
  const recorder = new Recorder();
  const { emit, trace, stamp } = recorder;
  const big = (value: bigint): number => trace.wide.ofBig(value);
  const text = (value: string): number => trace.strings.id(value);
  const ring = big(0xffff888000000100n);
  const req = big(0xffff888000000200n);
  const ud = big(0x8000000000000003n);
  stamp.task = trace.taskId('ublk', 100);
  emit.sys_enter_io_uring_setup(4, 0);
  emit.io_uring_create(ring, 5, 4, 8, 0x508);
  emit.sys_exit_io_uring_setup(5);
  const filled = emit.io_uring_get_sqe(ring, 0, ud, text('1600'));
  emit.io_uring_get_sqe(ring, 1, 0x200000, text('2e00'));
  emit.sys_enter_io_uring_enter(5, 2, 1, 1, 0, 8);
  const taken = emit.io_uring_submit_sqe(ring, req, ud, text('READ'), 1, 1, 0);
  const posted = emit.io_uring_complete(ring, req, ud, 4096, 0, 0, 0);
  emit.sys_exit_io_uring_enter(1);
  const reaped = emit.io_uring_cq_advance(ring, 1, 1);

  test('SQ and CQ are known exactly', () => {
    const cache = new StateCache(trace);
    expect(cache.at(filled).rings[0].sq).toMatchObject({ head: 0, tail: 1, pending: 1 });
    expect(cache.at(filled).rings[0].sq.sqes).toEqual([
      { index: 0, userData: '0x8000000000000003', bytes: '1600' },
    ]);
    expect(cache.at(taken).rings[0].sq).toMatchObject({ head: 1, tail: 2, pending: 1 });
    expect(cache.at(taken).requests).toMatchObject([
      { opcode: 'READ', state: 'submitted', userData: '0x8000000000000003' },
    ]);
    expect(cache.at(taken).tasks[0]).toMatchObject({ syscall: 'io_uring_enter', ring: 0 });
    expect(cache.at(posted).rings[0].cq).toMatchObject({ head: 0, tail: 1, ready: 1 });
    expect(cache.at(posted).rings[0].cq.cqes).toEqual([
      { userData: '0x8000000000000003', res: 4096, flags: 0 },
    ]);
    expect(cache.at(reaped).rings[0].cq).toMatchObject({ head: 1, tail: 1, ready: 0, cqes: [] });
    expect(cache.at(reaped).simulated).toBe(true);
  });
});

test('device, tags, fills and clients of the simulator', () => {
  const { trace, tagged, issued, delivered, fill, commit, done } = simulatedRead();
  const cache = new StateCache(trace);

  expect(cache.at(tagged).devices).toMatchObject([{ id: 3, state: 'LIVE', depth: 2, armed: 1, inFlight: 0 }]);
  expect(cache.at(tagged).disks).toMatchObject([{ allocated: 1, device: null }]);
  expect(cache.at(issued).devices).toMatchObject([{ disk: '259:0', inFlight: 1, tagsInUse: 1 }]);
  expect(cache.at(issued).slots).toMatchObject([
    {
      queue: 0,
      tag: 1,
      state: 'ACTIVE',
      request: 'queued',
      filled: 0,
      iod: { op: 'READ', startSector: 16, nrSectors: 8 },
    },
  ]);
  expect(cache.at(delivered).slots).toMatchObject([
    { state: 'OWNED', request: 'delivered', deliveries: 1, command: { op: null } },
  ]);
  expect(cache.at(fill).slots[0].filled).toBe(4096);
  expect(cache.at(commit).slots).toMatchObject([
    { state: 'ACTIVE', request: 'committed', result: 4096, command: { op: 'COMMIT_AND_FETCH' } },
  ]);
  expect(cache.at(done).slots[0].request).toBe('none');
  expect(cache.at(done).devices[0]).toMatchObject({ tagsInUse: 0, inFlight: 0 });
  expect(cache.at(done).disks[0]).toMatchObject({ bytesRead: 4096, inFlight: [], completed: 1 });
  expect(cache.at(done - 1).ios).toEqual([{ id: 7, line: 3, op: 'READ', offset: 8192, length: 4096 }]);
  expect(cache.at(done).ios).toEqual([]);
});

test('a command that the driver refuses leaves the slot as it was', () => {
  const recorder = new Recorder();
  const { emit, trace, stamp } = recorder;
  const text = (value: string): number => trace.strings.id(value);
  const number = (value: number): number => trace.wide.ofNumber(value);
  stamp.task = trace.taskId('ublk', 100);
  const command = (req: number, op: number, ud: number): void => {
    emit.io_uring_submit_sqe(0x100, req, ud, text('URING_CMD'), 1, 1, 0);
    emit.ublk_ch_uring_cmd(op, 0, 2, 512, 0x80000005);
  };
  command(0x200, 0x20, 0x200002);
  emit.ublk_ch_uring_cmd_ret(number(-529));
  const armed = stateAt(trace, trace.length - 1).slots[0];
  command(0x300, 0x21, 0x210002);
  const refused = emit.io_uring_complete(0x100, 0x300, 0x210002, number(-16), 0, 0, 0);
  expect(stateAt(trace, refused).slots[0]).toMatchObject({ state: 'ACTIVE', command: armed.command });
  command(0x300, 0x21, 0x210002);
  const returned = emit.ublk_ch_uring_cmd_ret(number(-22));
  expect(stateAt(trace, returned).slots[0]).toMatchObject({ state: 'ACTIVE', command: armed.command });
  const answered = emit.io_uring_complete(0x100, 0x200, 0x200002, 0, 0, 0, 0);
  expect(stateAt(trace, answered).slots[0].state).toBe('OWNED');
});
