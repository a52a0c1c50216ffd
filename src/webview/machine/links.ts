import { arrowHead, type Mark, round, widthOf } from '../drawing/marks';
import type { MachineView } from '../protocol_faces';
import type { Box } from './parts';

/** Things that are not farther apart sideways stand in one column, and arrows between them run downwards or upwards. */
const SAME_COLUMN = 16;

/** Lines run behind the parts, so that no text is crossed out; their ends and words stand above them. */
export interface Arrows {
  readonly behind: readonly Mark[];
  readonly above: readonly Mark[];
}

/** Arrows between parts that are drawn; each leaves and arrives at the side that faces the other. */
export function drawLinks(
  links: MachineView['links'],
  anchors: ReadonlyMap<string, Box>,
  occupied: readonly Box[],
): Arrows {
  const behind: Mark[] = [];
  const above: Mark[] = [];
  for (const { from, to, text } of links) {
    const [a, b] = [anchors.get(from), anchors.get(to)];
    if (a !== undefined && b !== undefined) arrow(a, b, text, occupied, { behind, above });
  }
  return { behind, above };
}

function arrow(
  a: Box,
  b: Box,
  text: string,
  occupied: readonly Box[],
  { behind, above }: { readonly behind: Mark[]; readonly above: Mark[] },
): void {
  const rightwards = b.x - (a.x + a.w) > SAME_COLUMN;
  const leftwards = a.x - (b.x + b.w) > SAME_COLUMN;
  const [ya, yb] = [a.y + a.h / 2, b.y + b.h / 2];
  let start: readonly [number, number];
  let end: readonly [number, number];
  let bend: readonly [number, number, number, number];
  let turn: number;
  if (rightwards || leftwards) {
    const way = rightwards ? 1 : -1;
    start = [rightwards ? a.x + a.w : a.x, ya];
    end = [rightwards ? b.x : b.x + b.w, yb];
    const reach = Math.max(18, Math.abs(end[0] - start[0]) * 0.45) * way;
    bend = [start[0] + reach, ya, end[0] - reach, yb];
    turn = rightwards ? 0 : Math.PI;
  } else {
    const down = yb > ya;
    const overlap = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
    const common = Math.max(a.x, b.x) + overlap * 0.8;
    const xa = overlap > 16 ? common : b.x > a.x ? a.x + a.w - 16 : a.x + 16;
    const xb = overlap > 16 ? common : b.x > a.x ? b.x + 16 : b.x + b.w - 16;
    start = [xa, down ? a.y + a.h : a.y];
    end = [xb, down ? b.y : b.y + b.h];
    const reach = Math.max(10, Math.abs(end[1] - start[1]) * 0.4) * (down ? 1 : -1);
    bend = [xa, start[1] + reach, xb, end[1] - reach];
    turn = down ? Math.PI / 2 : -Math.PI / 2;
  }
  const d = `M${round(start[0])} ${round(start[1])}C${bend.map(round).join(' ')} ${round(end[0])} ${round(end[1])}`;
  behind.push({ k: 'path', d, stroke: 'focus', width: 2 });
  above.push(
    { k: 'circle', x: start[0], y: start[1], r: 3.5, fill: 'focus' },
    { k: 'path', d: arrowHead(end[0], end[1], turn, 10), fill: 'focus' },
  );
  const label = freePlace([start, [bend[0], bend[1]], [bend[2], bend[3]], end], widthOf(text, 11), occupied);
  if (label !== undefined)
    above.push({ k: 'text', x: label[0], y: label[1] + 4, text, size: 11, anchor: 'middle', halo: true });
}

type Point = readonly [number, number];

/** A place on the curve where a label of a width covers nothing; undefined without one. */
function freePlace(
  curve: readonly [Point, Point, Point, Point],
  w: number,
  occupied: readonly Box[],
): Point | undefined {
  for (const at of [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8]) {
    const [x, y] = pointAt(curve, at);
    const box = { x: x - w / 2 - 3, y: y - 8, w: w + 6, h: 16 };
    if (!occupied.some((other) => overlaps(box, other))) return [x, y];
  }
  return undefined;
}

function pointAt([a, b, c, d]: readonly [Point, Point, Point, Point], t: number): Point {
  const u = 1 - t;
  const of = (k: 0 | 1): number =>
    u * u * u * a[k] + 3 * u * u * t * b[k] + 3 * u * t * t * c[k] + t * t * t * d[k];
  return [of(0), of(1)];
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
