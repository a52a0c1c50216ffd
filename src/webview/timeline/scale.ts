import type { TimeRange } from '../time_range';

/** Shortest visible range, ns: below that a nanosecond is wider than anybody needs. */
const SHORTEST = 20;

/** Maps times to pixels: `range` lies over the pixels from `left` on, `width` wide. */
export class Scale {
  readonly from: number;
  readonly to: number;
  readonly left: number;
  readonly width: number;
  readonly nsPerPixel: number;

  constructor(range: TimeRange, left: number, width: number) {
    this.from = range.from;
    this.to = range.to;
    this.left = left;
    this.width = Math.max(1, width);
    this.nsPerPixel = (range.to - range.from) / this.width;
  }

  x(time: number): number {
    return this.left + (time - this.from) / this.nsPerPixel;
  }

  time(x: number): number {
    return this.from + (x - this.left) * this.nsPerPixel;
  }
}

/** Keeps a range within the trace, with a little air, and not shorter than can be drawn. */
export function clampRange(range: TimeRange, length: number): TimeRange {
  const air = length > 0 ? length * 0.02 : 500;
  const longest = length + 2 * air;
  const span = Math.min(longest, Math.max(Math.min(SHORTEST, longest), range.to - range.from));
  const middle = (range.from + range.to) / 2;
  const grown = range.to - range.from === span ? range.from : middle - span / 2;
  const from = Math.min(Math.max(grown, -air), length + air - span);
  return { from, to: from + span };
}

/** Zooms by a factor (below 1: in) about a time that keeps its place. */
export function zoomAbout(range: TimeRange, time: number, factor: number, length: number): TimeRange {
  const longest = length > 0 ? length * 1.04 : 1000;
  const span = range.to - range.from;
  const wanted = Math.min(longest, Math.max(SHORTEST, span * factor));
  const share = (time - range.from) / span;
  const from = time - share * wanted;
  return clampRange({ from, to: from + wanted }, length);
}

/** Moves by a share of what is visible. */
export function panBy(range: TimeRange, share: number, length: number): TimeRange {
  const way = (range.to - range.from) * share;
  return clampRange({ from: range.from + way, to: range.to + way }, length);
}

/** The range moved, not scaled, so that a time is well within it; the same object if it is already. */
export function showTime(range: TimeRange, time: number, length: number): TimeRange {
  const span = range.to - range.from;
  const margin = span * 0.08;
  if (time >= range.from + margin && time <= range.to - margin) return range;
  if (time >= range.from && time <= range.to && (time < margin || time > length - margin)) return range;
  // A step to the next event lands a third from the edge it came over, so that what follows is seen as well.
  const at = time > range.to - margin ? 0.33 : 0.67;
  const moved = clampRange({ from: time - span * at, to: time + span * (1 - at) }, length);
  return moved.from === range.from && moved.to === range.to ? range : moved;
}
