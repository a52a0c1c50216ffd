import { type Mark, type Paint, round, TEXT } from './marks';

/** Colours of pictures that are taken away: dark on white, told apart without hue by text and shape. */
const PAPER: Readonly<Record<Paint, string>> = {
  text: '#1b1b1b',
  muted: '#575c66',
  surface: '#ffffff',
  panel: '#f5f6f8',
  line: '#a4abb6',
  focus: '#0b57d0',
  changed: '#b04a00',
  error: '#b3261e',
  select: '#e3edfd',
  blue: '#0b57d0',
  green: '#1a7f37',
  yellow: '#8a6a00',
  purple: '#6b3fa0',
  red: '#b3261e',
};

const FONT = "'Segoe UI', 'DejaVu Sans', Ubuntu, Helvetica, Arial, sans-serif";

/** Text for XML: markup and characters that XML forbids are replaced. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function strokes(mark: Exclude<Mark, { k: 'text' }>): string {
  const { fill, stroke, width, dash, faint } = mark;
  const parts = [`fill="${fill === undefined ? 'none' : PAPER[fill]}"`];
  if (faint) parts.push('fill-opacity="0.14"');
  if (stroke !== undefined) parts.push(`stroke="${PAPER[stroke]}" stroke-width="${width ?? 1}"`);
  if (dash !== undefined) parts.push(`stroke-dasharray="${dash}"`);
  return parts.join(' ');
}

function markText(mark: Mark): string {
  switch (mark.k) {
    case 'rect':
      return `<rect x="${round(mark.x)}" y="${round(mark.y)}" width="${round(mark.w)}" height="${round(mark.h)}"${mark.r === undefined ? '' : ` rx="${mark.r}"`} ${strokes(mark)}/>`;
    case 'circle':
      return `<circle cx="${round(mark.x)}" cy="${round(mark.y)}" r="${round(mark.r)}" ${strokes(mark)}/>`;
    case 'path':
      return `<path d="${mark.d}" stroke-linejoin="round" ${strokes(mark)}/>`;
    case 'text': {
      const { size, anchor, fill, bold, halo } = mark;
      const edge = halo
        ? ` stroke="${PAPER.surface}" stroke-width="4" paint-order="stroke" stroke-linejoin="round"`
        : '';
      const extra = `${anchor === undefined ? '' : ` text-anchor="${anchor}"`}${bold ? ' font-weight="600"' : ''}${edge}`;
      return `<text x="${round(mark.x)}" y="${round(mark.y)}" font-size="${size ?? TEXT}" fill="${PAPER[fill ?? 'text']}"${extra}>${escapeXml(mark.text)}</text>`;
    }
  }
}

/** Marks that are drawn `down` px lower than their coordinates say. */
export interface Layer {
  readonly marks: readonly Mark[];
  readonly down: number;
}

/** A whole SVG document in the colours of paper, which look the same in every theme. */
export function paperSvg(layers: readonly Layer[], width: number, height: number, title: string): string {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" font-family="${FONT}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${w}" height="${h}" fill="${PAPER.surface}"/>`,
    ...layers.flatMap(({ marks, down }) => [
      `<g transform="translate(0 ${down})">`,
      ...marks.map(markText),
      '</g>',
    ]),
    '</svg>',
    '',
  ].join('\n');
}
