/** The tracepoints of a run as a trace of the project: every reader, view and export takes it like any other. */
import type { UringEvent } from '../kernel/uring/types';
import type { UringProfile } from '../kernel/uring/uring_profile';
import { EVENTS, type EventName } from '../trace/schema';
import { Recorder } from '../trace/recorder';
import { Trace } from '../trace/trace';
import type { Sqe } from '../uapi/sqe';
import type { RingProgram } from './program';
import type { RunResult } from './run';

/** Address of the ring in traces. */
export const RING = 0xffff888100000000n;
const REQUESTS = 0xffff888101000000n;
const OVERFLOWS = 0xffff888102000000n;
/** Size of a request, and of the work in it. */
const REQUEST_SIZE = 256n;
const WORK = 0xc8n;
/** Descriptor of the ring. */
export const RING_FD = 3;
/** Process of the application. */
export const APP_PID = 1000;

/** A trace that the events of a run go into, behind what it has. */
export interface RingTraceInto {
  readonly rec: Recorder;
  /** Process of the application; its workers follow. */
  readonly pid: number;
  /**
   * Called before event number `index` of the run, and once behind the last; `start` is when the run began, ns. Gives the time that what it
   * writes took: all that comes later is later by so much.
   */
  readonly before?: (index: number, start: number) => number;
  /** No more events are wanted. */
  readonly stop?: () => boolean;
}

/** Writes the events of a run; `written` is told each of them with the SQE of its request. */
export function writeRingTrace(
  program: RingProgram,
  profile: UringProfile,
  run: RunResult,
  written?: (event: number, sqe: Sqe) => void,
  into: RingTraceInto = { rec: new Recorder(new Trace()), pid: APP_PID },
): Trace {
  const { rec, pid: app } = into;
  const { trace } = rec;
  let start = rec.now;
  const pids = new Map<string, number>();
  const task = (context: string): number => {
    let pid = pids.get(context);
    if (pid === undefined) {
      pid = context === 'app' ? app : app + 1 + pids.size;
      pids.set(context, pid);
    }
    const worker = context.startsWith('iou-wrk') || context.startsWith('iou-unb');
    const comm = worker
      ? `iou-wrk-${app}`
      : context === 'app'
        ? 'ring'
        : context === 'iou-sqp'
          ? `iou-sqp-${app}`
          : 'swapper';
    return trace.taskId(comm, comm === 'swapper' ? 0 : pid);
  };
  const emit = rec.emit as unknown as Readonly<Record<EventName, (...words: number[]) => number>>;
  const write = (name: EventName, value: (field: string) => bigint | string | number): void => {
    const { names } = trace.shapes.of(name).template;
    emit[name](
      ...names.map((field) => {
        const v = value(field);
        if (typeof v === 'string') return trace.strings.id(v);
        return typeof v === 'bigint' ? trace.wide.ofBig(v) : trace.wide.ofNumber(v);
      }),
    );
  };
  rec.stamp.task = task('app');
  write('io_uring_create', (field) => {
    const created: Record<string, bigint | number> = {
      ring: RING,
      fd: RING_FD,
      sq_entries: program.entries,
      cq_entries: program.cqEntries,
      flags: program.setup,
    };
    return created[field] ?? 0;
  });
  for (const [index, event] of run.events.entries()) {
    if (into.stop?.()) return trace;
    start += into.before?.(index, start) ?? 0;
    const name = eventName(event.event, profile);
    if (name === undefined) continue;
    rec.stamp.task = task(event.context);
    rec.now = Math.max(rec.now, start + event.at);
    write(name, (field) => fieldOf(event, field));
    written?.(trace.length - 1, event.req.sqe);
  }
  into.before?.(run.events.length, start);
  return trace;
}

function eventName(event: string, profile: UringProfile): EventName | undefined {
  const name = event === 'submit_req' && profile.name === '6.1' ? 'io_uring_submit_sqe' : `io_uring_${event}`;
  return Object.hasOwn(EVENTS, name) ? (name as EventName) : undefined;
}

function fieldOf(event: UringEvent, field: string): bigint | string | number {
  const { req, other, fields } = event;
  const pointer = (slot: number): bigint => REQUESTS + BigInt(slot) * REQUEST_SIZE;
  const { sqe } = req;
  switch (field) {
    case 'ring':
      return RING;
    case 'req':
      return pointer(req.slot);
    case 'target':
    case 'link':
      return other ? pointer(other.slot) : 0n;
    case 'work':
      return pointer(req.slot) + WORK;
    case 'user_data':
      return req.userData;
    case 'overflow_cqe':
      return OVERFLOWS + BigInt(req.id) * 64n;
    case 'result':
      return Number(fields.result ?? fields.res ?? 0);
    case 'fd':
      return event.fd;
    case 'flags':
      return Number(event.flags);
    case 'non_block':
      return 1;
    case 'prio':
      return sqe.ioprio;
    case 'off':
      return sqe.off;
    case 'addr':
      return sqe.addr;
    case 'len':
      return sqe.len;
    case 'rw_flags':
      return sqe.opFlags;
    case 'buf_index':
      return sqe.bufIndex;
    case 'personality':
      return sqe.personality;
    case 'file_index':
      return sqe.spliceFdIn;
    case 'pad':
      return sqe.pad2;
    case 'addr3':
      return sqe.addr3;
    default:
      return fields[field] ?? 0;
  }
}
