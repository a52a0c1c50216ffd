import type { RequestTable } from '../trace/requests';
import type { Sliced } from '../trace/slices';
import type { Trace } from '../trace/trace';
import { SPAN_KINDS, type SpanKind } from '../webview/protocol_data';
import type { Lanes } from './contexts';
import type { Times } from './times';

/** Phases of a request in order; each ends where the next known one begins. */
export const PHASES: readonly SpanKind[] = ['queued', 'delivered', 'server', 'backend', 'commit'];
/** The same as indices into SPAN_KINDS. */
export const PHASE_KINDS: readonly number[] = PHASES.map((kind) => SPAN_KINDS.indexOf(kind));

/** Events in the task of the server with which it is handed a request. */
const DELIVERY: ReadonlySet<string> = new Set([
  'ublk_dispatch_req',
  'ublk_rq_task_work',
  'ublk_cmd_tw_cb',
  'ublk_start_io',
]);
const COMMIT: ReadonlySet<string> = new Set(['ublk_commit_completion', 'ublk_complete_rq']);

/** What an event means to the phases of a request. */
const STEP = { none: 0, delivery: 1, submit: 2, complete: 3, user: 4, commit: 5, tag: 6 } as const;
type Step = (typeof STEP)[keyof typeof STEP];

/**
 * Where the phases of each request begin, as events: delivered to the server, seen by it, first SQE for the backend, and either the
 * last CQE of the backend or, without one, the command that commits. -1 where the trace does not tell.
 */
export class Phases {
  private readonly events: readonly Int32Array[];
  /** Event with which each request got the tag that it has, -1 where the trace does not tell. */
  private readonly tagged: Int32Array;

  constructor(
    private readonly requests: RequestTable,
    private readonly times: Times,
  ) {
    this.events = Array.from({ length: 4 }, () => new Int32Array(requests.length).fill(-1));
    this.tagged = new Int32Array(requests.length).fill(-1);
  }

  /** Event from which on a request holds its tag: blk_mq_get_driver_tag where the trace has it, else its first one. */
  heldFrom(row: number): number {
    return this.tagged[row] >= 0 ? this.tagged[row] : this.eventOf(row, 0);
  }

  /** Time of {@link heldFrom}, ns since the start; never before the request starts. */
  heldSince(row: number): number {
    const start = this.times.since(this.requests.start[row]);
    return this.tagged[row] < 0 ? start : Math.max(start, this.times.at(this.tagged[row]));
  }

  /**
   * Writes the begin of each phase of a request and its end (ns since the start) to `out` (six numbers); phases that the trace does
   * not show are NaN. `end` is Infinity for a request that never ends.
   */
  read(row: number, out: Float64Array): void {
    const { requests, times, events } = this;
    const end = this.endOf(row);
    let last = times.since(requests.start[row]);
    out[0] = last;
    for (let k = 0; k < 4; k++) {
      const event = events[k][row];
      const time = event < 0 ? NaN : times.at(event);
      if (time >= last && time <= end) {
        out[k + 1] = time;
        last = time;
      } else out[k + 1] = NaN;
    }
    out[5] = end;
  }

  /** End of a request, ns since the start; Infinity where it never ends. */
  endOf(row: number): number {
    const { requests, times } = this;
    const end = requests.end[row];
    return Number.isNaN(end) ? Infinity : Math.max(times.since(end), times.since(requests.start[row]));
  }

  /** Event with which a phase of a request begins. */
  eventOf(row: number, phase: number): number {
    const { requests } = this;
    if (phase > 0) return this.events[phase - 1][row];
    return requests.eventStart[row] < requests.eventStart[row + 1]
      ? requests.eventList[requests.eventStart[row]]
      : -1;
  }

  /** Reads all events of the trace once. */
  *build(trace: Trace, lanes: Lanes, slice: number): Sliced<void> {
    const { requests, events } = this;
    const [delivered, seen, submitted, committed] = events as [
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
    ];
    const steps = Array.from({ length: trace.shapes.size }, (_, id) => stepOf(trace.shapes.get(id).name));
    const req = Array.from(
      { length: trace.shapes.size },
      (_, id) => trace.shapes.get(id).fields.get('req') ?? -1,
    );
    const opcode = Array.from(
      { length: trace.shapes.size },
      (_, id) => trace.shapes.get(id).fields.get('opcode') ?? -1,
    );
    /** Requests of io_uring that carry I/O of a block request, by their pointer. */
    const backend = new Map<number, number>();
    /** Rows that wait in the ring of a lane for its task to see them. */
    const waiting = lanes.all.map((): number[] => []);
    const { length } = trace;
    for (let i = 0; i < length; i++) {
      if (i % slice === slice - 1) yield i / length;
      const id = trace.shape[i];
      const step = steps[id];
      if (step === STEP.none) continue;
      const row = requests.requestOf(i);
      const word = req[id] < 0 ? -1 : trace.words[trace.at[i] + req[id]];
      if (step === STEP.user || step === STEP.submit) {
        const list = waiting[lanes.of(i)];
        for (const other of list) if (seen[other] < 0) seen[other] = i;
        list.length = 0;
      }
      if (row < 0) continue;
      switch (step) {
        case STEP.delivery:
          if (delivered[row] < 0) delivered[row] = i;
          break;
        case STEP.submit:
          if (isCommand(trace, i, opcode[id])) {
            if (delivered[row] >= 0 && submitted[row] < 0) committed[row] = i;
          } else {
            if (submitted[row] < 0) submitted[row] = i;
            backend.set(word, row);
          }
          break;
        case STEP.complete:
          if (backend.get(word) === row) {
            backend.delete(word);
            committed[row] = i;
          } else {
            if (delivered[row] < 0) delivered[row] = i;
            waiting[lanes.of(i)].push(row);
          }
          break;
        case STEP.tag:
          // a disk below has tags too
          if (this.tagged[row] < 0 && trace.num(i, 'tag') === requests.tag[row]) this.tagged[row] = i;
          break;
        case STEP.commit:
          if (committed[row] < 0) committed[row] = i;
          break;
        default:
          break;
      }
    }
  }
}

function stepOf(name: string): Step {
  if (DELIVERY.has(name)) return STEP.delivery;
  if (COMMIT.has(name)) return STEP.commit;
  switch (name) {
    case 'io_uring_submit_sqe':
    case 'io_uring_submit_req':
      return STEP.submit;
    case 'blk_mq_get_driver_tag':
      return STEP.tag;
    case 'io_uring_complete':
      return STEP.complete;
    case 'sys_exit_io_uring_enter':
    case 'io_uring_cq_advance':
    case 'io_uring_get_sqe':
      return STEP.user;
    default:
      return STEP.none;
  }
}

/** Whether an SQE is a command to a driver; every other one of a request does its I/O. */
function isCommand(trace: Trace, event: number, opcode: number): boolean {
  if (opcode < 0) return true;
  const text = trace.strings.text(trace.words[trace.at[event] + opcode]);
  return /^(URING_CMD|46|0x2e)/.test(text);
}
