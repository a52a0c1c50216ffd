import type { Mark, Paint } from '../drawing/marks';
import type { SlotDrawing } from '../protocol_faces';
import type { Words } from '../words';
import { flow, type Piece, tile } from './parts';

interface Sign {
  readonly paint: Paint;
  readonly shape: 'hollow' | 'disc' | 'square' | 'diamond' | 'cross' | 'dashed';
  readonly letter: string;
}

/** A shape, a letter and a colour per state: none of them is needed to tell states apart. */
const SIGNS: Readonly<Record<string, Sign>> = {
  FREE: { paint: 'muted', shape: 'hollow', letter: '' },
  ACTIVE: { paint: 'green', shape: 'disc', letter: 'A' },
  OWNED: { paint: 'blue', shape: 'square', letter: 'S' },
  NEED_GET_DATA: { paint: 'yellow', shape: 'diamond', letter: 'N' },
  GET_DATA_QUEUED: { paint: 'yellow', shape: 'diamond', letter: 'G' },
  CANCELED: { paint: 'muted', shape: 'cross', letter: '' },
  ABORTED: { paint: 'red', shape: 'cross', letter: '' },
};
const UNKNOWN: Sign = { paint: 'muted', shape: 'dashed', letter: '?' };

/** What a state is called where there is room for one word. */
function stateWord(state: string, t: Words): string {
  switch (state) {
    case 'ACTIVE':
      return t('ACTIVE: armed');
    case 'OWNED':
      return t('OWNED by server');
    default:
      return state;
  }
}

function sign(state: string, x: number, y: number): Mark[] {
  const { paint, shape, letter } = SIGNS[state] ?? UNKNOWN;
  const marks: Mark[] = [];
  switch (shape) {
    case 'hollow':
      marks.push({ k: 'circle', x, y, r: 8, stroke: paint, width: 2 });
      break;
    case 'dashed':
      marks.push({ k: 'circle', x, y, r: 8, stroke: paint, width: 1.5, dash: '3 3' });
      break;
    case 'disc':
      marks.push({ k: 'circle', x, y, r: 9, fill: paint, faint: true, stroke: paint, width: 2 });
      break;
    case 'square':
      marks.push({
        k: 'rect',
        x: x - 9,
        y: y - 9,
        w: 18,
        h: 18,
        r: 2,
        fill: paint,
        faint: true,
        stroke: paint,
        width: 2,
      });
      break;
    case 'diamond':
      marks.push({
        k: 'path',
        d: `M${x} ${y - 11}l11 11l-11 11l-11 -11Z`,
        fill: paint,
        faint: true,
        stroke: paint,
        width: 2,
      });
      break;
    case 'cross':
      marks.push({
        k: 'path',
        d: `M${x - 7} ${y - 7}l14 14M${x + 7} ${y - 7}l-14 14`,
        stroke: paint,
        width: 3,
      });
      break;
  }
  if (letter !== '')
    marks.push({ k: 'text', x, y: y + 4, text: letter, size: 11, bold: true, anchor: 'middle' });
  return marks;
}

/** Slots as tiles. */
export function slotTiles(
  slots: readonly SlotDrawing[],
  at: { readonly x: number; readonly y: number; readonly w: number },
  t: Words,
): Piece {
  const crowded = slots.length > 24;
  const queues = new Set(slots.map((slot) => `${slot.device}/${slot.queue}`)).size;
  return flow(slots, at, crowded ? 104 : 128, 200, (slot, box) => {
    const title = queues > 1 ? slot.title : t('tag {0}', slot.tag);
    const lines = [
      { text: stateWord(slot.state.value, t) },
      ...(crowded && slot.text === '' ? [] : [{ text: slot.text || t('no request') }]),
    ];
    const { drawn, height } = tile({ ...slot, title }, box, t, lines, 24);
    const left = box.x + 20 + (slot.focused ? 6 : 0);
    const marks = [...drawn.marks, ...sign(slot.state.value, left, box.y + 21)];
    const part = {
      ...drawn,
      title: slot.title,
      label: `${slot.title}, ${slot.state.value}, ${drawn.label}`,
      marks,
    };
    return { piece: { parts: [part], marks: [], anchors: [[drawn.id, drawn]] }, height };
  });
}
