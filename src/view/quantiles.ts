import type { Percentiles } from '../webview/protocol_data';

const BUCKETS = 4096;

/**
 * Count, p50, p90, p99 and maximum of a column of numbers >= 0, by nearest rank: exact, in linear time. The column is counted into
 * buckets first; only the buckets that hold a wanted rank are sorted.
 */
export function percentiles(values: Float64Array): Percentiles {
  const count = values.length;
  if (count === 0) return { count: 0, p50: 0, p90: 0, p99: 0, max: 0 };
  if (count <= BUCKETS) {
    const sorted = values.slice().sort();
    const at = (share: number): number => sorted[rankOf(share, count)];
    return { count, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: sorted[count - 1] };
  }
  let low = Infinity;
  let max = 0;
  for (let k = 0; k < count; k++) {
    const value = values[k];
    if (value < low) low = value;
    if (value > max) max = value;
  }
  const scale = max > low ? (BUCKETS - 1) / (max - low) : 0;
  const sizes = new Uint32Array(BUCKETS);
  for (let k = 0; k < count; k++) sizes[((values[k] - low) * scale) | 0]++;
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => {
    let rank = rankOf(share, count);
    let bucket = 0;
    while (rank >= sizes[bucket]) rank -= sizes[bucket++];
    const inside = new Float64Array(sizes[bucket]);
    let next = 0;
    for (let k = 0; k < count; k++)
      if ((((values[k] - low) * scale) | 0) === bucket) inside[next++] = values[k];
    return inside.sort()[rank];
  }) as [number, number, number];
  return { count, p50, p90, p99, max };
}

/** Place of the nearest rank in a sorted column. */
function rankOf(share: number, count: number): number {
  return Math.max(0, Math.ceil(share * count) - 1);
}
