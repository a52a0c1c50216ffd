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

/** How wide a text is in the document's font, px. */
export type Measure = (text: string, look: TextLook) => number;

/** Average width of a letter as a share of the font size, where no browser measures. */
const LETTER = 0.54;

/** Draws into the text of an SVG document. */
export class SvgPainter implements Painter {
  private readonly parts: string[] = [];
  private readonly patterns = new Map<string, string>();
  private clips = 0;
  private readonly width: number;
  private readonly height: number;
  private readonly font: string;

  private readonly measured: Measure | undefined;

  constructor(width: number, height: number, font: string, measured?: Measure) {
    this.width = width;
    this.height = height;
    this.font = font;
    this.measured = measured;
  }

  /** The whole document. */
  document(title: string): string {
    const size = `width="${n(this.width)}" height="${n(this.height)}" viewBox="0 0 ${n(this.width)} ${n(this.height)}"`;
    const defs = [...this.patterns.values()].join('');
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="${markup(this.font)}" role="img">` +
      `<title>${markup(title)}</title><defs>${defs}</defs>${this.parts.join('')}</svg>\n`
    );
  }

  fill(x: number, y: number, width: number, height: number, colour: string): void {
    if (width <= 0 || height <= 0) return;
    this.parts.push(
      `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" fill="${colour}"/>`,
    );
  }

  outline(x: number, y: number, width: number, height: number, colour: string, thick: number): void {
    const half = thick / 2;
    const box = `x="${n(x + half)}" y="${n(y + half)}" width="${n(Math.max(0, width - thick))}" height="${n(Math.max(0, height - thick))}"`;
    this.parts.push(`<rect ${box} fill="none" stroke="${colour}" stroke-width="${n(thick)}"/>`);
  }

  weave(x: number, y: number, width: number, height: number, pattern: Pattern, colour: string): void {
    if (pattern === 'plain') return;
    const id = `p-${pattern}-${colour.replace(/[^0-9a-z]/gi, '')}`;
    if (!this.patterns.has(id)) {
      const paths = strokes(pattern).map(([a, b, c, d]) => `M${a} ${b}L${c} ${d}`);
      this.patterns.set(
        id,
        `<pattern id="${id}" width="${PATTERN_SIZE}" height="${PATTERN_SIZE}" patternUnits="userSpaceOnUse">` +
          `<path d="${paths.join('')}" stroke="${colour}" stroke-width="1"/></pattern>`,
      );
    }
    this.fill(x, y, width, height, `url(#${id})`);
  }

  lines(points: readonly number[], colour: string, thick: number): void {
    this.parts.push(
      `<polyline points="${points.map(n).join(' ')}" fill="none" stroke="${colour}" stroke-width="${n(thick)}"/>`,
    );
  }

  area(points: readonly number[], colour: string): void {
    this.parts.push(`<polygon points="${points.map(n).join(' ')}" fill="${colour}"/>`);
  }

  arrow(x1: number, y1: number, x2: number, y2: number, colour: string, thick: number): void {
    const [ax, ay, bx, by] = arrowCurve(x1, y1, x2, y2);
    const d = `M${n(x1)} ${n(y1)}C${n(ax)} ${n(ay)} ${n(bx)} ${n(by)} ${n(x2)} ${n(y2)}`;
    this.parts.push(`<path d="${d}" fill="none" stroke="${colour}" stroke-width="${n(thick)}"/>`);
    this.area(arrowHead(y1, x2, y2, 4 + thick * 2), colour);
  }

  shape(shape: Shape, x: number, y: number, size: number, colour: string): void {
    if (shape === 'tick') this.lines([x, y - size / 2, x, y + size / 2], colour, 1);
    else if (shape === 'dot') {
      this.parts.push(`<circle cx="${n(x)}" cy="${n(y)}" r="${n(size * 0.4)}" fill="${colour}"/>`);
    } else if (shape === 'ring') {
      this.parts.push(
        `<circle cx="${n(x)}" cy="${n(y)}" r="${n(size / 2 - 0.5)}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
      );
    } else this.area(corners(shape, x, y, size), colour);
  }

  text(text: string, x: number, y: number, room: number, look: TextLook): void {
    const shown = ellipsis(text, this.measure(text, look), room);
    if (shown === '') return;
    const anchor = look.align === 'right' ? 'end' : look.align === 'middle' ? 'middle' : 'start';
    const bold = look.weight === 'bold' ? ' font-weight="600"' : '';
    const place = `x="${n(x)}" y="${n(y)}" dy="0.35em" text-anchor="${anchor}"`;
    // Where a viewer has another font, the text still takes the room that it was given.
    const length = this.measured === undefined ? '' : ` textLength="${n(this.measured(shown, look))}"`;
    this.parts.push(
      `<text ${place}${length} font-size="${n(look.size)}"${bold} fill="${look.colour}">${markup(shown)}</text>`,
    );
  }

  measure(text: string, look: TextLook): number {
    return this.measured?.(text, look) ?? text.length * look.size * LETTER;
  }

  within(x: number, y: number, width: number, height: number, draw: () => void): void {
    const id = `c${this.clips++}`;
    const box = `x="${n(x)}" y="${n(y)}" width="${n(Math.max(0, width))}" height="${n(Math.max(0, height))}"`;
    this.parts.push(`<clipPath id="${id}"><rect ${box}/></clipPath><g clip-path="url(#${id})">`);
    draw();
    this.parts.push('</g>');
  }
}

/** A number with at most two digits after the point; what is not finite would break the document. */
function n(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100) : '0';
}

function markup(text: string): string {
  const signs: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  // Control characters are not allowed in XML at all.
  const clean = Array.from(text, (sign) => (sign < ' ' ? '\ufffd' : sign)).join('');
  return clean.replace(/[&<>"]/g, (sign) => signs[sign]!);
}
