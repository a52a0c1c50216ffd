import { pathReader } from '../trace/state';
import type { OpenTrace } from './model';

/** Events that are replayed at once; a search looks at no more between two pauses. */
export const WATCH_CHUNK = 2048;
/** Most state variables whose changes are remembered. */
const MOST_PATHS = 64;

/** Which events change which state variables: replayed once per stretch of the trace, then known. */
export class Watch {
  private readonly known = new Map<string, (readonly number[] | undefined)[]>();

  constructor(private readonly open: OpenTrace) {}

  /** Events of the n-th stretch of {@link WATCH_CHUNK} events that change the value at each path, in order. */
  changes(paths: readonly string[], n: number): readonly (readonly number[])[] {
    const missing = paths.filter((path) => this.known.get(path)?.[n] === undefined);
    if (missing.length > 0) this.replay([...new Set(missing)], n);
    return paths.map((path) => this.known.get(path)?.[n] ?? []);
  }

  private replay(paths: readonly string[], n: number): void {
    const { states, length } = this.open;
    const low = n * WATCH_CHUNK;
    const high = Math.min(length, low + WATCH_CHUNK);
    const readers = paths.map((path) => pathReader(path));
    const found = paths.map((): number[] => []);
    const before = states.seek(low - 1).view;
    const values = readers.map((read) => read(before));
    for (let i = low; i < high; i++) {
      const { view } = states.seek(i);
      for (let k = 0; k < readers.length; k++) {
        const value = readers[k](view);
        if (value !== values[k]) found[k].push(i);
        values[k] = value;
      }
    }
    if (this.known.size + paths.length > MOST_PATHS) this.known.clear();
    paths.forEach((path, k) => {
      const stretches = this.known.get(path) ?? [];
      stretches[n] = found[k];
      this.known.set(path, stretches);
    });
  }
}
