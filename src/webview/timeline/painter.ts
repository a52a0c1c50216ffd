import type { Pattern, Shape } from './palette';

export type Align = 'left' | 'middle' | 'right';
export type Weight = 'normal' | 'bold';

/** What the timeline is drawn with. Canvas and SVG do the same with the same calls. Coordinates are CSS pixels. */
export interface Painter {
  fill(x: number, y: number, width: number, height: number, colour: string): void;
  /** An outline inside the given box. */
  outline(x: number, y: number, width: number, height: number, colour: string, thick: number): void;
  /** A pattern over a box, without its background. */
  weave(x: number, y: number, width: number, height: number, pattern: Pattern, colour: string): void;
  /** Lines through points, given as x, y, x, y, … */
  lines(points: readonly number[], colour: string, thick: number): void;
  /** The area within points. */
  area(points: readonly number[], colour: string): void;
  /** A curve that leaves and arrives upright, with an arrow head at its end. */
  arrow(x1: number, y1: number, x2: number, y2: number, colour: string, thick: number): void;
  shape(shape: Shape, x: number, y: number, size: number, colour: string): void;
  /** Text on the middle line `y`, cut with an ellipsis to `room`. */
  text(text: string, x: number, y: number, room: number, look: TextLook): void;
  /** Width of a text, px. */
  measure(text: string, look: TextLook): number;
  /** Draws only within a box. */
  within(x: number, y: number, width: number, height: number, draw: () => void): void;
}

export interface TextLook {
  readonly colour: string;
  readonly size: number;
  readonly weight?: Weight;
  readonly align?: Align;
}

/** A text cut so that it fits, with an ellipsis; empty if not even two letters fit. `width` is that of the whole. */
export function ellipsis(text: string, width: number, room: number): string {
  if (width <= room) return text;
  const letters = Math.floor((text.length * room) / width - 1.6);
  return letters < 2 ? '' : `${text.slice(0, letters).trimEnd()}…`;
}

/** Corners of a shape about a point; `tick` is a line, `dot` and `ring` are circles, which painters draw themselves. */
export function corners(shape: Shape, x: number, y: number, size: number): readonly number[] {
  const r = size / 2;
  switch (shape) {
    case 'down':
      return [x - r, y - r, x + r, y - r, x, y + r];
    case 'up':
      return [x - r, y + r, x + r, y + r, x, y - r];
    case 'diamond':
      return [x, y - r, x + r, y, x, y + r, x - r, y];
    case 'square':
      return [x - r, y - r, x + r, y - r, x + r, y + r, x - r, y + r];
    case 'cross': {
      const t = r * 0.38;
      const out = [-r, -r + t, -r + t, -r, 0, -t, r - t, -r, r, -r + t, t, 0];
      const back = [r, r - t, r - t, r, 0, t, -r + t, r, -r, r - t, -t, 0];
      return [...out, ...back].map((part, k) => part + (k % 2 === 0 ? x : y));
    }
    case 'star':
      return Array.from({ length: 10 }, (_, k) => {
        const angle = (Math.PI * k) / 5 - Math.PI / 2;
        const radius = (k % 2 === 0 ? 1 : 0.45) * r * 1.2;
        return [x + Math.cos(angle) * radius, y + Math.sin(angle) * radius];
      }).flat();
    default:
      return [];
  }
}

/** Strokes of a pattern in a tile of `PATTERN_SIZE` pixels, each x1, y1, x2, y2. */
export const PATTERN_SIZE = 8;
export function strokes(pattern: Pattern): readonly (readonly [number, number, number, number])[] {
  switch (pattern) {
    case 'rising':
      return [
        [-2, 2, 2, -2],
        [-1, 9, 9, -1],
        [6, 10, 10, 6],
      ];
    case 'falling':
      return [
        [-2, 6, 2, 10],
        [-1, -1, 9, 9],
        [6, -2, 10, 2],
      ];
    case 'dots':
      return [
        [1.5, 2, 2.5, 2],
        [5.5, 6, 6.5, 6],
      ];
    case 'lines':
      return [
        [0, 2, 8, 2],
        [0, 6, 8, 6],
      ];
    case 'grid':
      return [
        [0, 4, 8, 4],
        [4, 0, 4, 8],
      ];
    default:
      return [];
  }
}

/** The three corners of an arrow's head, which points up or down. */
export function arrowHead(y1: number, x2: number, y2: number, size: number): readonly number[] {
  const back = y2 >= y1 ? -size : size;
  return [x2, y2, x2 - size * 0.5, y2 + back, x2 + size * 0.5, y2 + back];
}

/** Control points of an arrow's curve, which leaves and arrives upright. */
export function arrowCurve(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): readonly [number, number, number, number] {
  const reach = Math.max(6, Math.min(48, Math.abs(y2 - y1) / 2));
  const way = y2 >= y1 ? reach : -reach;
  return [x1, y1 + way, x2, y2 - way];
}
