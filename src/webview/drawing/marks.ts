/** Colours by what they mean. On the screen they are the theme's, on paper fixed ones. */
export const PAINTS = [
  'text',
  'muted',
  'surface',
  'panel',
  'line',
  'focus',
  'changed',
  'error',
  'select',
  'blue',
  'green',
  'yellow',
  'purple',
  'red',
] as const;
export type Paint = (typeof PAINTS)[number];

interface Stroked {
  readonly fill?: Paint;
  readonly stroke?: Paint;
  /** Width of the stroke, px. */
  readonly width?: number;
  readonly dash?: string;
  /** Filled only faintly, so that text on it stays readable in every theme. */
  readonly faint?: boolean;
}

/** One thing that is drawn; coordinates in px. */
export type Mark =
  | ({
      readonly k: 'rect';
      readonly x: number;
      readonly y: number;
      readonly w: number;
      readonly h: number;
      readonly r?: number;
    } & Stroked)
  | ({ readonly k: 'circle'; readonly x: number; readonly y: number; readonly r: number } & Stroked)
  | ({ readonly k: 'path'; readonly d: string } & Stroked)
  | {
      readonly k: 'text';
      readonly x: number;
      readonly y: number;
      readonly text: string;
      readonly size?: number;
      readonly anchor?: 'start' | 'middle' | 'end';
      readonly fill?: Paint;
      readonly bold?: boolean;
      /** An edge in the colour of the surface, for text across lines. */
      readonly halo?: boolean;
    };

/** Size of text without one, px. */
export const TEXT = 13;

/** Width of a text, roughly: fonts are not known here, so it errs on the wide side. */
export function widthOf(text: string, size = TEXT, bold = false): number {
  let units = 0;
  for (const c of text) units += /[il.,:;'|!()[\] ]/.test(c) ? 0.34 : /[A-Z@mwMW…→←]/.test(c) ? 0.72 : 0.56;
  return units * size * (bold ? 1.1 : 1);
}

/** The text, cut with an ellipsis where it is wider than `width`. */
export function cutTo(text: string, width: number, size = TEXT, bold = false): string {
  if (widthOf(text, size, bold) <= width) return text;
  let cut = text;
  while (cut.length > 1 && widthOf(`${cut}…`, size, bold) > width) cut = cut.slice(0, -1);
  return `${cut.trimEnd()}…`;
}

/** The text in lines of at most `width`, at most `most` of them; the last one is cut. */
export function wrap(text: string, width: number, most: number, size = TEXT): string[] {
  const lines: string[] = [];
  let line = '';
  const words = text.split(' ');
  for (const [k, word] of words.entries()) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || widthOf(longer, size) <= width) {
      line = longer;
      continue;
    }
    if (lines.length === most - 1) return [...lines, cutTo([line, ...words.slice(k)].join(' '), width, size)];
    lines.push(line);
    line = word;
  }
  return [...lines, cutTo(line, width, size)];
}

/** A filled triangle with its tip at a point, pointing along an angle (radians). */
export function arrowHead(x: number, y: number, angle: number, size = 7): string {
  const at = (turn: number, far: number): string =>
    `${round(x - far * Math.cos(angle + turn))} ${round(y - far * Math.sin(angle + turn))}`;
  return `M${round(x)} ${round(y)}L${at(0.45, size)}L${at(-0.45, size)}Z`;
}

/** At most one digit after the point: pictures stay small. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
