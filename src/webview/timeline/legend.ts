import type { SpanKind } from '../protocol_data';
import type { Words } from '../words';
import type { Painter } from './painter';
import type { Palette } from './palette';
import type { Scene } from './scene';

const LEGEND: readonly SpanKind[] = [
  'queued',
  'delivered',
  'server',
  'backend',
  'commit',
  'running',
  'waiting',
];

/** What each kind of span says to a person. */
export function spanWords(t: Words): Record<SpanKind, string> {
  return {
    queued: t('Queued'),
    delivered: t('Delivered'),
    server: t('Server'),
    backend: t('Backend'),
    commit: t('Commit'),
    running: t('Running'),
    waiting: t('Waiting'),
    merged: t('Several'),
  };
}

/** Height of one line of the legend; narrow views break it into several. */
function lineHeight(fontSize: number): number {
  return Math.round(fontSize * 1.9);
}

/** Where the phases stand: the left edge of each, and its line from 0. */
interface Places {
  readonly places: readonly { readonly kind: SpanKind; readonly x: number; readonly line: number }[];
  readonly lines: number;
}

/** What the places depend on; sizes are those of the drawing. */
interface LegendLook {
  readonly palette: Pick<Palette, 'fontSize' | 'foreground'>;
  readonly metrics: { readonly text: number; readonly small: number };
  readonly width: number;
  readonly words: Words;
}

/** Sets the phases one behind the other, as wide as their names are, and breaks the line where one does not fit. */
function placesOf(painter: Pick<Painter, 'measure'>, { palette, metrics, width, words }: LegendLook): Places {
  const names = spanWords(words);
  const look = { colour: palette.foreground, size: metrics.small };
  const wide = swatch(palette.fontSize).wide;
  const places: { kind: SpanKind; x: number; line: number }[] = [];
  let x = metrics.text;
  let line = 0;
  for (const kind of LEGEND) {
    const room = painter.measure(names[kind], look);
    if (x > metrics.text && x + wide + room + 7 > width) {
      x = metrics.text;
      line++;
    }
    places.push({ kind, x, line });
    x += wide + room + 18;
  }
  return { places, lines: line + 1 };
}

function swatch(fontSize: number): { high: number; wide: number } {
  const high = lineHeight(fontSize) - 9;
  return { high, wide: high * 1.9 };
}

/** Height of the legend, px. */
export function legendHeight(painter: Pick<Painter, 'measure'>, look: LegendLook): number {
  return placesOf(painter, look).lines * lineHeight(look.palette.fontSize);
}

/** Phases by colour, pattern and letter, at the bottom. */
export function drawLegend(painter: Painter, scene: Scene): void {
  const { metrics, palette, height, width } = scene;
  if (metrics.legend === 0) return;
  const bottom = height - metrics.legend;
  const names = spanWords(scene.words);
  painter.fill(0, bottom, width, metrics.legend, palette.background);
  painter.fill(0, bottom, width, 1, palette.border);
  const look = { colour: palette.foreground, size: metrics.small };
  const { high, wide } = swatch(palette.fontSize);
  for (const { kind, x, line } of placesOf(painter, scene).places) {
    const top = bottom + line * lineHeight(palette.fontSize);
    const ink = palette.spans[kind];
    painter.fill(x, top + 5, wide, high, ink.fill);
    painter.weave(x, top + 5, wide, high, ink.pattern, ink.weave);
    painter.outline(x, top + 5, wide, high, ink.edge, 1);
    const letter = painter.measure(ink.letter, look);
    painter.fill(x + wide / 2 - letter / 2 - 1, top + 7, letter + 2, high - 4, ink.fill);
    painter.text(ink.letter, x + wide / 2, top + 5 + high / 2, wide, {
      ...look,
      colour: ink.text,
      align: 'middle',
    });
    const name = names[kind];
    painter.text(
      name,
      x + wide + 5,
      top + 5 + high / 2,
      Math.min(painter.measure(name, look) + 1, width - x - wide - 5),
      look,
    );
  }
}
