import type { Sliced } from '../trace/slices';
import type { Trace } from '../trace/trace';
import { SPAN_KINDS } from '../webview/protocol_data';
import type { Lanes } from './contexts';
import { SpanList } from './spans';
import type { Times } from './times';

/** Rows that a lane has at most; calls nested deeper are marks only. */
export const LANE_ROWS = 8;
/** Events of a task closer than this, without a call around them, are one stretch of running; silence tells nothing, ns. */
const NEAR = 20_000;

const RUNNING = SPAN_KINDS.indexOf('running');
const WAITING = SPAN_KINDS.indexOf('waiting');

/** What a text form means to the lane it appears in. */
interface Role {
  /** Number of the call that it opens, -1 for none. */
  readonly opens: number;
  /** Number of the call that it ends, -1 for none. */
  readonly ends: number;
  readonly syscall: boolean;
  readonly waits: boolean;
  /** A worker takes an item. */
  readonly item: boolean;
  /** The task ends. */
  readonly exits: boolean;
  /** A server's device loses its last reference. */
  readonly releases: boolean;
  /** A CQE is posted, which ends the item of a worker. */
  readonly completes: boolean;
}

/** Number of the item of a worker among the calls. */
const ITEM = 0;

interface Frame {
  readonly call: number;
  readonly syscall: boolean;
  readonly start: number;
  readonly event: number;
}

/** What is open in one lane. */
class Lane {
  readonly stack: Frame[] = [];
  /** Event with which the task went to sleep, -1: it is awake. */
  wait = -1;
  waitRow = 0;
  burst = -1;
  last = -1;
}

/** What each context runs and waits for, as far as its events tell. Line = lane * LANE_ROWS + row. */
export function* laneSpans(
  trace: Trace,
  times: Times,
  lanes: Lanes,
  requestOf: (event: number) => number,
  slice: number,
): Sliced<SpanList> {
  const spans = new SpanList();
  const roles = rolesOf(trace);
  const open = lanes.all.map(() => new Lane());
  const add = (lane: number, row: number, kind: number, event: number, end: number): void => {
    if (row < LANE_ROWS)
      spans.add(lane * LANE_ROWS + row, kind, times.at(event), end, event, requestOf(event));
  };
  /** Ends the calls from place k of the stack on, inner ones first. */
  const unwind = (lane: number, k: number, end: number): void => {
    const { stack } = open[lane];
    for (let row = stack.length - 1; row >= k; row--) add(lane, row, RUNNING, stack[row].event, end);
    stack.length = k;
  };
  const endBurst = (lane: number, end: number): void => {
    const state = open[lane];
    if (state.burst >= 0 && end > times.at(state.burst)) add(lane, 0, RUNNING, state.burst, end);
    state.burst = -1;
  };
  /** Releases of servers' devices; where threads tell their end themselves nothing has to be concluded from them. */
  const releases: number[] = [];
  let told = false;
  const { length } = trace;
  for (let i = 0; i < length; i++) {
    if (i % slice === slice - 1) yield i / length;
    const lane = lanes.of(i);
    const state = open[lane];
    const { stack } = state;
    const role = roles[trace.shape[i]];
    const now = times.at(i);
    const before = state.last < 0 ? now : times.at(state.last);
    if (state.wait >= 0) {
      add(lane, state.waitRow, WAITING, state.wait, now);
      state.wait = -1;
    }
    if (state.burst >= 0 && now - before > NEAR) endBurst(lane, before);
    const k = role.ends < 0 ? -1 : stack.findLastIndex(({ call }) => call === role.ends);
    if (k >= 0) unwind(lane, k, now);
    if (role.opens >= 0) {
      // a task makes one system call at a time and a worker has one item: the end of the one before was lost
      const stale = role.item ? 0 : role.syscall ? stack.findIndex((frame) => frame.syscall) : -1;
      if (stale >= 0) unwind(lane, stale, before);
      if (stack.length === 0) endBurst(lane, role.item ? before : now);
      if (role.item && state.last >= 0 && stack.length === 0) add(lane, 0, WAITING, state.last, now);
      stack.push({ call: role.opens, syscall: role.syscall, start: now, event: i });
    } else if (stack.length === 0 && k < 0 && state.burst < 0) {
      state.burst = i;
    }
    if (role.releases) releases.push(i);
    if (role.exits) {
      told = true;
      unwind(lane, 0, now);
      endBurst(lane, now);
    }
    if (role.completes && stack[0]?.call === ITEM) unwind(lane, 0, now);
    if (role.waits) {
      endBurst(lane, now);
      state.wait = i;
      state.waitRow = stack.length;
    }
    state.last = i;
  }
  for (const [lane, state] of open.entries()) {
    // a server whose device lost its last reference after all that it did may have ended at any time before that
    const release =
      told || lanes.all[lane].kind !== 'daemon' ? undefined : releases.find((i) => i > state.last);
    const end = release === undefined ? Infinity : times.at(release);
    if (state.wait >= 0) add(lane, state.waitRow, WAITING, state.wait, end);
    if (state.burst >= 0) endBurst(lane, times.at(state.last));
    unwind(lane, 0, end);
  }
  return spans;
}

function rolesOf(trace: Trace): Role[] {
  const { shapes } = trace;
  const present = new Set<string>();
  const used = new Uint8Array(shapes.size);
  for (let i = 0; i < trace.length; i++) used[trace.shape[i]] = 1;
  for (let id = 0; id < shapes.size; id++) if (used[id] === 1) present.add(shapes.get(id).name);
  const calls = new Map<string, number>();
  const callOf = (name: string): number => {
    const known = calls.get(name) ?? calls.size + 1;
    calls.set(name, known);
    return known;
  };
  return Array.from({ length: shapes.size }, (_, id) => {
    const { name } = shapes.get(id);
    const syscall = name.startsWith('sys_enter_');
    const item = name === 'io_wq_submit_work';
    const enter = syscall ? name.slice('sys_enter_'.length) : name;
    const opens = syscall ? present.has(`sys_exit_${enter}`) : present.has(`${name}_ret`);
    const ended = name.startsWith('sys_exit_')
      ? name.slice('sys_exit_'.length)
      : name.endsWith('_ret')
        ? name.slice(0, -'_ret'.length)
        : '';
    return {
      opens: item ? ITEM : opens ? callOf(enter) : -1,
      ends: ended === '' ? -1 : callOf(ended),
      syscall,
      waits: name === 'io_uring_cqring_wait' || name === 'wait_for_space',
      item,
      exits: name === 'sched_process_exit',
      releases: name === 'ublk_ch_release',
      completes: name === 'io_uring_complete',
    };
  });
}
