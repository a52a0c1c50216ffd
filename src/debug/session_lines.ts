import type { Trace } from '../trace/trace';
import type { SqeLines } from './ring_lines';

const NAMES = ['session_command', 'app_io_submit'] as const;

/**
 * Which lines of the session brought about which events: commands that start, and I/Os that clients ask for. Of a ring program, and of a
 * session that runs as one: the first event of each SQE's request, too.
 */
export class SessionLines {
  private readonly byEvent: ReadonlyMap<number, SqeLines>;
  private byLine: ReadonlyMap<number, readonly number[]> | undefined;

  constructor(
    private readonly trace: Trace,
    /** SQEs of a ring program, or of a session that runs as one. */
    private readonly sqes: readonly SqeLines[] = [],
  ) {
    this.byEvent = new Map(
      sqes.flatMap((sqe) => [sqe.filled ?? [], sqe.event].flat().map((event) => [event, sqe] as const)),
    );
  }

  /** Events of a line that say so themselves, in order; empty for a line that did nothing or in a recording. */
  events(line: number): readonly number[] {
    return this.index().get(line) ?? [];
  }

  /** Where the request of an SQE begins; else where the command of a line starts; the I/Os of the line where the trace does not tell. */
  starts(line: number): readonly number[] {
    const events = this.events(line);
    const requests = events.filter((event) => this.byEvent.has(event));
    if (requests.length > 0) return requests;
    const starts = events.filter((event) => this.trace.nameOf(event) === 'session_command');
    return starts.length > 0 ? starts : events;
  }

  /** First event of a line, of the SQE around it, or of the nearest line below it that has one; undefined beyond the last. */
  first(line: number): { readonly line: number; readonly event: number } | undefined {
    const around = this.sqes.findLast((sqe) => sqe.line <= line && line <= sqe.endLine);
    if (around !== undefined && !this.index().has(line))
      return { line: around.line, event: this.events(around.line)[0] };
    let best: number | undefined;
    for (const known of this.index().keys())
      if (known >= line && (best === undefined || known < best)) best = known;
    return best === undefined ? undefined : { line: best, event: this.events(best)[0] };
  }

  /** Lines that have events, ascending. */
  lines(): number[] {
    return [...this.index().keys()].sort((a, b) => a - b);
  }

  /** The line that event i names; undefined for an event without one. */
  lineOf(event: number): number | undefined {
    return (NAMES as readonly string[]).includes(this.trace.nameOf(event))
      ? this.trace.num(event, 'line')
      : undefined;
  }

  /** The SQE whose request begins with event i. */
  sqeAt(event: number): SqeLines | undefined {
    return this.byEvent.get(event);
  }

  private index(): ReadonlyMap<number, readonly number[]> {
    if (this.byLine !== undefined) return this.byLine;
    const { trace } = this;
    const wanted = new Uint8Array(trace.shapes.size);
    for (let id = 0; id < wanted.length; id++) {
      const { name, fields } = trace.shapes.get(id);
      if ((NAMES as readonly string[]).includes(name) && fields.has('line')) wanted[id] = 1;
    }
    const byLine = new Map<number, number[]>();
    for (const { line, event } of this.sqes) byLine.set(line, [...(byLine.get(line) ?? []), event]);
    for (let i = 0; i < trace.length; i++) {
      if (wanted[trace.shape[i]] === 0) continue;
      const line = trace.num(i, 'line') ?? 0;
      const events = byLine.get(line);
      if (events === undefined) byLine.set(line, [i]);
      else events.push(i);
    }
    this.byLine = byLine;
    return byLine;
  }
}
