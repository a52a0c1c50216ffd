import { arrowHead, type Mark, round, widthOf } from '../drawing/marks';
import type { MachineView } from '../protocol_faces';
import type { Box } from './parts';

/** Arrows between parts that are drawn; each leaves and arrives at the side that faces the other. */
export function drawLinks(links: MachineView['links'], anchors: ReadonlyMap<string, Box>): Mark[] {
  const marks: Mark[] = [];
  for (const { from, to, text } of links) {
    const [a, b] = [anchors.get(from), anchors.get(to)];
    if (a !== undefined && b !== undefined) marks.push(...arrow(a, b, text));
  }
  return marks;
}

function arrow(a: Box, b: Box, text: string): Mark[] {
  const rightwards = b.x > a.x + a.w - 4;
  const leftwards = b.x + b.w < a.x + 4;
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
    const x =
      Math.max(a.x, b.x) + Math.min(a.x + a.w - Math.max(a.x, b.x), b.x + b.w - Math.max(a.x, b.x)) * 0.8;
    start = [x, down ? a.y + a.h : a.y];
    end = [x, down ? b.y : b.y + b.h];
    const reach = Math.max(10, Math.abs(end[1] - start[1]) * 0.4) * (down ? 1 : -1);
    bend = [x, start[1] + reach, x, end[1] - reach];
    turn = down ? Math.PI / 2 : -Math.PI / 2;
  }
  const d = `M${round(start[0])} ${round(start[1])}C${bend.map(round).join(' ')} ${round(end[0])} ${round(end[1])}`;
  const marks: Mark[] = [
    { k: 'path', d, stroke: 'surface', width: 5 },
    { k: 'path', d, stroke: 'focus', width: 2 },
    { k: 'circle', x: start[0], y: start[1], r: 3.5, fill: 'focus' },
    { k: 'path', d: arrowHead(end[0], end[1], turn, 10), fill: 'focus' },
  ];
  const long = Math.hypot(end[0] - start[0], end[1] - start[1]);
  if (long > widthOf(text, 11) + 16)
    marks.push({
      k: 'text',
      x: (start[0] + end[0]) / 2,
      y: (start[1] + end[1]) / 2 - 5,
      text,
      size: 11,
      anchor: 'middle',
      fill: 'text',
      halo: true,
    });
  return marks;
}
