import { cutTo, type Mark, type Paint, TEXT, wrap } from '../drawing/marks';
import type { Exploded, MachinePart } from '../protocol_faces';
import type { Words } from '../words';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** A drawn part: it takes the focus, and its values can be broken on. */
export interface DrawnPart extends Box {
  readonly id: string;
  /** Name for people who do not see it. */
  readonly label: string;
  readonly title: string;
  readonly marks: readonly Mark[];
  readonly values: readonly Exploded[];
  /** State path of "break when this changes" of the part as a whole; empty: none. */
  readonly path: string;
  readonly changed: boolean;
  readonly request: number;
}

/** What a piece of the drawing adds: parts, marks that are no parts, places where arrows end, and how high it is. */
export interface Piece {
  readonly parts: readonly DrawnPart[];
  readonly marks: readonly Mark[];
  readonly anchors: readonly (readonly [string, Box])[];
  readonly height: number;
}

export const GAP = 8;
const LINE = 16;
const PAD = 8;

/** The first value that the event changed, as `state: was ACTIVE`. */
export function wasText(values: readonly Exploded[], t: Words): string {
  const value = values.find((one) => one.previous !== undefined);
  if (value?.previous === undefined) return '';
  return value.previous === '' ? t('new') : t('{0}: was {1}', value.name, value.previous);
}

/** Words for a part: title, text, what changed. */
export function partLabel(part: MachinePart, t: Words): string {
  const changes = part.values
    .filter((value) => value.previous !== undefined)
    .map((value) =>
      value.previous === ''
        ? t('{0} {1}, new', value.name, value.value)
        : t('{0} {1}, was {2}', value.name, value.value, value.previous ?? ''),
    );
  const end = part.gone ? [t('gone')] : part.changed ? [t('changed'), ...changes] : [];
  return [part.title, part.text, ...end].filter((text) => text !== '').join(', ');
}

/** The path by which a part as a whole is watched: that of the value which changed, else of its first one. */
export function mainPath(values: readonly Exploded[]): string {
  return (values.find((one) => one.previous !== undefined && one.path !== '') ?? values[0])?.path ?? '';
}

/** Frame of a part: outline, mark of a change, mark of the focused request. */
export function frame(box: Box, part: Pick<MachinePart, 'changed' | 'gone' | 'focused'>, r = 5): Mark[] {
  const { x, y, w, h } = box;
  const marks: Mark[] = [
    {
      k: 'rect',
      x,
      y,
      w,
      h,
      r,
      fill: 'panel',
      stroke: part.changed ? 'changed' : part.focused ? 'focus' : 'line',
      width: part.changed ? 2.5 : part.focused ? 2 : 1,
      ...(part.gone && { dash: '5 4' }),
    },
  ];
  if (part.focused) marks.push({ k: 'rect', x: x + 3, y: y + 6, w: 4, h: h - 12, r: 2, fill: 'focus' });
  if (part.changed) marks.push(...changedBadge(x + w, y));
  return marks;
}

/** The sign of a change, at the upper right corner. */
export function changedBadge(x: number, y: number): Mark[] {
  return [
    { k: 'circle', x: x - 5, y: y + 4, r: 9, fill: 'changed', stroke: 'surface', width: 2 },
    { k: 'path', d: `M${x - 5} ${y - 1}l5 9h-10Z`, fill: 'surface' },
  ];
}

/** A tile with a title, lines of text and what changed. `lines` may name colours. */
export function tile(
  part: MachinePart,
  box: Omit<Box, 'h'>,
  t: Words,
  lines: readonly { readonly text: string; readonly fill?: Paint }[],
  inset = 0,
): { drawn: DrawnPart; height: number } {
  const left = box.x + PAD + (part.focused ? 6 : 0) + inset;
  const room = box.w - PAD * 2 - (part.focused ? 6 : 0) - inset - (part.changed ? 8 : 0);
  const was = part.gone ? '' : wasText(part.values, t);
  const all = [
    ...lines.filter((one) => one.text !== ''),
    ...(was === '' ? [] : [{ text: `▲ ${was}`, fill: 'text' as const }]),
  ];
  const h = PAD + LINE * (1 + all.length) + PAD - 3;
  const whole = { ...box, h };
  const marks: Mark[] = [
    ...frame(whole, part),
    {
      k: 'text',
      x: left,
      y: box.y + PAD + 11,
      text: cutTo(part.title, room, TEXT, true),
      bold: true,
      ...(part.gone && { fill: 'muted' }),
    },
    ...all.map(
      ({ text, fill }, k): Mark => ({
        k: 'text',
        x: left,
        y: box.y + PAD + 11 + LINE * (k + 1),
        text: cutTo(text, room + (part.changed ? 8 : 0), 12),
        size: 12,
        fill: fill ?? 'muted',
      }),
    ),
  ];
  return { drawn: drawnOf(part, whole, marks, t), height: h };
}

/** A part with its marks. */
export function drawnOf(part: MachinePart, box: Box, marks: readonly Mark[], t: Words): DrawnPart {
  return {
    ...box,
    id: part.id,
    title: part.title,
    label: partLabel(part, t),
    marks,
    values: part.values,
    path: mainPath(part.values),
    changed: part.changed,
    request: part.request,
  };
}

/** Lays things out in rows of equal width; each row is as high as its highest thing. */
export function flow<P>(
  list: readonly P[],
  at: { readonly x: number; readonly y: number; readonly w: number },
  least: number,
  most: number,
  draw: (item: P, box: Omit<Box, 'h'>) => { readonly piece: Omit<Piece, 'height'>; readonly height: number },
): Piece {
  const columns = Math.max(1, Math.min(Math.floor((at.w + GAP) / (least + GAP)), Math.max(1, list.length)));
  const w = Math.min(most, (at.w - GAP * (columns - 1)) / columns);
  const parts: DrawnPart[] = [];
  const marks: Mark[] = [];
  const anchors: (readonly [string, Box])[] = [];
  let y = at.y;
  let row = 0;
  for (const [k, item] of list.entries()) {
    const column = k % columns;
    if (column === 0 && k > 0) {
      y += row + GAP;
      row = 0;
    }
    const { piece, height } = draw(item, { x: at.x + column * (w + GAP), y, w });
    parts.push(...piece.parts);
    marks.push(...piece.marks);
    anchors.push(...piece.anchors);
    row = Math.max(row, height);
  }
  return { parts, marks, anchors, height: list.length === 0 ? 0 : y + row - at.y };
}

/** Tiles of parts that are a title and a text. */
export function tiles(
  list: readonly MachinePart[],
  at: { readonly x: number; readonly y: number; readonly w: number },
  t: Words,
  least = 150,
  most = 340,
): Piece {
  return flow(list, at, least, most, (part, box) => {
    const lines = wrap(part.text, box.w - PAD * 2 - 6, 2, 12).map((text) => ({ text }));
    const { drawn, height } = tile(part, box, t, lines);
    return { piece: { parts: [drawn], marks: [], anchors: [[drawn.id, drawn]] }, height };
  });
}
