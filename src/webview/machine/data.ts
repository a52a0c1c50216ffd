import { cutTo, type Mark, type Paint, round } from '../drawing/marks';
import type { DiskDrawing, PageDrawing, PipeDrawing, RingRequestDrawing } from '../protocol_faces';
import type { Words } from '../words';
import { type Box, changedBadge, drawnOf, flow, GAP, type Piece, tile } from './parts';

/** Slots of a pipe whose size the trace does not say, drawn open at the end. */
const OPEN_SLOTS = 8;
const TUBE = 40;

interface At {
  readonly x: number;
  readonly y: number;
  readonly w: number;
}

/** A pipe as a tube: buffers come in at the left and leave at the right. */
export function pipePiece(pipe: PipeDrawing, at: At, t: Words): Piece {
  const slots = Math.max(pipe.slots === 0 ? OPEN_SLOTS : pipe.slots, pipe.buffers.length, 1);
  const left = at.x + 14;
  const step = (at.w - 28) / slots;
  const top = at.y + 22;
  const edge = pipe.changed ? 'changed' : pipe.focused ? 'focus' : 'line';
  const width = pipe.changed ? 2.5 : pipe.focused ? 2 : 1.5;
  const [r, end] = [TUBE / 2, at.x + at.w - 14];
  const marks: Mark[] = [
    { k: 'text', x: at.x, y: at.y + 12, text: cutTo(pipe.title, at.w, 13, true), bold: true },
    // the mouths are ellipses; the near one is open
    {
      k: 'path',
      d: `M${left} ${top}H${end}A8 ${r} 0 0 1 ${end} ${top + TUBE}H${left}A8 ${r} 0 0 1 ${left} ${top}Z`,
      fill: 'panel',
      stroke: edge,
      width,
      ...(pipe.slots === 0 && { dash: '7 4' }),
    },
    { k: 'path', d: `M${left} ${top}A8 ${r} 0 0 1 ${left} ${top + TUBE}`, stroke: edge, width },
  ];
  const { buffers } = pipe;
  for (const [k, buffer] of buffers.entries()) {
    // the oldest leaves first, at the right
    const x = end - (k + 1) * step;
    const box = { x: round(x + 2), y: top + 5, w: round(Math.max(3, step - 4)), h: TUBE - 10 };
    marks.push({
      k: 'rect',
      ...box,
      r: 3,
      fill: 'blue',
      faint: true,
      stroke: buffer.changed ? 'changed' : 'blue',
      width: buffer.changed ? 3 : 1.5,
    });
    if (step >= 46) {
      marks.push({
        k: 'text',
        x: x + step / 2,
        y: top + 18,
        text: cutTo(buffer.text, step - 6, 11),
        size: 11,
        anchor: 'middle',
      });
      marks.push({
        k: 'text',
        x: x + step / 2,
        y: top + 31,
        text: `${buffer.bytes} B`,
        size: 10,
        anchor: 'middle',
        fill: 'muted',
      });
    }
  }
  if (pipe.changed) marks.push(...changedBadge(at.x + at.w - 4, top - 4));
  const was = pipe.values.find((value) => value.previous !== undefined && value.previous !== '');
  const text =
    was === undefined ? pipe.text : `${pipe.text} · ${t('{0}: was {1}', was.name, was.previous ?? '')}`;
  marks.push({
    k: 'text',
    x: at.x,
    y: top + TUBE + 16,
    text: cutTo(text, at.w, 12),
    size: 12,
    fill: was === undefined ? 'muted' : 'text',
  });
  const box: Box = { ...at, h: 22 + TUBE + 22 };
  return {
    parts: [drawnOf(pipe, box, marks, t)],
    marks: [],
    anchors: [[pipe.id, { x: at.x, y: top, w: at.w, h: TUBE }]],
    height: box.h,
  };
}

/** Whether the bytes of a page are known to be data: a full, a half-known or an empty sheet. */
function sheet(page: PageDrawing, x: number, y: number): Mark[] {
  const from = page.values.find((value) => value.path.endsWith(':fill'));
  const filled = from !== undefined && /@|buffer|zero|cache/.test(page.origin);
  const outline = `M${x} ${y}h13l6 6v19h-19Z`;
  const paint: Paint = page.gone ? 'muted' : 'blue';
  const marks: Mark[] = [
    {
      k: 'path',
      d: outline,
      fill: paint,
      faint: true,
      stroke: paint,
      width: 1.5,
      ...(!filled && { dash: '3 3' }),
    },
  ];
  if (filled)
    marks.push({
      k: 'path',
      d: `M${x + 4} ${y + 11}h11M${x + 4} ${y + 15}h11M${x + 4} ${y + 19}h8`,
      stroke: paint,
      width: 1.5,
    });
  return marks;
}

/** References as so many dots, and in digits. */
function references(page: PageDrawing, x: number, y: number, t: Words): Mark[] {
  const count = Number(page.references.value);
  const text = t('references {0}', Number.isFinite(count) ? count : page.references.value);
  const changed = page.references.previous !== undefined && page.references.previous !== '';
  const marks: Mark[] = [{ k: 'text', x, y, text, size: 12, fill: changed ? 'text' : 'muted' }];
  if (!Number.isFinite(count)) return marks;
  const start = x + text.length * 6.6 + 10;
  for (let k = 0; k < Math.min(count, 6); k++)
    marks.push({ k: 'circle', x: start + k * 10, y: y - 4, r: 3.5, fill: changed ? 'changed' : 'text' });
  return marks;
}

/** Pages as cards. */
export function pageCards(pages: readonly PageDrawing[], at: At, t: Words): Piece {
  return flow(pages, at, pages.length > 4 ? 165 : 205, at.w, (page, box) => {
    const lines = page.gone
      ? [{ text: page.owner }, { text: t('no longer in a request') }]
      : [{ text: page.owner }, { text: page.origin, fill: 'text' as const }, { text: ' ' }];
    const { drawn, height } = tile(page, box, t, lines, 28);
    const left = box.x + 8 + (page.focused ? 6 : 0);
    const marks = [...drawn.marks, ...sheet(page, left, box.y + 8)];
    if (!page.gone) marks.push(...references(page, left + 28, box.y + 8 + 11 + 48, t));
    const words = page.gone ? '' : `, ${t('references {0}', page.references.value)}, ${page.origin}`;
    return {
      piece: {
        parts: [{ ...drawn, label: drawn.label + words, marks }],
        marks: [],
        anchors: [[drawn.id, drawn]],
      },
      height,
    };
  });
}

/** A disk as a cylinder with what is in flight inside. */
export function diskPiece(disk: DiskDrawing, at: At, t: Words): Piece {
  const columns = at.w >= 300 ? 2 : 1;
  const w = (at.w - 24 - GAP * (columns - 1)) / columns;
  const rows = Math.ceil(disk.inFlight.length / columns);
  const h = 62 + rows * 28 + (rows > 0 ? 6 : 0);
  const edge = disk.changed ? 'changed' : disk.focused ? 'focus' : 'line';
  const width = disk.changed ? 2.5 : disk.focused ? 2 : 1.5;
  const rim = 9;
  const right = at.x + at.w;
  const body = `M${at.x} ${at.y + rim}A${at.w / 2} ${rim} 0 0 1 ${right} ${at.y + rim}V${at.y + h - rim}A${at.w / 2} ${rim} 0 0 1 ${at.x} ${at.y + h - rim}Z`;
  const lid = `M${at.x} ${at.y + rim}A${at.w / 2} ${rim} 0 0 0 ${right} ${at.y + rim}`;
  const was = disk.values.find((value) => value.previous !== undefined && value.previous !== '');
  const text =
    was === undefined ? disk.text : `${disk.text} · ${t('{0}: was {1}', was.name, was.previous ?? '')}`;
  const marks: Mark[] = [
    { k: 'path', d: body, fill: 'panel', stroke: edge, width },
    { k: 'path', d: lid, stroke: edge, width },
    { k: 'text', x: at.x + 12, y: at.y + 34, text: cutTo(disk.title, at.w - 24, 13, true), bold: true },
    {
      k: 'text',
      x: at.x + 12,
      y: at.y + 50,
      text: cutTo(text, at.w - 24, 12),
      size: 12,
      fill: was === undefined ? 'muted' : 'text',
    },
  ];
  const anchors: (readonly [string, Box])[] = [];
  for (const [k, io] of disk.inFlight.entries()) {
    const box = {
      x: at.x + 12 + (k % columns) * (w + GAP),
      y: at.y + 58 + Math.floor(k / columns) * 28,
      w,
      h: 23,
    };
    marks.push({
      k: 'rect',
      ...box,
      r: 4,
      fill: 'blue',
      faint: true,
      stroke: io.changed ? 'changed' : 'blue',
      width: io.changed ? 2.5 : 1.2,
    });
    marks.push({
      k: 'text',
      x: box.x + 7,
      y: box.y + 16,
      text: cutTo(`${io.changed ? '▲ ' : ''}${io.text}`, w - 12, 12),
      size: 12,
    });
    anchors.push([io.id, box]);
  }
  if (disk.changed) marks.push(...changedBadge(right, at.y));
  const box: Box = { ...at, h };
  const drawn = drawnOf(disk, box, marks, t);
  const inside = disk.inFlight.map((io) => io.text).join('; ');
  return {
    parts: [{ ...drawn, label: inside === '' ? drawn.label : `${drawn.label}; ${inside}` }],
    marks: [],
    anchors: [[disk.id, box], ...anchors],
    height: h,
  };
}

const PHASES: Readonly<Record<string, Paint>> = {
  'io-wq queued': 'purple',
  'io-wq running': 'purple',
  armed: 'green',
  failed: 'error',
  cancelled: 'error',
};

/** Requests between SQ and CQ as tiles; a chain link, a clock or a wheel would say less than the phase in words. */
export function requestTiles(requests: readonly RingRequestDrawing[], at: At, t: Words): Piece {
  return flow(requests, at, 160, 260, (request, box) => {
    const { drawn, height } = tile(request, box, t, [{ text: request.text }]);
    const stripe: Mark = {
      k: 'rect',
      x: box.x + 8,
      y: box.y + height - 4,
      w: box.w - 16,
      h: 2.5,
      fill: PHASES[request.phase] ?? 'muted',
    };
    return {
      piece: {
        parts: [{ ...drawn, marks: [...drawn.marks, stripe] }],
        marks: [],
        anchors: [[drawn.id, drawn]],
      },
      height,
    };
  });
}
