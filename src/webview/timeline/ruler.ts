import { type Unit, unitOf } from './format';
import type { Scale } from './scale';

export interface Tick {
  readonly time: number;
  readonly x: number;
  /** Empty for a minor tick. */
  readonly label: string;
}

export interface Ruler {
  readonly ticks: readonly Tick[];
  /** Where labels are counted from, when they would be too long otherwise: shown once at the left. 0: none. */
  readonly base: number;
  readonly step: number;
}

/** Smallest step of 1, 2 or 5 times a power of ten, in whole ns, that is at least `ns` long. */
export function niceStep(ns: number): number {
  if (!(ns > 1)) return 1;
  const power = 10 ** Math.floor(Math.log10(ns));
  for (const factor of [1, 2, 5, 10]) {
    const step = Math.round(factor * power);
    if (step >= ns) return step;
  }
  return Math.round(power * 10);
}

/** Most digits after the point; finer labels are counted from a base that stands at the left once. */
const MOST_DIGITS = 3;

/** Ticks of the visible range, at least `spacing` pixels apart; between two of them four minor ones. */
export function rulerOf(scale: Scale, spacing: number): Ruler {
  const step = niceStep(scale.nsPerPixel * spacing);
  const far = unitOf(Math.max(Math.abs(scale.from), Math.abs(scale.to)));
  const long = digitsOf(step, far) > MOST_DIGITS;
  const base = long ? Math.floor(scale.from / (step * 100)) * step * 100 : 0;
  const unit = long ? unitOf(Math.max(scale.to - base, step)) : far;
  const ticks: Tick[] = [];
  const parts = step >= 5 ? 5 : 1;
  const first = Math.floor(scale.from / step);
  const last = Math.ceil(scale.to / step);
  for (let k = first; k <= last; k++) {
    const time = k * step;
    if (time >= 0) ticks.push({ time, x: scale.x(time), label: tickLabel(time, base, unit, step) });
    for (let part = 1; part < parts; part++) {
      const between = time + (step / parts) * part;
      if (between > 0) ticks.push({ time: between, x: scale.x(between), label: '' });
    }
  }
  return { ticks, base, step };
}

/** Digits after the point that tell two ticks apart. */
function digitsOf(step: number, unit: Unit): number {
  return Math.max(0, Math.ceil(Math.log10(unit.ns / step) - 1e-9));
}

function tickLabel(time: number, base: number, unit: Unit, step: number): string {
  const text = `${((time - base) / unit.ns).toFixed(digitsOf(step, unit))} ${unit.name}`;
  return base === 0 ? text : `+${text}`;
}
