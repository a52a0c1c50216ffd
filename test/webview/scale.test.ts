import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatExact } from '../../src/webview/timeline/format';
import { niceStep, rulerOf } from '../../src/webview/timeline/ruler';
import { clampRange, panBy, Scale, showTime, zoomAbout } from '../../src/webview/timeline/scale';

const lengths = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 53 - 1 }));
const ranges = fc
  .tuple(fc.double({ min: -1, max: 2, noNaN: true }), fc.double({ min: 1e-12, max: 3, noNaN: true }), lengths)
  .map(([from, span, length]) => {
    const size = Math.max(length, 1000);
    return { range: { from: from * size, to: (from + span) * size }, length };
  });

describe('the visible range', () => {
  it('stays within the trace and its air, whatever is asked', () => {
    fc.assert(
      fc.property(ranges, fc.double({ min: 0.01, max: 100, noNaN: true }), ({ range, length }, factor) => {
        const air = length > 0 ? length * 0.02 : 500;
        for (const next of [
          clampRange(range, length),
          zoomAbout(range, range.from, factor, length),
          panBy(range, 3, length),
        ]) {
          const slack = Math.max(1, length) * 1e-9;
          expect(next.to).toBeGreaterThan(next.from);
          expect(next.from).toBeGreaterThanOrEqual(-air - slack);
          expect(next.to).toBeLessThanOrEqual(length + air + slack);
        }
      }),
    );
  });

  it('keeps the time under the pointer in its place when zooming inside the trace', () => {
    const range = { from: 400_000, to: 600_000 };
    const before = new Scale(range, 100, 900);
    const after = new Scale(zoomAbout(range, 450_000, 0.5, 1_000_000), 100, 900);
    expect(after.x(450_000)).toBeCloseTo(before.x(450_000), 6);
    expect(after.nsPerPixel).toBeCloseTo(before.nsPerPixel / 2, 9);
  });

  it('does not go below what can be drawn', () => {
    const next = zoomAbout({ from: 100, to: 130 }, 110, 0.001, 1000);
    expect(next.to - next.from).toBe(20);
  });

  it('follows the cursor only when it leaves the view, and then leaves room ahead', () => {
    const range = { from: 0, to: 1000 };
    expect(showTime(range, 500, 100_000)).toBe(range);
    const later = showTime(range, 1500, 100_000);
    expect(later.to - later.from).toBe(1000);
    expect((1500 - later.from) / 1000).toBeCloseTo(0.33, 5);
    expect((1500 - showTime({ from: 5000, to: 6000 }, 1500, 100_000).from) / 1000).toBeCloseTo(0.67, 5);
  });

  it('maps pixels to times and back', () => {
    fc.assert(
      fc.property(ranges, fc.double({ min: 0, max: 1, noNaN: true }), ({ range }, share) => {
        const scale = new Scale(range, 140, 1000);
        const x = 140 + share * 1000;
        expect(scale.x(scale.time(x))).toBeCloseTo(x, 2);
      }),
    );
  });
});

describe('the ruler', () => {
  it('has steps of 1, 2 or 5 in whole nanoseconds', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 2 ** 53, noNaN: true }), (ns) => {
        const step = niceStep(ns);
        expect(Number.isInteger(step)).toBe(true);
        expect(step).toBeGreaterThanOrEqual(Math.min(ns, 2 ** 53) * (1 - 1e-12));
        expect(String(step)).toMatch(/^[125]0*$|e\+/);
      }),
    );
  });

  it('never draws labels closer than asked, nor the same label twice', () => {
    fc.assert(
      fc.property(ranges, ({ range, length }) => {
        const { ticks } = rulerOf(new Scale(clampRange(range, length), 100, 900), 80);
        const labelled = ticks.filter((tick) => tick.label !== '');
        expect(ticks.length).toBeLessThan(120);
        expect(new Set(labelled.map((tick) => tick.label)).size).toBe(labelled.length);
        for (let k = 1; k < labelled.length; k++) {
          expect(labelled[k]!.x - labelled[k - 1]!.x).toBeGreaterThan(79);
        }
      }),
    );
  });

  it('counts from a base where labels would be long', () => {
    const { ticks, base } = rulerOf(new Scale({ from: 100_245_000, to: 100_249_100 }, 0, 900), 100);
    expect(base).toBe(100_200_000);
    expect(ticks.find((tick) => tick.time === 100_246_000)?.label).toBe('+46.0 µs');
    const wide = rulerOf(new Scale({ from: 99_700_000, to: 103_000_000 }, 0, 900), 100);
    expect(wide.base).toBe(0);
    expect(wide.ticks.find((tick) => tick.time === 100_500_000)?.label).toBe('100.5 ms');
  });
});

describe('times and sizes as text', () => {
  it.each([
    [0, '0 ns'],
    [999, '999 ns'],
    [1500, '1.5 µs'],
    [331_234, '331 µs'],
    [12_345_678, '12.3 ms'],
    [1_588_000_000, '1.59 s'],
    [Number.POSITIVE_INFINITY, '∞'],
  ])('%d ns is about %s', (ns, text) => expect(formatDuration(ns)).toBe(text));

  it.each([
    [0, '0 ns'],
    [100_252_858, '100.252858 ms'],
    [33_394_464_001, '33.394464001 s'],
    [2 ** 53 - 1, '9007199.254740991 s'],
    [-1500, '-1.5 µs'],
    [Number.POSITIVE_INFINITY, '∞'],
  ])('%d ns is exactly %s', (ns, text) => expect(formatExact(ns)).toBe(text));

  it('counts and bytes', () => {
    expect(formatCount(1_234_567)).toBe('1\u202f234\u202f567');
    expect(formatBytes(0)).toBe('0 B');
    expect(formatBytes(208_896)).toBe('204 KiB');
    expect(formatBytes(1.5 * 1024 * 1024)).toBe('1.5 MiB');
  });
});
