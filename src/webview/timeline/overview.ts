import { MARK_KINDS, type Slice, type Tracks } from '../protocol_data';
import type { TimeRange } from '../time_range';
import type { Overview } from './scene';

/** Most tracks of a kind that the minimap counts. */
const MOST = 64;

/** The tracks whose events make up the minimap: contexts for the bars, tags to know when requests are under way. */
export function overviewTracks(tracks: Tracks): number[] {
  const of = (kind: string): number[] => [...tracks.kind.keys()].filter((id) => tracks.kind[id] === kind);
  return [...of('context').slice(0, MOST), ...of('tag').slice(0, MOST)];
}

/** Counts what happens in each bin of the whole trace. */
export function overviewOf(slice: Slice, tracks: Tracks, length: number, bins: number): Overview {
  const counts = new Float64Array(bins);
  const requests = new Float64Array(bins);
  const errors = new Uint8Array(bins);
  const bin = (time: number): number => Math.max(0, Math.min(bins - 1, Math.floor((time / length) * bins)));
  const { spans, marks } = slice;
  const of = (track: number): Float64Array => (tracks.kind[track] === 'tag' ? requests : counts);
  for (let k = 0; k < spans.start.length; k++) of(spans.track[k]!)[bin(spans.start[k]!)]! += spans.count[k]!;
  for (let k = 0; k < marks.time.length; k++) {
    const at = bin(marks.time[k]!);
    of(marks.track[k]!)[at]! += marks.count[k]!;
    const kind = MARK_KINDS[marks.kind[k]!];
    if (kind === 'error' || kind === 'violation') errors[at] = 1;
  }
  // A recording may name no contexts at all.
  const bars = counts.some((count) => count > 0) ? counts : requests;
  const most = bars.reduce((high, count) => Math.max(high, count), 0);
  return { counts: bars, requests, most, errors };
}

/** Share of all events that the busy part holds, and the largest part that is worth a look of its own. */
const MOST_EVENTS = 0.95;
const LARGEST_PART = 0.6;

/**
 * The shortest stretch in which nearly everything happens; undefined where that is most of the trace. Traces often begin and
 * end with long silence, in which the interesting part would be a hair line.
 */
export function busyRange({ counts: all, requests }: Overview, length: number): TimeRange | undefined {
  const bins = all.length;
  // What sets up and takes down the device is not what a person opens a trace for.
  const counts = requests.some((count) => count > 0) ? requests : all;
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let sum = 0;
  let from = 0;
  let best: [number, number] | undefined;
  for (let to = 0; to < bins; to++) {
    sum += counts[to]!;
    while (sum - counts[from]! >= total * MOST_EVENTS) sum -= counts[from++]!;
    if (sum >= total * MOST_EVENTS && (best === undefined || to - from < best[1] - best[0]))
      best = [from, to];
  }
  if (best === undefined || best[1] + 1 - best[0] > bins * LARGEST_PART) return undefined;
  const bin = length / bins;
  const air = (best[1] + 1 - best[0]) * bin * 0.05;
  return { from: best[0] * bin - air, to: (best[1] + 1) * bin + air };
}
