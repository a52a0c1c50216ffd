import { beforeAll, describe, expect, it } from 'vitest';
import type { OpenTrace } from '../../src/debug/model';
import { machineView } from '../../src/view/machine';
import { machineSvg } from '../../src/webview/machine/export';
import { drawMachine, type MachineDrawing } from '../../src/webview/machine/layout';
import type { Box } from '../../src/webview/machine/parts';
import { nearest } from '../../src/webview/machine/roving';
import { widthOf } from '../../src/webview/drawing/marks';
import { ringPiece } from '../../src/webview/machine/rings';
import type { Exploded, MachineView, RingDrawing } from '../../src/webview/protocol_faces';
import { wordsFrom } from '../../src/webview/words';
import { recording, sample } from '../view/support';
import { elementsOf } from './xml';

const t = wordsFrom({});

function overlap(a: Box, b: Box): boolean {
  return a.x + 1 < b.x + b.w && b.x + 1 < a.x + a.w && a.y + 1 < b.y + b.h && b.y + 1 < a.y + a.h;
}

/** Pointers of rings stand inside the part of their ring. */
function pairsThatOverlap({ parts }: MachineDrawing): string[] {
  const found: string[] = [];
  for (const [k, a] of parts.entries())
    for (const b of parts.slice(k + 1)) {
      const nested = a.id.startsWith(`${b.id}:`) || b.id.startsWith(`${a.id}:`);
      const pointers = /:(head|tail)$/.test(a.id) && /:(head|tail)$/.test(b.id);
      if (!nested && !pointers && overlap(a, b)) found.push(`${a.id} over ${b.id}`);
    }
  return found;
}

describe.each([
  ['samples/loop-zc.ublk', () => sample('loop-zc.ublk')],
  ['a recording of the RFC', () => recording('rfc-zc-loop-direct-q1d32')],
  ['a recording of 7.3', () => recording('k7.3-loop-copy-kublk-q1d32')],
])('the drawing of %s', (_, load) => {
  let open: OpenTrace;
  const viewAt = (e: number): MachineView => machineView(open, e, open.requests.requestOf(e));
  beforeAll(async () => {
    open = await load();
  });

  it('says of each ring how full it is as its values say, in words that are whole', () => {
    for (let e = 0; e < open.length; e += 37) {
      const view = viewAt(e);
      const { parts } = drawMachine(view, 360, t);
      for (const ring of view.rings) {
        const texts = parts
          .find((part) => part.id === ring.id)!
          .marks.flatMap((mark) => (mark.k === 'text' ? [mark.text] : []));
        const count = Number(ring.values.find(({ path }) => /[.](pending|ready)$/.test(path))?.value);
        const known = Number(ring.tail.value) - Number(ring.head.value);
        const fill = Number.isFinite(known) ? known : count;
        if (Number.isFinite(fill)) expect(texts).toContain(`${fill} filled`);
        else expect(texts.some((text) => /^(fill )?unknown$/.test(text))).toBe(true);
        if (ring.entries === 0) expect(texts.some((text) => /^(size )?unknown$/.test(text))).toBe(true);
        else expect(texts).toContain(`${ring.entries} slots`);
      }
    }
  });

  it('has every part once, none over another, all inside its width', () => {
    for (let e = 0; e < open.length; e += 37) {
      const view = viewAt(e);
      for (const width of [360, 800, 1400]) {
        const drawing = drawMachine(view, width, t);
        const ids = drawing.parts.map((part) => part.id);
        expect(new Set(ids).size).toBe(ids.length);
        const { clients, tasks, devices, rings, requests, slots, pipes, pages, disks } = view;
        const all = [
          ...clients,
          ...tasks,
          ...devices,
          ...rings,
          ...requests,
          ...slots,
          ...pipes,
          ...pages,
          ...disks,
        ];
        for (const { id, changed } of all)
          expect(drawing.parts.find((part) => part.id === id)?.changed, id).toBe(changed);
        expect(pairsThatOverlap(drawing), `event ${e}, width ${width}`).toEqual([]);
        for (const part of drawing.parts) {
          if (/:(head|tail)$/.test(part.id)) continue;
          expect(part.x).toBeGreaterThanOrEqual(0);
          expect(part.x + part.w).toBeLessThanOrEqual(width);
          expect(part.y + part.h).toBeLessThanOrEqual(drawing.height);
        }
      }
    }
  });

  it('names each part with what changed of it', () => {
    for (let e = 0; e < open.length; e += 11) {
      const { parts } = drawMachine(viewAt(e), 1200, t);
      for (const part of parts) {
        expect(part.label).not.toMatch(/undefined|NaN|\{\d\}/);
        const was = part.values.find(
          (value) => value.previous !== undefined && value.previous !== '',
        )?.previous;
        if (was !== undefined) expect(part.label).toContain(`was ${was}`);
      }
    }
  });

  it('is a well-formed picture in fixed colours', () => {
    for (let e = 0; e < open.length; e += 101) {
      const { svg, width, height } = machineSvg(viewAt(e), 1200, t);
      expect(elementsOf(svg.trim())[0]).toBe('svg');
      expect(svg).not.toMatch(/var\(|vscode|NaN|undefined/);
      expect(svg).toContain(`viewBox="0 0 ${width} ${height}"`);
    }
  });
});

describe('the texts of a ring', () => {
  const value = (name: string, now: number | undefined, previous?: number): Exploded => ({
    name,
    value: now === undefined ? '' : String(now),
    path: '',
    ...(previous !== undefined && { previous: String(previous) }),
  });
  const ringOf = (entries: number, head: Exploded, tail: Exploded): RingDrawing => ({
    id: 'ring:0:CQ',
    title: 'CQ of ring 0 of ublk-256',
    text: '1 for the server to reap',
    values: [],
    changed: true,
    gone: false,
    request: -1,
    focused: false,
    which: 'CQ',
    ring: 0,
    entries,
    head,
    tail,
    filled: [{ slot: 0, text: 'READ 4 KiB: 4096', changed: true, request: -1 }],
  });
  /** Boxes of the head's and the tail's texts and of what stands above and below the circle. */
  const textBoxes = (ring: RingDrawing, width: number): Box[] => {
    const { parts } = ringPiece(ring, { x: 20, y: 10, w: width }, t);
    const whole = parts[0]!;
    return parts
      .flatMap((part) => part.marks.map((mark) => ({ mark, part })))
      .flatMap(({ mark, part }) => {
        if (mark.k !== 'text') return [];
        const { x, y, text, size = 13, anchor = 'start', bold = false } = mark;
        // Numbers of slots and words in the middle stand inside the circle.
        if (part === whole && y > whole.y + 30 && y < whole.y + whole.h - 50) return [];
        const w = widthOf(text, size, bold);
        const left = anchor === 'start' ? x : anchor === 'end' ? x - w : x - w / 2;
        return [{ x: left, y: y - size * 0.8, w, h: size }];
      });
  };
  const clashes = (ring: RingDrawing, width: number): number => {
    const boxes = textBoxes(ring, width);
    return boxes.flatMap((a, k) => boxes.slice(k + 1).filter((b) => overlap(a, b))).length;
  };

  it.each([0, 1, 2, 4, 8, 16, 32, 64, 128])('never lie over each other: %i slots', (entries) => {
    const round = entries || 16;
    for (const width of [150, 210, 300])
      for (let head = 0; head < round; head += Math.ceil(round / 13))
        for (let turn = 0; turn <= round; turn += turn < 6 ? 1 : Math.ceil(round / 20))
          for (const changed of ['', 'head', 'tail', 'both']) {
            const was = (end: string, now: number): number | undefined =>
              changed === end || changed === 'both' ? now + 1 : undefined;
            const tail = head + turn;
            const ring = ringOf(
              entries,
              value('head', head, was('head', head)),
              value('tail', tail, was('tail', tail)),
            );
            expect(clashes(ring, width), `${head} to ${tail}, changed ${changed}, ${width} px`).toBe(0);
          }
  });

  it('never lie over each other where one end is unknown', () => {
    for (let tail = 0; tail < 16; tail++) {
      expect(clashes(ringOf(16, value('head', undefined), value('tail', tail, 7)), 210)).toBe(0);
      expect(clashes(ringOf(16, value('head', tail), value('tail', undefined)), 210)).toBe(0);
    }
  });
});

describe('arrow keys', () => {
  const grid = [0, 1, 2].flatMap((row) =>
    [0, 1, 2].map((column) => ({ id: `${row}${column}`, x: column * 50, y: row * 30, w: 40, h: 20 })),
  );
  it('lead to the neighbour in their direction', () => {
    const middle = grid[4]!;
    const to = (key: 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown') => nearest(grid, middle, key)?.id;
    expect([to('ArrowLeft'), to('ArrowRight'), to('ArrowUp'), to('ArrowDown')]).toEqual([
      '10',
      '12',
      '01',
      '21',
    ]);
    expect(nearest(grid, grid[0]!, 'ArrowUp')).toBeUndefined();
  });

  it('reach every part of a machine from the first one', async () => {
    const open = await sample('loop-zc.ublk');
    const { parts } = drawMachine(machineView(open, 920, 12), 1400, t);
    const seen = new Set([parts[0]!]);
    const queue = [parts[0]!];
    for (let part = queue.pop(); part !== undefined; part = queue.pop())
      for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'] as const) {
        const next = nearest(parts, part, key);
        if (next === undefined || seen.has(next)) continue;
        seen.add(next);
        queue.push(next);
      }
    expect(parts.filter((part) => !seen.has(part)).map((part) => part.id)).toEqual([]);
  });
});
