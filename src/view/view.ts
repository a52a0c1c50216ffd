import type { OpenTrace } from '../debug/model';
import type { StackIndex } from '../debug/stack';
import { Steps, type StepKind } from '../debug/steps';
import type { Sliced } from '../trace/slices';
import { ChangeIndex } from '../trace/state';
import { SequenceModel } from './sequence';
import type { Requests, StepName, TraceSummary } from '../webview/protocol';
import type { CursorState, Ties } from '../webview/protocol_data';
import { explain, kernelText } from './explain';
import { find, type Found } from './find';
import { flowOf } from './flow';
import { lastChange } from './last_change';
import { machineView } from './machine';
import type { Translate } from './machine_names';
import { Slicer } from './slice';
import { statistics } from './statistics';
import { tableOf } from './table';
import { tagKey } from './tag_tracks';
import { cursorState } from './texts';
import { tieSlices } from './ties';
import { buildTimeline, markViolations, type Timeline } from './timeline';

/** How the view's steps are called by the debugger, and whether they are about the whole trace whatever is focused. */
export const STEPS: Readonly<Record<StepName, { readonly kind: StepKind; readonly whole: boolean }>> = {
  next: { kind: 'next', whole: true },
  previous: { kind: 'back', whole: true },
  nextOfRequest: { kind: 'next', whole: false },
  previousOfRequest: { kind: 'back', whole: false },
  stepIn: { kind: 'in', whole: false },
  stepOut: { kind: 'out', whole: false },
  first: { kind: 'first', whole: true },
  last: { kind: 'last', whole: true },
  firstOfRequest: { kind: 'first', whole: false },
  lastOfRequest: { kind: 'last', whole: false },
  nextLife: { kind: 'nextLife', whole: false },
};

/** Answers of the requests that a view of one trace makes. */
export type Answers = { [N in keyof Requests]: Requests[N]['answer'] };

/** Prepares a trace for its views, a few milliseconds at a time. */
export function* viewSlices(open: OpenTrace, t: Translate, stack?: StackIndex): Sliced<TraceView> {
  const timeline = yield* buildTimeline(open, t);
  return new TraceView(open, timeline, t, stack, yield* tieSlices(open, timeline));
}

/** One trace as its views see it: what is asked of it, answered from the timeline and the model that the debugger uses too. */
export class TraceView {
  private readonly slicer: Slicer;
  private changes: ChangeIndex | undefined;
  private sequences: SequenceModel | undefined;

  constructor(
    readonly open: OpenTrace,
    readonly timeline: Timeline,
    private readonly t: Translate,
    private readonly stack?: StackIndex,
    private readonly ties?: Ties,
  ) {
    this.slicer = new Slicer(open, timeline, t);
  }

  /** What does not change while the trace is open. `uri` is how the host calls it. */
  summary(uri: string): TraceSummary {
    const { open, timeline } = this;
    const { totals } = open.states.at(open.length - 1);
    const simulated = open.source.kind !== 'text' || open.source.session !== undefined;
    return {
      uri,
      name: open.name,
      kernel: kernelText(open, this.t),
      events: open.length,
      requests: open.requests.length,
      start: timeline.times.start,
      length: timeline.times.length,
      simulated,
      warnings: warnings(open, this.t),
      totals: {
        // A recording without a probe on the copies says nothing of them.
        copied: simulated || totals.copies > 0 ? (totals.copiedBytes ?? undefined) : undefined,
        sqes: totals.sqes,
        cqes: totals.cqes,
        punts: totals.punts,
      },
      tracks: timeline.tracks,
      ...(this.ties === undefined ? {} : { ties: this.ties }),
    };
  }

  /** A request on the tag of a key, such as `ublkb0/0/3`; -1 where the trace has none. */
  requestOnTag(key: string): number {
    const track = this.timeline.tracks.key.indexOf(key);
    if (track < 0 || this.timeline.tracks.kind[track] !== 'tag') return -1;
    const { requests } = this.open;
    for (let row = 0; row < requests.length; row++) if (tagKey(requests, row) === key) return row;
    return -1;
  }

  /** The cursor as every face shows it. */
  cursor(): CursorState {
    const { times, lanes } = this.timeline;
    const state = cursorState(this.open, times, this.t);
    return state.event < 0 ? state : { ...state, lane: lanes.of(state.event) };
  }

  slice(ask: Requests['slice']['ask']): Answers['slice'] {
    return this.slicer.slice(ask.from, ask.to, ask.nsPerPixel, ask.tracks);
  }

  flow(request: number): Answers['flow'] {
    return flowOf(this.open, this.timeline, request);
  }

  /** Counts in slices. */
  statistics({ from, to, tracks }: Requests['statistics']['ask']): Sliced<Answers['statistics']> {
    return statistics(this.open, this.timeline, from, to, tracks);
  }

  table(ask: Requests['table']['ask']): Answers['table'] {
    return tableOf(this.open, this.timeline.times, ask, this.t);
  }

  /** Searches in slices. */
  search({ query, from, backwards }: Requests['search']['ask']): Sliced<Found> {
    return find(this.open, query, from, backwards);
  }

  explain(event: number): Answers['explain'] {
    return explain(this.open, this.timeline, event, this.stack, this.t);
  }

  sequence({ around, count, request }: Requests['sequence']['ask']): Answers['sequence'] {
    this.sequences ??= new SequenceModel(this.open, this.timeline.lanes, this.t);
    return this.sequences.view(around, count, request);
  }

  machine(event: number): Answers['machine'] {
    return machineView(this.open, event, this.open.cursor.request ?? -1, this.t);
  }

  /** What changed a part of the machine last; looks for it in slices. */
  lastChange(ask: Requests['lastChange']['ask']): Sliced<Answers['lastChange']> {
    this.changes ??= new ChangeIndex(this.open.states);
    return lastChange(this.open, this.changes, ask, this.t);
  }

  /**
   * Where a step of the view leads from the cursor. `kind` is what a debugger that shows the trace calls it; undefined for steps
   * through the whole trace beside a focused request, which no debugger makes.
   */
  step(name: StepName): {
    readonly event: number;
    readonly request: number | undefined;
    readonly kind: StepKind | undefined;
  } {
    const { cursor } = this.open;
    const { kind, whole } = STEPS[name];
    const steps = new Steps(this.open);
    const own = this.open.requests.requestOf(cursor.event);
    const focus = cursor.request ?? (name.endsWith('OfRequest') && own >= 0 ? own : undefined);
    if (focus === undefined && name === 'nextOfRequest') {
      const event = this.firstOfRequests(cursor.event + 1);
      if (event >= 0) return { event, request: this.open.requests.requestOf(event), kind: undefined };
    }
    const next = steps.step(kind, cursor.event, whole ? undefined : focus);
    // a step through the whole trace keeps the request that is looked at
    if (whole && cursor.request !== undefined)
      return { event: next.event, request: cursor.request, kind: undefined };
    return { ...next, kind: focus === cursor.request ? kind : undefined };
  }

  /** Puts a cursor that nobody has moved where the requests begin, beyond the lines of set-up. */
  begin(by: string): void {
    const { cursor } = this.open;
    const event = cursor.untouched ? this.firstOfRequests(0) : -1;
    if (event > 0) cursor.move(event, undefined, by);
  }

  /** The first event from `from` on that belongs to a request; -1: there is none. */
  firstOfRequests(from: number): number {
    const { open } = this;
    for (let event = from; event < open.length; event++)
      if (open.requests.requestOf(event) >= 0) return event;
    return -1;
  }

  /** Shows the broken rules that were found since the timeline was built. */
  refreshViolations(): Sliced<void> {
    return markViolations(
      this.timeline,
      this.open.violations.map(({ event }) => event),
    );
  }
}

function warnings({ source, trace }: OpenTrace, t: Translate): string[] {
  const said: string[] = [];
  if (source.kind !== 'text') return said;
  const late = trace.notes.filter(({ kind, text }) => kind === 'damaged' && isLate(text));
  if (late.length > 0)
    said.push(
      t(
        '{0} events have times beyond 2^53 ns (104 days of the clock) and are left out, the first in line {1}',
        late.length,
        late[0].line,
      ),
    );
  const other = trace.notes.find(({ kind, text }) => kind === 'damaged' && !isLate(text));
  const firstOther = other?.line ?? source.firstDamaged;
  const rest = source.damaged - late.length;
  if (rest > 0) said.push(t('{0} lines are no events, the first is line {1}', rest, firstOther));
  if (source.unknown > 0) said.push(t('{0} events have names that the schema does not know', source.unknown));
  const lost = Math.max(source.lost, trace.lostEvents());
  if (lost > 0) said.push(t('{0} events were lost by the recorder', lost));
  return said;
}

/** Whether a line that is no event has a time that no number holds to the nanosecond. */
function isLate(text: string): boolean {
  const seconds = /\s(\d+)\.\d+: /.exec(text)?.[1];
  return seconds !== undefined && Number(seconds) * 1e9 >= Number.MAX_SAFE_INTEGER - 1e9;
}
