import { FALLOC_FL, IORING_FSYNC_DATASYNC, IOSQE } from '../../uapi/io_uring_abi';
import { IORING_OP } from '../../uapi/io_uring_ops';
import { UBLK_IO_OP } from '../../uapi/ublk_abi';
import { udOp, udTag, udTgtData, UD_TAG_IGNORE } from '../../uapi/user_data';
import { Allocator } from './allocator';
import { MetaFlush, TableFlush } from './flush';
import { l1Reach, type Qcow2Header, refcountReach, TOP_BLOCK_ENTRIES } from './format';
import { COMPRESSED, Mapping } from './mapping';
import { DATA_FD, L2Slice, type Slice, TopTable, userData } from './meta';
import { type Co, MetaIos, type Qcow2Host, type Qcow2Shared, type TargetCqe, WAIT } from './state';

const EAGAIN = -11;
const EIO = -5;
const EOPNOTSUPP = -95;
/** Tags of the target's own, behind those of the queue. */
export const INTERNAL_TAGS = 16;

/** An image whose tables are in memory, as the daemon has read them before its queue starts. */
export interface Qcow2Image {
  readonly header: Qcow2Header;
  readonly l1: Uint8Array;
  readonly refcountTable: Uint8Array;
  /** Clusters that the server cannot read. */
  readonly compressed: number;
}

/** The qcow2 target of ublksrv as of November 2022, in one queue: a coroutine per request and per metadata I/O. */
export class Qcow2Target {
  private readonly coroutines = new Map<number, Co>();
  private readonly running = new Set<Co>();
  private readonly shared: Qcow2Shared;
  private readonly allocator: Allocator;
  private readonly mapping: Mapping;
  private readonly flush: MetaFlush;
  private readonly freeTags: boolean[] = new Array<boolean>(INTERNAL_TAGS).fill(true);
  private readonly cluster: number;

  constructor(
    image: Qcow2Image,
    private readonly host: Qcow2Host,
  ) {
    const { header, compressed } = image;
    if (compressed > 0) {
      const clusters = compressed === 1 ? '1 compressed cluster' : `${compressed} compressed clusters`;
      host.log(`the image has ${clusters}: reading or writing there fails with an I/O error`);
    }
    this.shared = { header, host, metaIos: new MetaIos(), resume: (tag) => this.resume(tag, undefined) };
    this.cluster = 2 ** header.clusterBits;
    const table = (mapping: boolean, bytes: Uint8Array, offset: number, reach: number): TopTable => {
      const buffer = host.alloc(bytes.length);
      host.bytes(buffer).set(bytes);
      return new TopTable(this.shared, mapping, offset, buffer, reach);
    };
    const l1 = table(true, image.l1, header.l1TableOffset, l1Reach(header));
    const refcounts = table(false, image.refcountTable, header.refcountTableOffset, refcountReach(header));
    this.allocator = new Allocator(this.shared, refcounts, (slice) => this.mapping.forget(slice));
    this.mapping = new Mapping(this.shared, l1, this.allocator);
    const parts = {
      allocator: this.allocator,
      allocTag: () => this.allocTag(),
      freeTag: (tag: number) => {
        this.freeTags[tag - host.depth] = true;
      },
      start: (tag: number, co: Co) => this.start(tag, co),
      metaDone: (tag: number, cqe: TargetCqe | undefined) => this.metaDone(tag, cqe),
    };
    this.flush = new MetaFlush(
      new TableFlush(this.shared, true, {
        ...parts,
        top: l1,
        cache: this.mapping.cache,
        sliceReach: this.mapping.reach,
      }),
      new TableFlush(this.shared, false, {
        ...parts,
        top: refcounts,
        cache: this.allocator.refcounts,
        sliceReach: this.allocator.reach,
      }),
      (slices) => this.refcountBlocksOf(slices, refcounts.reach),
    );
  }

  /** handle_io_async: a request was delivered. */
  begin(tag: number): void {
    this.start(tag, this.request(tag));
  }

  /** tgt_io_done; the FSYNC in front of table writes belongs to nobody. */
  done(lo: number, hi: number, res: number): void {
    const tag = udTag(lo);
    if (tag === UD_TAG_IGNORE) return;
    this.resume(tag, { op: udOp(lo), tgtData: udTgtData(lo, hi), res });
  }

  /** handle_io_background, after each batch of CQEs; `queued`: SQEs that wait for the next enter. */
  background(queued: number): void {
    this.allocator.releaseFreed();
    // as long as something is dirty and nothing on its way; a bound, because the server has none
    for (let round = 0; round < 1000; round++) {
      this.flush.run(queued);
      if (queued > 0 || this.flush.running || !this.hasDirty) return;
    }
  }

  /** idle_fn */
  idle(): void {
    this.mapping.shrink();
  }

  private get hasDirty(): boolean {
    return this.mapping.cache.hasDirty || this.allocator.refcounts.hasDirty;
  }

  private allocTag(): number | undefined {
    const free = this.freeTags.indexOf(true);
    if (free < 0) return undefined;
    this.freeTags[free] = false;
    return this.host.depth + free;
  }

  private start(tag: number, co: Co): void {
    this.coroutines.set(tag, co);
    this.step(tag, co, undefined);
  }

  private resume(tag: number, cqe: TargetCqe | undefined): void {
    const co = this.coroutines.get(tag);
    if (co && !this.running.has(co)) this.step(tag, co, cqe);
  }

  private step(tag: number, co: Co, cqe: TargetCqe | undefined): void {
    this.running.add(co);
    const { done } = co.next(cqe);
    this.running.delete(co);
    if (done && this.coroutines.get(tag) === co) this.coroutines.delete(tag);
  }

  private metaDone(tag: number, cqe: TargetCqe | undefined): void {
    if (cqe && cqe.tgtData > 0) this.shared.metaIos.get(cqe.tgtData - 1)?.ioDone(tag, cqe);
  }

  /** calc_refcount_dirty_blk_range; undefined when no slice points to anything new. */
  private refcountBlocksOf(
    slices: readonly Slice[],
    reach: number,
  ): { from: number; to: number } | undefined {
    let start = Number.POSITIVE_INFINITY;
    let end = 0;
    for (const slice of slices) {
      if (!(slice instanceof L2Slice)) continue;
      start = Math.min(start, slice.dirtyStart);
      end = Math.max(end, slice.dirtyEnd);
    }
    if (start > end) return undefined;
    start = Math.min(start, slices[0].cluster);
    const block = (offset: number): number => Math.floor(offset / reach / TOP_BLOCK_ENTRIES);
    return { from: block(start), to: block(end) + 1 };
  }

  /** __qcow2_handle_io_async */
  private *request(tag: number): Co {
    const { op, offset, bytes, addr } = this.host.descriptor(tag);
    let mapped = this.mapping.map(tag, offset, op === UBLK_IO_OP.WRITE);
    while (mapped === WAIT) {
      this.metaDone(tag, yield);
      mapped = this.mapping.map(tag, offset, op === UBLK_IO_OP.WRITE);
    }
    if (mapped === COMPRESSED) {
      this.host.log(`tag ${tag} virt ${offset.toString(16)} op ${op}, unsupported format`);
      this.host.complete(tag, EIO);
    } else if (mapped === 0 && op === UBLK_IO_OP.READ) {
      this.host.zeroFill(addr, bytes);
      this.host.complete(tag, bytes);
    } else if (mapped === 0) {
      this.host.log(`tag ${tag} virt ${offset.toString(16)} op ${op} map failed`);
      this.host.complete(tag, EIO);
    } else yield* this.io(tag, mapped);
  }

  /** The request at its place in the image: zeroing its cluster first, if need be. */
  private *io(tag: number, mapped: number): Co {
    const { op, bytes } = this.host.descriptor(tag);
    const ioOp = opOf(op);
    const cluster = mapped - (mapped % this.cluster);
    let result: number;
    for (;;) {
      const queued = this.queue(tag, ioOp, mapped, cluster);
      if (queued === WAIT) {
        yield;
        continue;
      }
      if (queued <= 0) {
        result = queued || bytes;
        break;
      }
      const cqe = yield;
      if (!cqe) continue;
      result = cqe.res;
      if (result === EAGAIN && (cqe.op === ioOp || this.allocator.reset(cluster))) continue;
      if (cqe.op === ioOp) break;
      if (cqe.op === IORING_OP.FALLOCATE) this.allocator.zeroed(tag, cluster);
    }
    if (result < 0) this.host.log(`tag ${tag} op ${op} io failed ret ${result}`);
    this.host.complete(tag, result);
  }

  /** qcow2_queue_tgt_io: number of SQEs queued, 0 where the answer is known, or -errno. */
  private queue(tag: number, ioOp: number, mapped: number, cluster: number): number | typeof WAIT {
    const { bytes, addr } = this.host.descriptor(tag);
    if (ioOp === IORING_OP.FALLOCATE) return EOPNOTSUPP;
    if (ioOp === IORING_OP.FSYNC) {
      this.host.push({
        opcode: IORING_OP.SYNC_FILE_RANGE,
        flags: 0,
        fd: DATA_FD,
        off: mapped,
        len: bytes,
        opFlags: IORING_FSYNC_DATASYNC,
        ...userData(tag, ioOp, 0),
      });
      return 1;
    }
    const state = this.allocator.stateOf(cluster);
    if (!state || state.phase === 'zeroed') {
      this.host.push({
        opcode: ioOp,
        flags: IOSQE.FIXED_FILE,
        fd: 1,
        off: mapped,
        addr,
        len: bytes,
        ...userData(tag, ioOp, 0),
      });
      return 1;
    }
    if (ioOp === IORING_OP.READ) {
      this.host.zeroFill(addr, bytes);
      return 0;
    }
    if (state.phase === 'zeroing') {
      state.waiters.add(tag);
      return WAIT;
    }
    state.phase = 'zeroing';
    this.host.push({
      opcode: IORING_OP.FALLOCATE,
      flags: 0,
      fd: DATA_FD,
      off: cluster,
      addr: this.cluster,
      len: FALLOC_FL.ZERO_RANGE,
      ...userData(tag, IORING_OP.FALLOCATE, 0),
    });
    return 1;
  }
}

/** ublksrv_convert_cmd_op */
function opOf(op: number): number {
  switch (op) {
    case UBLK_IO_OP.READ:
      return IORING_OP.READ;
    case UBLK_IO_OP.WRITE:
      return IORING_OP.WRITE;
    case UBLK_IO_OP.FLUSH:
      return IORING_OP.FSYNC;
    default:
      return IORING_OP.FALLOCATE;
  }
}
