import type { Slice } from './meta';
import { TOP_BLOCK_ENTRIES } from './format';

/** Least recently used slices leave a full cache; those that are dirty stay visible until they are written (slice_cache). */
export class SliceCache<T extends Slice> {
  /** Least recently used first. */
  private readonly slices = new Map<number, T>();
  private readonly evicted = new Map<number, T>();

  constructor(private readonly most: number) {}

  /** A slice by its first byte; `use` makes it the most recently used. */
  find(key: number, use: boolean): T | undefined {
    const slice = this.slices.get(key);
    if (slice && use) {
      this.slices.delete(key);
      this.slices.set(key, slice);
    }
    return slice ?? this.evicted.get(key);
  }

  /** Adds a slice; returns the one that had to leave for it. */
  put(slice: T): T | undefined {
    this.slices.delete(slice.key);
    this.slices.set(slice.key, slice);
    if (this.slices.size <= this.most) return undefined;
    const [oldest] = this.slices.values();
    this.slices.delete(oldest.key);
    oldest.evicted = true;
    this.evicted.set(oldest.key, oldest);
    return oldest;
  }

  forget(slice: Slice): void {
    if (this.evicted.get(slice.key) === slice) this.evicted.delete(slice.key);
  }

  get hasEvictedDirty(): boolean {
    for (const slice of this.evicted.values()) if (slice.dirty) return true;
    return false;
  }

  get hasDirty(): boolean {
    return [...this.slices.values()].some((slice) => slice.dirty && !slice.flushing) || this.hasEvictedDirty;
  }

  /** Block of the top table with most slices to write, evicted ones first; -1 where there is none. */
  busiestBlock(): number {
    if (this.evicted.size > 0) return busiest([...this.evicted.values()]);
    return busiest([...this.slices.values()].reverse().filter((slice) => slice.dirty && !slice.flushing));
  }

  /** Slices that nobody uses leave until `keep` are left (idle queue). */
  shrink(keep: number, release: (slice: T) => void): void {
    for (const slice of this.slices.values()) {
      if (this.slices.size <= keep) return;
      if (slice.dirty || slice.flushing || !slice.updated) continue;
      this.slices.delete(slice.key);
      release(slice);
    }
  }
}

function busiest(slices: readonly Slice[]): number {
  const counts = new Map<number, number>();
  for (const { parent } of slices) {
    const block = Math.floor(parent / TOP_BLOCK_ENTRIES);
    counts.set(block, (counts.get(block) ?? 0) + 1);
  }
  let best = -1;
  let most = 0;
  for (const [block, count] of counts) {
    if (count <= most) continue;
    best = block;
    most = count;
  }
  return best;
}
