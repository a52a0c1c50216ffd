import type { Range } from './entities';

/** Bytes of [0, length) that no range covers: the first hole, undefined when there is none. */
export function firstHole(ranges: readonly Range[], length: number): Range | undefined {
  let at = 0;
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (from > at) return [at, Math.min(from, length)];
    at = Math.max(at, to);
    if (at >= length) return undefined;
  }
  return at < length ? [at, length] : undefined;
}

/** Whether two ranges share a byte. */
export function overlap(a: Range, b: Range): boolean {
  return a[0] < b[1] && b[0] < a[1];
}
