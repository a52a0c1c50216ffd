import type { Shape } from './shapes';
import { CLIENT_RULES } from './state_client';
import { CQE_RULES } from './state_cqe';
import { DISK_RULES } from './state_disk';
import { EXIT_RULES } from './state_exit';
import { type Fields, type Handler, Machine, type Rule } from './state_machine';
import { PIPE_RULES } from './state_pipe';
import { RING_RULES } from './state_ring';
import { UBLK_RULES } from './state_ublk';
import type { MachineState } from './state_types';
import { StateViews } from './state_reuse';
import { viewState } from './state_whole';
import { copyWork, emptyWork } from './state_new';
import { UNKNOWN, type Work } from './state_work';
import type { Trace } from './trace';

const RULES: Readonly<Record<string, Rule>> = {
  ...RING_RULES,
  ...UBLK_RULES,
  ...CQE_RULES,
  ...DISK_RULES,
  ...PIPE_RULES,
  ...CLIENT_RULES,
  ...EXIT_RULES,
};

const NO_CHANGE: Handler = () => {};

/** A point to go back to. It shares what later events do not change; only the reducer that made it may use it. */
export interface Snapshot {
  /** The event after which it was taken. */
  readonly event: number;
  readonly work: Work;
  /** Things of this epoch and later ones were changed since the snapshot or the reset that replay went on from. */
  readonly since: number;
}

/**
 * Replays a trace event by event. The rules of an event are looked up once per text form, then called through an array.
 * Unknown events, and known ones in a form that lacks the fields, change nothing. No order of events makes it throw.
 */
export class StateReducer {
  private readonly machine: Machine;
  private readonly handlers: Handler[] = [];
  private epochs = 1;
  private since = 1;
  private readonly views: StateViews;

  constructor(readonly trace: Trace) {
    const has = eventsIn(trace, ['io_uring_get_sqe', 'io_uring_cq_advance', 'ublk_ch_uring_cmd']);
    this.machine = new Machine(trace, has[0] || has[1], has[2]);
    this.views = new StateViews(this.machine);
  }

  /** The event that was applied last; -1 before the first one. */
  get event(): number {
    return this.machine.w.event;
  }

  /** Goes back to the state before the first event. */
  reset(): void {
    this.machine.w = emptyWork(this.begin());
  }

  /** Applies the next events, up to and with event `last`. */
  run(last: number): void {
    const { machine, trace, handlers } = this;
    const { shape, at } = trace;
    machine.words = trace.words;
    const end = Math.min(last, trace.length - 1);
    for (let i = machine.w.event + 1; i <= end; i++) {
      const handler = handlers[shape[i]] ?? this.bind(shape[i]);
      handler(i, at[i]);
    }
    if (end > machine.w.event) machine.w.event = end;
  }

  /** Applies one event of the trace, whatever came before it. */
  apply(event: number): void {
    const { machine, trace } = this;
    machine.words = trace.words;
    const handler = this.handlers[trace.shape[event]] ?? this.bind(trace.shape[event]);
    handler(event, trace.at[event]);
    machine.w.event = event;
  }

  /** Keeps the present state; costs a copy of the tables, not of what is in them. */
  snapshot(): Snapshot {
    const work = this.machine.w;
    const { since } = this;
    this.machine.w = copyWork(work, this.begin());
    return { event: work.event, work, since };
  }

  /** Goes back (or on) to a snapshot, which stays usable. */
  restore(snapshot: Snapshot): void {
    this.machine.w = copyWork(snapshot.work, this.begin());
  }

  /**
   * The present state as plain data, which later events do not change. What no event touched since the last state that was asked for
   * is the same object in both.
   */
  state(): MachineState {
    const state = viewState(this.machine, this.views);
    // what has a plain form now is copied before it is changed
    this.machine.w.epoch = ++this.epochs;
    return state;
  }

  /** The working state, for reading single values without building the whole of {@link state}. */
  get view(): Machine {
    return this.machine;
  }

  /** A new epoch to go on from a snapshot or from nothing. */
  private begin(): number {
    this.since = ++this.epochs;
    return this.since;
  }

  private bind(id: number): Handler {
    const { handlers, machine, trace } = this;
    const shape = trace.shapes.get(id);
    const rule = Object.hasOwn(RULES, shape.name) ? RULES[shape.name] : undefined;
    const fields = fieldsOf(shape);
    let handler = NO_CHANGE;
    if (rule !== undefined && !shape.raw) {
      const complete = rule.needs.every(
        (need) => (need.endsWith(':s') ? fields.text(need.slice(0, -2)) : fields.num(need)) >= 0,
      );
      if (complete) handler = rule.bind(machine, fields);
    } else if (shape.line === 'syscall-enter') {
      handler = (i) => {
        machine.task(trace.task[i]).syscall = id;
      };
    } else if (shape.line === 'syscall-exit') {
      handler = (i) => {
        const task = machine.task(trace.task[i]);
        task.syscall = -1;
        task.ring = UNKNOWN;
      };
    }
    while (handlers.length < id) handlers.push(undefined as unknown as Handler);
    handlers[id] = handler;
    return handler;
  }
}

function fieldsOf(shape: Shape): Fields {
  const find = (name: string, text: boolean): number => {
    const k = shape.fields.get(name);
    return k !== undefined && (shape.template.formats[k] === 's') === text ? k : -1;
  };
  return { shape, num: (name) => find(name, false), text: (name) => find(name, true) };
}

/** For each name, whether the trace has such an event. */
function eventsIn(trace: Trace, names: readonly string[]): boolean[] {
  const found = names.map(() => false);
  const wanted: number[] = [];
  for (let id = 0; id < trace.shapes.size; id++) wanted.push(names.indexOf(trace.shapes.get(id).name));
  let missing = names.length;
  for (let i = 0; i < trace.length && missing > 0; i++) {
    const k = wanted[trace.shape[i]];
    if (k < 0 || found[k]) continue;
    found[k] = true;
    missing--;
  }
  return found;
}
