/** What the application of a ring knows and no tracepoint tells: the SQEs that it fills, the CQEs that it takes, where it waits. */
import { toHex } from '../uapi/bytes';
import { encodeSqe, type Sqe } from '../uapi/sqe';
import { IORING_ENTER } from '../uapi/io_uring_abi';
import type { AppAct } from '../kernel/uring/types';
import { Recorder } from '../trace/recorder';
import { Trace } from '../trace/trace';
import type { RingProgram } from './program';
import { APP_PID, RING, RING_FD, type RingTraceInto } from './ring_trace';
import type { RunOptions, RunResult } from './run_types';

/** argsz of a call without an argument: that of a signal set, bytes. */
const SIGSET = 8;

/** Something that the application does before an event of the run. */
export interface Moment {
  readonly kind: 'begin' | 'end' | AppAct;
  /** Number of the step; else of CQEs, SQEs of a call, or what it returns. */
  readonly nr: number;
  /** CQEs that a call waits for. */
  readonly wait: number | undefined;
  /** Virtual time, ns. */
  readonly time: number;
  /** Number of the event of the run that comes next. */
  readonly event: number;
}

/** Collects the moments of a run that is given `options`. */
export class Moments {
  readonly options: Pick<RunOptions, 'started' | 'stepped'>;
  private readonly list: Moment[] = [];
  private next = 0;

  constructor() {
    const { list } = this;
    let run: RunResult | undefined;
    const add = (kind: Moment['kind'], nr: number, time: number, wait?: number): void => {
      list.push({ kind, nr, wait, time, event: run?.events.length ?? 0 });
    };
    this.options = {
      started: (each) => {
        run = each;
        const { world } = each.ring;
        each.ring.tell = (what, count, wait) => add(what, count, world.time, wait);
      },
      stepped: (step, ended, time) => add(ended ? 'end' : 'begin', step, time),
    };
  }

  /** Goes through the moments before event number `index` of the run that began at `start`; gives the time that telling them took. */
  before(rec: Recorder, index: number, start: number, tell: (moment: Moment) => void): number {
    let spent = 0;
    for (
      let moment = this.list[this.next];
      moment && moment.event <= index;
      moment = this.list[++this.next]
    ) {
      rec.now = Math.max(rec.now, start + spent + moment.time);
      const from = rec.now;
      tell(moment);
      spent += rec.now - from;
    }
    return spent;
  }
}

/** Writes facts of one ring. */
export class RingFacts {
  private readonly bytes = new Uint8Array(64);
  private filled = 0;
  private taken = 0;

  constructor(
    private readonly rec: Recorder,
    private readonly task: number,
    private readonly entries: number,
  ) {}

  /** An SQE is filled. */
  fills(sqe: Sqe): void {
    const { rec, bytes } = this;
    const { wide, strings } = rec.trace;
    encodeSqe(new DataView(bytes.buffer), 0, sqe);
    rec.stamp.task = this.task;
    const index = this.filled++ & (this.entries - 1);
    rec.emit.io_uring_get_sqe(wide.ofBig(RING), index, wide.ofBig(sqe.userData), strings.id(toHex(bytes)));
  }

  /** The application does something else. */
  tell({ kind, nr, wait }: Moment): void {
    const { rec } = this;
    const { emit, trace } = rec;
    const ring = trace.wide.ofBig(RING);
    rec.stamp.task = this.task;
    switch (kind) {
      case 'enter':
        this.enters(nr, wait);
        return;
      case 'exit':
        emit.sys_exit_io_uring_enter(nr);
        return;
      case 'sleep':
        this.enters(0, nr);
        emit.io_uring_cqring_wait(ring, nr);
        return;
      case 'wait':
        emit.io_uring_cqring_wait(ring, nr);
        return;
      case 'take':
        this.taken += nr;
        emit.io_uring_cq_advance(ring, this.taken, nr);
        return;
      default:
    }
  }

  private enters(toSubmit: number, wait: number | undefined): void {
    const { wide } = this.rec.trace;
    const flags = wait === undefined ? 0 : IORING_ENTER.GETEVENTS;
    const word = (n: number): number => wide.ofNumber(n);
    this.rec.emit.sys_enter_io_uring_enter(RING_FD, word(toSubmit), word(wait ?? 0), flags, 0, SIGSET);
  }
}

/** Where the trace of a program with its facts goes; its run was given the options of `moments`. `filled` is told the event of each SQE. */
export function intoWithFacts(
  program: RingProgram,
  moments: Moments,
  filled?: (event: number, sqe: Sqe) => void,
): RingTraceInto {
  const rec = new Recorder(new Trace());
  const facts = new RingFacts(rec, rec.trace.taskId('ring', APP_PID), program.entries);
  const tell = (moment: Moment): void => {
    const step = moment.kind === 'begin' ? program.steps[moment.nr] : undefined;
    facts.tell(moment);
    if (step?.kind !== 'submit') return;
    for (const sqe of step.sqes) {
      facts.fills(sqe);
      filled?.(rec.trace.length - 1, sqe);
    }
  };
  return { rec, pid: APP_PID, before: (index, start) => moments.before(rec, index, start, tell) };
}
