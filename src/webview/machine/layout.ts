import { cutTo, type Mark, widthOf } from '../drawing/marks';
import type { MachineView, RingDrawing } from '../protocol_faces';
import type { Words } from '../words';
import { diskPiece, pageCards, pipePiece, requestTiles } from './data';
import { type Arrows, drawLinks } from './links';
import { type Box, type DrawnPart, type Piece, tiles } from './parts';
import { ringPiece } from './rings';
import { slotTiles } from './slots';

/** Widths from which there are three and two columns. */
const THREE = 1060;
const TWO = 680;
const AIR = 14;
const INSIDE = 12;
const TITLE = 26;

interface At {
  readonly x: number;
  readonly y: number;
  readonly w: number;
}

/** A titled group of parts; empty ones are not drawn. */
interface Group {
  readonly title: string;
  readonly draw: (at: At) => Piece;
  readonly empty: boolean;
}

/** Everything of the machine, laid out for a width. */
export interface MachineDrawing {
  readonly width: number;
  readonly height: number;
  /** Frames and titles of groups. */
  readonly back: readonly Mark[];
  /** From left to right and top to bottom, the order of the keys. */
  readonly parts: readonly DrawnPart[];
  /** Arrows along the focused request. */
  readonly links: Arrows;
}

/** Lays out and draws a machine. */
export function drawMachine(view: MachineView, width: number, t: Words): MachineDrawing {
  const columns = width >= THREE ? [0.29, 0.41, 0.3] : width >= TWO ? [0.46, 0.54] : [1];
  const groups = arrange(view, columns.length, t);
  const room = width - AIR * (columns.length + 1);
  const back: Mark[] = [];
  const parts: DrawnPart[] = [];
  const anchors = new Map<string, Box>();
  const titles: Box[] = [];
  let x = AIR;
  let height = 0;
  for (const [k, share] of columns.entries()) {
    const w = Math.floor(room * share);
    let y = AIR / 2;
    for (const group of groups[k] ?? []) {
      if (group.empty) continue;
      const piece = group.draw({ x: x + INSIDE, y: y + TITLE + 6, w: w - INSIDE * 2 });
      const h = TITLE + 6 + piece.height + INSIDE;
      back.push({ k: 'rect', x, y, w, h, r: 8, stroke: 'line' });
      back.push({
        k: 'text',
        x: x + INSIDE,
        y: y + 18,
        text: cutTo(group.title, w - INSIDE * 2),
        fill: 'muted',
      });
      titles.push({ x, y, w: widthOf(group.title) + INSIDE, h: TITLE });
      back.push(...piece.marks);
      parts.push(...piece.parts);
      for (const [id, box] of piece.anchors) anchors.set(id, box);
      y += h + AIR;
    }
    height = Math.max(height, y);
    x += w + AIR;
  }
  const occupied: Box[] = [...parts, ...titles];
  return { width, height, back, parts, links: drawLinks(view.links, anchors, occupied) };
}

/** What stands in which column: the way of the data runs from left to right. */
function arrange(view: MachineView, columns: number, t: Words): Group[][] {
  const served = view.disks.filter((disk) => disk.served);
  const below = view.disks.filter((disk) => !disk.served);
  const list = <P>(items: readonly P[], draw: (item: P, at: At) => Piece): ((at: At) => Piece) =>
    stack(items, draw);
  const clients: Group = {
    title: t('Clients'),
    empty: view.clients.length === 0,
    draw: (at) => tiles(view.clients, at, t),
  };
  const above: Group = {
    title: t('Block layer of the ublk disk'),
    empty: served.length === 0,
    draw: list(served, (disk, at) => diskPiece(disk, at, t)),
  };
  const slots: Group = {
    title: t('Slots: one parked command per tag'),
    empty: view.slots.length === 0 && view.devices.length === 0,
    draw: (at) =>
      joined([(y) => tiles(view.devices, y, t, 220, at.w), (y) => slotTiles(view.slots, y, t)], at),
  };
  const rings: Group = {
    title: t('Rings: shared memory of server and kernel'),
    empty: view.rings.length === 0,
    draw: list(pairs(view.rings), (pair, at) => ringPair(view, pair, at, t)),
  };
  const tasks: Group = {
    title: t('Tasks'),
    empty: view.tasks.length === 0,
    draw: (at) => tiles(view.tasks, at, t, columns === 3 ? at.w : 190, at.w),
  };
  const pipes: Group = {
    title: t('Pipes: references to pages, no bytes'),
    empty: view.pipes.length === 0,
    draw: list(view.pipes, (pipe, at) => pipePiece(pipe, at, t)),
  };
  const pages: Group = {
    title: t('Pages of requests'),
    empty: view.pages.length === 0,
    draw: (at) => pageCards(view.pages, at, t),
  };
  const disks: Group = {
    title: t('Backing file and its disk'),
    empty: below.length === 0,
    draw: list(below, (disk, at) => diskPiece(disk, at, t)),
  };
  if (columns === 3)
    return [
      [clients, above, slots],
      [rings, tasks],
      [pipes, pages, disks],
    ];
  if (columns === 2)
    return [
      [clients, above, slots, tasks],
      [rings, pipes, pages, disks],
    ];
  return [[clients, above, slots, rings, tasks, pipes, pages, disks]];
}

function pairs(rings: readonly RingDrawing[]): RingDrawing[][] {
  const ids = [...new Set(rings.map((ring) => ring.ring))];
  return ids.map((id) => rings.filter((ring) => ring.ring === id));
}

/** SQ and CQ side by side, what is between them below. */
function ringPair(view: MachineView, pair: readonly RingDrawing[], at: At, t: Words): Piece {
  const narrow = at.w < 360;
  const w = narrow ? at.w : (at.w - 10) / 2;
  const circles = pair.map((ring, k) => ({ ring, k }));
  const drawn: Piece[] = [];
  let bottom = at.y;
  for (const { ring, k } of circles) {
    const piece = ringPiece(ring, { x: at.x + (narrow ? 0 : k * (w + 10)), y: narrow ? bottom : at.y, w }, t);
    drawn.push(piece);
    bottom = narrow ? bottom + piece.height + 8 : Math.max(bottom, at.y + piece.height);
  }
  const requests = view.requests.filter((request) => request.ring === pair[0]?.ring);
  const marks: Mark[] = [];
  if (requests.length > 0) {
    marks.push({
      k: 'text',
      x: at.x,
      y: bottom + 20,
      text: t('In the kernel, between SQ and CQ'),
      fill: 'muted',
      size: 12,
    });
    const inside = requestTiles(requests, { x: at.x, y: bottom + 28, w: at.w }, t);
    drawn.push(inside);
    bottom += 28 + inside.height;
  }
  return {
    parts: drawn.flatMap((piece) => piece.parts),
    marks: [...marks, ...drawn.flatMap((piece) => piece.marks)],
    anchors: drawn.flatMap((piece) => piece.anchors),
    height: bottom - at.y,
  };
}

/** Pieces one below the other. */
function joined(draws: readonly ((at: At) => Piece)[], at: At): Piece {
  let y = at.y;
  const drawn: Piece[] = [];
  for (const draw of draws) {
    const piece = draw({ ...at, y });
    drawn.push(piece);
    if (piece.height > 0) y += piece.height + 10;
  }
  return {
    parts: drawn.flatMap((piece) => piece.parts),
    marks: drawn.flatMap((piece) => piece.marks),
    anchors: drawn.flatMap((piece) => piece.anchors),
    height: Math.max(0, y - at.y - 10),
  };
}

function stack<P>(items: readonly P[], draw: (item: P, at: At) => Piece): (at: At) => Piece {
  return (at) =>
    joined(
      items.map((item) => (place: At) => draw(item, place)),
      at,
    );
}
