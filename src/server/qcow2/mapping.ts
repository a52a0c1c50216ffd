import type { Allocator } from './allocator';
import { SliceCache } from './cache';
import { readEntry, SLICE_BYTES } from './format';
import { L2Slice, type Slice, type TopTable } from './meta';
import { type Qcow2Shared, WAIT, type Wait } from './state';

/** Slices of L2 tables that are kept: 1 MiB. */
const L2_SLICES = 256;
const SLICE_ENTRIES = SLICE_BYTES / 8;
/** The cluster is compressed, which the server cannot read. */
export const COMPRESSED = -1;

/** From offsets of the disk to offsets of the image; allocates what a write finds missing (Qcow2ClusterMapping). */
export class Mapping {
  readonly cache = new SliceCache<L2Slice>(L2_SLICES);
  /** Tag that allocates for an entry, by entry of L1 and by cluster of the disk. */
  private readonly l1Owners = new Map<number, number>();
  private readonly l2Owners = new Map<number, number>();
  private readonly cluster: number;
  /** Bytes of the disk that a slice covers. */
  readonly reach: number;

  constructor(
    private readonly shared: Qcow2Shared,
    private readonly l1: TopTable,
    private readonly allocator: Allocator,
  ) {
    this.cluster = 2 ** shared.header.clusterBits;
    this.reach = SLICE_ENTRIES * this.cluster;
  }

  forget(slice: Slice): void {
    this.cache.forget(slice);
  }

  shrink(): void {
    this.cache.shrink(L2_SLICES >> 3, (slice) => this.allocator.reclaim(slice));
  }

  /**
   * map_cluster: where a byte of the disk is in the image. 0: no L2 table; with an L2 table and nothing mapped, the offset inside
   * the cluster, which the server then takes for a place in the image (kept as shipped: what it reads there is the first cluster).
   */
  map(tag: number, offset: number, create: boolean): number | Wait {
    const start = offset - (offset % this.cluster);
    let slice = this.cache.find(this.keyOf(start), true);
    if (slice) slice.get();
    else {
      const found = this.find(tag, start, create);
      if (found === WAIT) return WAIT;
      if (!found) return 0;
      slice = found;
    }
    const host = this.mapIn(tag, slice, start, create);
    slice.put();
    if (host === WAIT || host === COMPRESSED) return host;
    return host + (offset % this.cluster);
  }

  private keyOf(offset: number): number {
    return offset - (offset % this.reach);
  }

  /** create_l2_map, with a reference for the caller. */
  private find(tag: number, offset: number, create: boolean): L2Slice | Wait | undefined {
    const index = Math.floor(offset / this.l1.reach);
    const table = this.l1.entry(index);
    if (table !== 0) return this.load(tag, offset, index, table);
    return create ? this.createTable(tag, offset, index) : undefined;
  }

  private load(tag: number, offset: number, index: number, table: number): L2Slice | Wait {
    const slice = this.newSlice(offset, table, index);
    if (slice.updated) {
      slice.get();
      return slice;
    }
    slice.load(tag);
    slice.waiters.add(tag);
    return WAIT;
  }

  private newSlice(offset: number, table: number, index: number): L2Slice {
    const key = this.keyOf(offset);
    const place = table + ((key % this.l1.reach) / this.reach) * SLICE_BYTES;
    const fresh = this.allocator.isFresh(place);
    const { allocator } = this;
    const buffer = allocator.buffer();
    const slice = new L2Slice(this.shared, allocator, true, place, buffer, key, index, fresh, (old) =>
      allocator.reclaim(old),
    );
    allocator.added(this.cache, slice);
    return slice;
  }

  /** create_and_add_l2: a new table; whoever comes second waits for the first. */
  private createTable(tag: number, offset: number, index: number): L2Slice | Wait | undefined {
    if (this.l1.isFlushingAt(index)) {
      this.l1.waiters.add(tag);
      return WAIT;
    }
    const owner = this.l1Owners.get(index);
    if (owner !== undefined && owner !== tag) {
      this.l1.waiters.add(tag, index);
      return WAIT;
    }
    this.l1Owners.set(index, tag);
    const table = this.allocator.allocate(tag);
    if (table === WAIT) return WAIT;
    let slice: L2Slice | undefined;
    if (table >= 0) {
      this.allocator.started(table);
      slice = this.newSlice(offset, table, index);
      slice.get();
      this.l1.setEntry(index, table, true);
    }
    this.l1Owners.delete(index);
    this.l1.wake(tag, index);
    return slice;
  }

  private mapIn(tag: number, slice: L2Slice, offset: number, create: boolean): number | Wait {
    if (!slice.updated) {
      slice.waiters.add(tag);
      return WAIT;
    }
    const index = (offset / this.cluster) % SLICE_ENTRIES;
    const entry = readEntry(slice.view, index);
    if (entry.compressed) return COMPRESSED;
    if (entry.offset !== 0 || !create) return entry.offset;
    return this.allocateIn(tag, slice, offset, index);
  }

  /** build_mapping: a new data cluster; waits while the slice must not change. */
  private allocateIn(tag: number, slice: L2Slice, offset: number, index: number): number | Wait {
    if (slice.flushing || slice.evicted || slice.prepFlush) {
      slice.waiters.add(tag);
      return WAIT;
    }
    const owner = this.l2Owners.get(offset);
    if (owner !== undefined && owner !== tag) {
      slice.waiters.add(tag, index);
      return WAIT;
    }
    this.l2Owners.set(offset, tag);
    const cluster = this.allocator.allocate(tag);
    if (cluster === WAIT) return WAIT;
    if (cluster >= 0) {
      this.allocator.started(cluster);
      if (!slice.dirty) this.allocator.dirtied(true, 1);
      slice.setEntry(index, cluster);
    }
    this.l2Owners.delete(offset);
    slice.wake(tag, index);
    return Math.max(0, cluster);
  }
}
