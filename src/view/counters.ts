import type { RequestTable } from '../trace/requests';
import type { Sliced } from '../trace/slices';
import { StateReducer } from '../trace/state';
import { UNKNOWN } from '../trace/state_work';
import type { Trace } from '../trace/trace';
import type { Translate } from './machine_names';
import { Pyramid } from './pyramid';
import type { Times } from './times';

/** One value over time: `value[k]` holds from `time[k]` to `time[k + 1]`. */
export interface Counter {
  readonly name: string;
  /** State path for "break when this changes", empty where there is none. */
  readonly path: string;
  readonly max: number;
  /** ns since the start, ascending. */
  readonly time: Float64Array;
  readonly value: Float64Array;
  readonly low: Pyramid;
  readonly high: Pyramid;
}

/** Steps of a value while they are collected. */
class Steps {
  private readonly time: number[] = [];
  private readonly value: number[] = [];
  private last = NaN;

  constructor(
    readonly order: number,
    private readonly name: string,
    private readonly path: string,
  ) {}

  set(time: number, value: number): void {
    if (value === this.last || value === UNKNOWN) return;
    this.last = value;
    // several changes at one time: the last one holds
    if (this.time.at(-1) === time && this.time.length > 0) this.value[this.value.length - 1] = value;
    else {
      this.time.push(time);
      this.value.push(value);
    }
  }

  *counter(): Sliced<Counter> {
    const value = Float64Array.from(this.value);
    yield 1;
    let max = 0;
    for (const each of value) max = Math.max(max, each);
    yield 1;
    return {
      name: this.name,
      path: this.path,
      max,
      time: Float64Array.from(this.time),
      value,
      low: yield* Pyramid.build(value, true),
      high: yield* Pyramid.build(value),
    };
  }
}

/** Occupancy of every SQ, CQ and pipe as the replayed state has it, and requests in flight per device. Values that never change from zero are left out. */
export function* buildCounters(
  trace: Trace,
  requests: RequestTable,
  times: Times,
  t: Translate,
  slice: number,
): Sliced<Counter[]> {
  const found = new Map<number, Steps>();
  const step = (order: number, name: () => string, path: () => string): Steps => {
    const known = found.get(order);
    if (known !== undefined) return known;
    const made = new Steps(order, name(), path());
    found.set(order, made);
    return made;
  };
  const reducer = new StateReducer(trace);
  const looks = Array.from({ length: trace.shapes.size }, (_, id) => {
    const { spec, name, fields } = trace.shapes.get(id);
    const ring = fields.get('ring') ?? -1;
    // a system call and a wake-up change rings that they do not name
    const rings = ring >= 0 || spec?.system === 'syscalls' || name === 'io_uring_task_work_run';
    return { ring, rings, pipes: spec?.system === 'splice' };
  });
  const { length } = trace;
  for (let i = 0; i < length; i++) {
    if (i % slice === slice - 1) yield i / length;
    reducer.run(i);
    const { ring, rings, pipes } = looks[trace.shape[i]];
    const { w } = reducer.view;
    const time = times.at(i);
    const note = ({ id, sqPending, cqReady }: { id: number; sqPending: number; cqReady: number }): void => {
      step(
        id * 2,
        () => t('SQ of ring {0}', id),
        () => `ring:${id}:sq.pending`,
      ).set(time, sqPending);
      step(
        id * 2 + 1,
        () => t('CQ of ring {0}', id),
        () => `ring:${id}:cq.ready`,
      ).set(time, cqReady);
    };
    if (ring >= 0) {
      const one = w.rings.get(trace.words[trace.at[i] + ring] | 0);
      if (one !== undefined) note(one);
    } else if (rings) {
      for (const one of w.rings.values()) note(one);
    }
    if (pipes) {
      for (const { id, head, tail } of w.pipes.values()) {
        if (head === UNKNOWN || tail === UNKNOWN) continue;
        step(
          0x40000000 + id,
          () => t('Pipe {0}', id),
          () => `pipe:${id}:occupancy`,
        ).set(time, head - tail);
      }
    }
  }
  const all = [...inFlight(requests, times, t), ...[...found.values()].sort((a, b) => a.order - b.order)];
  const counters: Counter[] = [];
  for (const steps of all) {
    const counter = yield* steps.counter();
    if (counter.max > 0) counters.push(counter);
  }
  return counters;
}

/** Requests between their begin and their end, per device; one that never ends stays. */
function inFlight(requests: RequestTable, times: Times, t: Translate): Steps[] {
  return requests.devices.flatMap((device, d) => {
    const starts: number[] = [];
    const ends: number[] = [];
    for (let r = 0; r < requests.length; r++) {
      if (requests.device[r] !== d) continue;
      starts.push(times.since(requests.start[r]));
      if (!Number.isNaN(requests.end[r])) ends.push(times.since(requests.end[r]));
    }
    if (starts.length === 0) return [];
    const begun = Float64Array.from(starts).sort();
    const over = Float64Array.from(ends).sort();
    const steps = new Steps(0, t('Requests in flight, {0}', device), '');
    for (let s = 0, e = 0; s < begun.length || e < over.length; ) {
      // at one time, what ends goes first, but nothing ends that has not begun
      const ending = e < over.length && (s >= begun.length || (over[e] <= begun[s] && e < s));
      const time = ending ? over[e++] : begun[s++];
      steps.set(time, s - e);
    }
    return [steps];
  });
}
