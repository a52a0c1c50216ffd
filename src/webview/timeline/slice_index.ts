import type { Slice } from '../protocol_data';

/** Spans, marks and counters of a slice by track, each in the order of time. */
export interface SliceIndex {
  readonly slice: Slice;
  readonly spans: Buckets;
  readonly marks: Buckets;
  readonly counters: Buckets;
}

/** Item numbers grouped by a key: `items[starts[key]]` up to `items[starts[key + 1]]`. */
export interface Buckets {
  readonly starts: Uint32Array;
  readonly items: Uint32Array;
}

/** Groups items by track and orders them by row and time; linear where the host already sends them in order. */
export function indexSlice(slice: Slice, tracks: number): SliceIndex {
  const { spans, marks, counters } = slice;
  return {
    slice,
    spans: buckets(
      spans.track,
      tracks,
      (a, b) => spans.row[a]! - spans.row[b]! || spans.start[a]! - spans.start[b]!,
    ),
    marks: buckets(marks.track, tracks, (a, b) => marks.time[a]! - marks.time[b]!),
    counters: buckets(counters.track, tracks, (a, b) => counters.time[a]! - counters.time[b]!),
  };
}

function buckets(keys: Uint32Array, count: number, compare: (a: number, b: number) => number): Buckets {
  const starts = new Uint32Array(count + 1);
  for (const key of keys) if (key < count) starts[key + 1]!++;
  for (let k = 0; k < count; k++) starts[k + 1]! += starts[k]!;
  const next = starts.slice(0, count);
  const items = new Uint32Array(starts[count]!);
  for (let k = 0; k < keys.length; k++) {
    const key = keys[k]!;
    if (key < count) items[next[key]!++] = k;
  }
  for (let k = 0; k < count; k++) {
    const from = starts[k]!;
    const to = starts[k + 1]!;
    for (let i = from + 1; i < to; i++) {
      if (compare(items[i - 1]!, items[i]!) > 0) {
        items.subarray(from, to).sort(compare);
        break;
      }
    }
  }
  return { starts, items };
}

/** First position in a bucket whose time is at least `time`, by binary search over ascending times. */
export function firstFrom(
  items: Uint32Array,
  times: Float64Array,
  time: number,
  from: number,
  to: number,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[items[middle]!]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Calls back with every span of a track that overlaps the times, row by row. */
export function eachSpan(
  index: SliceIndex,
  track: number,
  from: number,
  to: number,
  visit: (span: number) => void,
): void {
  const { row, start, end } = index.slice.spans;
  const { starts, items } = index.spans;
  let at = starts[track]!;
  const stop = starts[track + 1]!;
  while (at < stop) {
    const here = row[items[at]!]!;
    let next = at;
    // Rows of a track are few; the spans of one do not overlap, so their ends ascend as well.
    next = rowEnd(items, row, here, at, stop);
    for (let k = firstFrom(items, end, from, at, next); k < next; k++) {
      const span = items[k]!;
      if (start[span]! > to) break;
      visit(span);
    }
    at = next;
  }
}

function rowEnd(items: Uint32Array, row: Uint16Array, here: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (row[items[middle]!]! <= here) low = middle + 1;
    else high = middle;
  }
  return low;
}
