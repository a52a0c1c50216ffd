import { describe, expect, it } from 'vitest';
import { finish } from '../../src/trace/slices';
import { Slicer } from '../../src/view/slice';
import { statistics } from '../../src/view/statistics';
import type { Slice } from '../../src/webview/protocol_data';
import { fromText, simulated, timelineOf } from './support';

/** A line of a recording; `us` are microseconds since boot. */
function line(task: string, us: number, text: string): string {
  return `${task.padStart(16)}     [000] ..... ${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}: ${text}`;
}

const HEAD = '# tracer: nop\n#\n';

/** A request on a tag: issued, and completed where `end` is a time. */
function request(tag: number, start: number, end: number | undefined, sector = tag * 8): string[] {
  const probe = `(ublk_queue_rq+0x4/0xb0 [ublk_drv]) qid=0 tag=${tag} sector=${sector} len=4096 flags=0x0 last=1`;
  const lines = [
    line('fio-100', start, `ublk_queue_rq: ${probe}`),
    line('fio-100', start + 1, `block_rq_issue: 259,0 R 4096 () ${sector} + 8 none,0,0 [fio]`),
  ];
  if (end !== undefined)
    lines.push(line('ublk-200', end, `block_rq_complete: 259,0 R () ${sector} + 8 none,0,0 [0]`));
  return lines;
}

const all = (kinds: readonly unknown[]): number[] => kinds.map((_, k) => k);
const bytes = (slice: Slice): number =>
  [slice.spans, slice.marks, slice.counters]
    .flatMap((part) => Object.values(part))
    .reduce((sum, column) => sum + column.byteLength, 0) + JSON.stringify(slice.labels).length;

describe('timelines at the edges', () => {
  it('has 10,000 tags in one answer below 2 MB', async () => {
    const lines: string[] = [];
    for (let tag = 0; tag < 10_000; tag++)
      lines.push(...request(tag, 1_000_000 + tag * 30, 1_000_000 + tag * 30 + 20));
    const open = await fromText(`${HEAD}${lines.join('\n')}\n`);
    const timeline = timelineOf(open);
    const { tracks } = timeline;
    expect(tracks.kind.filter((kind) => kind === 'tag').length).toBe(10_000);
    expect(tracks.key.at(-1)).toBe(`${open.requests.devices[0]}/0/9999`);
    const slice = new Slicer(open, timeline).slice(0, timeline.times.length, 1, all(tracks.kind));
    expect(bytes(slice)).toBeLessThan(2_000_000);
    expect(new Set(slice.spans.track).size).toBeGreaterThanOrEqual(10_000);
  });

  it('has an open end for a request that never ends, and none for one whose tag was taken again', async () => {
    const open = await fromText(
      `${HEAD}${[...request(1, 10, undefined), ...request(2, 20, undefined), ...request(1, 30, 40, 800)].join('\n')}\n`,
    );
    const timeline = timelineOf(open);
    const slice = new Slicer(open, timeline).slice(0, timeline.times.length, 0, all(timeline.tracks.kind));
    const ends = (tag: number, life: number): number[] =>
      [...slice.spans.end].filter((_, k) => {
        const row = slice.spans.request[k]!;
        return (
          row >= 0 &&
          timeline.tracks.kind[slice.spans.track[k]!] === 'tag' &&
          open.requests.tag[row] === tag &&
          open.requests.life[row] === life
        );
      });
    expect(Math.max(...ends(2, 1))).toBe(Infinity);
    expect(Math.max(...ends(1, 1))).toBe(20_000);
    expect(Math.max(...ends(1, 2))).toBe(30_000);
  });

  it('keeps times exact near 2^53 ns', async () => {
    const start = 9_007_199_254_000_000 / 1000;
    const open = await fromText(`${HEAD}${request(0, start, start + 700).join('\n')}\n`);
    const timeline = timelineOf(open);
    expect(timeline.times.start).toBe(9_007_199_254_000_000);
    expect(timeline.times.length).toBe(700_000);
    const slice = new Slicer(open, timeline).slice(0, 700_000, 0, all(timeline.tracks.kind));
    expect(Math.max(...slice.marks.time)).toBe(700_000);
    expect(Math.max(...slice.spans.end)).toBe(700_000);
  });

  it('keeps a request that lasts the whole trace in sight at every zoom', async () => {
    const middle: string[] = [];
    for (let k = 0; k < 200; k++) middle.push(...request(1, 100 + k * 10, 104 + k * 10));
    const [a, b, end] = request(0, 10, 5000) as [string, string, string];
    const open = await fromText(`${HEAD}${[a, b, ...middle, end].join('\n')}\n`);
    const timeline = timelineOf(open);
    const slicer = new Slicer(open, timeline);
    const track = timeline.tracks.key.findIndex((key) => key.endsWith('/0/0'));
    for (const [from, to] of [
      [0, 5e6],
      [1e6, 1.001e6],
      [2_000_001, 2_000_002],
    ] as const) {
      const slice = slicer.slice(from, to, (to - from) / 100, [track]);
      expect([...slice.spans.start], `${from}`).toContain(0);
      expect(slice.spans.end[0]).toBe(4_990_000);
    }
  });

  it('never goes back in time, whatever the text says', async () => {
    const open = await fromText(`${HEAD}${[...request(0, 100, 50), ...request(1, 60, 90)].join('\n')}\n`);
    const { times } = timelineOf(open);
    const list = Array.from({ length: open.length }, (_, i) => times.at(i));
    expect(list).toEqual([...list].sort((a, b) => a - b));
  });

  it('counts nothing in a trace without events', async () => {
    const open = await simulated('#: seed 7\n');
    const timeline = timelineOf(open);
    expect(timeline.tracks.kind).toEqual([]);
    expect(finish(statistics(open, timeline, 0, 0))).toMatchObject({
      events: 0,
      latency: { count: 0, p99: 0 },
    });
  });
});
