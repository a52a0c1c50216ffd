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
    private readonly least: boolean,
  ) {}

  /** Builds a pyramid that keeps the largest values, or the `least` ones. */
  static *build(values: Values, least = false): Sliced<Pyramid> {
    const levels = [values];
    for (let below = values; below.length > FAN; ) {
      const size = Math.ceil(below.length / FAN);
      const level: Values = below instanceof Uint8Array ? new Uint8Array(size) : new Float64Array(size);
      for (let k = 0; k < size; k++) {
        if (k % (SLICE / FAN) === 0) yield 1;
        let best = below[k * FAN];
        const end = Math.min(below.length, (k + 1) * FAN);
        for (let i = k * FAN + 1; i < end; i++)
          if (least ? below[i] < best : below[i] > best) best = below[i];
        level[k] = best;
      }
      levels.push(level);
      below = level;
    }
    return new Pyramid(levels, least);
  }

  /** The best value in [from, to), which must not be empty. */
  best(from: number, to: number): number {
    const { levels, least } = this;
    let best = levels[0][from];
    let low = from;
    let high = to;
    for (let l = 0; low < high; l++) {
      const level = levels[l];
      // what the next level stands for is looked at there
      const first = l === levels.length - 1 ? high : Math.min(high, Math.ceil(low / FAN) * FAN);
      const last = Math.max(first, Math.floor(high / FAN) * FAN);
      for (; low < first; low++) {
        const value = level[low];
        if (least ? value < best : value > best) best = value;
      }
      for (let k = last; k < high; k++) {
        const value = level[k];
        if (least ? value < best : value > best) best = value;
      }
      low = Math.ceil(low / FAN);
      high = Math.floor(last / FAN);
    }
    return best;
  }
}
