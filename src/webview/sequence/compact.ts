import { arrowHead, cutTo, type Mark, type Paint, TEXT, wrap } from '../drawing/marks';
import type { Actor, SequenceRow } from '../protocol_faces';

/** Height of a line in the narrow form, px. */
const ROW = 50;
const NOTE_LINE = 17;

/** A line where there is no room for columns: the message, and below it from whom to whom. */
export function compactRow(
  row: SequenceRow,
  actors: readonly Actor[],
  paintOf: (actor: Actor) => Paint,
  at: {
    readonly y: number;
    readonly width: number;
    readonly here: boolean;
    readonly other: boolean;
    readonly time: string;
  },
): { marks: Mark[]; height: number } {
  const { y, width, here, other } = at;
  const notes = here && row.note !== '' ? wrap(row.note, width - 40, 4) : [];
  const height = ROW + (notes.length > 0 ? notes.length * NOTE_LINE + 6 : 0);
  const ink: Paint = row.error ? 'error' : other ? 'muted' : 'text';
  const marks: Mark[] = [];
  if (here)
    marks.push({
      k: 'rect',
      x: 1,
      y: y + 1,
      w: width - 2,
      h: height - 2,
      r: 4,
      fill: 'select',
      stroke: 'focus',
      width: 1.5,
    });
  const label = row.error ? `✕ ${row.label}` : row.label;
  marks.push({
    k: 'text',
    x: 20,
    y: y + 20,
    text: cutTo(label, width - 32, TEXT, here),
    bold: here,
    fill: ink,
  });
  const middle = y + 36;
  let x = 20;
  const name = (actor: Actor | undefined): void => {
    if (actor === undefined) return;
    const text = cutTo(actor.name, (width - 130) / 2, 12);
    marks.push({ k: 'rect', x, y: middle - 8, w: 4, h: 11, r: 1, fill: paintOf(actor) });
    marks.push({ k: 'text', x: x + 8, y: middle + 2, text, size: 12, fill: 'muted' });
    x += 8 + text.length * 7 + 6;
  };
  name(actors[row.actor]);
  if (row.to >= 0) {
    marks.push({ k: 'path', d: `M${x} ${middle - 2}H${x + 14}`, stroke: 'muted', width: 1.5 });
    marks.push({ k: 'path', d: arrowHead(x + 20, middle - 2, 0, 8), fill: 'muted' });
    x += 28;
    name(actors[row.to]);
  }
  marks.push({
    k: 'text',
    x: width - 10,
    y: middle + 2,
    text: at.time,
    size: 12,
    anchor: 'end',
    fill: 'muted',
  });
  for (const [n, text] of notes.entries())
    marks.push({ k: 'text', x: 20, y: y + ROW + 8 + n * NOTE_LINE, text });
  return { marks, height };
}
