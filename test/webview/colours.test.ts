import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPAN_KINDS } from '../../src/webview/protocol_data';
import { contrast, legible, over, parseColour } from '../../src/webview/timeline/colours';
import { PAPER, paletteOf, type ThemeColours } from '../../src/webview/timeline/palette';
import { themeColours } from '../../src/webview/timeline/theme';
import { THEMES } from './harness/themes';

describe('hues', () => {
  it.each(Object.entries(THEMES))('of %s are opaque and stand out', (name, { colours }) => {
    const theme = themeColours((key) => colours[key] ?? '', name.startsWith('high-contrast'));
    for (const hue of ['blue', 'green', 'orange', 'purple', 'red', 'yellow'] as const) {
      expect(parseColour(theme[hue])?.[3], hue).toBe(1);
      expect(contrast(theme[hue], theme.background), hue).toBeGreaterThanOrEqual(3);
    }
  });

  it('are legible over any background', () => {
    const colour = fc.tuple(
      fc.nat(255),
      fc.nat(255),
      fc.nat(255),
      fc.double({ min: 0, max: 1, noNaN: true }),
    );
    fc.assert(
      fc.property(colour, colour, (hue, [red, green, blue]) => {
        const background = `rgb(${red}, ${green}, ${blue})`;
        expect(contrast(legible(`rgba(${hue.join(', ')})`, background), background)).toBeGreaterThanOrEqual(
          3,
        );
      }),
    );
  });

  it('that stand out already stay as they are', () => {
    expect(legible('#d18616', '#1f1f1f')).toBe('#d18616');
  });
});

describe('colours', () => {
  it.each([
    ['#fff', [255, 255, 255, 1]],
    ['#3794ff80', [55, 148, 255, 128 / 255]],
    ['rgba(204, 204, 204, 0.5)', [204, 204, 204, 0.5]],
    ['rgb(1 2 3 / 50%)', [1, 2, 3, 0.5]],
    ['', undefined],
    ['red', undefined],
    ['#12', undefined],
  ])('%s is read', (text, colour) => expect(parseColour(text)).toEqual(colour));

  it('are laid over a background', () => {
    expect(over('rgba(255, 255, 255, 0.5)', '#000000')).toBe('#808080');
  });

  const theme = (name: keyof typeof THEMES): ThemeColours => {
    const { colours, bodyClass } = THEMES[name];
    return { ...PAPER, ...themeColours((key) => colours[key] ?? '', bodyClass.includes('high-contrast')) };
  };
  const themes = [
    ['paper', PAPER] as const,
    ...(Object.keys(THEMES) as (keyof typeof THEMES)[]).map((name) => [name, theme(name)] as const),
  ];

  it.each(themes)(
    '%s: texts read well on every span, edges stand out, kinds differ without colour',
    (_, colours) => {
      const palette = paletteOf(colours);
      for (const kind of SPAN_KINDS) {
        const ink = palette.spans[kind];
        expect(contrast(ink.text, ink.fill)).toBeGreaterThanOrEqual(4.5);
        expect(contrast(ink.edge, palette.background)).toBeGreaterThanOrEqual(3);
      }
      expect(contrast(palette.muted, palette.background)).toBeGreaterThanOrEqual(4.5);
      const phases = ['queued', 'delivered', 'server', 'backend', 'commit'] as const;
      expect(new Set(phases.map((kind) => palette.spans[kind].pattern)).size).toBe(phases.length);
      expect(new Set(SPAN_KINDS.map((kind) => palette.spans[kind].letter)).size).toBe(SPAN_KINDS.length);
      const shapes = Object.values(palette.marks).map((mark) => mark.shape);
      expect(new Set(shapes).size).toBe(shapes.length);
    },
  );
});
