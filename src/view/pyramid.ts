import type { Sliced } from '../trace/slices';

/** Values of a level that one value of the next level stands for. */
const FAN = 16;

type Values = Uint8Array | Float64Array;

/** Values of a level between two looks at the clock. */
const SLICE = 1 << 15;

/** Largest or smallest value of any run of a column in logarithmic time: each level keeps one value for 16 of the level below. */
export class Pyramid {
  private constructor(
    private readonly levels: readonly Values[],
    private readonly better: (a: number, b: number) => boolean,
  ) {}

  /** Builds a pyramid; `better(a, b)` says whether a is the one to keep. */
  static *build(values: Values, better: (a: number, b: number) => boolean): Sliced<Pyramid> {
    const levels = [values];
    for (let below = values; below.length > FAN; ) {
      const size = Math.ceil(below.length / FAN);
      const level: Values = below instanceof Uint8Array ? new Uint8Array(size) : new Float64Array(size);
      for (let k = 0; k < size; k++) {
        if (k % (SLICE / FAN) === 0) yield 1;
        let best = below[k * FAN];
        const end = Math.min(below.length, (k + 1) * FAN);
        for (let i = k * FAN + 1; i < end; i++) if (better(below[i], best)) best = below[i];
        level[k] = best;
      }
      levels.push(level);
      below = level;
    }
    return new Pyramid(levels, better);
  }

  /** The best value in [from, to), which must not be empty. */
  best(from: number, to: number): number {
    const { levels, better } = this;
    let best = levels[0][from];
    let low = from;
    let high = to;
    for (let l = 0; low < high; l++) {
      const level = levels[l];
      const last = l === levels.length - 1;
      while (low < high && (last || low % FAN !== 0)) {
        if (better(level[low], best)) best = level[low];
        low++;
      }
      while (low < high && high % FAN !== 0) {
        high--;
        if (better(level[high], best)) best = level[high];
      }
      low /= FAN;
      high /= FAN;
    }
    return best;
  }
}

/** Keeps the larger value. */
export const larger = (a: number, b: number): boolean => a > b;
/** Keeps the smaller value. */
export const smaller = (a: number, b: number): boolean => a < b;
