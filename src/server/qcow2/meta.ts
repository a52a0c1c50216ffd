import { FALLOC_FL, IORING_FSYNC_DATASYNC, IOSQE } from '../../uapi/io_uring_abi';
import { IORING_OP } from '../../uapi/io_uring_ops';
import { udHi, udLo, UD_TAG_IGNORE } from '../../uapi/user_data';
import type { Buffer } from '../../kernel/memory';
import type { SqeFields } from '../ring_user';
import { readEntry, SLICE_BYTES, TOP_BLOCK_BYTES, TOP_BLOCK_ENTRIES, writeEntry } from './format';
import type { Qcow2Shared, TargetCqe, Wait } from './state';
import { WAIT } from './state';
import { Waiters } from './waiters';

/** Descriptors of the daemon: the target opens the image twice, once for data and zeroing, once for metadata. */
export const DATA_FD = 6;
export const META_FD = 7;

/** A table of the image, or a slice of one, in memory. */
export abstract class MappingMeta {
  dirty = false;
  flushing = false;
  readonly waiters = new Waiters();
  readonly view: DataView;

  constructor(
    protected readonly shared: Qcow2Shared,
    readonly mapping: boolean,
    /** Where it stands in the image. */
    readonly offset: number,
    readonly buffer: Buffer,
  ) {
    const bytes = shared.host.bytes(buffer);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Its I/O ended. */
  abstract ioDone(tag: number, cqe: TargetCqe): void;

  wake(mine: number, entry?: number): void {
    this.waiters.wake((tag) => this.shared.resume(tag), mine, entry);
  }

  protected forget(tag: number, cqe: TargetCqe): void {
    this.shared.metaIos.remove(cqe.tgtData - 1);
    if (cqe.op !== IORING_OP.FALLOCATE) this.wake(tag);
  }

  /**
   * Queues the WRITE of [at, at + length) of the image. `fsync`: what was written before has to be on disk first. As shipped, the
   * WRITE takes its SQE before the FSYNC does, so the FSYNC|LINK stands behind the WRITE that it should hold back.
   */
  protected queueWrite(tag: number, at: number, length: number, fsync: boolean): void {
    const { host, metaIos } = this.shared;
    const id = metaIos.add(this);
    const write: SqeFields = {
      opcode: IORING_OP.WRITE,
      flags: 0,
      fd: META_FD,
      off: at,
      addr: this.buffer.addr + (at - this.offset),
      len: length,
      ...userData(tag, IORING_OP.WRITE, id + 1),
    };
    const sync: SqeFields = {
      opcode: IORING_OP.FSYNC,
      flags: IOSQE.IO_LINK,
      fd: META_FD,
      opFlags: IORING_FSYNC_DATASYNC,
      ...userData(UD_TAG_IGNORE, IORING_OP.FSYNC, 0),
    };
    if (fsync && !host.linkAsShipped) host.push(sync);
    host.push(write);
    if (fsync && host.linkAsShipped) host.push(sync);
  }
}

/** A cluster that was allocated in memory and is not zeroed on disk yet. */
export interface ClusterState {
  phase: 'started' | 'zeroing' | 'zeroed';
  readonly waiters: Waiters;
}

/** What slices ask of the allocator; see there. */
interface Clusters {
  stateOf(cluster: number): ClusterState | undefined;
  reset(cluster: number): boolean;
  zeroed(tag: number, cluster: number): void;
  dirtied(mapping: boolean, by: number): void;
  free(slice: Slice): void;
}

/** Bits of user_data that mark I/O of the target. */
export function userData(tag: number, op: number, tgtData: number): { udLo: number; udHi: number } {
  return { udLo: udLo(tag, op, tgtData), udHi: udHi(tgtData, true) };
}

/** The L1 table or the refcount table: wholly in memory, written in blocks of 512 bytes, one at a time. */
export class TopTable extends MappingMeta {
  /** Where the search for a free cluster goes on (refcount table). */
  nextFree = -1;
  private readonly dirtyBlocks: boolean[];
  private flushedBlock = -1;

  constructor(
    shared: Qcow2Shared,
    mapping: boolean,
    offset: number,
    buffer: Buffer,
    /** Bytes of the disk or of the image that one entry covers. */
    readonly reach: number,
  ) {
    super(shared, mapping, offset, buffer);
    this.dirtyBlocks = new Array<boolean>(buffer.size / TOP_BLOCK_BYTES).fill(false);
  }

  get entries(): number {
    return this.buffer.size / 8;
  }

  get blocks(): number {
    return this.dirtyBlocks.length;
  }

  entry(index: number): number {
    return readEntry(this.view, index).offset;
  }

  setEntry(index: number, offset: number, copied: boolean): void {
    writeEntry(this.view, index, offset, copied);
    this.dirty = true;
    this.dirtyBlocks[Math.floor(index / TOP_BLOCK_ENTRIES)] = true;
  }

  /** ublksrv compares an entry's index with that of the block being written; kept so. */
  isFlushingAt(index: number): boolean {
    return this.flushing && index === this.flushedBlock;
  }

  isDirty(block: number): boolean {
    return this.dirtyBlocks[block];
  }

  get hasDirtyBlocks(): boolean {
    return this.dirtyBlocks.includes(true);
  }

  /** First dirty block, -1 where there is none. */
  get firstDirty(): number {
    return this.dirtyBlocks.indexOf(true);
  }

  /** Queues the write of a block. 1: queued; 0: nothing to do, or another block is on its way. */
  flush(tag: number, block: number): number {
    if (!this.dirty || this.flushing || !this.dirtyBlocks[block]) return 0;
    this.flushing = true;
    this.flushedBlock = block;
    this.queueWrite(tag, this.offset + block * TOP_BLOCK_BYTES, TOP_BLOCK_BYTES, true);
    return 1;
  }

  ioDone(tag: number, cqe: TargetCqe): void {
    this.flushing = false;
    if (cqe.res < 0) return;
    this.dirtyBlocks[this.flushedBlock] = false;
    this.forget(tag, cqe);
  }
}

/** 4 KiB of an L2 table or of a refcount block. */
export abstract class Slice extends MappingMeta {
  /** Its content is there: loaded, or new. */
  updated: boolean;
  /** Left the cache: read only, until it is clean and nobody holds it. */
  evicted = false;
  /** Its refcounts are being written, so it must not change (mapping only). */
  prepFlush = false;
  nextFree = -1;
  /** One for the submission side, one for the side that frees. */
  private refs = 2;

  constructor(
    shared: Qcow2Shared,
    protected readonly allocator: Clusters,
    mapping: boolean,
    offset: number,
    buffer: Buffer,
    /** First byte that it covers, of the disk or of the image. */
    readonly key: number,
    /** Entry of the top table that leads here. */
    readonly parent: number,
    fresh: boolean,
    private readonly reclaim: (slice: Slice) => void,
  ) {
    super(shared, mapping, offset, buffer);
    this.updated = fresh;
    this.dirty = fresh;
    if (fresh) shared.host.bytes(buffer).fill(0);
  }

  get(): void {
    this.refs++;
  }

  put(): void {
    if (--this.refs > 0) return;
    this.reclaim(this);
    this.wake(-1);
  }

  /** Start of the cluster that holds it. */
  get cluster(): number {
    return this.offset - (this.offset % 2 ** this.shared.header.clusterBits);
  }

  /** Queues the READ of the slice. */
  load(tag: number): void {
    const { host, metaIos } = this.shared;
    this.get();
    host.push({
      opcode: IORING_OP.READ,
      flags: IOSQE.FIXED_FILE,
      fd: 1,
      off: this.offset,
      addr: this.buffer.addr,
      len: SLICE_BYTES,
      ...userData(tag, IORING_OP.READ, metaIos.add(this) + 1),
    });
  }

  /** Clusters that must be zeroed before the slice may point to them; true when the caller waits for one. */
  protected abstract waitClusters(tag: number): boolean;

  /** Queues the write of the slice. 1: queued, 0: it is clean. */
  flush(tag: number): number | Wait {
    if (this.waitClusters(tag)) return WAIT;
    if (!this.dirty) return 0;
    if (this.flushing) {
      this.waiters.add(tag);
      return WAIT;
    }
    this.flushing = true;
    this.get();
    this.queueWrite(tag, this.offset, SLICE_BYTES, false);
    return 1;
  }

  /** Zeroes the cluster that holds the slice, if that has to be done. 1: queued, 0: it is zeroed. */
  zeroMyCluster(tag: number): number | Wait {
    const { header, host, metaIos } = this.shared;
    const state = this.allocator.stateOf(this.cluster);
    if (!state || state.phase === 'zeroed') return 0;
    if (state.phase === 'zeroing') {
      state.waiters.add(tag);
      return WAIT;
    }
    this.get();
    state.phase = 'zeroing';
    host.push({
      opcode: IORING_OP.FALLOCATE,
      flags: 0,
      fd: DATA_FD,
      off: this.cluster,
      addr: 2 ** header.clusterBits,
      len: FALLOC_FL.ZERO_RANGE,
      ...userData(tag, IORING_OP.FALLOCATE, metaIos.add(this) + 1),
    });
    return 1;
  }

  ioDone(tag: number, cqe: TargetCqe): void {
    if (cqe.res < 0) {
      this.shared.host.log(`meta I/O failed: tag ${tag} op ${cqe.op} res ${cqe.res}`);
      if (cqe.op === IORING_OP.WRITE) this.flushing = false;
      const again = cqe.op !== IORING_OP.FALLOCATE || this.allocator.reset(this.cluster);
      if (again) {
        this.put();
        return;
      }
    }
    if (cqe.op === IORING_OP.READ) this.updated = true;
    else if (cqe.op === IORING_OP.WRITE) {
      this.flushing = false;
      this.allocator.dirtied(this.mapping, -1);
      this.dirty = false;
      this.prepFlush = false;
    } else this.allocator.zeroed(tag, this.cluster);
    this.forget(tag, cqe);
    if (cqe.op === IORING_OP.WRITE && cqe.res >= 0 && this.evicted) this.allocator.free(this);
    this.put();
  }
}

/** A part of an L2 table. */
export class L2Slice extends Slice {
  /** Lowest and highest cluster that an entry was set to. */
  dirtyStart = Number.POSITIVE_INFINITY;
  dirtyEnd = 0;

  setEntry(index: number, offset: number): void {
    writeEntry(this.view, index, offset, true);
    this.dirty = true;
    this.dirtyStart = Math.min(this.dirtyStart, offset);
    this.dirtyEnd = Math.max(this.dirtyEnd, offset);
  }

  protected waitClusters(tag: number): boolean {
    for (let i = 0; i < SLICE_BYTES / 8; i++) {
      const { offset } = readEntry(this.view, i);
      const state = offset > 0 ? this.allocator.stateOf(offset) : undefined;
      if (!state || state.phase === 'zeroed') continue;
      state.waiters.add(tag);
      return true;
    }
    return false;
  }
}

/** A part of a refcount block. */
export class RefcountSlice extends Slice {
  protected waitClusters(): boolean {
    return false;
  }
}
