import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asZoom, fittingZoom, layoutWidth, nextZoom, ZOOMS } from '../../src/webview/drawing/zoom';

describe('sizes of a drawing', () => {
  it('go up and down in the same steps, and end at both ends', () => {
    for (const [k, zoom] of ZOOMS.entries()) {
      expect(nextZoom(zoom, 1)).toBe(ZOOMS[k + 1] ?? zoom);
      expect(nextZoom(zoom, -1)).toBe(ZOOMS[k - 1] ?? zoom);
    }
    expect(ZOOMS).toContain(1);
    expect(ZOOMS).toContain(2);
  });

  it('that were kept are taken only if they are sizes', () => {
    expect([2, 0.5, 3.7, '2', undefined, Number.NaN].map(asZoom)).toEqual([2, 0.5, 1, 1, 1, 1]);
  });

  it('fit is the largest at which all is in view', () => {
    const side = fc.integer({ min: 1, max: 5000 });
    fc.assert(
      fc.property(side, side, side, (height, roomWidth, roomHeight) => {
        const sizeAt = (zoom: number) => ({ width: layoutWidth(roomWidth, zoom, 300), height });
        const inView = (zoom: number): boolean =>
          sizeAt(zoom).width * zoom <= roomWidth && height * zoom <= roomHeight;
        const found = fittingZoom(sizeAt, { width: roomWidth, height: roomHeight });
        const all = ZOOMS.filter((zoom) => zoom <= 2 && inView(zoom));
        expect(found).toBe(all.length === 0 ? undefined : Math.max(...all));
      }),
    );
  });

  it('keep a drawing as wide as the window until that presses it out of its form', () => {
    const width = 1000;
    for (const zoom of ZOOMS) {
      const drawn = layoutWidth(width, zoom, 600) * zoom;
      if (width / zoom >= 600) expect(Math.abs(drawn - width)).toBeLessThanOrEqual(zoom);
      else expect(drawn).toBe(600 * zoom);
    }
    // in a window that is too narrow for it at its own size it is pressed at every size
    expect(layoutWidth(400, 2, 600)).toBe(400);
  });
});
