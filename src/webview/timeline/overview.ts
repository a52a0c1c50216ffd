import { MARK_KINDS, type Slice, type Tracks } from '../protocol_data';
import type { Overview } from './scene';

/** Most tracks that the minimap counts: contexts, or tags where a recording has none. */
const MOST = 64;

/** The tracks whose events make up the minimap. */
export function overviewTracks(tracks: Tracks): number[] {
  const of = (kind: string): number[] => [...tracks.kind.keys()].filter((id) => tracks.kind[id] === kind);
  const contexts = of('context');
  return (contexts.length > 0 ? contexts : of('tag')).slice(0, MOST);
}

/** Counts what happens in each bin of the whole trace. */
export function overviewOf(slice: Slice, length: number, bins: number): Overview {
  const counts = new Float64Array(bins);
  const errors = new Uint8Array(bins);
  const bin = (time: number): number => Math.max(0, Math.min(bins - 1, Math.floor((time / length) * bins)));
  const { spans, marks } = slice;
  for (let k = 0; k < spans.start.length; k++) counts[bin(spans.start[k]!)]! += spans.count[k]!;
  for (let k = 0; k < marks.time.length; k++) {
    const at = bin(marks.time[k]!);
    counts[at]! += marks.count[k]!;
    const kind = MARK_KINDS[marks.kind[k]!];
    if (kind === 'error' || kind === 'violation') errors[at] = 1;
  }
  let most = 0;
  for (const count of counts) most = Math.max(most, count);
  return { counts, most, errors };
}
