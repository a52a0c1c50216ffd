import type { DebugProtocol } from '@vscode/debugprotocol';
import { Numbered, type Numbers } from './numbered';
import { indexAfter } from './sorted';
import type { Place, Sources } from './dap_sources';
import { checkThread, MORE, requestOfThread } from './dap_threads';
import type { OpenTrace } from './model';

/** One line of the call stack: an event and one of the places where it stands. */
interface FramePlan {
  readonly event: number;
  readonly name: string;
  readonly place: Place;
  readonly subtle: boolean;
}

/** What a frame shows: an event, and the request that had the focus. */
interface Shown {
  readonly event: number;
  readonly focus: number | undefined;
}

/**
 * Stack frames: the chain of causes from an event down to its session line. Frame ids hold for some stops more: VS Code draws a stop a
 * while after it was told of it, and where it is refused the scopes by then, it forgets what was open in them.
 */
export class Frames {
  private readonly shown: Numbered<Shown>;
  private readonly plans = new Map<number, readonly FramePlan[]>();

  constructor(
    private readonly open: OpenTrace,
    private readonly sources: Sources,
    numbers: Numbers,
  ) {
    this.shown = new Numbered(numbers);
  }

  /** Frames of a thread. With `levels` only so many from `start` on. */
  of(thread: number, start = 0, levels = 0): DebugProtocol.StackTraceResponse['body'] {
    if (thread === MORE) {
      const { event } = this.open.cursor;
      const id = this.add(event);
      const name = 'more requests in flight than are listed: go to one of them';
      const { source, line } = this.place(event);
      const frame = { id, name, source, line, column: 1, presentationHint: 'label' as const };
      return { stackFrames: start > 0 ? [] : [frame], totalFrames: 1 };
    }
    checkThread(thread, this.open);
    const event = this.eventOf(thread);
    if (event < 0) return this.nothing(start);
    let plan = this.plans.get(event);
    if (plan === undefined) {
      plan = this.plan(event);
      this.plans.set(event, plan);
    }
    const end = levels > 0 ? start + levels : plan.length;
    const stackFrames = plan.slice(start, end).map(({ event: of, name, place, subtle }) => {
      const id = this.add(of);
      const frame: DebugProtocol.StackFrame = { id, name, source: place.source, line: place.line, column: 1 };
      return subtle ? { ...frame, presentationHint: 'subtle' as const } : frame;
    });
    return { stackFrames, totalFrames: plan.length };
  }

  /** A trace without events still shows its text: without a frame VS Code shows nothing at all. */
  private nothing(start: number): DebugProtocol.StackTraceResponse['body'] {
    const id = this.add(-1);
    const { source, line } = this.sources.beginning();
    const frame = { id, name: 'no events', source, line, column: 1 };
    return { stackFrames: start > 0 ? [] : [frame], totalFrames: 1 };
  }

  /** Whether a frame is one of the run before a restart. */
  isBefore(frame: number | undefined): boolean {
    return frame !== undefined && this.shown.isBefore(frame);
  }

  /** The event of a frame and the focus when it was given out; the cursor's without a frame, undefined for a frame of long ago. */
  shownBy(frame: number | undefined): Shown | undefined {
    if (frame !== undefined) return this.shown.get(frame);
    const { event, request } = this.open.cursor;
    return { event, focus: request };
  }

  /** The event at which a thread stands: the last one of its request so far. */
  eventOf(thread: number): number {
    const { cursor, requests } = this.open;
    const row = requestOfThread(thread, this.open);
    if (row === undefined) return cursor.event;
    const list = requests.events(row);
    const k = indexAfter(list, cursor.event) - 1;
    return k >= 0 ? list[k] : cursor.event;
  }

  /** Looks up the places of frames anew; ids stay. */
  refresh(): void {
    this.plans.clear();
  }

  /** A stop has come: frames of the stops long before it are forgotten. */
  turn(): void {
    this.shown.turn();
    this.plans.clear();
  }

  private add(event: number): number {
    return this.shown.add({ event, focus: this.open.cursor.request });
  }

  /** The line of the pseudo-code that stands for an event, else that of the trace text. */
  private place(event: number): Place {
    return this.sources.ofName(this.open.trace.nameOf(event)) ?? this.sources.ofEvent(event);
  }

  private plan(event: number): FramePlan[] {
    const { open, sources } = this;
    const { trace } = open;
    const plans: FramePlan[] = [];
    const chain = open.causes.chain(event);
    // where the thread of an SQPOLL ring takes an SQE, nothing leads from its request to the line that filled it
    const told = chain.some((e) => trace.nameOf(e) === 'session_command');
    const sqes = told ? [] : chain.map((e) => open.sqeOf(e));
    for (const [k, e] of chain.entries()) {
      const task = trace.taskOf(trace.task[e]);
      const name = `${trace.nameOf(e)} · ${task.comm}-${task.pid}`;
      const code = sources.ofName(trace.nameOf(e));
      const text = sources.ofEvent(e);
      const line = open.sessionLines.lineOf(e);
      const session = line === undefined ? undefined : sources.ofSession(line);
      if (e === event) {
        plans.push({ event: e, name, place: code ?? text, subtle: false });
        if (code !== undefined) plans.push({ event: e, name: `event ${e}`, place: text, subtle: true });
        if (session !== undefined)
          plans.push({ event: e, name: this.said(e), place: session, subtle: false });
      } else if (session !== undefined) {
        plans.push({ event: e, name: this.said(e), place: session, subtle: false });
      } else {
        plans.push({ event: e, name, place: code ?? text, subtle: false });
      }
      // a request is asked for by its SQE, below the last that the chain has of it
      const sqe = sqes[k];
      const asked = sqe && !sqes.includes(sqe, k + 1) ? sources.ofSession(sqe.line) : undefined;
      if (sqe && asked) plans.push({ event: sqe.event, name: sqe.label, place: asked, subtle: false });
    }
    return plans;
  }

  /** What the session asked for, in its own words. */
  private said(event: number): string {
    const { trace } = this.open;
    if (trace.nameOf(event) === 'session_command') return trace.str(event, 'text') ?? 'session_command';
    const at = `${trace.num(event, 'offset')} + ${trace.num(event, 'length')}`;
    return `${trace.str(event, 'op') ?? 'I/O'} ${at}`;
  }
}
