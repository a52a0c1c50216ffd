import { checkSlices } from '../check/check';
import type { CheckReport, Violation } from '../check/types';
import type { OutcomeStep } from '../ring/outcome';
import type { Session } from '../session/ast';
import { Printer } from '../trace/print';
import { matchRequests, type RequestTable } from '../trace/requests';
import { StateCache } from '../trace/state';
import type { Trace } from '../trace/trace';
import { Causes } from './causes';
import { Cursor } from './cursor';
import { InFlight } from './in_flight';
import type { SqeLines } from './ring_lines';
import { SessionLines } from './session_lines';
import { SharedWork, type Work } from './work';

/** What a trace came from. */
export type TraceSource =
  | {
      readonly kind: 'session';
      /** Path or URI of the session file, as the host gave it. */
      readonly path: string;
      readonly session: Session;
      /** What its commands printed, and the exit code of the session as a script. */
      readonly output: string;
      readonly exitCode: number;
      /** Where its SQEs begin, of a session that runs as a ring program. */
      readonly sqes?: readonly SqeLines[];
      /** What its calls returned, of such a session. */
      readonly steps?: readonly OutcomeStep[] | undefined;
    }
  | {
      readonly kind: 'ring';
      /** Path or URI of the ring program, as the host gave it. */
      readonly path: string;
      /** Name of the program and of the kernel profile it ran on. */
      readonly name: string;
      readonly kernel: string;
      /** What its steps returned. */
      readonly steps: readonly OutcomeStep[];
      /** Where its SQEs stand in its text. */
      readonly sqes: readonly SqeLines[];
    }
  | {
      readonly kind: 'text';
      /** Path or URI of the trace text, as the host gave it. */
      readonly path: string;
      /** Session that the header of a simulated trace names; relative to nothing we know. */
      readonly session: string | undefined;
      /** Lines that are neither event nor comment, and the first of them (0: none). */
      readonly damaged: number;
      readonly firstDamaged: number;
      /** Events of names that the schema lacks, and events that the text says were lost. */
      readonly unknown: number;
      readonly lost: number;
      readonly bytes: number;
    };

/**
 * One open trace: what every view, command and debug session of it shares. Nothing in it changes but the cursor, who follows it, and
 * what is computed on demand.
 */
export class OpenTrace {
  /** State after any event. */
  readonly states: StateCache;
  readonly printer: Printer;
  /** The place that all views show. */
  readonly cursor: Cursor;
  /** Lines of the session or ring program and the events that they brought about. */
  readonly sessionLines: SessionLines;
  /** What brought an event about. */
  readonly causes: Causes;
  /** Requests in flight at any event. */
  readonly inFlight: InFlight;
  /** Debug sessions that show this trace, each standing for itself: all of them follow the one cursor. */
  readonly sessions = new Set<object>();
  private readonly checking: SharedWork<CheckReport>;
  private others: Uint32Array | undefined;

  constructor(
    readonly trace: Trace,
    readonly source: TraceSource,
    readonly requests: RequestTable = matchRequests(trace),
  ) {
    this.states = new StateCache(trace);
    this.printer = new Printer(trace);
    this.cursor = new Cursor(trace.length);
    this.sessionLines = new SessionLines(trace, source.kind === 'text' ? [] : (source.sqes ?? []));
    this.causes = new Causes(trace, this.requests);
    this.inFlight = new InFlight(this.requests);
    this.checking = new SharedWork(checkSlices(trace, requests));
  }

  /** Path or URI of the session or trace text. */
  get path(): string {
    return this.source.path;
  }

  /** Last part of the path. */
  get name(): string {
    return this.path.slice(Math.max(this.path.lastIndexOf('/'), this.path.lastIndexOf('\\')) + 1);
  }

  /** Number of events. */
  get length(): number {
    return this.trace.length;
  }

  /** Tests the invariants, once, in slices: broken ones and what was tested. undefined where `work` was cancelled. */
  async ensureChecked(work: Work): Promise<CheckReport | undefined> {
    return this.checking.wait(work);
  }

  /** Broken invariants and what was tested; undefined before {@link ensureChecked}. */
  get checked(): CheckReport | undefined {
    return this.checking.value;
  }

  /** Broken invariants in the order of their events; none before {@link ensureChecked}. */
  get violations(): readonly Violation[] {
    return this.checked?.violations ?? [];
  }

  /** Events that no request lists as its own. */
  get otherEvents(): Uint32Array {
    if (this.others !== undefined) return this.others;
    const { length, requests } = this;
    const listed = new Uint8Array(length);
    for (const event of requests.eventList) listed[event] = 1;
    let count = length;
    for (const mark of listed) count -= mark;
    const others = new Uint32Array(count);
    for (let event = 0, k = 0; event < length; event++) if (listed[event] === 0) others[k++] = event;
    this.others = others;
    return others;
  }

  /** The SQE of a ring program, or of a session that runs as one, whose request event i is of. */
  sqeOf(event: number): SqeLines | undefined {
    const row = this.requests.requestOf(event);
    return this.sessionLines.sqeAt(row < 0 ? event : this.requests.events(row)[0]);
  }

  /** Line of event i in the trace text, from 1. */
  lineOf(event: number): number {
    return this.trace.lineOf(event);
  }

  /** The event on a line of the trace text, or the nearest one below it; -1 beyond the last event. */
  eventAtLine(line: number): number {
    let low = 0;
    let high = this.trace.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.trace.lineOf(middle) < line) low = middle + 1;
      else high = middle;
    }
    return low < this.trace.length ? low : -1;
  }

  /** Lines of the whole trace text. */
  get lineCount(): number {
    return this.trace.length + this.trace.notes.length;
  }

  /** Forgets the listeners of the cursor. */
  dispose(): void {
    this.cursor.dispose();
  }
}
