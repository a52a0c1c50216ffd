import type { OpenTrace } from '../../../src/debug/model';
import { Slicer } from '../../../src/view/slice';
import type { Timeline } from '../../../src/view/timeline';
import type { TraceSummary } from '../../../src/webview/protocol';

/** Tracks of the made-up trace. */
const TAGS = 64;

/** Intervals of a made-up trace: five phases after each other per request, requests back to back on 64 tags. */
export interface Intervals {
  readonly track: Uint32Array;
  readonly kind: Uint8Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** First interval of each track. */
  readonly at: Uint32Array;
  readonly length: number;
}

/** A small generator with a fixed seed, so that every run and every peer draws the same. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function makeIntervals(count: number): Intervals {
  const next = random(7);
  const perTag = Math.ceil(count / TAGS);
  const track = new Uint32Array(count);
  const kind = new Uint8Array(count);
  const start = new Float64Array(count);
  const end = new Float64Array(count);
  const at = new Uint32Array(TAGS + 1);
  const lengths = [3000, 400, 1500, 90_000, 700];
  let k = 0;
  let length = 0;
  for (let tag = 0; tag < TAGS; tag++) {
    at[tag] = k;
    let time = Math.floor(next() * 50_000);
    for (let i = 0; i < perTag && k < count; i++, k++) {
      const phase = i % 5;
      if (phase === 0) time += Math.floor(next() * 20_000);
      track[k] = tag;
      kind[k] = phase;
      start[k] = time;
      time += Math.ceil(lengths[phase]! * (0.3 + next() * 1.4));
      end[k] = time;
    }
    length = Math.max(length, time);
  }
  at[TAGS] = k;
  return { track, kind, start, end, at, length };
}

/** The intervals behind the level of detail of the real host. */
export function hostOf(intervals: Intervals): { slicer: Slicer; summary: TraceSummary } {
  const { kind, start, end, at, length } = intervals;
  const count = kind.length;
  const ids = Array.from({ length: TAGS }, (_, k) => k);
  const tracks = {
    kind: ids.map(() => 'tag' as const),
    group: ids.map((k) => `ublkb0 queue ${Math.floor(k / 16)}`),
    name: ids.map((k) => `tag ${k % 16}`),
    key: ids.map((k) => `ublkb0/${Math.floor(k / 16)}/${k % 16}`),
    rows: ids.map(() => 1),
    max: ids.map(() => 0),
  };
  const event = Int32Array.from(kind, (_, k) => k);
  const request = Int32Array.from(kind, (_, k) => Math.floor(k / 5));
  // Only what the level of detail looks at.
  const timeline = {
    tracks,
    lanes: { all: [] },
    counters: [],
    lineOf: Uint32Array.from({ length: TAGS + 1 }, (_, k) => k),
    spans: { at, kind, start, end, event, request },
    marks: { at: new Uint32Array(TAGS + 1), list: new Uint32Array(0), kind: () => 0 },
    times: { start: 0, length, at: (i: number) => start[i], firstAt: () => 0 },
  } as unknown as Timeline;
  const open = {
    trace: { nameOf: () => 'event' },
    requests: {
      op: (row: number) => (row % 3 === 0 ? 'WRITE' : 'READ'),
      size: { [Symbol.iterator]: undefined } as unknown as Float64Array,
      requestOf: (k: number) => Math.floor(k / 5),
    },
  } as unknown as OpenTrace;
  Object.assign(open.requests, { size: new Float64Array(Math.ceil(count / 5)).fill(4096) });
  const summary: TraceSummary = {
    uri: 'bench',
    name: 'bench',
    kernel: 'made up',
    events: count,
    requests: Math.ceil(count / 5),
    start: 0,
    length,
    simulated: true,
    warnings: [],
    totals: { copied: 0, sqes: 0, cqes: 0, punts: 0 },
    tracks,
  };
  return { slicer: new Slicer(open, timeline), summary };
}
