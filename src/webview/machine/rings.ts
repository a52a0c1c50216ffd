import { arrowHead, cutTo, type Mark, type Paint, round, widthOf } from '../drawing/marks';
import type { Exploded, RingDrawing } from '../protocol_faces';
import type { Words } from '../words';
import { type Box, changedBadge, drawnOf, type DrawnPart, mainPath, type Piece } from './parts';

/** Most slots with a sector each; larger rings are drawn as an arc. */
const SECTORS = 64;
/** Most entries written out beside the circle. */
const LISTED = 6;
const ENTRY = 18;
/** Room around the circle for the pointers. */
const MARGIN = 30;

interface Circle {
  readonly x: number;
  readonly y: number;
  readonly outer: number;
  readonly inner: number;
  /** Edges of the room for pointers. */
  readonly left: number;
  readonly right: number;
}

/** SQ or CQ: a circle of slots with its head and tail, and its entries in words. */
export function ringPiece(ring: RingDrawing, box: Omit<Box, 'h'>, t: Words): Piece {
  const outer = Math.max(46, Math.min(84, box.w / 2 - 62));
  const circle: Circle = {
    x: box.x + box.w / 2,
    y: box.y + 26 + MARGIN + outer,
    outer,
    inner: outer * 0.6,
    left: box.x,
    right: box.x + box.w,
  };
  // the sign of a change takes the corner beside the title
  const badge = ring.changed ? 18 : 0;
  const marks: Mark[] = [
    {
      k: 'text',
      x: circle.x - badge / 2,
      y: box.y + 15,
      text: cutTo(ring.title, box.w - badge, 13, true),
      anchor: 'middle',
      bold: true,
    },
    ...slots(ring, circle),
    ...centre(ring, circle, t),
  ];
  const listTop = circle.y + outer + MARGIN + 10;
  const shown = ring.filled.slice(-LISTED);
  for (const [k, entry] of shown.entries()) {
    const y = listTop + k * ENTRY;
    const slot = entry.slot < 0 ? '?' : String(entry.slot);
    marks.push({
      k: 'rect',
      x: box.x + 2,
      y: y - 2,
      w: 26,
      h: 16,
      r: 3,
      fill: which(ring),
      faint: true,
      stroke: entry.changed ? 'changed' : which(ring),
      width: entry.changed ? 2 : 1,
    });
    marks.push({ k: 'text', x: box.x + 15, y: y + 10, text: slot, size: 11, anchor: 'middle' });
    marks.push({
      k: 'text',
      x: box.x + 34,
      y: y + 10,
      text: cutTo(`${entry.changed ? '▲ ' : ''}${entry.text}`, box.w - 36, 12),
      size: 12,
    });
  }
  const rest = ring.filled.length - shown.length;
  const bottom = listTop + shown.length * ENTRY;
  const text = rest > 0 ? `${ring.text}, ${t('{0} older not listed', rest)}` : ring.text;
  marks.push({
    k: 'text',
    x: circle.x,
    y: bottom + 12,
    text: cutTo(text, box.w, 12),
    size: 12,
    anchor: 'middle',
    fill: 'muted',
  });
  const h = bottom + 20 - box.y;
  const whole: Box = { x: box.x, y: box.y, w: box.w, h };
  if (ring.changed) marks.push(...changedBadge(box.x + box.w, box.y + 6));
  const label = drawnOf(ring, whole, [], t);
  const entries = ring.filled.map((entry) => entry.text).join('; ');
  const part: DrawnPart = {
    ...label,
    ...whole,
    label: entries === '' ? label.label : `${label.label}; ${entries}`,
    marks,
  };
  const anchor: Box = { x: circle.x - outer, y: circle.y - outer, w: outer * 2, h: outer * 2 };
  return { parts: [part, ...pointers(ring, circle, t)], marks: [], anchors: [[ring.id, anchor]], height: h };
}

function which(ring: RingDrawing): Paint {
  return ring.which === 'SQ' ? 'purple' : 'green';
}

/** Angle of the border before a slot: slot 0 begins at the top, clockwise. */
function angle(slot: number, entries: number): number {
  return (slot / entries) * 2 * Math.PI - Math.PI / 2;
}

function sector(c: Circle, from: number, to: number): string {
  const at = (r: number, a: number): string =>
    `${round(c.x + r * Math.cos(a))} ${round(c.y + r * Math.sin(a))}`;
  const large = to - from > Math.PI ? 1 : 0;
  return `M${at(c.outer, from)}A${c.outer} ${c.outer} 0 ${large} 1 ${at(c.outer, to)}L${at(c.inner, to)}A${c.inner} ${c.inner} 0 ${large} 0 ${at(c.inner, from)}Z`;
}

function slots(ring: RingDrawing, c: Circle): Mark[] {
  const paint = which(ring);
  const { entries } = ring;
  const marks: Mark[] = [];
  if (entries === 0) {
    marks.push({ k: 'circle', x: c.x, y: c.y, r: c.outer, stroke: 'muted', width: 1.5, dash: '5 5' });
    marks.push({ k: 'circle', x: c.x, y: c.y, r: c.inner, stroke: 'muted', width: 1.5, dash: '5 5' });
    return marks;
  }
  const filled = new Map(ring.filled.map((entry) => [entry.slot, entry]));
  if (entries > SECTORS) {
    marks.push({ k: 'circle', x: c.x, y: c.y, r: c.outer, stroke: 'line', width: 1.5 });
    marks.push({ k: 'circle', x: c.x, y: c.y, r: c.inner, stroke: 'line', width: 1.5 });
    for (const entry of ring.filled) {
      if (entry.slot < 0) continue;
      const from = angle(entry.slot, entries);
      const d = sector(c, from, Math.max(angle(entry.slot + 1, entries), from + 0.03));
      marks.push({ k: 'path', d, fill: entry.changed ? 'changed' : paint });
    }
    return marks;
  }
  for (let k = 0; k < entries; k++) {
    const entry = filled.get(k);
    const [from, to] = [angle(k, entries), angle(k + 1, entries)];
    const d = sector(c, from, to);
    marks.push({
      k: 'path',
      d,
      fill: entry === undefined ? 'surface' : paint,
      faint: entry !== undefined,
      stroke: 'line',
      width: 1,
    });
    if (entry !== undefined)
      marks.push({
        k: 'path',
        d,
        stroke: entry.changed ? 'changed' : paint,
        width: entry.changed ? 3.5 : 2.5,
      });
    const step = entries <= 16 ? 1 : entries <= 32 ? 4 : 8;
    if (k % step !== 0 && entry === undefined) continue;
    const middle = (from + to) / 2;
    const r = (c.outer + c.inner) / 2;
    marks.push({
      k: 'text',
      x: c.x + r * Math.cos(middle),
      y: c.y + r * Math.sin(middle) + 4,
      text: String(k),
      size: entries <= 16 ? 11 : 9,
      anchor: 'middle',
      bold: entry !== undefined,
      fill: entry === undefined ? 'muted' : 'text',
    });
  }
  return marks;
}

/** Entries in the ring: what lies between head and tail, or what is known without them; undefined: unknown. */
function fillOf(ring: RingDrawing): number | undefined {
  const known = (value: string): number => (value === '' ? Number.NaN : Number(value));
  const counted = ring.values.find(({ path }) => path.endsWith('.pending') || path.endsWith('.ready'));
  return [known(ring.tail.value) - known(ring.head.value), known(counted?.value ?? '')].find(Number.isFinite);
}

function centre(ring: RingDrawing, c: Circle, t: Words): Mark[] {
  const fill = fillOf(ring);
  const words = [
    fill === undefined ? t('fill unknown') : t('{0} filled', fill),
    ring.entries === 0 ? t('size unknown') : t('{0} slots', ring.entries),
  ];
  if (fill === undefined && ring.entries === 0) words.splice(0, 2, t('unknown'));
  const room = c.inner * 1.9;
  const widest = Math.max(...words.map((word) => widthOf(word, 11)));
  // Where the words do not fit as they are they become smaller, never a part of themselves.
  const small = Math.min(11, (11 * room) / widest);
  return [ring.which, ...words].map((text, k) => ({
    k: 'text',
    x: c.x,
    y: c.y - 8 + k * 15,
    text: k === 0 ? cutTo(text, room, 15, true) : text,
    size: k === 0 ? 15 : small,
    bold: k === 0,
    anchor: 'middle',
    fill: k === 0 ? 'text' : 'muted',
  }));
}

/** Head and tail as pointers from outside, turned apart where their texts would meet. */
export function pointers(ring: RingDrawing, c: Circle, t: Words): readonly DrawnPart[] {
  const turn = Number(ring.tail.value) - Number(ring.head.value);
  const entries = sizeOf(ring);
  // The one that comes first on the short way round the circle turns back, the other one on.
  const way = (((turn % entries) + entries) % entries) * 2 > entries ? -1 : 1;
  const pair = (spread: number): readonly [DrawnPart, DrawnPart] => [
    pointer(ring, ring.head, 'head', c, -way * spread, t),
    pointer(ring, ring.tail, 'tail', c, way * spread, t),
  ];
  let drawn = pair(turn % entries === 0 ? 0.2 : 0);
  for (let spread = 0.25; spread < 2 && meet(...drawn); spread += 0.05) drawn = pair(spread);
  return drawn;
}

function meet(a: Box, b: Box): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** Slots of a ring; where they are unknown, enough to place pointers. */
function sizeOf({ entries }: RingDrawing): number {
  return entries === 0 ? 16 : entries;
}

/** `beside`: by how much the pointer is turned away from its slot, radians. */
function pointer(
  ring: RingDrawing,
  value: Exploded,
  end: 'head' | 'tail',
  c: Circle,
  beside: number,
  t: Words,
): DrawnPart {
  const position = value.value === '' ? Number.NaN : Number(value.value);
  const known = Number.isFinite(position);
  const own = angle(position % sizeOf(ring), sizeOf(ring));
  // unknown pointers wait at the lower left and right
  const at = known ? own + beside : end === 'head' ? 2.5 : 0.64;
  const tip = own + Math.sign(beside) * (ring.head.value === ring.tail.value ? 0.05 : 0);
  const [cos, sin] = [Math.cos(tip), Math.sin(tip)];
  const far = c.outer + 12;
  const x = c.x + far * Math.cos(at);
  const y = c.y + far * Math.sin(at);
  const changed = value.previous !== undefined;
  const paint: Paint = changed ? 'changed' : known ? 'text' : 'muted';
  const ink: Paint = known || changed ? 'text' : 'muted';
  const flat = Math.abs(Math.sin(at)) < 0.5;
  const shown = known ? value.value : '?';
  const sign = changed ? '▲ ' : '';
  const was = changed ? (value.previous === '' ? t('new') : t('was {0}', value.previous ?? '')) : '';
  const lines = [
    ...(flat ? [`${sign}${end}`, shown] : [`${sign}${end} ${shown}`]),
    ...(was === '' ? [] : [was]),
  ];
  const w = Math.max(...lines.map((line) => widthOf(line, 12, true))) + 4;
  const upright = Math.abs(Math.cos(at)) < 0.35;
  // Clockwise is to the right at the top and to the left at the bottom.
  const side = Math.sign(upright ? -Math.sin(at) * beside : Math.cos(at));
  const anchor = side === 0 ? 'middle' : side > 0 ? 'start' : 'end';
  const tx = clamp(x + side * 5, anchor, w, c);
  const up = Math.sin(at) < -0.35;
  const high = 13 * (lines.length - 1);
  const ty = y + (up ? -2 - high : Math.sin(at) > 0.35 ? 11 : 4 - high / 2);
  const marks: Mark[] = [];
  if (known) {
    marks.push({
      k: 'path',
      d: `M${round(x)} ${round(y)}L${round(c.x + (c.outer + 3) * cos)} ${round(c.y + (c.outer + 3) * sin)}`,
      stroke: paint,
      width: changed ? 2.5 : 1.5,
    });
    marks.push({
      k: 'path',
      d: arrowHead(
        c.x + c.outer * cos,
        c.y + c.outer * sin,
        Math.atan2(c.y + c.outer * sin - y, c.x + c.outer * cos - x),
        9,
      ),
      fill: paint,
    });
  }
  for (const [k, text] of lines.entries())
    marks.push({
      k: 'text',
      x: tx,
      y: ty + k * 13,
      text,
      size: 12,
      anchor,
      bold: text !== was,
      fill: ink,
      halo: true,
    });
  const left = leftOf(tx, anchor, w);
  const title = `${ring.which} ${end}`;
  return {
    id: `${ring.id}:${end}`,
    title,
    label: `${title} ${value.value}${was === '' ? '' : `, ${was}`}`,
    x: left - 2,
    y: ty - 13,
    w: w + 4,
    h: 18 + high,
    marks,
    values: [value],
    path: mainPath([value]),
    changed,
    request: -1,
  };
}

type Anchor = 'start' | 'middle' | 'end';

function leftOf(x: number, anchor: Anchor, w: number): number {
  return anchor === 'start' ? x : anchor === 'end' ? x - w : x - w / 2;
}

/** The x of a text, moved so far that it stays in the room of its ring. */
function clamp(x: number, anchor: Anchor, w: number, { left, right }: Circle): number {
  const at = leftOf(x, anchor, w);
  return x + Math.max(left + 2 - at, 0) - Math.max(at + w + 2 - right, 0);
}
