import type { OpenTrace } from '../debug/model';
import type { Sliced } from '../trace/slices';
import type { ContextKind, TrackKind, Tracks } from '../webview/protocol_data';
import { findLanes, type Lanes } from './contexts';
import { buildCounters, type Counter } from './counters';
import { LANE_ROWS, laneSpans } from './lane_spans';
import { english, type Translate } from './machine_names';
import { groupEvents, Marks, rankEvents, rankViolations } from './marks';
import { Phases } from './phases';
import type { Spans } from './spans';
import { TAG_ROWS, tagSpans, tagTracks, type TagTracks } from './tag_tracks';
import { Times } from './times';

/** Events between two looks at the clock. */
const SLICE = 2048;

/** Heading of the lanes of a kind of contexts. */
function groupOf(kind: ContextKind, t: Translate): string {
  switch (kind) {
    case 'client':
      return t('Clients');
    case 'kworker':
      return t('Kernel workers');
    case 'daemon':
      return t('Daemon threads');
    case 'io-wq':
      return t('io-wq workers');
    case 'interrupt':
      return t('Interrupts');
    case 'other':
      return t('Other tasks');
  }
}

/** Broken rules became known: their events get the weight of violations. */
export function* markViolations(timeline: Timeline, events: Iterable<number>): Sliced<void> {
  rankViolations(timeline.ranks, events);
  const { at, list } = timeline.marks;
  timeline.marks = yield* Marks.build(at, list, timeline.ranks, SLICE);
}

/** Everything that the timeline draws of one trace, in typed columns. Tracks are the lanes of contexts, then counters, then tags. */
export interface Timeline {
  readonly times: Times;
  readonly tracks: Tracks;
  readonly lanes: Lanes;
  readonly phases: Phases;
  readonly counters: readonly Counter[];
  /** First track of the tags. */
  readonly firstTag: number;
  /** Track of the tag of each request, counted from `firstTag`. */
  readonly tagOf: Uint32Array;
  /** First line of each track; a line is one row of it. Counters have none. */
  readonly lineOf: Uint32Array;
  readonly spans: Spans;
  /** Marks of all tracks; those of counters are empty. */
  marks: Marks;
  /** Weight of each event as {@link rankEvents} gives it. */
  readonly ranks: Uint8Array;
}

/** Passes on the slices of one part, which is the share `from` to `to` of the whole. */
function* part<T>(work: Sliced<T>, from: number, to: number): Sliced<T> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    yield from + (to - from) * step.value;
  }
}

/** Builds the timeline of a trace, a few milliseconds at a time. */
export function* buildTimeline(open: OpenTrace, t: Translate = english): Sliced<Timeline> {
  const { trace, requests } = open;
  const times = new Times(trace);
  yield 0.02;
  const lanes = yield* part(findLanes(trace, requests, t, SLICE), 0.02, 0.08);
  const requestOf = (event: number): number => requests.requestOf(event);
  const running = yield* part(laneSpans(trace, times, lanes, requestOf, SLICE), 0.08, 0.25);
  const phases = new Phases(requests, times);
  yield* part(phases.build(trace, lanes, SLICE), 0.25, 0.35);
  const tags = tagTracks(requests, t);
  yield 0.36;
  const held = yield* part(tagSpans(requests, phases, tags, SLICE), 0.36, 0.45);
  const counters = yield* part(buildCounters(trace, requests, times, t, SLICE), 0.45, 0.8);
  const ranks = yield* part(rankEvents(trace, SLICE), 0.8, 0.84);
  rankViolations(ranks, evidence(open));
  const firstTag = lanes.all.length + counters.length;
  const total = firstTag + tags.all.length;
  const laneMarks = yield* part(groupEvents(trace.length, lanes.all.length, lanes.of, SLICE), 0.84, 0.9);
  const tagOfEvent = (event: number): number => {
    const row = requests.requestOf(event);
    return row < 0 ? -1 : tags.of[row];
  };
  const tagMarks = yield* part(groupEvents(trace.length, tags.all.length, tagOfEvent, SLICE), 0.9, 0.95);
  const joined = joinMarks(laneMarks, counters.length, tagMarks);
  yield 0.95;
  const marks = yield* part(Marks.build(joined.at, joined.list, ranks, SLICE), 0.95, 0.97);
  yield 0.97;
  const laneRows = rowsUsed(running.lines(), lanes.all.length, LANE_ROWS);
  const lineOf = new Uint32Array(total + 1);
  for (let t = 0; t < total; t++) {
    const rows = t < lanes.all.length ? laneRows[t] : t < firstTag ? 0 : tags.all[t - firstTag].rows;
    lineOf[t + 1] = lineOf[t] + rows;
  }
  yield 0.97;
  const newLine = (line: number, second: boolean): number =>
    second
      ? lineOf[firstTag + Math.floor(line / TAG_ROWS)] + (line % TAG_ROWS)
      : lineOf[Math.floor(line / LANE_ROWS)] + (line % LANE_ROWS);
  const spans = yield* part(running.joined(held, lineOf[total], newLine, SLICE), 0.97, 1);
  return {
    times,
    tracks: columns(lanes, laneRows, counters, tags, t),
    lanes,
    phases,
    counters,
    firstTag,
    tagOf: tags.of,
    lineOf,
    spans,
    marks,
    ranks,
  };
}

/** Events at which a rule was found broken. */
function evidence(open: OpenTrace): number[] {
  return open.violations.map(({ event }) => event);
}

/** Rows that the lines of each track take, at least one. */
function rowsUsed(lines: Iterable<number>, tracks: number, perTrack: number): Uint32Array {
  const rows = new Uint32Array(tracks).fill(1);
  for (const line of lines) {
    const track = Math.floor(line / perTrack);
    rows[track] = Math.max(rows[track], (line % perTrack) + 1);
  }
  return rows;
}

function joinMarks(
  lanes: { at: Uint32Array; list: Uint32Array },
  between: number,
  tags: { at: Uint32Array; list: Uint32Array },
): { at: Uint32Array; list: Uint32Array } {
  const first = lanes.at.length - 1;
  const at = new Uint32Array(first + between + tags.at.length);
  at.set(lanes.at);
  at.fill(lanes.list.length, first, first + between);
  for (let t = 0; t < tags.at.length; t++) at[first + between + t] = lanes.list.length + tags.at[t];
  const list = new Uint32Array(lanes.list.length + tags.list.length);
  list.set(lanes.list);
  list.set(tags.list, lanes.list.length);
  return { at, list };
}

function columns(
  lanes: Lanes,
  laneRows: Uint32Array,
  counters: readonly Counter[],
  tags: TagTracks,
  t: Translate,
): Tracks {
  const kind: TrackKind[] = [];
  const group: string[] = [];
  const name: string[] = [];
  const key: string[] = [];
  const rows: number[] = [];
  const max: number[] = [];
  const add = (...row: [TrackKind, string, string, string, number, number]): void => {
    kind.push(row[0]);
    group.push(row[1]);
    name.push(row[2]);
    key.push(row[3]);
    rows.push(row[4]);
    max.push(row[5]);
  };
  for (const [lane, { kind, name }] of lanes.all.entries())
    add('context', groupOf(kind, t), name, '', laneRows[lane], 0);
  for (const { name, path, max } of counters) add('counter', t('Occupancy'), name, path, 1, max);
  for (const tag of tags.all) add('tag', tag.group, tag.name, tag.key, tag.rows, 0);
  return { kind, group, name, key, rows, max };
}
