import type { Sliced } from './slices';
import type { StateCache } from './snapshots';
import type { StatePath } from './state_paths';

/** Events of one stretch: what is replayed at once. */
export const STRETCH = 2048;
/** Most paths whose changes are remembered. */
const MOST_PATHS = 64;

/** Which events change which values of the state: found by replay, stretch by stretch, then known. */
export class ChangeIndex {
  private readonly known = new Map<StatePath, (readonly number[] | undefined)[]>();

  constructor(private readonly states: StateCache) {}

  /** Events of the n-th stretch of {@link STRETCH} events that change the value at each path, in order. */
  stretch(paths: readonly StatePath[], n: number): readonly (readonly number[])[] {
    const missing = [...new Set(paths)].filter((path) => this.known.get(path)?.[n] === undefined);
    if (missing.length > 0) {
      const low = n * STRETCH;
      const found = this.states.changes(missing, low, Math.min(this.states.trace.length, low + STRETCH));
      if (this.known.size + missing.length > MOST_PATHS) {
        for (const path of this.known.keys()) if (!paths.includes(path)) this.known.delete(path);
      }
      missing.forEach((path, k) => {
        const stretches = this.known.get(path) ?? [];
        stretches[n] = found[k];
        this.known.set(path, stretches);
      });
    }
    return paths.map((path) => this.known.get(path)?.[n] ?? []);
  }

  /** Whether the changes of a path in a stretch are known. */
  has(path: StatePath, n: number): boolean {
    return this.known.get(path)?.[n] !== undefined;
  }

  /** Whether all changes of a path are known. */
  complete(path: StatePath): boolean {
    const stretches = this.known.get(path);
    const wanted = Math.ceil(this.states.trace.length / STRETCH);
    for (let n = 0; n < wanted; n++) if (stretches?.[n] === undefined) return false;
    return true;
  }

  /**
   * The nearest event after (step 1) or at or before (step -1) `from` that changes the value at a path; undefined where there is none.
   * A slice is a stretch.
   */
  *nearest(path: StatePath, from: number, step: 1 | -1): Sliced<number | undefined> {
    const { length } = this.states.trace;
    const first = Math.max(0, Math.min(from + (step === 1 ? 1 : 0), length - 1));
    for (let n = Math.floor(first / STRETCH); n >= 0 && n * STRETCH < length; n += step) {
      const [list] = this.stretch([path], n);
      const found = step === 1 ? list.find((e) => e > from) : list.findLast((e) => e <= from);
      if (found !== undefined) return found;
      yield n / Math.ceil(length / STRETCH);
    }
    return undefined;
  }
}
