import { type Mark, wrap } from '../drawing/marks';
import { paperSvg } from '../drawing/paper';
import type { MachineView } from '../protocol_faces';
import type { Words } from '../words';
import { drawMachine } from './layout';

/** The machine with its story above it as one SVG document in the colours of paper. */
export function machineSvg(
  view: MachineView,
  width: number,
  t: Words,
): { svg: string; width: number; height: number } {
  const { height, back, parts, links } = drawMachine(view, width, t);
  const story = wrap(view.title, width - 32, 3, 16);
  const foot = [...view.leftOut, view.totals.map((total) => `${total.name} ${total.value}`).join(' · ')];
  const above = story.length * 22 + 30;
  const words: Mark[] = [
    ...story.map((text, k): Mark => ({ k: 'text', x: 16, y: 26 + k * 22, text, size: 16, bold: true })),
    { k: 'text', x: 16, y: above - 10, text: view.by, size: 12, fill: 'muted' },
    ...foot.map(
      (text, k): Mark => ({
        k: 'text',
        x: 16,
        y: above + height + 16 + k * 18,
        text,
        size: 12,
        fill: 'muted',
      }),
    ),
  ];
  const machine = [...back, ...links.behind, ...parts.flatMap((part) => part.marks), ...links.above];
  const all = above + height + foot.length * 18 + 14;
  const layers = [
    { marks: machine, down: above },
    { marks: words, down: 0 },
  ];
  return { svg: paperSvg(layers, width, all, view.title), width: Math.ceil(width), height: Math.ceil(all) };
}
