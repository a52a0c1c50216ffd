import { MARK_KINDS, type MarkKind, SPAN_KINDS, type SpanKind } from '../protocol_data';
import { contrast, over, readable } from './colours';

/** How a kind is told apart without colour. */
export const PATTERNS = ['plain', 'rising', 'falling', 'dots', 'lines', 'grid'] as const;
export type Pattern = (typeof PATTERNS)[number];

/** How a kind of span is drawn. */
export interface Ink {
  readonly fill: string;
  readonly edge: string;
  readonly text: string;
  readonly pattern: Pattern;
  /** Colour of the pattern's strokes. */
  readonly weave: string;
  /** For narrow spans and the legend. */
  readonly letter: string;
}

/** Shapes of marks: told apart without colour as well. */
export const SHAPES = ['tick', 'down', 'up', 'diamond', 'square', 'cross', 'star', 'dot', 'ring'] as const;
export type Shape = (typeof SHAPES)[number];

export interface MarkInk {
  readonly colour: string;
  readonly shape: Shape;
}

/** Every colour and size that the drawing uses. */
export interface Palette {
  readonly highContrast: boolean;
  readonly background: string;
  readonly foreground: string;
  readonly muted: string;
  /** Hairlines between tracks and at ticks. */
  readonly grid: string;
  readonly border: string;
  readonly heading: string;
  readonly focus: string;
  readonly selection: string;
  readonly hover: string;
  readonly spans: Readonly<Record<SpanKind, Ink>>;
  readonly marks: Readonly<Record<MarkKind, MarkInk>>;
  readonly counter: { readonly fill: string; readonly line: string };
  readonly fontFamily: string;
  /** px. */
  readonly fontSize: number;
}

/** Colours as a theme gives them. */
export interface ThemeColours {
  readonly highContrast: boolean;
  readonly background: string;
  readonly foreground: string;
  readonly muted: string;
  readonly border: string;
  readonly focus: string;
  readonly selection: string;
  readonly blue: string;
  readonly green: string;
  readonly orange: string;
  readonly purple: string;
  readonly red: string;
  readonly yellow: string;
  readonly fontFamily: string;
  readonly fontSize: number;
}

/** The drawing's colours on white paper: what is saved or copied looks the same in every theme. */
export const PAPER: ThemeColours = {
  highContrast: false,
  background: '#ffffff',
  foreground: '#1f1f1f',
  muted: '#5f5f5f',
  border: '#c8c8c8',
  focus: '#005fb8',
  selection: '#add6ff',
  blue: '#1a70c0',
  green: '#2f8132',
  orange: '#b85f00',
  purple: '#652d90',
  red: '#c72222',
  yellow: '#9a7500',
  fontFamily: 'system-ui, sans-serif',
  fontSize: 13,
};

type Hue = 'blue' | 'green' | 'orange' | 'purple' | 'red' | 'yellow' | 'muted';

const SPAN_LOOKS: Readonly<Record<SpanKind, readonly [Hue, Pattern, string, number]>> = {
  queued: ['muted', 'rising', 'Q', 0.3],
  delivered: ['yellow', 'dots', 'D', 0.6],
  server: ['purple', 'falling', 'S', 0.6],
  backend: ['blue', 'plain', 'B', 0.65],
  commit: ['green', 'lines', 'C', 0.6],
  running: ['orange', 'plain', 'R', 0.32],
  waiting: ['muted', 'dots', 'W', 0.12],
  merged: ['muted', 'grid', '…', 0.5],
};

const MARK_LOOKS: Readonly<Record<MarkKind, readonly [Hue | 'foreground', Shape]>> = {
  event: ['foreground', 'tick'],
  sqe: ['blue', 'down'],
  cqe: ['green', 'up'],
  splice: ['purple', 'diamond'],
  copy: ['orange', 'square'],
  error: ['red', 'cross'],
  violation: ['red', 'star'],
  session: ['foreground', 'dot'],
};

/** The drawing's colours from those of a theme. Nothing is transparent: what lies below never shows through a label. */
export function paletteOf(theme: ThemeColours): Palette {
  const { background, foreground, highContrast } = theme;
  const muted = over(theme.muted, background);
  const hue = (name: Hue): string => (name === 'muted' ? muted : over(theme[name], background));
  const spans = Object.fromEntries(
    SPAN_KINDS.map((kind) => {
      const [name, pattern, letter, share] = SPAN_LOOKS[kind];
      return [kind, inkOf(theme, hue(name), pattern, letter, share)];
    }),
  ) as Record<SpanKind, Ink>;
  const marks = Object.fromEntries(
    MARK_KINDS.map((kind) => {
      const [name, shape] = MARK_LOOKS[kind];
      const colour = name === 'foreground' ? foreground : hue(name);
      return [kind, { colour, shape }];
    }),
  ) as Record<MarkKind, MarkInk>;
  const line = hue('blue');
  return {
    highContrast,
    background,
    foreground,
    muted,
    grid: highContrast ? over(foreground, background, 0.3) : over(foreground, background, 0.07),
    border: highContrast ? over(theme.border, background) : over(foreground, background, 0.16),
    heading: highContrast ? background : over(foreground, background, 0.05),
    focus: over(theme.focus, background),
    selection: highContrast ? background : over(theme.selection, background, 0.45),
    hover: over(foreground, background, 0.1),
    spans,
    marks,
    counter: { line, fill: highContrast ? background : over(line, background, 0.28) },
    fontFamily: theme.fontFamily,
    fontSize: theme.fontSize,
  };
}

function inkOf(theme: ThemeColours, colour: string, pattern: Pattern, letter: string, share: number): Ink {
  const { background, foreground, highContrast } = theme;
  if (highContrast) {
    // Outlines and patterns on the bare background: text keeps the theme's own contrast.
    const edge = contrast(colour, background) >= 3 ? colour : foreground;
    return { fill: background, edge, text: foreground, pattern, weave: edge, letter };
  }
  const fill = over(colour, background, share);
  const text = contrast(foreground, fill) >= 4.5 ? foreground : readable(fill);
  return { fill, edge: colour, text, pattern, weave: over(colour, fill, 0.55), letter };
}
