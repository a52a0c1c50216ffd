import type { Mark } from '../drawing/marks';
import { paperSvg } from '../drawing/paper';
import type { SequenceView } from '../protocol_faces';
import { drawSequence, HEAD, type SequenceLook } from './draw';

/** Shifts marks down. */
function lower(marks: readonly Mark[], by: number): Mark[] {
  return marks.map(
    (mark): Mark => (mark.k === 'path' ? { ...mark, d: shiftPath(mark.d, by) } : { ...mark, y: mark.y + by }),
  );
}

/** Adds to the y of the absolute commands that the drawing uses: M x y, L x y, H x, V y; relative ones stay. */
function shiftPath(d: string, by: number): string {
  return d
    .replace(
      /([ML])(-?[\d.]+) (-?[\d.]+)/g,
      (_, c: string, x: string, y: string) => `${c}${x} ${Number(y) + by}`,
    )
    .replace(/V(-?[\d.]+)/g, (_, y: string) => `V${Number(y) + by}`);
}

/** The rows of a view as one SVG document in the colours of paper. */
export function sequenceSvg(
  view: SequenceView,
  look: SequenceLook,
  title: string,
): { svg: string; width: number; height: number } {
  const { width, height, head, back, rows } = drawSequence(view, look);
  const body = lower([...back, ...rows.flatMap((row) => row.marks)], HEAD);
  const all = HEAD + height;
  return {
    svg: paperSvg([...body, ...head], width, all, title),
    width: Math.ceil(width),
    height: Math.ceil(all),
  };
}
