import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { OpenTrace } from '../../src/debug/model';
import { MOST, Slicer } from '../../src/view/slice';
import type { Timeline } from '../../src/view/timeline';
import { SPAN_KINDS, type Slice } from '../../src/webview/protocol_data';
import { recording, sample, simulated, timelineOf } from './support';

const SEED = { seed: 20221104 };

interface Case {
  readonly name: string;
  readonly open: () => Promise<OpenTrace>;
}

const CASES: readonly Case[] = [
  { name: 'samples/loop-zc', open: () => sample('loop-zc.ublk') },
  { name: 'samples/loop-copy', open: () => sample('loop-copy.ublk') },
  { name: '6.1 copy', open: () => recording('k6.1-loop-copy-ublksrvold-direct-q1d32') },
  { name: 'RFC zero copy', open: () => recording('rfc-zc-loop-direct-q1d32') },
  { name: '6.18 FUSE', open: () => recording('k6.18-fuse-uring-q4-hp') },
  { name: '7.3 killed daemon', open: () => recording('k7.3-abort-stopped-daemon-loop-kublk') },
];

const sum = (column: Uint32Array): number => column.reduce((a, b) => a + b, 0);

/** Spans of a line that touch a range, found one by one. */
function naive(timeline: Timeline, track: number, from: number, to: number): number {
  const { lineOf, spans } = timeline;
  let count = 0;
  for (let k = spans.at[lineOf[track]!]!; k < spans.at[lineOf[track + 1]!]!; k++)
    if (spans.end[k]! >= from && spans.start[k]! <= to) count++;
  return count;
}

function naiveMarks({ marks, times }: Timeline, track: number, from: number, to: number): number {
  let count = 0;
  for (let k = marks.at[track]!; k < marks.at[track + 1]!; k++) {
    const time = times.at(marks.list[k]!);
    if (time >= from && time <= to) count++;
  }
  return count;
}

function bytesOf(slice: Slice): number {
  const columns = [slice.spans, slice.marks, slice.counters].flatMap((part) => Object.values(part));
  return columns.reduce((all, column) => all + column.byteLength, 0) + JSON.stringify(slice.labels).length;
}

describe.each(CASES)('slices of $name', ({ open }) => {
  let trace: OpenTrace;
  let timeline: Timeline;
  let slicer: Slicer;
  let all: number[];
  beforeAll(async () => {
    trace = await open();
    timeline = timelineOf(trace);
    slicer = new Slicer(trace, timeline);
    all = timeline.tracks.kind.map((_, k) => k);
  });

  it('hold every span and mark of the trace at full zoom', () => {
    const slice = slicer.slice(0, timeline.times.length, 0, all);
    expect(slice.spans.start.length).toBe(timeline.spans.start.length);
    expect([...slice.spans.count].every((count) => count === 1)).toBe(true);
    expect(slice.marks.time.length).toBe(timeline.marks.list.length);
    expect(slice.spans.start.length).toBeGreaterThan(trace.requests.length);
  });

  it('count as many spans and marks as lie in the range, at every zoom', () => {
    const { length } = timeline.times;
    const range = fc.tuple(
      fc.double({ min: -0.1, max: 1.1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    );
    const zoom = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(range, zoom, ([start, width], pixels) => {
        const from = start * length;
        const to = from + width * length;
        const slice = slicer.slice(from, to, ((to - from) / 10) * pixels ** 4, all);
        const tags = all.filter((track) => timeline.tracks.kind[track] !== 'counter');
        expect(sum(slice.spans.count)).toBe(
          tags.reduce((a, track) => a + naive(timeline, track, from, to), 0),
        );
        expect(sum(slice.marks.count)).toBe(
          tags.reduce((a, track) => a + naiveMarks(timeline, track, from, to), 0),
        );
        expect(bytesOf(slice)).toBeLessThan(2_000_000);
      }),
      { ...SEED, numRuns: 60 },
    );
  });

  it('never have more entries of a line than the range has pixels, but for wide spans', () => {
    const { length } = timeline.times;
    const pixel = length / 50;
    const slice = slicer.slice(0, length, pixel, all);
    const lines = new Map<string, number>();
    for (const [k, track] of slice.spans.track.entries()) {
      if (slice.spans.end[k]! - slice.spans.start[k]! >= pixel) continue;
      const key = `${track}/${slice.spans.row[k]}`;
      lines.set(key, (lines.get(key) ?? 0) + 1);
    }
    // one entry a pixel, and one more before each wide span
    for (const count of lines.values()) expect(count).toBeLessThanOrEqual(102);
  });

  it('have spans of a row in order and without overlap', () => {
    const { at, start, end } = timeline.spans;
    for (let line = 0; line + 1 < at.length; line++) {
      for (let k = at[line]! + 1; k < at[line + 1]!; k++)
        expect(start[k]!).toBeGreaterThanOrEqual(end[k - 1]!);
    }
  });

  it('have counters that agree with the state at every event', () => {
    const { tracks, times, counters, lanes } = timeline;
    for (const [k, counter] of counters.entries()) {
      if (counter.path === '') continue;
      expect(tracks.key[lanes.all.length + k]).toBe(counter.path);
      const [, id, field] = counter.path.split(':') as [string, string, string];
      let step = -1;
      for (let i = 0; i < trace.length; i += 7) {
        // several events may stand at one time; the last of them holds
        if (i + 1 < trace.length && times.at(i + 1) === times.at(i)) continue;
        while (step + 1 < counter.time.length && counter.time[step + 1]! <= times.at(i)) step++;
        if (step < 0) continue;
        const state = trace.states.at(i);
        const value = counter.path.startsWith('pipe')
          ? state.pipes.find((pipe) => pipe.id === Number(id))?.occupancy
          : field.startsWith('sq')
            ? state.rings.find((ring) => ring.id === Number(id))?.sq.pending
            : state.rings.find((ring) => ring.id === Number(id))?.cq.ready;
        if (value !== null && value !== undefined) expect([i, counter.value[step]]).toEqual([i, value]);
      }
    }
  });
});

describe('slices of traces at the edges', () => {
  it('say of a worker without an item that it waits for work', async () => {
    const open = await sample('loop-zc.ublk');
    const timeline = timelineOf(open);
    const lane = timeline.lanes.all.findIndex(({ kind }) => kind === 'io-wq');
    const { spans, labels } = new Slicer(open, timeline).slice(0, timeline.times.length, 1, [lane]);
    const said = new Set<string>();
    for (const [k, kind] of spans.kind.entries())
      if (SPAN_KINDS[kind] === 'waiting') said.add(labels[spans.label[k]!]!);
    expect([...said]).toContain('waits for work');
    expect([...said].some((text) => text.startsWith('io_uring_complete'))).toBe(false);
  });

  it('of no events are empty', async () => {
    const open = await simulated('#: seed 7\n');
    const timeline = timelineOf(open);
    const slice = new Slicer(open, timeline).slice(
      0,
      10,
      1,
      timeline.tracks.kind.map((_, k) => k),
    );
    expect(slice.nsPerPixel).toBe(1);
    expect(slice.spans.start.length).toBe(0);
  });

  it('refuse what is no range, and more tracks than an answer holds', async () => {
    const open = await sample('null-qd8.ublk');
    const slicer = new Slicer(open, timelineOf(open));
    expect(() => slicer.slice(2, 1, 1, [0])).toThrow(RangeError);
    expect(() => slicer.slice(0, Number.NaN, 1, [0])).toThrow(RangeError);
    const many = Array.from({ length: MOST.tracks + 1 }, (_, k) => k);
    expect(() => slicer.slice(0, 1, 1, many)).toThrow(RangeError);
  });
});
