/** Red, green, blue from 0 to 255 and opacity from 0 to 1. */
export type Rgba = readonly [red: number, green: number, blue: number, alpha: number];

const BLACK: Rgba = [0, 0, 0, 1];

/** Reads the forms in which VS Code hands out colours: #rgb, #rgba, #rrggbb, #rrggbbaa, rgb() and rgba(). */
export function parseColour(text: string): Rgba | undefined {
  const trimmed = text.trim();
  const hex = /^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.exec(trimmed)?.[1];
  if (hex !== undefined) {
    const full = hex.length < 6 ? [...hex].map((digit) => digit + digit).join('') : hex;
    const part = (k: number): number => Number.parseInt(full.slice(k * 2, k * 2 + 2), 16);
    return [part(0), part(1), part(2), full.length === 8 ? part(3) / 255 : 1];
  }
  const list = /^rgba?\(([^)]+)\)$/i.exec(trimmed)?.[1];
  const parts = list
    ?.split(/[\s,/]+/)
    .filter((part) => part !== '')
    .map((part) => (part.endsWith('%') ? Number.parseFloat(part) / 100 : Number(part)));
  if (parts === undefined || parts.length < 3 || parts.some(Number.isNaN)) return undefined;
  return [parts[0]!, parts[1]!, parts[2]!, parts[3] ?? 1];
}

/** The text of a colour as canvas and SVG both take it. */
export function colourText([red, green, blue, alpha]: Rgba): string {
  const hex = [red, green, blue].map((part) => Math.round(part).toString(16).padStart(2, '0')).join('');
  return alpha >= 1
    ? `#${hex}`
    : `rgba(${Math.round(red)},${Math.round(green)},${Math.round(blue)},${alpha})`;
}

/** A colour without opacity: laid over a background, `share` of it. */
export function over(colour: string, background: string, share = 1): string {
  const top = parseColour(colour) ?? BLACK;
  const below = parseColour(background) ?? BLACK;
  const alpha = top[3] * share;
  const part = (k: 0 | 1 | 2): number => top[k] * alpha + below[k] * (1 - alpha);
  return colourText([part(0), part(1), part(2), 1]);
}

/** Relative luminance as WCAG defines it. */
export function luminance(colour: string): number {
  const [red, green, blue] = parseColour(colour) ?? BLACK;
  const linear = (part: number): number => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

/** Contrast of two colours, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Black or white, whichever reads better on a colour. */
export function readable(background: string): string {
  return contrast('#000000', background) >= contrast('#ffffff', background) ? '#000000' : '#ffffff';
}

/** The hue of a colour without its opacity, moved towards black or white as far as its contrast with a background asks. */
export function legible(colour: string, background: string, least = 3): string {
  const [red, green, blue] = parseColour(colour) ?? BLACK;
  const opaque = colourText([red, green, blue, 1]);
  const pole = readable(background);
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = over(pole, opaque, share);
    if (contrast(mixed, background) >= least) return mixed;
  }
  return pole;
}
