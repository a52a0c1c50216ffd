import { describe, expect, test } from 'vitest';
import {
  StateCache,
  StateReducer,
  diffState,
  formatState,
  pathReader,
  readPath,
  stateAt,
  stateLeaves,
  stateToJson,
} from '../../src/trace/state';
import type { Trace } from '../../src/trace/trace';
import { listRecordings, loadRecording, parseTrace } from '../support/oracle';
import { checkCounters, randomNumbers } from './support';

const names = listRecordings();

function load(name: string): Trace {
  return parseTrace(loadRecording(name).text).trace;
}

describe.each(names)('%s', (name) => {
  const trace = load(name);

  test('a seek in any direction gives what replay from the start gives', () => {
    const cache = new StateCache(trace);
    for (const n of [...randomNumbers(name, 6, trace.length), -1, trace.length - 1, 0]) {
      expect(cache.at(n)).toEqual(stateAt(trace, n));
    }
  });

  test('counters and occupancy stay within bounds at every event', () => {
    const reducer = new StateReducer(trace);
    for (let i = 0; i < trace.length; i++) {
      reducer.run(i);
      checkCounters(reducer.view.w);
    }
  });

  test('a COMMIT that the driver keeps leaves its slot ACTIVE, and only owned slots are committed', () => {
    const reducer = new StateReducer(trace);
    for (let i = 0; i < trace.length; i++) {
      if (trace.nameOf(i) !== 'ublk_ch_uring_cmd' || ((trace.num(i, 'op') ?? 0) & 0xff) !== 0x21) continue;
      if ((trace.num(i, 'issue_flags') ?? 0) & 0x800) continue;
      const read = (): string | null | undefined =>
        reducer
          .state()
          .slots.find((slot) => slot.queue === trace.num(i, 'q_id') && slot.tag === trace.num(i, 'tag'))
          ?.state;
      reducer.run(i - 1);
      expect(['OWNED', null, undefined]).toContain(read());
      reducer.run(i);
      expect(read()).toBe('ACTIVE');
      let ret = i;
      while (
        ret < trace.length &&
        (trace.nameOf(ret) !== 'ublk_ch_uring_cmd_ret' || trace.task[ret] !== trace.task[i])
      )
        ret++;
      reducer.run(ret);
      expect(read()).toBe('ACTIVE');
    }
  });

  test('the pipe is empty when a direct splice ends', () => {
    const reducer = new StateReducer(trace);
    for (let i = 0; i < trace.length; i++) {
      if (trace.nameOf(i) !== 'splice_direct_to_actor_ret') continue;
      reducer.run(i);
      const ptr = reducer.view.w.tasks[trace.task[i]]?.pipe;
      const pipe = ptr === undefined ? undefined : reducer.view.w.pipes.get(ptr);
      if (pipe) expect([pipe.head, pipe.tail, pipe.buffers]).toEqual([0, 0, []]);
    }
  });

  test('paths: reader and readPath agree, differences are exactly the unequal leaves', () => {
    const cache = new StateCache(trace);
    const [a, b] = randomNumbers(name, 2, trace.length);
    const before = cache.at(a);
    const after = cache.at(b);
    const leaves = stateLeaves(after);
    const { view } = cache.seek(b);
    for (const [path, value] of leaves) {
      expect([path, pathReader(path)(view)]).toEqual([path, value]);
    }
    for (const path of [...leaves.keys()].filter((_, k) => k % 37 === 0))
      expect(readPath(after, path)).toBe(leaves.get(path));
    const old = stateLeaves(before);
    const unequal = new Set(
      [...leaves.keys(), ...old.keys()].filter((path) => leaves.get(path) !== old.get(path)),
    );
    const changes = diffState(before, after);
    expect(new Set(changes.map((change) => change.path))).toEqual(unequal);
    for (const change of changes)
      expect([change.before, change.after]).toEqual([old.get(change.path), leaves.get(change.path)]);
  });

  test('JSON and text', () => {
    const state = stateAt(trace, randomNumbers(name, 1, trace.length)[0]);
    expect(JSON.parse(stateToJson(state))).toEqual(state);
    for (const line of formatState(state).split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
});

describe('what single recordings show', () => {
  test('life of a device: armed after the FETCHes, cancelled at the end', () => {
    const trace = load('k6.1-life-loop-ublksrvold-q1d4');
    const cache = new StateCache(trace);
    let last = -1;
    for (let i = 0; i < trace.length; i++) {
      if (trace.nameOf(i) === 'ublk_ch_uring_cmd' && trace.num(i, 'op') === 0x20) last = i;
    }
    const armed = cache.at(last);
    expect(armed.devices[0].armed).toBe(4);
    expect(armed.slots.map((slot) => [slot.state, slot.command.op])).toEqual(
      new Array(4).fill(['ACTIVE', 'FETCH']),
    );
    expect(armed.rings.find((ring) => ring.id === armed.slots[0].command.ring)?.sq.head).toBe(4);
    expect(cache.at(trace.length - 1).slots.map((slot) => slot.state)).toEqual(new Array(4).fill('CANCELED'));
  });

  test('before its CQE a FETCH that began before the recording is unknown', () => {
    const trace = load('k6.1-dd-direct-64k-ublksrvold');
    const first = [...Array(trace.length).keys()].find((i) => trace.nameOf(i) === 'ublk_queue_rq') ?? -1;
    const slot = stateAt(trace, first).slots[0];
    expect([slot.state, slot.command.userData, slot.result, slot.request]).toEqual([
      null,
      null,
      null,
      'queued',
    ]);
    const cqe =
      [...Array(trace.length).keys()].find((i) => i > first && trace.nameOf(i) === 'io_uring_complete') ?? -1;
    expect(stateAt(trace, cqe).slots[0].state).toBe('OWNED');
  });

  test('without probes slots are recognised by user_data and say so', () => {
    const trace = load('rfc-zc-loop-qd32-noprobe');
    const state = stateAt(trace, trace.length - 1);
    expect(state.slots.length).toBeGreaterThan(0);
    expect(state.slots.every((slot) => slot.inferred && slot.state === 'ACTIVE')).toBe(true);
    expect(state.slots.every((slot) => slot.result === null && slot.iod.startSector === null)).toBe(true);
  });

  test('CQ overflow: counted, and flushed by the next CQE that enters the ring', () => {
    const trace = load('k6.1-iou-cq_overflow');
    const events = [...Array(trace.length).keys()].filter((i) => trace.nameOf(i) === 'io_uring_cqe_overflow');
    const state = stateAt(trace, events[3]);
    expect(state.rings[0].cq).toMatchObject({ entries: 8, tail: 8, overflow: 4 });
    expect(state.requests).toEqual([]);
  });

  test('a splice of the RFC: pages of the request in the pipe, tag and byte known', () => {
    const trace = load('rfc-zc-loop-direct-q1d32');
    const cache = new StateCache(trace);
    let most = -1;
    for (let i = 0; i < trace.length && most < 0; i++) {
      if (trace.nameOf(i) === 'add_to_pipe' && trace.num(i, 'head') === 15) most = i;
    }
    const state = cache.at(most);
    const [pipe] = state.pipes;
    expect(pipe).toMatchObject({ ringSize: 16, head: 16, tail: 0, occupancy: 16 });
    expect(state.pages.filter((page) => page.pipe === pipe.id).map((page) => page.requestOffset)).toEqual(
      Array.from({ length: 16 }, (_, k) => k * 4096),
    );
    expect(state.pages[0].refs).toBe(2);
    expect(state.totals.copies).toBe(0);
  });

  test('drain: deferred and poll armed requests', () => {
    const trace = load('k7.3-iou-drain');
    const defer = [...Array(trace.length).keys()].filter((i) => trace.nameOf(i) === 'io_uring_defer');
    expect(stateAt(trace, defer[1]).requests.map((req) => [req.userData, req.state])).toEqual([
      ['0x1', 'poll armed'],
      ['0x2', 'submitted'],
      ['0x3', 'deferred'],
      ['0x4', 'deferred'],
    ]);
  });
});
