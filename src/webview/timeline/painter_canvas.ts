import type { Pattern, Shape } from './palette';
import {
  arrowCurve,
  arrowHead,
  corners,
  ellipsis,
  type Painter,
  PATTERN_SIZE,
  strokes,
  type TextLook,
} from './painter';

type Context = CanvasRenderingContext2D;

/** Most widths of texts that are remembered. */
const MOST_WIDTHS = 4000;

/** Draws on a canvas whose context is already scaled to CSS pixels. */
export class CanvasPainter implements Painter {
  private readonly context: Context;
  private readonly font: string;
  private readonly ratio: number;
  private readonly patterns = new Map<string, CanvasPattern | null>();
  private readonly widths = new Map<string, number>();
  private fontNow = '';

  constructor(context: Context, font: string, ratio: number) {
    this.context = context;
    this.font = font;
    this.ratio = ratio;
    context.textBaseline = 'middle';
  }

  /** Whether this painter can go on with a font and a pixel ratio. */
  fits(font: string, ratio: number): boolean {
    return font === this.font && ratio === this.ratio;
  }

  /** Before a new frame: what another user of the context, or a resize, may have changed. */
  begin(width: number, height: number, background: string): void {
    const { context, ratio } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.textBaseline = 'middle';
    this.fontNow = '';
    context.fillStyle = background;
    context.fillRect(0, 0, width, height);
  }

  fill(x: number, y: number, width: number, height: number, colour: string): void {
    this.context.fillStyle = colour;
    this.context.fillRect(x, y, width, height);
  }

  outline(x: number, y: number, width: number, height: number, colour: string, thick: number): void {
    const { context } = this;
    context.fillStyle = colour;
    // Four bars stay sharp at every pixel ratio and are faster than a stroke.
    context.fillRect(x, y, width, thick);
    context.fillRect(x, y + height - thick, width, thick);
    context.fillRect(x, y, thick, height);
    context.fillRect(x + width - thick, y, thick, height);
  }

  weave(x: number, y: number, width: number, height: number, pattern: Pattern, colour: string): void {
    if (pattern === 'plain') return;
    const style = this.patternStyle(pattern, colour);
    if (style === null) return;
    this.context.fillStyle = style;
    this.context.fillRect(x, y, width, height);
  }

  lines(points: readonly number[], colour: string, thick: number): void {
    const { context } = this;
    context.beginPath();
    this.path(points);
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.stroke();
  }

  area(points: readonly number[], colour: string): void {
    const { context } = this;
    context.beginPath();
    this.path(points);
    context.closePath();
    context.fillStyle = colour;
    context.fill();
  }

  arrow(x1: number, y1: number, x2: number, y2: number, colour: string, thick: number): void {
    const { context } = this;
    const [ax, ay, bx, by] = arrowCurve(x1, y1, x2, y2);
    context.beginPath();
    context.moveTo(x1, y1);
    context.bezierCurveTo(ax, ay, bx, by, x2, y2);
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.stroke();
    this.area(arrowHead(y1, x2, y2, 4 + thick * 2), colour);
  }

  shape(shape: Shape, x: number, y: number, size: number, colour: string): void {
    if (shape === 'tick') this.fill(x - 0.5, y - size / 2, 1, size, colour);
    else if (shape === 'dot') {
      const { context } = this;
      context.beginPath();
      context.arc(x, y, size * 0.4, 0, Math.PI * 2);
      context.fillStyle = colour;
      context.fill();
    } else if (shape === 'ring') {
      const { context } = this;
      context.beginPath();
      context.arc(x, y, size / 2 - 0.5, 0, Math.PI * 2);
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.stroke();
    } else this.area(corners(shape, x, y, size), colour);
  }

  text(text: string, x: number, y: number, room: number, look: TextLook): void {
    const shown = ellipsis(text, this.measure(text, look), room);
    if (shown === '') return;
    const { context } = this;
    context.textAlign = look.align === 'right' ? 'right' : look.align === 'middle' ? 'center' : 'left';
    context.fillStyle = look.colour;
    context.fillText(shown, x, y);
  }

  measure(text: string, look: TextLook): number {
    const font = `${look.weight === 'bold' ? '600 ' : ''}${look.size}px ${this.font}`;
    if (font !== this.fontNow) {
      this.context.font = font;
      this.fontNow = font;
    }
    const key = `${font}|${text}`;
    const known = this.widths.get(key);
    if (known !== undefined) return known;
    if (this.widths.size >= MOST_WIDTHS) this.widths.clear();
    const { width } = this.context.measureText(text);
    this.widths.set(key, width);
    return width;
  }

  within(x: number, y: number, width: number, height: number, draw: () => void): void {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    draw();
    context.restore();
    this.fontNow = '';
  }

  private path(points: readonly number[]): void {
    const { context } = this;
    for (let k = 0; k + 1 < points.length; k += 2) {
      if (k === 0) context.moveTo(points[0]!, points[1]!);
      else context.lineTo(points[k]!, points[k + 1]!);
    }
  }

  private patternStyle(pattern: Pattern, colour: string): CanvasPattern | null {
    const key = `${pattern} ${colour}`;
    const known = this.patterns.get(key);
    if (known !== undefined) return known;
    const tile = document.createElement('canvas');
    // Whole device pixels, or the tiles would not meet.
    const size = Math.max(1, Math.round(PATTERN_SIZE * this.ratio));
    tile.width = size;
    tile.height = size;
    const drawing = tile.getContext('2d');
    if (drawing === null) return null;
    const scale = size / PATTERN_SIZE;
    drawing.scale(scale, scale);
    drawing.strokeStyle = colour;
    drawing.lineWidth = 1;
    for (const [x1, y1, x2, y2] of strokes(pattern)) {
      drawing.beginPath();
      drawing.moveTo(x1, y1);
      drawing.lineTo(x2, y2);
      drawing.stroke();
    }
    const style = this.context.createPattern(tile, 'repeat');
    style?.setTransform(new DOMMatrix().scale(1 / scale));
    this.patterns.set(key, style);
    return style;
  }
}
