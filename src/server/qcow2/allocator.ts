import type { Buffer } from '../../kernel/memory';
import { SliceCache } from './cache';
import { type Qcow2Header, refcountIsZero, refcountReach, setRefcountOne, SLICE_BYTES } from './format';
import { type ClusterState, RefcountSlice, type Slice, type TopTable } from './meta';
import { type Qcow2Shared, WAIT, type Wait } from './state';
import { Waiters } from './waiters';

/** Slices of refcount blocks that are kept: 256 KiB. */
const REFCOUNT_SLICES = 64;

/** Allocates clusters from the refcounts in memory and knows which of them are zeroed (Qcow2ClusterAllocator). */
export class Allocator {
  private readonly states = new Map<number, ClusterState>();
  private readonly cache = new SliceCache<RefcountSlice>(REFCOUNT_SLICES);
  /** Slice of the present refcount block that is searched. */
  private slice = 0;
  private readonly slicesPerBlock: number;
  /** Bytes of the image that a slice covers. */
  private readonly sliceReach: number;
  /** Slices that became dirty and are not written yet. */
  readonly dirtyCount = { mapping: 0, refcount: 0 };
  private freed: Slice[] = [];
  private readonly spareBuffers: Buffer[] = [];

  constructor(
    private readonly shared: Qcow2Shared,
    private readonly table: TopTable,
    private readonly forgetSlice: (slice: Slice) => void,
  ) {
    const { header } = shared;
    this.slicesPerBlock = 2 ** header.clusterBits / SLICE_BYTES;
    this.sliceReach = sliceReach(header);
    let last = table.entries - 1;
    while (last > 0 && table.entry(last) === 0) last--;
    table.nextFree = last;
  }

  get refcounts(): SliceCache<RefcountSlice> {
    return this.cache;
  }

  get reach(): number {
    return this.sliceReach;
  }

  stateOf(cluster: number): ClusterState | undefined {
    return this.states.get(cluster);
  }

  isZeroed(cluster: number): boolean {
    const state = this.states.get(cluster);
    return state === undefined || state.phase === 'zeroed';
  }

  /** alloc_cluster_started: the cluster is in use, and nothing of it is on disk. */
  started(cluster: number): void {
    this.states.set(cluster, { phase: 'started', waiters: new Waiters() });
  }

  /** alloc_cluster_zeroed: who waits for the cluster goes on. */
  zeroed(tag: number, cluster: number): void {
    const state = this.states.get(cluster);
    if (!state) return;
    state.phase = 'zeroed';
    state.waiters.wake((waiter) => this.shared.resume(waiter), tag);
    this.states.delete(cluster);
  }

  /** alloc_cluster_reset: zeroing failed and is tried again. False when the cluster is zeroed by now. */
  reset(cluster: number): boolean {
    const state = this.states.get(cluster);
    if (!state || state.phase === 'zeroed') return false;
    state.phase = 'started';
    return true;
  }

  /** A slice became dirty (1) or was written (-1). */
  dirtied(mapping: boolean, by: number): void {
    this.dirtyCount[mapping ? 'mapping' : 'refcount'] += by;
  }

  /** allocate_cluster: offset of a cluster whose refcount is 1 from now on; -1 where the refcount table is full. */
  allocate(tag: number): number | Wait {
    for (;;) {
      const block = this.table.nextFree;
      const key = block * this.table.reach + this.slice * this.sliceReach;
      let slice = this.cache.find(key, true);
      if (!slice) {
        slice = this.newSlice(key, this.table.entry(block) + this.slice * SLICE_BYTES, block);
        if (!slice.updated) {
          slice.load(tag);
          slice.waiters.add(tag);
          return WAIT;
        }
      }
      if (!slice.updated || slice.flushing || slice.evicted) {
        slice.waiters.add(tag);
        return WAIT;
      }
      const found = this.search(slice);
      if (found !== undefined) return key + found * 2 ** this.shared.header.clusterBits;
      if (++this.slice < this.slicesPerBlock) continue;
      if (block + 1 >= this.table.entries) return -1;
      const wait = this.newBlock(tag, block + 1);
      if (wait) return wait;
    }
  }

  private search(slice: RefcountSlice): number | undefined {
    const { refcountOrder } = this.shared.header;
    const entries = (SLICE_BYTES * 8) >> refcountOrder;
    for (let i = Math.max(0, slice.nextFree); i < entries; i++) {
      if (!refcountIsZero(slice.view, i, refcountOrder)) continue;
      if (!slice.dirty) this.dirtied(false, 1);
      setRefcountOne(slice.view, i, refcountOrder);
      slice.dirty = true;
      slice.nextFree = i + 1;
      return i;
    }
    return undefined;
  }

  /** allocate_refcount_blk: the next block lies at the start of what it counts. */
  private newBlock(tag: number, block: number): Wait | undefined {
    if (this.table.isFlushingAt(block)) {
      this.table.waiters.add(tag);
      return WAIT;
    }
    const offset = block * this.table.reach;
    this.table.nextFree = block;
    this.table.setEntry(block, offset, false);
    this.started(offset);
    this.slice = 0;
    const slice = this.newSlice(offset, offset, block);
    setRefcountOne(slice.view, 0, this.shared.header.refcountOrder);
    slice.nextFree = 1;
    return undefined;
  }

  private newSlice(key: number, offset: number, block: number): RefcountSlice {
    const fresh = this.isFresh(offset);
    const slice = new RefcountSlice(
      this.shared,
      this,
      false,
      offset,
      this.buffer(),
      key,
      block,
      fresh,
      (old) => this.reclaim(old),
    );
    this.added(this.cache, slice);
    return slice;
  }

  /** The cluster at this place of the image is new, so its tables are empty. */
  isFresh(offset: number): boolean {
    return !this.isZeroed(offset - (offset % 2 ** this.shared.header.clusterBits));
  }

  /** Memory for a slice. */
  buffer(): Buffer {
    return this.spareBuffers.pop() ?? this.shared.host.alloc(SLICE_BYTES);
  }

  /** The end of alloc_slice: what leaves the cache for the new one is freed once it is clean. */
  added<T extends Slice>(cache: SliceCache<T>, slice: T): void {
    if (slice.dirty) this.dirtied(slice.mapping, 1);
    const old = cache.put(slice);
    if (!old) return;
    if (!old.dirty) this.free(old);
    old.put();
  }

  /** The slice is given back when the events at hand are handled. */
  free(slice: Slice): void {
    this.freed.push(slice);
  }

  /** kill_slices */
  releaseFreed(): void {
    const slices = this.freed;
    this.freed = [];
    for (const slice of slices) slice.put();
  }

  /** Nobody holds the slice any more. */
  reclaim(slice: Slice): void {
    if (slice.mapping) this.forgetSlice(slice);
    else this.cache.forget(slice);
    this.spareBuffers.push(slice.buffer);
  }
}

function sliceReach(header: Qcow2Header): number {
  return refcountReach(header) / (2 ** header.clusterBits / SLICE_BYTES);
}
