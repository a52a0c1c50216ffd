import { type Unit, UNITS } from './format';
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

/** How many digits before a label is counted from a base instead of from the start. */
const LONGEST = 1e4;

/** Ticks of the visible range, at least `spacing` pixels apart; every fifth or second part of a step is a minor tick. */
export function rulerOf(scale: Scale, spacing: number): Ruler {
  const step = niceStep(scale.nsPerPixel * spacing);
  const unit = stepUnit(step);
  const far = Math.max(Math.abs(scale.from), Math.abs(scale.to));
  const base = far / step > LONGEST ? Math.floor(scale.from / (step * 100)) * step * 100 : 0;
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

/** Unit of labels so that a step has at most one digit after the point. */
function stepUnit(step: number): Unit {
  return UNITS.find((unit) => step * 10 >= unit.ns) ?? UNITS[3];
}

function tickLabel(time: number, base: number, unit: Unit, step: number): string {
  const digits = step < unit.ns ? 1 : 0;
  const text = `${((time - base) / unit.ns).toFixed(digits)} ${unit.name}`;
  return base === 0 ? text : `+${text}`;
}
