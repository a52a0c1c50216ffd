import { type Aside, type Hit, placedPins, placedRows, type Placed, type Scene, topOf } from './scene';
import { eachSpan, firstFrom } from './slice_index';

/** How near to a span or mark the pointer must be, px. */
const NEAR = 4;

/** The part of the view at a point. */
export type Area = 'minimap' | 'ruler' | 'gutter' | 'tracks' | 'legend';

export function areaAt(scene: Scene, x: number, y: number): Area {
  const { metrics, height } = scene;
  if (y < metrics.minimap) return 'minimap';
  if (y < metrics.minimap + metrics.ruler) return 'ruler';
  if (y >= height - metrics.legend) return 'legend';
  return x < metrics.gutter ? 'gutter' : 'tracks';
}

/** The heading or track at a height. */
export function placedAt(scene: Scene, y: number): Placed | undefined {
  const list = y < topOf(scene) ? placedPins(scene) : placedRows(scene);
  return list.find((place) => y >= place.y && y < place.y + place.row.height);
}

/** The span or mark at a point; marks before spans, the nearest first. */
export function hitAt(scene: Scene, x: number, y: number): Hit | undefined {
  if (areaAt(scene, x, y) !== 'tracks') return undefined;
  const place = placedAt(scene, y);
  if (place === undefined || place.row.track < 0) return undefined;
  const { track } = place.row;
  for (const [index, tracks] of scene.slices) {
    if (!tracks.includes(track)) continue;
    const { row, markStrip } = scene.metrics;
    const line = Math.floor((y - place.y) / row);
    const low = y - place.y >= place.row.height - markStrip - 4;
    const mark = low ? nearestMark(scene, index, track, x) : -1;
    if (mark >= 0) return { what: 'mark', index, item: mark, track };
    const span = nearestSpan(scene, index, track, line, x);
    if (span >= 0) return { what: 'span', index, item: span, track };
    const other = low ? -1 : nearestMark(scene, index, track, x);
    return other >= 0 ? { what: 'mark', index, item: other, track } : undefined;
  }
  return undefined;
}

/** The name or the counter at a point; undefined elsewhere. */
export function asideAt(scene: Scene, x: number, y: number): Aside | undefined {
  const area = areaAt(scene, x, y);
  if (area !== 'gutter' && area !== 'tracks') return undefined;
  const place = placedAt(scene, y);
  const track = place?.row.track ?? -1;
  if (place === undefined || track < 0) return undefined;
  const at = { track, x, y: place.y };
  if (area === 'gutter') return { ...at, time: undefined };
  return scene.tracks.kind[track] === 'counter' ? { ...at, time: scene.scale.time(x) } : undefined;
}

function nearestMark(scene: Scene, index: Hit['index'], track: number, x: number): number {
  const { marks } = index.slice;
  const { starts, items } = index.marks;
  const reach = NEAR * scene.scale.nsPerPixel;
  const time = scene.scale.time(x);
  const stop = starts[track + 1]!;
  let best = -1;
  let nearest = Number.POSITIVE_INFINITY;
  for (let k = firstFrom(items, marks.time, time - reach, starts[track]!, stop); k < stop; k++) {
    const mark = items[k]!;
    if (marks.time[mark]! > time + reach) break;
    const distance = Math.abs(marks.time[mark]! - time);
    if (distance >= nearest) continue;
    nearest = distance;
    best = mark;
  }
  return best;
}

function nearestSpan(scene: Scene, index: Hit['index'], track: number, line: number, x: number): number {
  const { spans } = index.slice;
  const reach = NEAR * scene.scale.nsPerPixel;
  const time = scene.scale.time(x);
  let best = -1;
  let nearest = Number.POSITIVE_INFINITY;
  eachSpan(index, track, time - reach, time + reach, (span) => {
    if (spans.row[span] !== line) return;
    const distance = Math.max(0, spans.start[span]! - time, time - spans.end[span]!);
    if (distance >= nearest) return;
    nearest = distance;
    best = span;
  });
  return best;
}

/** The event nearest to a time among what is drawn; -1: nothing is. */
export function nearestEvent(scene: Scene, time: number): { event: number; request: number } {
  let found = { event: -1, request: -1 };
  let nearest = Number.POSITIVE_INFINITY;
  const take = (at: number, event: number, request: number): void => {
    const distance = Math.abs(at - time);
    if (event < 0 || distance >= nearest) return;
    nearest = distance;
    found = { event, request };
  };
  for (const index of scene.slices.keys()) {
    const { marks, spans } = index.slice;
    for (let k = 0; k < marks.time.length; k++) take(marks.time[k]!, marks.event[k]!, marks.request[k]!);
    for (let k = 0; k < spans.start.length; k++) take(spans.start[k]!, spans.event[k]!, spans.request[k]!);
  }
  return found;
}

/** Event and request of what was hit. */
export function targetOf(hit: Hit): { event: number; request: number } {
  const { spans, marks } = hit.index.slice;
  const list = hit.what === 'span' ? spans : marks;
  return { event: list.event[hit.item]!, request: list.request[hit.item]! };
}
