import { MARK_KINDS, SPAN_KINDS, type SpanKind } from '../protocol_data';
import type { Painter, TextLook } from './painter';
import type { Placed, Scene } from './scene';
import { eachSpan, firstFrom, type SliceIndex } from './slice_index';

/** Narrowest span that gets a left edge, a pattern, a letter or a label, px. */
const EDGE = 5;
const WEAVE = 9;
const LETTER = 11;
const LABEL = 30;

/** Spans narrower than this are put together where they touch, px. */
const THIN = 2.5;
/** In place of a span: a bar of many. */
const NO_SPAN = -1;

/** Kinds with a letter where the label has no room. */
const LETTERED: ReadonlySet<SpanKind> = new Set(['queued', 'delivered', 'server', 'backend', 'commit']);

/** Spans collected by kind as x, y, width, height, span, … so that each colour is set once. */
type Batches = number[][];

/** Spans, marks and counters of the given rows. */
export function drawTracks(painter: Painter, scene: Scene, placed: readonly Placed[]): void {
  const of = new Map<number, SliceIndex>();
  for (const [index, tracks] of scene.slices) for (const track of tracks) of.set(track, index);
  const byIndex = new Map<SliceIndex, Placed[]>();
  for (const place of placed) {
    const index = of.get(place.row.track);
    if (index === undefined) continue;
    const list = byIndex.get(index);
    if (list === undefined) byIndex.set(index, [place]);
    else list.push(place);
  }
  for (const [index, places] of byIndex) {
    const batches: Batches = SPAN_KINDS.map(() => []);
    for (const place of places) {
      if (scene.tracks.kind[place.row.track] === 'counter') drawCounter(painter, scene, index, place);
      else collectSpans(scene, index, place, batches);
    }
    drawSpans(painter, scene, index, batches);
    for (const place of places) drawMarks(painter, scene, index, place);
  }
}

function collectSpans(scene: Scene, index: SliceIndex, place: Placed, batches: Batches): void {
  const { scale, metrics } = scene;
  const { spans } = index.slice;
  const { request: focused } = scene.cursor;
  const right = scale.left + scale.width;
  const height = metrics.row - 2;
  let lastRow = -1;
  let lastEnd = Number.NEGATIVE_INFINITY;
  let run: number[] | undefined;
  eachSpan(index, place.row.track, scale.from, scale.to, (span) => {
    const row = spans.row[span]!;
    const from = Math.max(scale.left - 4, scale.x(spans.start[span]!));
    const to = Math.min(right + 4, scale.x(spans.end[span]!));
    const own = focused >= 0 && spans.request[span] === focused;
    const near = row === lastRow && from - lastEnd < 1;
    // Data finer than the screen, drawn while coarser data is on its way: one span per pixel is enough.
    if (near && !own && Math.floor(to) <= lastEnd) return;
    const batch = batches[spans.kind[span]!];
    if (batch === undefined) return;
    const thin = to - from < (spans.count[span]! > 1 ? LETTER : THIN) && !own;
    if (thin && near && run === batch) {
      // Thin spans side by side are one bar, which nobody can tell from many and which is drawn at once.
      const last = batch.length - 5;
      batch[last + 2] = Math.max(1, to - batch[last]!);
      batch[last + 4] = NO_SPAN;
    } else {
      const width = Math.max(1, to - from - (to - from > 3 ? 1 : 0));
      batch.push(from, place.y + 1 + row * metrics.row, width, height, span);
    }
    run = thin ? batch : undefined;
    lastRow = row;
    lastEnd = to;
  });
}

function drawSpans(painter: Painter, scene: Scene, index: SliceIndex, batches: Batches): void {
  const { palette } = scene;
  for (const [k, batch] of batches.entries()) {
    const ink = palette.spans[SPAN_KINDS[k]!];
    const thin = palette.highContrast ? ink.edge : ink.fill;
    for (let i = 0; i < batch.length; i += 5) {
      const width = batch[i + 2]!;
      const colour = width < EDGE ? thin : ink.fill;
      painter.fill(batch[i]!, batch[i + 1]!, width, batch[i + 3]!, colour);
    }
    for (let i = 0; i < batch.length; i += 5) {
      const width = batch[i + 2]!;
      if (width >= WEAVE)
        painter.weave(batch[i]!, batch[i + 1]!, width, batch[i + 3]!, ink.pattern, ink.weave);
      if (width < EDGE) continue;
      if (palette.highContrast) painter.outline(batch[i]!, batch[i + 1]!, width, batch[i + 3]!, ink.edge, 1);
      else painter.fill(batch[i]!, batch[i + 1]!, 2, batch[i + 3]!, ink.edge);
    }
  }
  const { labels, spans } = index.slice;
  for (const [k, batch] of batches.entries()) {
    const ink = palette.spans[SPAN_KINDS[k]!];
    const look: TextLook = { colour: ink.text, size: scene.metrics.small };
    // What a lane does is said by its name; only phases are told apart by letters.
    const narrowest = LETTERED.has(SPAN_KINDS[k]!) ? LETTER : LABEL;
    for (let i = 0; i < batch.length; i += 5) {
      const width = batch[i + 2]!;
      const span = batch[i + 4]!;
      if (width < narrowest || span === NO_SPAN) continue;
      const place = { x: batch[i]!, y: batch[i + 1]!, width, height: batch[i + 3]! };
      drawLabel(painter, scene, place, ink, look, labels[spans.label[span]!] ?? '');
    }
  }
  drawFocused(painter, scene, index, batches);
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The span's label where it fits, its letter where not; on a plate of the span's own colour, so that patterns stay behind. */
function drawLabel(
  painter: Painter,
  scene: Scene,
  box: Box,
  ink: { readonly fill: string; readonly pattern: string; readonly letter: string },
  look: TextLook,
  label: string,
): void {
  const left = Math.max(box.x, scene.scale.left);
  const room = box.x + box.width - left - 7;
  const middle = box.y + box.height / 2 + 0.5;
  if (room < LABEL - 7) {
    if (room > 2) plate(painter, ink, left + 3, box, painter.measure(ink.letter, look), look);
    if (room > 2) painter.text(ink.letter, left + 4, middle, room + 3, look);
    return;
  }
  const text = label || ink.letter;
  const width = Math.min(room, painter.measure(text, look));
  plate(painter, ink, left + 4, box, width, look);
  painter.text(text, left + 5, middle, room, look);
}

function plate(
  painter: Painter,
  ink: { readonly fill: string; readonly pattern: string },
  x: number,
  box: Box,
  width: number,
  look: TextLook,
): void {
  if (ink.pattern === 'plain') return;
  const height = Math.min(box.height - 2, look.size + 2);
  painter.fill(x, box.y + (box.height - height) / 2, width + 3, height, ink.fill);
}

/** Outlines of the focused request's spans and of the one under the pointer. */
function drawFocused(painter: Painter, scene: Scene, index: SliceIndex, batches: Batches): void {
  const { palette, cursor, hover } = scene;
  const { request } = index.slice.spans;
  for (const batch of batches) {
    for (let i = 0; i < batch.length; i += 5) {
      const span = batch[i + 4]!;
      const focused = cursor.request >= 0 && request[span] === cursor.request;
      const hovered = hover?.what === 'span' && hover.index === index && hover.item === span;
      if (!focused && !hovered) continue;
      const [x, y, width, height] = batch.slice(i, i + 4) as [number, number, number, number];
      const colour = hovered ? palette.foreground : palette.focus;
      const thick = focused && palette.highContrast ? 3 : 2;
      painter.outline(
        x - 1,
        y - 1,
        Math.max(3, width + 2),
        height + 2,
        colour,
        hovered && !focused ? 1 : thick,
      );
    }
  }
}

function drawMarks(painter: Painter, scene: Scene, index: SliceIndex, place: Placed): void {
  const { scale, metrics, palette, hover } = scene;
  const { marks } = index.slice;
  const { starts, items } = index.marks;
  const stop = starts[place.row.track + 1]!;
  const first = firstFrom(
    items,
    marks.time,
    scale.from - scale.nsPerPixel * 4,
    starts[place.row.track]!,
    stop,
  );
  const last = scale.to + scale.nsPerPixel * 4;
  const size = metrics.markStrip;
  let pixel = Number.NEGATIVE_INFINITY;
  for (let k = first; k < stop; k++) {
    const mark = items[k]!;
    const time = marks.time[mark]!;
    if (time > last) break;
    const x = scale.x(time);
    const kind = MARK_KINDS[marks.kind[mark]!] ?? 'event';
    const loud = kind === 'error' || kind === 'violation';
    // Shapes that would lie on each other say no more than one of them; errors are never left out.
    if (!loud && x - pixel < 2) continue;
    pixel = x;
    const y = place.y + place.row.height - 2 - size / 2;
    const ink = palette.marks[kind];
    const hovered = hover?.what === 'mark' && hover.index === index && hover.item === mark;
    const focused = scene.cursor.event >= 0 && marks.event[mark] === scene.cursor.event;
    if (kind === 'event') painter.fill(Math.round(x), y - size / 2, 1, size, palette.muted);
    else painter.shape(ink.shape, x, y, loud ? size + 3 : size + 1, ink.colour);
    if (hovered || focused) painter.shape('ring', x, y, size + 7, palette.foreground);
  }
}

function drawCounter(painter: Painter, scene: Scene, index: SliceIndex, place: Placed): void {
  const { scale, palette, tracks } = scene;
  const { counters } = index.slice;
  const { starts, items } = index.counters;
  const track = place.row.track;
  const begin = starts[track]!;
  const stop = starts[track + 1]!;
  const most = Math.max(1, tracks.max[track]!);
  const bottom = place.y + place.row.height - 2;
  const room = place.row.height - 6;
  const level = (value: number): number => bottom - (Math.min(value, most) / most) * room;
  let k = Math.max(begin, firstFrom(items, counters.time, scale.from, begin, stop) - 1);
  if (k >= stop) return;
  const points: number[] = [];
  let y = level(counters.value[items[k]!]!);
  let x = Math.max(scale.left, scale.x(counters.time[items[k]!]!));
  const begins = x;
  points.push(x, y);
  for (k++; k < stop; k++) {
    const item = items[k]!;
    if (counters.time[item]! > scale.to) break;
    x = Math.max(scale.left, scale.x(counters.time[item]!));
    const next = level(counters.value[item]!);
    if (x - points[points.length - 2]! < 0.5 && next === y) continue;
    points.push(x, y);
    if (counters.low[item]! < counters.high[item]!) {
      points.push(x, level(counters.low[item]!), x, level(counters.high[item]!));
    }
    points.push(x, next);
    y = next;
  }
  const right = Math.min(scale.left + scale.width, scale.x(scene.length));
  points.push(right, y);
  painter.area([begins, bottom, ...points, right, bottom], palette.counter.fill);
  painter.lines(points, palette.counter.line, palette.highContrast ? 2 : 1.5);
}

/** Value of a counter at a time, from the slice that draws it; undefined where that does not say. */
export function counterAt(scene: Scene, track: number, time: number): number | undefined {
  for (const [index, tracks] of scene.slices) {
    if (!tracks.includes(track)) continue;
    const { counters, from, to } = index.slice;
    if (time < from || time > to) return undefined;
    const { starts, items } = index.counters;
    const at = firstFrom(items, counters.time, time + 0.5, starts[track]!, starts[track + 1]!) - 1;
    return at < starts[track]! ? undefined : counters.value[items[at]!];
  }
  return undefined;
}
