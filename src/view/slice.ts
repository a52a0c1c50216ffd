import type { OpenTrace } from '../debug/model';
import { sizeText } from '../debug/request_label';
import { SPAN_KINDS, type Slice } from '../webview/protocol_data';
import { english, type Translate } from './machine_names';
import { above, atOrAbove, atOrAboveNear } from './spans';
import { CounterColumns, Labels, MarkColumns, SpanColumns } from './slice_columns';
import type { Timeline } from './timeline';

/** Most entries of one answer, which keep it below 2 MB. */
export const MOST = { spans: 24_000, marks: 16_384, counters: 8192, tracks: 16_384 } as const;
/** A span narrower than this many pixels has no label. */
const LABEL_PIXELS = 16;
/** So many spans of a run are looked at for what it is mostly. */
const LOOK = 64;
const MERGED = SPAN_KINDS.indexOf('merged');

/** What is asked for, with the limits of the trace applied. */
interface Window {
  readonly from: number;
  readonly to: number;
  /** What lies closer together than this is one, ns. */
  readonly pixel: number;
}

/** The answer would be too large at this resolution. */
class TooMany extends Error {}

/** Answers what of a timeline lies in a range of time; costs as much as there are pixels and tracks, not as there are events. */
export class Slicer {
  /** Time of each kind in the run that is looked at. */
  private readonly times = new Float64Array(SPAN_KINDS.length);

  private readonly columns = {
    spans: new SpanColumns(MOST.spans),
    marks: new MarkColumns(MOST.marks),
    counters: new CounterColumns(MOST.counters),
  };

  constructor(
    private readonly open: OpenTrace,
    private readonly timeline: Timeline,
    private readonly t: Translate = english,
  ) {}

  /**
   * Spans, marks and counter steps of some tracks. What is narrower than a pixel is merged; where that is still too much for
   * one answer the pixel grows (`nsPerPixel` of the answer tells).
   * @throws RangeError for numbers that are no range, and for more tracks than an answer has room for.
   */
  slice(from: number, to: number, nsPerPixel: number, tracks: readonly number[]): Slice {
    if (!(from <= to) || !Number.isFinite(from) || !Number.isFinite(to))
      throw new RangeError('no range of time');
    if (tracks.length > MOST.tracks) throw new RangeError(`at most ${MOST.tracks} tracks at once`);
    const asked = Number.isFinite(nsPerPixel) && nsPerPixel > 0 ? nsPerPixel : 0;
    let pixel = asked * Math.max(1, this.crowding({ from, to, pixel: asked }, tracks));
    for (;;) {
      const flat = pixel > to - from;
      try {
        return this.at({ from, to, pixel }, tracks, flat);
      } catch (error) {
        if (!(error instanceof TooMany)) throw error;
        if (flat) throw new RangeError('too many tracks at once');
        pixel = Math.max(pixel * 2, (to - from) / 8192, 1e-6);
      }
    }
  }

  /**
   * How many times a pixel has to grow for an answer to hold what there is, if every pixel of every line with that many spans and
   * marks had one of each: saves attempts that end in {@link TooMany}.
   */
  private crowding({ from, to, pixel }: Window, tracks: readonly number[]): number {
    if (pixel === 0) return 0;
    const { spans, marks, lineOf, times } = this.timeline;
    const [first, last] = [times.firstAt(from), times.firstAt(Math.floor(to) + 1)];
    const ofSpans: number[] = [];
    const ofMarks: number[] = [];
    for (const track of tracks) {
      for (let line = lineOf[track]; line < lineOf[track + 1]; line++) {
        const [low, high] = [spans.at[line], spans.at[line + 1]];
        ofSpans.push(above(spans.start, to, low, high) - atOrAbove(spans.end, from, low, high));
      }
      const [low, high] = [marks.at[track], marks.at[track + 1]];
      ofMarks.push(atOrAbove(marks.list, last, low, high) - atOrAbove(marks.list, first, low, high));
    }
    const pixels = (to - from) / pixel;
    return Math.max(crowdingOf(ofSpans, pixels, MOST.spans), crowdingOf(ofMarks, pixels, MOST.marks));
  }

  private at(window: Window, tracks: readonly number[], flat: boolean): Slice {
    const { kind } = this.timeline.tracks;
    const labels = new Labels();
    const { spans, marks, counters } = this.columns;
    for (const part of [spans, marks, counters]) part.clear();
    for (const track of new Set(tracks)) {
      if (kind[track] === undefined) continue;
      if (kind[track] === 'counter') this.counter(window, track, counters);
      else {
        this.spans(window, track, flat, spans, labels);
        this.marks(window, track, marks, labels);
      }
      if (spans.full || marks.full || counters.full) throw new TooMany();
    }
    return {
      from: window.from,
      to: window.to,
      nsPerPixel: window.pixel,
      spans: spans.done(),
      marks: marks.done(),
      counters: counters.done(),
      labels: labels.all,
    };
  }

  private spans(window: Window, track: number, flat: boolean, out: SpanColumns, labels: Labels): void {
    const { lineOf, spans } = this.timeline;
    const first = lineOf[track];
    const last = lineOf[track + 1];
    if (flat && last - first > 1) {
      this.flat(window, track, out);
      return;
    }
    for (let line = first; line < last; line++) {
      const high = spans.at[line + 1];
      let k = atOrAbove(spans.end, window.from, spans.at[line], high);
      while (k < high && spans.start[k] <= window.to) {
        if (out.full) return;
        const next = this.runEnd(k, high, window);
        const single = next === k + 1;
        const kind = single ? spans.kind[k] : this.mostlyKind(k, next);
        const wide = single && spans.end[k] - spans.start[k] >= window.pixel * LABEL_PIXELS;
        const label = wide ? labels.of(this.spanText(track, k)) : 0;
        out.add(
          track,
          line - first,
          kind,
          spans.start[k],
          spans.end[next - 1],
          spans.event[k],
          spans.request[k],
          next - k,
          label,
        );
        k = next;
      }
    }
  }

  /** End of the run of narrow spans that begins with span k: they start within one pixel, and none of them is a pixel wide. */
  private runEnd(k: number, high: number, { pixel, to }: Window): number {
    const { start, end } = this.timeline.spans;
    if (end[k] - start[k] >= pixel) return k + 1;
    let next = atOrAboveNear(start, start[k] + pixel, k + 1, high);
    if (start[next - 1] > to) next = above(start, to, k + 1, next);
    // spans of a line do not overlap, so only the last one of them can be wide
    if (next - k > 1 && end[next - 1] - start[next - 1] >= pixel) next--;
    return next;
  }

  /** The kind that takes more than half of the time of a run, as far as its first spans tell; merged where none does. */
  private mostlyKind(from: number, to: number): number {
    const { kind, start, end } = this.timeline.spans;
    const { times } = this;
    times.fill(0);
    let all = 0;
    for (let k = from; k < Math.min(to, from + LOOK); k++) {
      const time = end[k] - start[k];
      times[kind[k]] += time;
      all += time;
    }
    if (all === 0) return kind[from];
    const most = times.findIndex((time) => time > all / 2);
    return most < 0 ? MERGED : most;
  }

  /** All rows of a track as one span: the last resort where rows are more than an answer holds. */
  private flat({ from, to }: Window, track: number, out: SpanColumns): void {
    const { lineOf, spans } = this.timeline;
    let [count, start, end, event, request] = [0, Infinity, -Infinity, -1, -1];
    for (let line = lineOf[track]; line < lineOf[track + 1]; line++) {
      const high = spans.at[line + 1];
      const k = atOrAbove(spans.end, from, spans.at[line], high);
      const next = above(spans.start, to, k, high);
      if (next <= k) continue;
      count += next - k;
      if (spans.start[k] < start) {
        start = spans.start[k];
        event = spans.event[k];
        request = spans.request[k];
      }
      end = Math.max(end, spans.end[next - 1]);
    }
    if (count > 0) out.add(track, 0, MERGED, start, end, event, request, count, 0);
  }

  private marks(window: Window, track: number, out: MarkColumns, labels: Labels): void {
    const { marks, times } = this.timeline;
    const { trace, requests } = this.open;
    const high = marks.at[track + 1];
    const end = atOrAbove(marks.list, times.firstAt(Math.floor(window.to) + 1), marks.at[track], high);
    let k = atOrAbove(marks.list, times.firstAt(window.from), marks.at[track], high);
    let run = 0;
    while (k < end && !out.full) {
      const event = marks.list[k];
      const time = times.at(event);
      const next = window.pixel > 0 ? times.firstIn(marks.list, time + window.pixel, k + 1, end, run) : k + 1;
      run = next - k - 1;
      const label = next === k + 1 ? labels.of(trace.nameOf(event)) : 0;
      out.add(track, 0, marks.kind(k, next), time, event, requests.requestOf(event), next - k, label);
      k = next;
    }
  }

  private counter({ from, to, pixel }: Window, track: number, out: CounterColumns): void {
    const counter = this.timeline.counters[track - this.timeline.lanes.all.length];
    const { time, value, low, high } = counter;
    const first = above(time, from, 0, time.length) - 1;
    // what holds at the left edge
    if (first >= 0) out.add(track, time[first], value[first], value[first], value[first]);
    let k = first + 1;
    while (k < time.length && time[k] <= to && !out.full) {
      const next = pixel > 0 ? atOrAboveNear(time, time[k] + pixel, k + 1, time.length) : k + 1;
      out.add(track, time[k], value[next - 1], low.best(k, next), high.best(k, next));
      k = next;
    }
  }

  private spanText(track: number, k: number): string {
    const { tracks, spans } = this.timeline;
    const { trace, requests } = this.open;
    const row = spans.request[k];
    if (tracks.kind[track] === 'tag' && row >= 0) {
      const size = requests.size[row];
      return Number.isNaN(size) || size === 0 ? requests.op(row) : `${requests.op(row)} ${sizeText(size)}`;
    }
    const name = trace.nameOf(spans.event[k]);
    // what a worker did last before it waits says nothing of the wait
    if (SPAN_KINDS[spans.kind[k]] === 'waiting' && !SLEEPS.has(name)) return this.t('waits for work');
    return callName(name);
  }
}

/** By how much the pixels must be fewer for lines with these counts, one entry per pixel at most, to have at most `most` entries. */
function crowdingOf(counts: readonly number[], pixels: number, most: number): number {
  let factor = 1;
  for (let tries = 0; tries < 8; tries++) {
    const total = counts.reduce((sum, count) => sum + Math.min(count, pixels / factor), 0);
    if (total <= most) break;
    // lines with few entries keep them all, so one step is not enough
    factor *= total / most;
  }
  return factor;
}

/** Events with which a task says itself what it waits for. */
const SLEEPS: ReadonlySet<string> = new Set(['io_uring_cqring_wait', 'wait_for_space']);

/** Name of the call that an event begins. */
function callName(name: string): string {
  return name.replace(/^sys_enter_/, '');
}
