import type { Sliced } from '../trace/slices';
import type { Trace } from '../trace/trace';

/** Events of one slice. */
const SLICE = 1 << 13;

/** What the links have to know of the events of one text form. */
export interface LinkRole {
  readonly name: string;
  /** Name of the call that the event ends; empty where it ends none. */
  readonly ends: string;
  /** The event begins a call whose end the trace shows. */
  readonly opens: boolean;
  /** The event begins a context, or stands for a request that is being submitted: what follows in its task is in its course. */
  readonly bounds: boolean;
}

/** For each event the one before it in its task, and the call or context in whose course it happened. */
export class CauseLinks {
  /** The event before in the same task, -1 for none. */
  readonly previous: Int32Array;
  /** The innermost call that is open, or the beginning of the context or submission, before an event in its task; -1 for none. */
  readonly around: Int32Array;
  /** Events with one of the names that are looked for by themselves, in order. */
  private readonly listed = new Map<string, number[]>();
  private readonly seen: (Uint8Array | undefined)[] = [];

  private constructor(
    private readonly trace: Trace,
    listed: readonly string[],
  ) {
    this.previous = new Int32Array(trace.length);
    this.around = new Int32Array(trace.length);
    for (const name of listed) this.listed.set(name, []);
  }

  /** Links all events of a trace. `roles` are by id of the text form; events named in `listed` are listed. */
  static *build(
    trace: Trace,
    roles: (shape: number) => LinkRole,
    listed: readonly string[],
  ): Sliced<CauseLinks> {
    const links = new CauseLinks(trace, listed);
    const last = new Int32Array(trace.taskCount + 1).fill(-1);
    yield 0;
    const known = Array.from({ length: trace.shapes.size }, (_, id) => roles(id));
    yield 0;
    for (let from = 0; from < trace.length; from += SLICE) {
      links.pass(from, Math.min(trace.length, from + SLICE), last, known);
      yield from / trace.length;
    }
    return links;
  }

  /** Events of a listed name, in order. */
  all(name: string): readonly number[] {
    return this.listed.get(name) ?? [];
  }

  /** Whether a task has events of a text form. */
  has(task: number, shape: number): boolean {
    return this.seen[task]?.[shape] === 1;
  }

  private pass(from: number, to: number, last: Int32Array, roles: readonly LinkRole[]): void {
    const { previous, around, seen, listed } = this;
    const { shape, task: tasks } = this.trace;
    for (let e = from; e < to; e++) {
      const task = Math.min(tasks[e], last.length - 1);
      const p = last[task];
      last[task] = e;
      previous[e] = p;
      let forms = seen[task];
      if (forms === undefined) {
        forms = new Uint8Array(roles.length);
        seen[task] = forms;
      }
      const role = roles[shape[e]];
      if (forms[shape[e]] === 0) forms[shape[e]] = 1;
      listed.get(role.name)?.push(e);
      if (p < 0) {
        around[e] = -1;
        continue;
      }
      const before = roles[shape[p]];
      if (before.ends !== '') {
        const open = around[p];
        const matches = open >= 0 && roles[shape[open]].opens && roles[shape[open]].name === before.ends;
        around[e] = matches ? around[open] : open;
      } else {
        around[e] = before.opens || before.bounds ? p : around[p];
      }
    }
  }
}
