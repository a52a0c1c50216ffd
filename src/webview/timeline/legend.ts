import { MARK_KINDS, type MarkKind, type SpanKind } from '../protocol_data';
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

/** What each kind of mark says to a person. */
export function markWords(t: Words): Record<MarkKind, string> {
  return {
    event: t('Event'),
    sqe: t('Submission (SQE)'),
    cqe: t('Completion (CQE)'),
    splice: t('Splice'),
    copy: t('Copy'),
    error: t('Error'),
    violation: t('Broken rule'),
    session: t('Session'),
  };
}

/** Height of one line of the legend; narrow views break it into several. */
function lineHeight(fontSize: number): number {
  return Math.round(fontSize * 1.9);
}

/** A phase or a mark of the legend: the left edge of its sign, its name, and its line from 0. */
interface Place {
  readonly span?: SpanKind;
  readonly mark?: MarkKind;
  readonly name: string;
  readonly x: number;
  /** Width of its sign. */
  readonly wide: number;
  readonly line: number;
}

interface Places {
  readonly places: readonly Place[];
  readonly lines: number;
}

/** What the places depend on; sizes are those of the drawing. */
interface LegendLook {
  readonly palette: Pick<Palette, 'fontSize' | 'foreground'>;
  readonly metrics: { readonly text: number; readonly small: number };
  readonly width: number;
  readonly words: Words;
}

/** Sets phases and marks one behind the other, as wide as their names are, and breaks the line where one does not fit. */
function placesOf(painter: Pick<Painter, 'measure'>, { palette, metrics, width, words }: LegendLook): Places {
  const [spans, marks] = [spanWords(words), markWords(words)];
  const look = { colour: palette.foreground, size: metrics.small };
  const { high, wide } = swatch(palette.fontSize);
  const entries: Omit<Place, 'x' | 'line'>[] = [
    ...LEGEND.map((span) => ({ span, name: spans[span], wide })),
    ...MARK_KINDS.map((mark) => ({ mark, name: marks[mark], wide: high })),
  ];
  const places: Place[] = [];
  let x = metrics.text;
  let line = 0;
  for (const entry of entries) {
    const room = painter.measure(entry.name, look);
    if (x > metrics.text && x + entry.wide + room + 7 > width) {
      x = metrics.text;
      line++;
    }
    places.push({ ...entry, x, line });
    x += entry.wide + room + 18;
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

/** Phases by colour, pattern and letter, and marks by colour and shape, at the bottom. */
export function drawLegend(painter: Painter, scene: Scene): void {
  const { metrics, palette, height, width } = scene;
  if (metrics.legend === 0) return;
  const bottom = height - metrics.legend;
  painter.fill(0, bottom, width, metrics.legend, palette.background);
  painter.fill(0, bottom, width, 1, palette.border);
  const look = { colour: palette.foreground, size: metrics.small };
  const { high } = swatch(palette.fontSize);
  for (const { span, mark, name, x, wide, line } of placesOf(painter, scene).places) {
    const top = bottom + line * lineHeight(palette.fontSize) + 5;
    const middle = top + high / 2;
    if (span !== undefined) drawSwatch(painter, scene, span, x, top);
    if (mark !== undefined) {
      const { shape, colour } = palette.marks[mark];
      painter.shape(shape, x + wide / 2, middle, high * 0.75, colour);
    }
    const room = Math.min(painter.measure(name, look) + 1, width - x - wide - 5);
    painter.text(name, x + wide + 5, middle, room, look);
  }
}

function drawSwatch(
  painter: Painter,
  { palette, metrics }: Scene,
  kind: SpanKind,
  x: number,
  top: number,
): void {
  const ink = palette.spans[kind];
  const { high, wide } = swatch(palette.fontSize);
  painter.fill(x, top, wide, high, ink.fill);
  painter.weave(x, top, wide, high, ink.pattern, ink.weave);
  painter.outline(x, top, wide, high, ink.edge, 1);
  const look = { colour: ink.text, size: metrics.small, align: 'middle' } as const;
  const letter = painter.measure(ink.letter, look);
  painter.fill(x + wide / 2 - letter / 2 - 1, top + 2, letter + 2, high - 4, ink.fill);
  painter.text(ink.letter, x + wide / 2, top + high / 2, wide, look);
}
