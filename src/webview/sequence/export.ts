import { paperSvg } from '../drawing/paper';
import type { SequenceView } from '../protocol_faces';
import { drawSequence, HEAD, type SequenceLook } from './draw';

/** The rows of a view as one SVG document in the colours of paper. */
export function sequenceSvg(
  view: SequenceView,
  look: SequenceLook,
  title: string,
): { svg: string; width: number; height: number } {
  const { width, height, head, back, rows } = drawSequence(view, look);
  const all = HEAD + height;
  const body = { marks: [...back, ...rows.flatMap((row) => row.marks)], down: HEAD };
  const svg = paperSvg([body, { marks: head, down: 0 }], width, all, title);
  return { svg, width: Math.ceil(width), height: Math.ceil(all) };
}
