import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawScene } from '../../src/webview/timeline/draw';
import { drawGround } from '../../src/webview/timeline/draw_frame';
import { drawLegend, legendHeight } from '../../src/webview/timeline/legend';
import { closedAtFirst } from '../../src/webview/timeline/groups';
import { areaAt, asideAt, hitAt, nearestEvent, placedAt, targetOf } from '../../src/webview/timeline/hit';
import { busyRange } from '../../src/webview/timeline/overview';
import { ellipsis } from '../../src/webview/timeline/painter';
import { SvgPainter } from '../../src/webview/timeline/painter_svg';
import { PAPER } from '../../src/webview/timeline/palette';
import { isInView, placedPins, placedRows, topOf } from '../../src/webview/timeline/scene';
import { stackPictures } from '../../src/webview/drawing/stack_pictures';
import { type SceneParts, sceneOf } from './scenes';
import { sliceOf, tracksOf } from './slices';

const tracks = tracksOf([
  { kind: 'context', rows: 2 },
  { kind: 'context' },
  { kind: 'counter', max: 8 },
  { kind: 'tag', group: 'ublkb0 queue 0' },
  { kind: 'tag', group: 'ublkb0 queue 0' },
]);

function svgOf(parts: SceneParts): string {
  const scene = sceneOf(parts);
  const painter = new SvgPainter(scene.width, scene.height, PAPER.fontFamily);
  drawScene(painter, scene);
  return painter.document('a "name" & more');
}

/** Every number in the attributes of a document. */
function numbersOf(svg: string): number[] {
  return [...svg.matchAll(/ (?:x|y|width|height|cx|cy|r)="([^"]*)"/g)].map((found) => Number(found[1]));
}

/** Whether every element that is opened is closed again, in order. */
function balanced(svg: string): boolean {
  const open: string[] = [];
  for (const [, end, name, self] of svg.matchAll(/<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/g)) {
    if (end === '/') {
      if (open.pop() !== name) return false;
    } else if (self !== '/') open.push(name!);
  }
  return open.length === 0;
}

describe('the drawing as SVG', () => {
  const slice = sliceOf(
    [
      { track: 3, start: 100, end: 400, kind: 0, request: 7, label: 'READ 4 KiB <&>' },
      { track: 3, start: 400, end: Number.POSITIVE_INFINITY, kind: 3, request: 7, label: 'READ 4 KiB' },
      { track: 0, row: 1, start: 0, end: 900, kind: 6 },
    ],
    [{ track: 0, time: 500, kind: 5 }],
    [
      { track: 2, time: 0, value: 1 },
      { track: 2, time: 300, value: 5 },
    ],
  );

  it('is a closed document with the labels in it, signs of markup escaped', () => {
    const svg = svgOf({ tracks, slice, cursor: { request: 7 } });
    expect(balanced(svg)).toBe(true);
    expect(svg).toContain('<title>a &quot;name&quot; &amp; more</title>');
    expect(svg).toContain('READ 4 KiB &lt;&amp;&gt;');
    expect(svg).toContain('tag 3');
    expect(svg).toContain('url(#p-rising');
    expect(svg).not.toContain('var(--');
  });

  it('has a line at the end of a range that waits for the other, where it is in view', () => {
    const parts = { tracks, slice, cursor: { time: 100 } };
    const plain = svgOf(parts);
    expect(svgOf({ ...parts, mark: 5000 })).toBe(plain);
    const marked = svgOf({ ...parts, mark: 600 });
    const x = Math.round(sceneOf(parts).scale.x(600)) - 1;
    const at = (svg: string): number => svg.split(`x="${x}"`).length - 1;
    expect(at(plain)).toBe(0);
    expect(at(marked)).toBeGreaterThan(10);
    expect(balanced(marked)).toBe(true);
  });

  it('holds numbers only, also for spans that never end and times near 2^53', () => {
    const far = 2 ** 53 - 1000;
    const late = sliceOf(
      [{ track: 3, start: far, end: Number.POSITIVE_INFINITY, label: 'WRITE' }],
      [{ track: 0, time: far + 7 }],
      [],
      { from: far, to: far + 900 },
    );
    const svg = svgOf({
      tracks,
      slice: late,
      range: { from: far - 100, to: far + 900 },
      length: far + 900,
      cursor: { time: far },
    });
    expect(balanced(svg)).toBe(true);
    expect(numbersOf(svg).every(Number.isFinite)).toBe(true);
    expect(svg).toContain('9007199.254739992 s');
  });

  it.each([120, 250, 400, 700, 1000])('names every phase in a legend as high as it needs: %i px', (width) => {
    const wide = sceneOf({ tracks, slice: sliceOf([], []) });
    const painter = new SvgPainter(width, wide.height, PAPER.fontFamily);
    const legend = legendHeight(painter, { ...wide, width });
    const scene = { ...wide, width, metrics: { ...wide.metrics, legend } };
    drawLegend(painter, scene);
    const svg = painter.document('legend');
    const phases = ['Queued', 'Delivered', 'Server', 'Backend', 'Commit', 'Running', 'Waiting'];
    const marks = ['Event', 'Submission (SQE)', 'Completion (CQE)', 'Splice', 'Copy', 'Error', 'Broken rule'];
    const names = [...phases, ...marks, 'Session'];
    for (const name of names) expect(svg).toContain(`>${name}<`);
    const tops = [...svg.matchAll(/<text x="([^"]*)" y="([^"]*)"/g)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ]);
    expect(tops).toHaveLength(names.length + phases.length);
    // Neither a line too many nor one too few, and none beyond the right edge.
    const line = legend / new Set(tops.map(([, y]) => y)).size;
    expect(line).toBe(Math.round(13 * 1.9));
    for (const [x, y] of tops) {
      expect(x).toBeLessThan(width);
      expect(y).toBeGreaterThan(scene.height - legend);
      expect(y).toBeLessThan(scene.height);
    }
  });

  it('has no line of its grid left of where times begin', () => {
    const scene = sceneOf({ tracks, slice: sliceOf([], []), range: { from: -60, to: 900 } });
    const painter = new SvgPainter(scene.width, scene.height, PAPER.fontFamily);
    drawGround(painter, scene, []);
    const svg = painter.document('ground');
    const lines = [...svg.matchAll(/<rect x="([^"]*)" y="[^"]*" width="1"/g)].map((found) =>
      Number(found[1]),
    );
    expect(lines.length).toBeGreaterThan(2);
    expect(Math.min(...lines)).toBeGreaterThanOrEqual(Math.floor(scene.scale.left));
  });

  it('is drawn for a trace of one event at time 0', () => {
    const svg = svgOf({
      tracks,
      slice: sliceOf([], [{ track: 0, time: 0 }]),
      range: { from: -500, to: 500 },
      length: 0,
    });
    expect(balanced(svg)).toBe(true);
    expect(numbersOf(svg).every(Number.isFinite)).toBe(true);
  });

  it('draws arrows of the focused request between lanes, also to a closed group', () => {
    const flow = {
      request: 7,
      tag: 3,
      label: '',
      event: Int32Array.of(1, 2, 3),
      track: Uint32Array.of(0, 1, 1),
      time: Float64Array.of(100, 300, 400),
      arrows: Uint32Array.of(0, 1, 1, 2),
    };
    const arrows = (svg: string): number =>
      svg.split('<path d="M').length - 1 - svg.split('<pattern').length + 1;
    expect(arrows(svgOf({ tracks, slice, flow }))).toBe(1);
    // Both lanes are behind one heading now.
    expect(arrows(svgOf({ tracks, slice, flow, collapsed: ['context'] }))).toBe(0);
  });

  it('marks the heading of a closed group in which the event of the cursor happened', () => {
    const marks = (lane: number, collapsed: string[]): number =>
      svgOf({ tracks, slice, cursor: { time: 500, lane }, collapsed }).split('<circle').length;
    const plain = marks(3, ['context']);
    expect(marks(0, ['context'])).toBe(plain + 1);
    expect(marks(0, [])).toBe(marks(3, []));
  });

  it('puts two pictures one above the other without mixing their patterns', () => {
    const painted = svgOf({ tracks, slice });
    const both = stackPictures([
      { svg: painted, width: 1000, height: 500 },
      { svg: painted, width: 800, height: 300 },
    ]);
    expect([both.width, both.height]).toEqual([1000, 800]);
    expect(balanced(both.svg)).toBe(true);
    const ids = [...both.svg.matchAll(/ id="([^"]+)"/g)].map((found) => found[1]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, used] of both.svg.matchAll(/url\(#([^)]+)\)/g)) expect(ids).toContain(used);
  });

  it('keeps texts apart by widths that a browser measured, and holds them to those', () => {
    const scene = sceneOf({ tracks, slice: sliceOf([], []) });
    const painter = new SvgPainter(scene.width, scene.height, PAPER.fontFamily, (text) => text.length * 21);
    drawScene(painter, scene);
    const svg = painter.document('wide');
    const group = /<text x="([^"]+)"[^>]* textLength="([^"]+)"[^>]*>ublkb0 queue 0</.exec(svg)!;
    const count = /<text x="([^"]+)"[^>]*>2</.exec(svg)!;
    expect(Number(group[2])).toBe('ublkb0 queue 0'.length * 21);
    expect(Number(count[1])).toBeGreaterThan(Number(group[1]) + Number(group[2]));
  });

  it('cuts long texts with an ellipsis', () => {
    expect(ellipsis('READ 4 KiB', 60, 60)).toBe('READ 4 KiB');
    expect(ellipsis('READ 4 KiB', 60, 40)).toBe('READ…');
    expect(ellipsis('READ 4 KiB', 60, 10)).toBe('');
  });
});

describe('what lies under the pointer', () => {
  const slice = sliceOf(
    [
      { track: 3, start: 100, end: 200, event: 11, request: 1 },
      { track: 3, start: 210, end: 211, event: 12, request: 2 },
      { track: 0, row: 1, start: 0, end: 500, event: 13 },
    ],
    [{ track: 3, time: 150, event: 21 }],
  );
  const scene = sceneOf({ tracks, slice });
  const row = placedRows(scene).find((place) => place.row.track === 3)!;
  const x = (time: number): number => scene.scale.x(time);
  const event = (hit: ReturnType<typeof hitAt>): number | undefined => hit && targetOf(hit).event;

  it('is the span, the narrow one within reach, the mark in the strip below, or nothing', () => {
    expect(event(hitAt(scene, x(150), row.y + 5))).toBe(11);
    expect(event(hitAt(scene, x(214), row.y + 5))).toBe(12);
    expect(event(hitAt(scene, x(150) + 2, row.y + row.row.height - 4))).toBe(21);
    expect(hitAt(scene, x(600), row.y + 5)).toBeUndefined();
    expect(hitAt(scene, 10, row.y + 5)).toBeUndefined();
  });

  it('tells rows of a lane apart', () => {
    const lane = placedRows(scene).find((place) => place.row.track === 0)!;
    expect(hitAt(scene, x(300), lane.y + 5)).toBeUndefined();
    expect(event(hitAt(scene, x(300), lane.y + scene.metrics.row + 5))).toBe(13);
  });

  it('is found where it is drawn after scrolling and on pins', () => {
    const scrolled = sceneOf({ tracks, slice, pins: [3], scrollTop: 30 });
    const pin = placedPins(scrolled)[0]!;
    expect(event(hitAt(scrolled, x(150), pin.y + 5))).toBe(11);
    const below = placedRows(scrolled).find((place) => place.row.track === 3)!;
    if (below.y + 5 >= topOf(scrolled)) expect(event(hitAt(scrolled, x(150), below.y + 5))).toBe(11);
    expect(placedAt(scrolled, topOf(scrolled) + 60)?.pinned).toBe(false);
  });

  it('is a name at the left, or a counter at its time', () => {
    const at = (track: number): number => placedRows(scene).find((place) => place.row.track === track)!.y + 3;
    expect(asideAt(scene, 10, at(0))).toMatchObject({ track: 0, time: undefined });
    expect(asideAt(scene, x(400), at(2))?.track).toBe(2);
    expect(asideAt(scene, x(400), at(2))?.time).toBeCloseTo(400, 3);
    expect(asideAt(scene, x(600), at(3))).toBeUndefined();
    expect(asideAt(scene, 10, 3)).toBeUndefined();
  });

  it('is in view where its first line is: below the frame, above the legend', () => {
    expect([0, 3, 4].map((track) => isInView(scene, track))).toEqual([true, true, true]);
    const scrolled = sceneOf({ tracks, slice, scrollTop: 60, pins: [4] });
    expect([0, 3, 4].map((track) => isInView(scrolled, track))).toEqual([true, false, true]);
    expect(isInView(scene, 99)).toBe(false);
  });

  it('is a part of the frame elsewhere', () => {
    expect(areaAt(scene, 500, 3)).toBe('minimap');
    expect(areaAt(scene, 500, scene.metrics.minimap + 3)).toBe('ruler');
    expect(areaAt(scene, 500, 499)).toBe('legend');
    expect(areaAt(scene, 5, 200)).toBe('gutter');
  });

  it('is the nearest event for a click on the ruler', () => {
    expect(nearestEvent(scene, 148).event).toBe(21);
    expect(nearestEvent(scene, 205).event).toBe(12);
    expect(nearestEvent(sceneOf({ tracks, slice: sliceOf([]) }), 5).event).toBe(-1);
  });
});

describe('the stack', () => {
  it('finds every row again by its height, and every track by its id', () => {
    const kinds = fc.constantFrom<'context' | 'tag' | 'counter'>('context', 'tag', 'counter');
    const lists = fc.array(fc.record({ kind: kinds, rows: fc.integer({ min: 1, max: 4 }) }), {
      minLength: 1,
      maxLength: 200,
    });
    fc.assert(
      fc.property(lists, fc.boolean(), (list, closed) => {
        const { rows } = sceneOf({
          tracks: tracksOf(list),
          slice: sliceOf([]),
          collapsed: closed ? ['tag'] : [],
        });
        for (const [k, row] of rows.rows.entries()) {
          expect(rows.at(row.y)).toBe(k);
          expect(rows.at(row.y + row.height - 0.5)).toBe(k);
        }
        for (const [id, { kind }] of list.entries()) {
          const row = rows.of(id)!;
          expect(row.track).toBe(closed && kind === 'tag' ? -1 : id);
        }
        expect(rows.height).toBe(rows.rows.reduce((sum, row) => sum + row.height, 0));
      }),
    );
  });

  it('has the tags above the contexts; a queue of very many is closed at first', () => {
    const few = sceneOf({ tracks, slice: sliceOf([]) });
    expect(few.rows.rows[0]?.group).toBe('ublkb0 queue 0');
    expect(closedAtFirst(tracks).size).toBe(0);
    const many = tracksOf([
      { kind: 'context' },
      ...Array.from({ length: 10_000 }, () => ({ kind: 'tag', group: 'ublkb0 queue 0' }) as const),
    ]);
    const open = sceneOf({ tracks: many, slice: sliceOf([]) });
    expect(open.rows.rows[0]?.group).toBe('ublkb0 queue 0');
    expect(open.rows.rows).toHaveLength(10_003);
    expect(placedRows(open).length).toBeLessThan(30);
    const closed = sceneOf({ tracks: many, slice: sliceOf([]), collapsed: [...closedAtFirst(many)] });
    expect(closed.rows.rows).toHaveLength(3);
    expect(closed.rows.rows[0]).toMatchObject({ track: -1, members: 10_000, collapsed: true });
  });
});

describe('the busy part', () => {
  const overview = (counts: number[]) => ({
    counts: Float64Array.from(counts),
    requests: new Float64Array(counts.length),
    most: Math.max(...counts),
    errors: new Uint8Array(counts.length),
  });
  it('is where nearly all events are, and none where they are all over', () => {
    const counts = Array.from({ length: 100 }, (_, k) => (k >= 40 && k < 50 ? 50 : k === 0 ? 3 : 0));
    const busy = busyRange(overview(counts), 1000)!;
    expect(busy.from).toBeGreaterThan(350);
    expect(busy.from).toBeLessThanOrEqual(400);
    expect(busy.to).toBeGreaterThanOrEqual(500);
    expect(busy.to).toBeLessThan(550);
    expect(busyRange(overview(Array.from({ length: 100 }, () => 5)), 1000)).toBeUndefined();
    expect(busyRange(overview([0, 0]), 1000)).toBeUndefined();
  });
});
