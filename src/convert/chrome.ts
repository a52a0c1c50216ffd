import type { RequestJson } from '../trace/requests_types';
import type { Trace } from '../trace/trace';
import { ByteText, chunkOf } from './byte_text';
import { EventTexts } from './event_text';
import { phasesOf } from './request_phases';

/** What the export needs of a request. */
export type ExportRequest = Omit<RequestJson, 'sqes' | 'commands'>;

/** The requests of a trace by number. */
export interface ExportRequests {
  readonly length: number;
  toJson(request: number): ExportRequest;
}

/** Process number of the tracks of requests; tasks come after it. */
const REQUESTS_PID = 1;
/** Length of the slice that an event of a request is drawn as: arrows need a slice to hold on to. ns */
const EVENT_SLICE = 1;
const IDLE = '<idle>';

type Json = Readonly<Record<string, unknown>>;

/**
 * A trace as Chrome trace event JSON (chrome://tracing, ui.perfetto.dev), in pieces. One process holds a thread per queue and
 * tag with a span per request and its phases; tasks are grouped into one process per program, kernel workers, io-wq and idle
 * CPUs. Events are instants, those of a request short slices joined by arrows.
 */
export function* chromeTrace(trace: Trace, requests: ExportRequests): Generator<string> {
  const tracks = new RequestTracks();
  const flows = new Flows(trace.length, requests.length);
  let piece = '{"displayTimeUnit":"ns","traceEvents":[';
  piece += oneLine({ ph: 'M', pid: REQUESTS_PID, name: 'process_name', args: { name: 'requests' } }, true);
  const groups = new TaskGroups(trace);
  for (const event of groups.metadata()) piece += oneLine(event);
  for (let r = 0; r < requests.length; r++) {
    const request = requests.toJson(r);
    flows.add(r, request.events);
    for (const event of spans(trace, r, request, tracks)) piece += oneLine(event);
    if (piece.length > 65536) {
      yield piece;
      piece = '';
    }
  }
  yield piece;
  const rows = new EventRows(trace, groups, flows);
  for (let i = 0; i < trace.length; ) {
    i = rows.write(i);
    yield rows.out.take();
  }
  yield '\n]}\n';
}

/** Nanoseconds as microseconds with three decimals: a JSON number written from integers, without rounding. */
export function microseconds(ns: number): string {
  const size = Math.abs(ns);
  const text = `${Math.floor(size / 1000)}.${String(size % 1000).padStart(3, '0')}`;
  return ns < 0 ? `-${text}` : text;
}

/** One row; `ts` and `dur` are nanoseconds here and are written as microseconds. */
function oneLine(row: Json, first = false): string {
  const { ts, dur, ...rest } = row;
  const times =
    (typeof ts === 'number' ? `,"ts":${microseconds(ts)}` : '') +
    (typeof dur === 'number' ? `,"dur":${microseconds(dur)}` : '');
  return `${first ? '' : ','}\n${JSON.stringify(rest).slice(0, -1)}${times}}`;
}

function* spans(trace: Trace, r: number, request: ExportRequest, tracks: RequestTracks): Generator<Json> {
  const start = request.start_ns;
  const end = Math.max(start, request.end_ns ?? lastTime(trace, start));
  const { tid, name } = tracks.place(request, start, end);
  if (name !== undefined) {
    yield { ph: 'M', pid: REQUESTS_PID, tid, name: 'thread_name', args: { name } };
    yield {
      ph: 'M',
      pid: REQUESTS_PID,
      tid,
      name: 'thread_sort_index',
      args: { sort_index: tracks.order(request) },
    };
  }
  const { op, offset, length, result, life, path, confidence } = request;
  yield {
    ph: 'X',
    cat: 'request',
    name: offset === null ? op : `${op} ${length ?? '?'} @${offset}`,
    pid: REQUESTS_PID,
    tid,
    ts: start,
    dur: end - start,
    args: { request: r, life, offset, length, result, path, confidence, finished: request.end_ns !== null },
  };
  if (request.end_ns === null) return;
  for (const phase of phasesOf(trace, request.events, start, end)) {
    const dur = phase.end - phase.start;
    yield {
      ph: 'X',
      cat: 'phase',
      name: phase.name,
      pid: REQUESTS_PID,
      tid,
      ts: phase.start,
      dur,
      args: { request: r },
    };
  }
}

function lastTime(trace: Trace, otherwise: number): number {
  return trace.length === 0 ? otherwise : trace.ts[trace.length - 1]!;
}

const INSTANT = chunkOf(',\n{"ph":"i","s":"t","cat":"event","name":');
const SLICE = chunkOf(',\n{"ph":"X","cat":"event","name":');
const ARGS = chunkOf(',"args":');
const TS = chunkOf(',"ts":');
const COMMA = chunkOf(',');
const POINT = chunkOf('.');
const END = chunkOf('}');
const SLICE_END = chunkOf(`,"dur":${microseconds(EVENT_SLICE)}}`);
const STEPS = {
  s: chunkOf(',\n{"ph":"s","cat":"flow","name":"request","id":'),
  t: chunkOf(',\n{"ph":"t","cat":"flow","name":"request","id":'),
  f: chunkOf(',\n{"ph":"f","cat":"flow","name":"request","id":'),
} as const;
const BIND = chunkOf(',"bp":"e"');

/** Rows of events are many: they are written as bytes, and what events share is encoded once. */
class EventRows {
  /** What was written and not yet taken. */
  readonly out = new ByteText();
  private readonly args: EventTexts;
  private readonly places = new Map<number, Uint8Array>();
  /** By shape. */
  private readonly names: Uint8Array[] = [];

  constructor(
    private readonly trace: Trace,
    private readonly groups: TaskGroups,
    private readonly flows: Flows,
  ) {
    this.args = new EventTexts(trace);
  }

  /** Writes the rows of some events from `first` on; returns the number of the next. */
  write(first: number): number {
    const { out } = this;
    const { length } = this.trace;
    let i = first;
    while (i < length && out.length < 65536) this.row(i++);
    return i;
  }

  /** The row of event i, and its end of an arrow. */
  private row(i: number): void {
    const { trace, out, flows } = this;
    const place = this.place(trace.task[i]!, trace.cpu[i]!);
    const ts = trace.ts[i]!;
    const request = flows.of(i);
    out.chunk(request < 0 ? INSTANT : SLICE);
    out.chunk(this.name(i));
    out.chunk(place);
    out.chunk(ARGS);
    this.args.args(out, i);
    this.time(ts);
    if (request < 0) {
      out.chunk(END);
      return;
    }
    out.chunk(SLICE_END);
    const step = flows.step(i);
    if (step === 'only') return;
    out.chunk(STEPS[step]);
    out.decimal(request);
    out.chunk(COMMA);
    out.chunk(place);
    if (step === 'f') out.chunk(BIND);
    this.time(ts);
    out.chunk(END);
  }

  /** `ts` as {@link microseconds} writes it. */
  private time(ns: number): void {
    const { out } = this;
    out.chunk(TS);
    if (!(ns >= 0 && Number.isSafeInteger(ns))) {
      out.text(microseconds(ns));
      return;
    }
    const whole = Math.floor(ns / 1000);
    out.decimal(whole);
    out.chunk(POINT);
    out.digits(ns - whole * 1000, 3);
  }

  private name(i: number): Uint8Array {
    const shape = this.trace.shape[i]!;
    this.names[shape] ??= chunkOf(`${JSON.stringify(this.trace.nameOf(i))},`);
    return this.names[shape];
  }

  private place(task: number, cpu: number): Uint8Array {
    const key = task * 0x10000 + cpu;
    let chunk = this.places.get(key);
    if (chunk === undefined) {
      const { pid, tid } = this.groups.of(task, cpu);
      // a damaged trace may have a number that JSON has not
      chunk = chunkOf(`"pid":${JSON.stringify(pid)},"tid":${JSON.stringify(tid)}`);
      this.places.set(key, chunk);
    }
    return chunk;
  }
}

/** Gives each request a thread of its queue and tag, and another one while an earlier request still stands there. */
class RequestTracks {
  private readonly lanes = new Map<string, { tid: number; end: number }[]>();
  private used = 0;

  /** `name` is set when the thread is new. */
  place(request: ExportRequest, start: number, end: number): { tid: number; name: string | undefined } {
    const key = `${request.device} ${request.queue} ${request.tag}`;
    const lanes = this.lanes.get(key) ?? [];
    this.lanes.set(key, lanes);
    const free = lanes.find((lane) => lane.end <= start);
    if (free !== undefined) {
      free.end = end;
      return { tid: free.tid, name: undefined };
    }
    const tid = ++this.used;
    lanes.push({ tid, end });
    const place = request.tag === null ? 'no tag' : `q${request.queue ?? '?'} tag ${request.tag}`;
    const more = lanes.length > 1 ? ` (${lanes.length})` : '';
    return { tid, name: `${request.device ?? '?'} ${place}${more}` };
  }

  /** Threads are listed by queue, then by tag. */
  order(request: ExportRequest): number {
    return (request.queue ?? 0x3ff) * 0x10000 + (request.tag ?? 0xffff);
  }
}

/** Which request an event belongs to, and whether it is its first, a middle or its last one. */
class Flows {
  private readonly owner: Int32Array;
  private readonly first: Int32Array;
  private readonly last: Int32Array;

  constructor(events: number, requests: number) {
    this.owner = new Int32Array(events).fill(-1);
    this.first = new Int32Array(requests).fill(-1);
    this.last = new Int32Array(requests).fill(-1);
  }

  /** An event that two requests share stays with the first of them. */
  add(request: number, events: readonly number[]): void {
    for (const i of events) {
      if (this.owner[i] !== -1) continue;
      this.owner[i] = request;
      if (this.first[request]! < 0) this.first[request] = i;
      this.last[request] = i;
    }
  }

  /** The request of an event; -1 for none. */
  of(event: number): number {
    return this.owner[event]!;
  }

  /** Which end of its request's arrows an event is. */
  step(event: number): 's' | 't' | 'f' | 'only' {
    const request = this.owner[event]!;
    const first = this.first[request] === event;
    const last = this.last[request] === event;
    return first && last ? 'only' : first ? 's' : last ? 'f' : 't';
  }
}

/** The process and thread number of each task. */
class TaskGroups {
  private readonly pids = new Map<string, number>();

  constructor(private readonly trace: Trace) {}

  /** Every idle task has pid 0, so their threads are the CPUs. */
  of(task: number, cpu: number): { pid: number; tid: number } {
    const { comm, pid } = this.trace.taskOf(task);
    return { pid: this.pidOf(task), tid: comm === IDLE ? cpu : pid };
  }

  *metadata(): Generator<Json> {
    for (let task = 0; task < this.trace.taskCount; task++) {
      const known = this.pids.size;
      const { comm, pid: tid } = this.trace.taskOf(task);
      const pid = this.pidOf(task);
      if (this.pids.size > known) {
        yield { ph: 'M', pid, name: 'process_name', args: { name: this.group(task) } };
      }
      if (comm !== IDLE) yield { ph: 'M', pid, tid, name: 'thread_name', args: { name: comm } };
    }
  }

  private pidOf(task: number): number {
    const group = this.group(task);
    const pid = this.pids.get(group) ?? REQUESTS_PID + 1 + this.pids.size;
    this.pids.set(group, pid);
    return pid;
  }

  private group(task: number): string {
    const { comm, tgid } = this.trace.taskOf(task);
    if (comm.startsWith('kworker')) return 'kernel workers';
    if (comm.startsWith('iou-')) return 'io_uring workers';
    if (comm === IDLE) return 'idle CPUs';
    return tgid > 0 ? `${comm} (${tgid})` : comm;
  }
}
