import { arrowHead, cutTo, type Mark, type Paint, TEXT, widthOf, wrap } from '../drawing/marks';
import type { Actor, SequenceRow, SequenceView } from '../protocol_faces';
import { compactRow } from './compact';
import { nsText } from './times';

/** Height of a line and of the heads of the columns, px. */
export const ROW = 38;
export const HEAD = 48;
const NOTE_LINE = 17;
/** Where the notes below a line begin. */
const NOTE_LEFT = 20;
/** Least distance of two columns; with less room than {@link NARROW} for each, the lines name their actors instead. */
const LEAST_GAP = 92;
const NARROW = 76;
/** From this width on the notes of all lines stand at the right. */
const WITH_NOTES = 1180;
const NOTES = 300;

const PAINT: Readonly<Record<Actor['kind'], Paint>> = {
  client: 'blue',
  kworker: 'yellow',
  daemon: 'green',
  'io-wq': 'purple',
  interrupt: 'changed',
  other: 'muted',
  kernel: 'text',
  device: 'changed',
};

/** A drawn line of the sequence. */
export interface DrawnRow {
  readonly row: SequenceRow;
  readonly y: number;
  readonly height: number;
  readonly marks: readonly Mark[];
}

export interface SequenceDrawing {
  readonly width: number;
  readonly height: number;
  /** Heads of the columns, from y 0; they stay while the lines scroll. */
  readonly head: readonly Mark[];
  /** Middle of each column, and the distance of two. */
  readonly columns: readonly number[];
  readonly gap: number;
  /** Lifelines, behind the lines. */
  readonly back: readonly Mark[];
  /** The lines, from y 0. */
  readonly rows: readonly DrawnRow[];
}

/** What the drawing depends on besides the rows. */
export interface SequenceLook {
  readonly width: number;
  /** Event of the cursor, and the focused request or -1. */
  readonly cursor: number;
  readonly focus: number;
  /** The note of every line, not only of the one at the cursor. */
  readonly notes?: boolean;
}

/** Width below which a view is drawn without columns. */
export function leastWidth(view: SequenceView): number {
  return view.actors.length * NARROW;
}

interface Layout {
  readonly width: number;
  readonly gutter: number;
  readonly notes: number;
  readonly x: readonly number[];
  readonly gap: number;
}

function layout(actors: number, width: number): Layout {
  const gutter = width < 560 ? 14 : 96;
  const notes = width >= WITH_NOTES ? NOTES : 0;
  const room = Math.max(0, width - gutter - notes - 16);
  const gap = Math.max(LEAST_GAP, actors === 0 ? room : room / actors);
  const x = Array.from({ length: actors }, (_, k) => gutter + gap * (k + 0.5));
  return { width: Math.max(width, gutter + gap * actors + notes + 16), gutter, notes, x, gap };
}

/** Lays out and draws the rows of a view for a width. */
export function drawSequence(view: SequenceView, look: SequenceLook): SequenceDrawing {
  if (look.width < leastWidth(view)) return drawCompact(view, look);
  const place = layout(view.actors.length, look.width);
  const rows: DrawnRow[] = [];
  let y = 6;
  let before: number | undefined;
  for (const row of view.rows) {
    const drawn = drawRow(row, view.actors, place, look, y, before);
    rows.push(drawn);
    y += drawn.height;
    before = row.time;
  }
  const height = y + 10;
  const back: Mark[] = place.x.map((x, k) => ({
    k: 'path',
    d: `M${x} 0V${height}`,
    stroke: 'line',
    ...(isThing(view.actors[k]) && { dash: '2 4' }),
  }));
  return {
    width: place.width,
    height,
    head: drawHead(view.actors, place),
    columns: place.x,
    gap: place.gap,
    back,
    rows,
  };
}

/** The lines one below the other, without columns. */
function drawCompact(view: SequenceView, look: SequenceLook): SequenceDrawing {
  const rows: DrawnRow[] = [];
  let y = 6;
  let before: number | undefined;
  for (const row of view.rows) {
    const here = row.event === look.cursor;
    const other = look.focus >= 0 && row.request !== look.focus && !here;
    const time = before === undefined ? nsText(row.time) : `+ ${nsText(row.time - before)}`;
    before = row.time;
    const at = { y, width: look.width, here, other, time };
    const { marks, height } = compactRow(row, view.actors, (actor) => PAINT[actor.kind], at);
    rows.push({ row, y, height, marks });
    y += height;
  }
  return { width: look.width, height: y + 10, head: [], columns: [], gap: 0, back: [], rows };
}

/** Parts of the kernel and devices are no contexts: nothing runs in them. */
function isThing(actor: Actor): boolean {
  return actor.kind === 'kernel' || actor.kind === 'device';
}

function drawHead(actors: readonly Actor[], place: Layout): Mark[] {
  const marks: Mark[] = [];
  if (place.gutter > 60 && actors.length > 0)
    marks.push({
      k: 'text',
      x: place.gutter - 12,
      y: HEAD - 12,
      text: '+ Δt',
      size: 12,
      anchor: 'end',
      fill: 'muted',
    });
  for (const [k, actor] of actors.entries()) {
    const w = Math.min(place.gap - 8, 170);
    const x = place.x[k] - w / 2;
    const lines = wrapName(actor.name, w - 12);
    const paint = PAINT[actor.kind];
    marks.push({
      k: 'rect',
      x,
      y: 5,
      w,
      h: HEAD - 10,
      r: isThing(actor) ? 0 : 8,
      fill: paint,
      faint: true,
      stroke: paint,
      width: 1.5,
    });
    const first = lines.length === 1 ? 29 : 21;
    for (const [n, text] of lines.entries())
      marks.push({
        k: 'text',
        x: place.x[k],
        y: first + n * 15,
        text,
        anchor: 'middle',
        bold: true,
        size: TEXT,
      });
  }
  return marks;
}

/** A name in at most two lines; `comm-pid` may break before a dash. */
function wrapName(name: string, width: number): string[] {
  if (widthOf(name, TEXT, true) <= width) return [name];
  if (name.includes(' ')) return wrap(name, width, 2);
  const cut = name.lastIndexOf('-');
  if (cut <= 0) return [cutTo(name, width, TEXT, true)];
  return [cutTo(name.slice(0, cut), width, TEXT, true), cutTo(name.slice(cut + 1), width, TEXT, true)];
}

function drawRow(
  row: SequenceRow,
  actors: readonly Actor[],
  place: Layout,
  look: SequenceLook,
  y: number,
  before: number | undefined,
): DrawnRow {
  const here = row.event === look.cursor;
  const other = look.focus >= 0 && row.request !== look.focus && !here;
  const noteLines =
    (here || look.notes) && row.note !== '' && place.notes === 0
      ? wrap(row.note, Math.min(place.width - 40, 760), 3)
      : [];
  const height = ROW + noteLines.length * NOTE_LINE + (noteLines.length > 0 ? 6 : 0);
  const message = drawMessage(row, actors, place, y, here, other);
  const marks: Mark[] = [];
  if (here) {
    marks.push({
      k: 'rect',
      x: 1,
      y: y + 1,
      w: place.width - 2,
      h: height - 2,
      r: 4,
      fill: 'select',
      stroke: 'focus',
      width: 1.5,
    });
    marks.push({ k: 'path', d: `M4 ${y + ROW / 2 - 6}l8 6l-8 6Z`, fill: 'focus' });
    const noteEnd = NOTE_LEFT + Math.max(0, ...noteLines.map((text) => widthOf(text, TEXT))) + 6;
    const isLabelled = (x: number) => message.some((mark) => mark.k === 'text' && covers(mark, x));
    for (const x of place.x) {
      const start = isLabelled(x) ? y + ROW / 2 + 6 : y + 2;
      const end = noteLines.length > 0 && x < noteEnd ? y + ROW - 4 : y + height - 2;
      marks.push({ k: 'path', d: `M${x} ${start}V${end}`, stroke: 'line' });
    }
  }
  if (place.gutter > 60) {
    const text = before === undefined ? nsText(row.time) : `+ ${nsText(row.time - before)}`;
    marks.push({
      k: 'text',
      x: place.gutter - 12,
      y: y + 23,
      text,
      size: 12,
      anchor: 'end',
      fill: here ? 'text' : 'muted',
    });
  }
  marks.push(...message);
  if (place.notes > 0 && row.note !== '') {
    const x = place.width - place.notes;
    const lines = wrap(row.note, place.notes - 14, 2, 12);
    const top = lines.length === 1 ? y + 23 : y + 16;
    for (const [n, text] of lines.entries())
      marks.push({ k: 'text', x, y: top + n * 14, text, size: 12, fill: here ? 'text' : 'muted' });
  }
  for (const [n, text] of noteLines.entries())
    marks.push({ k: 'text', x: NOTE_LEFT, y: y + ROW + 8 + n * NOTE_LINE, text, halo: !here });
  return { row, y, height, marks };
}

/** Whether a text stands over a column at `x`. */
function covers(mark: Extract<Mark, { k: 'text' }>, x: number): boolean {
  const wide = widthOf(mark.text, mark.size ?? TEXT, mark.bold);
  const left = mark.x - (mark.anchor === 'middle' ? wide / 2 : mark.anchor === 'end' ? wide : 0);
  return x > left - 4 && x < left + wide + 4;
}

function drawMessage(
  row: SequenceRow,
  actors: readonly Actor[],
  place: Layout,
  y: number,
  here: boolean,
  other: boolean,
): Mark[] {
  const marks: Mark[] = [];
  const from = place.x[row.actor] ?? place.gutter;
  const paint: Paint = row.error ? 'error' : other ? 'muted' : PAINT[actors[row.actor]?.kind ?? 'other'];
  const ink: Paint = row.error ? 'error' : other ? 'muted' : 'text';
  const label = row.error ? `✕ ${row.label}` : row.label;
  const wide = widthOf(label, TEXT, here);
  const right = place.width - place.notes - 8;
  const line = y + 27;
  if (row.to >= 0) {
    const to = place.x[row.to] ?? from;
    const way = to > from ? 1 : -1;
    const stroke = paint === 'muted' ? 'muted' : paint;
    marks.push({
      k: 'path',
      d: `M${from} ${line}H${to - way * 5}`,
      stroke,
      width: here ? 2.5 : 1.5,
      ...(row.error && { dash: '6 3' }),
    });
    marks.push({ k: 'circle', x: from, y: line, r: 3.5, fill: stroke });
    marks.push({ k: 'path', d: arrowHead(to, line, way > 0 ? 0 : Math.PI, 9), fill: stroke });
    const middle = (from + to) / 2;
    const x = Math.max(place.gutter - 4 + wide / 2, Math.min(middle, right - wide / 2));
    marks.push({
      k: 'text',
      x,
      y: y + 18,
      text: label,
      anchor: 'middle',
      fill: ink,
      bold: here,
      halo: !here,
    });
    return marks;
  }
  const middle = y + 20;
  marks.push({ k: 'rect', x: from - 4, y: middle - 5, w: 8, h: 10, r: 2, fill: paint });
  const room = right - from - 12;
  const text = cutTo(label, Math.max(room, from - place.gutter), TEXT, here);
  const leftwards = widthOf(text, TEXT, here) > room;
  marks.push({
    k: 'text',
    x: leftwards ? from - 10 : from + 10,
    y: middle + 5,
    text,
    anchor: leftwards ? 'end' : 'start',
    fill: ink,
    bold: here,
    halo: !here,
  });
  return marks;
}

/** The line as a sentence, for screen readers and as text. */
export function rowSentence(row: SequenceRow, actors: readonly Actor[]): string {
  const from = actors[row.actor]?.name ?? '';
  const to = row.to >= 0 ? ` → ${actors[row.to]?.name ?? ''}` : '';
  return `${row.event}, ${nsText(row.time)}, ${from}${to}: ${row.label}. ${row.note}`;
}
