import type { Allocator } from './allocator';
import type { SliceCache } from './cache';
import { TOP_BLOCK_ENTRIES } from './format';
import type { Slice, TopTable } from './meta';
import { type Co, type Qcow2Shared, type TargetCqe, WAIT } from './state';

const EAGAIN = -11;
/** Metadata waits so long while the queue is busy, ns. */
const DELAY = 500_000_000;

type Phase = 'idle' | 'prep' | 'zero-cluster' | 'wait' | 'write-slices' | 'write-top' | 'done';

/** What a flush works on and with. */
export interface FlushParts {
  readonly top: TopTable;
  readonly cache: SliceCache<Slice>;
  /** Bytes that a slice of this kind covers. */
  readonly sliceReach: number;
  readonly allocator: Allocator;
  allocTag(): number | undefined;
  freeTag(tag: number): void;
  start(tag: number, co: Co): void;
  /** The metadata object of a CQE gets its result. */
  metaDone(tag: number, cqe: TargetCqe | undefined): void;
}

/**
 * Writes the tables of one kind back, one block of 512 bytes of the top table after the other (MetaFlushingState): zero the cluster
 * that holds the slices, (mapping) wait until the refcounts of what they point to are written, write the slices, write the block.
 */
export class TableFlush {
  phase: Phase = 'idle';
  readonly toFlush: Slice[] = [];
  private readonly inFlight: Slice[] = [];
  private block = -1;
  private entry = 0;
  private lastFlush: number;

  constructor(
    private readonly shared: Qcow2Shared,
    private readonly mapping: boolean,
    private readonly parts: FlushParts,
  ) {
    this.lastFlush = shared.host.now();
  }

  /** need_flush: whether to run, and at which block to begin when idle. */
  need(queued: number): { need: boolean; block: number } {
    const { cache, top, allocator } = this.parts;
    let need = this.phase !== 'idle' || cache.hasEvictedDirty || this.isDue(queued);
    let block = -1;
    if (need && this.phase === 'idle') {
      block = cache.busiestBlock();
      if (block < 0) block = top.firstDirty;
      if (block < 0) {
        need = false;
        allocator.dirtyCount[this.mapping ? 'mapping' : 'refcount'] = 0;
      }
    }
    return { need, block };
  }

  /** Dirty, and nothing else to do, or overdue. */
  private isDue(queued: number): boolean {
    const { top, allocator } = this.parts;
    const dirty = allocator.dirtyCount[this.mapping ? 'mapping' : 'refcount'] > 0 || top.hasDirtyBlocks;
    if (!dirty || queued === 0) return dirty;
    return this.shared.host.now() - this.lastFlush > DELAY;
  }

  /** run_flush */
  run(block: number): void {
    if (this.phase === 'idle' && block >= 0 && block < this.parts.top.blocks) {
      this.block = block;
      this.entry = 0;
      this.phase = 'prep';
    }
    do {
      if (this.phase === 'prep') this.prepare();
      if (this.phase === 'zero-cluster') this.zeroCluster();
      if (this.phase === 'wait') return;
      if (this.phase === 'write-slices') this.writeSlices();
      if (this.phase === 'write-top') this.writeTop();
      if (this.phase === 'done') {
        this.phase = 'idle';
        this.lastFlush = this.shared.host.now();
      }
    } while (this.phase === 'prep');
  }

  /** __prep_write_slice: the next entry of the block that has dirty slices. */
  private prepare(): void {
    const { top, cache, sliceReach } = this.parts;
    for (; this.entry < TOP_BLOCK_ENTRIES; this.entry++) {
      const index = this.block * TOP_BLOCK_ENTRIES + this.entry;
      if (index >= top.entries || top.entry(index) === 0) continue;
      const end = (index + 1) * top.reach;
      for (let key = index * top.reach; key < end; key += sliceReach) {
        const slice = cache.find(key, false);
        if (slice?.dirty) this.toFlush.push(slice);
      }
      if (this.toFlush.length > 0) {
        this.phase = 'zero-cluster';
        return;
      }
    }
    this.entry = 0;
    this.phase = 'write-top';
  }

  private zeroCluster(): void {
    const { allocator } = this.parts;
    const slice = this.toFlush[0];
    if (allocator.stateOf(slice.cluster)?.phase === 'zeroing') return;
    const tag = this.parts.allocTag();
    if (tag === undefined) return;
    slice.get();
    this.parts.start(tag, this.zeroClusterCo(slice, tag));
  }

  private *zeroClusterCo(slice: Slice, tag: number): Co {
    for (;;) {
      const queued = slice.zeroMyCluster(tag);
      if (queued === 0) break;
      const cqe = yield;
      if (queued !== WAIT) this.parts.metaDone(tag, cqe);
    }
    this.parts.freeTag(tag);
    if (this.parts.allocator.isZeroed(slice.cluster)) {
      // what L2 entries point to is counted on disk before they are
      if (this.mapping) for (const other of this.toFlush) other.prepFlush = true;
      this.phase = this.mapping ? 'wait' : 'write-slices';
    }
    slice.put();
  }

  private writeSlices(): void {
    while (this.toFlush.length > 0) {
      const tag = this.parts.allocTag();
      if (tag === undefined) return;
      const [slice] = this.toFlush.splice(0, 1);
      slice.get();
      this.parts.start(tag, this.writeSliceCo(slice, tag));
    }
  }

  private *writeSliceCo(slice: Slice, tag: number): Co {
    this.inFlight.push(slice);
    let result = 0;
    for (;;) {
      const queued = slice.flush(tag);
      if (queued === 0) break;
      const cqe = yield;
      if (queued === WAIT) continue;
      this.parts.metaDone(tag, cqe);
      if (!cqe || cqe.res === EAGAIN) continue;
      result = cqe.res;
      break;
    }
    if (slice.prepFlush) {
      slice.prepFlush = false;
      slice.wake(tag);
    }
    this.parts.freeTag(tag);
    this.inFlight.splice(this.inFlight.indexOf(slice), 1);
    if (result >= 0) this.sliceDone();
    slice.put();
  }

  private sliceDone(): void {
    if (this.inFlight.length > 0 || this.toFlush.length > 0) return;
    this.phase = ++this.entry >= TOP_BLOCK_ENTRIES ? 'write-top' : 'prep';
  }

  private writeTop(): void {
    if (this.parts.top.isFlushingAt(this.block)) return;
    const tag = this.parts.allocTag();
    if (tag === undefined) return;
    this.parts.start(tag, this.writeTopCo(tag));
  }

  private *writeTopCo(tag: number): Co {
    const { top } = this.parts;
    while (top.flush(tag, this.block) > 0) this.parts.metaDone(tag, yield);
    this.parts.freeTag(tag);
    if (!top.isDirty(this.block)) this.phase = 'done';
  }
}

/** Both kinds of tables: refcounts are written because mappings wait for them (Qcow2MetaFlushing). */
export class MetaFlush {
  /** Blocks of the refcount table that the mapping waits for; -1: none. */
  private from = -1;
  private to = -1;

  constructor(
    private readonly mapping: TableFlush,
    private readonly refcount: TableFlush,
    /** Blocks of the refcount table that count what the slices point to. */
    private readonly blocksOf: (slices: readonly Slice[]) => { from: number; to: number } | undefined,
  ) {}

  get running(): boolean {
    return this.mapping.phase !== 'idle' || this.refcount.phase !== 'idle';
  }

  run(queued: number): void {
    const mapping = this.mapping.need(queued);
    const refcount = this.refcount.need(queued);
    if (mapping.need || refcount.need) this.mapping.run(mapping.block);
    if (this.mapping.phase === 'wait') this.dependency();
  }

  private dependency(): void {
    if (!this.startOrEnd()) {
      this.refcount.run(this.from);
      while (this.refcount.phase === 'idle' && ++this.from < this.to) this.refcount.run(this.from);
      this.startOrEnd();
    }
    if (this.mapping.phase !== 'wait') this.mapping.run(-1);
  }

  /** True when the mapping goes on. */
  private startOrEnd(): boolean {
    if (this.refcount.phase !== 'idle' || this.from !== this.to) return false;
    if (this.from < 0) {
      const blocks = this.blocksOf(this.mapping.toFlush);
      if (blocks) {
        this.from = blocks.from;
        this.to = blocks.to;
        return false;
      }
    }
    this.from = -1;
    this.to = -1;
    this.mapping.phase = 'write-slices';
    this.mapping.run(-1);
    return true;
  }
}
