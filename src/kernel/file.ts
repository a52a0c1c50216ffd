import { REQ_FLAG, REQ_OP } from '../uapi/block';
import type { BackingDisk } from './backing_disk';
import type { Kernel } from './kernel';
import type { Buffer } from './memory';
import { finishPlug, flushPlug, startPlug } from './plug';
import type { IoTask } from './request';
import { type Gen, PARK } from './sched';

/** A range of memory that I/O reads or fills. */
export interface MemRange {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly length: number;
}

/** A range of a file: on disk, or a hole that reads as zeros. */
interface Extent {
  readonly offset: number;
  readonly length: number;
  readonly hole: boolean;
}

const MAX_BIO_BYTES = 256 * 4096;
const EINVAL = -22;

/**
 * A regular file on the backing disk, or the whole disk (`raw`). Blocks of a regular file are allocated one after the other
 * from `startSector`; which of them exist is tracked, so that holes read as zeros without disk I/O.
 * Divergence: a real file system scatters extents and writes metadata; neither is modelled.
 */
export class BackingFile {
  private readonly allocated = new Set<number>();
  private allAllocatedBelow = 0;
  /** Direct writes go without blocking; undefined until the first one asks. */
  nowaitWrites: boolean | undefined;

  constructor(
    readonly kernel: Kernel,
    readonly path: string,
    readonly ino: number,
    readonly backing: BackingDisk,
    readonly startSector: number,
    readonly blockSize: number,
    /** Bytes. */
    public size: number,
    readonly raw: boolean,
  ) {
    if (raw) this.allAllocatedBelow = Number.POSITIVE_INFINITY;
  }

  /** Everything below this offset is on disk (content that was there before the run). */
  markAllocated(bytes: number): void {
    this.allAllocatedBelow = Math.max(this.allAllocatedBelow, Math.ceil(bytes / this.blockSize));
  }

  /** ftruncate: grows with a hole, or cuts. */
  truncate(size: number): void {
    if (size < this.size) {
      this.punch(size, this.size - size);
      this.size = size;
    }
    this.size = size;
  }

  /** fallocate PUNCH_HOLE: whole blocks become holes, the rest zero. The size stays. */
  punch(offset: number, length: number): void {
    // the last block goes as a whole, although the file ends inside it
    const behind = Math.ceil(this.size / this.blockSize) * this.blockSize;
    const end = offset + length < this.size ? offset + length : behind;
    if (end <= offset) return;
    this.backing.store.zero(this.startSector * 512 + offset, end - offset);
    if (this.raw) return;
    const first = Math.ceil(offset / this.blockSize);
    const last = Math.floor(end / this.blockSize);
    this.unpack(last);
    if (last - first <= this.allocated.size) {
      for (let block = first; block < last; block++) this.allocated.delete(block);
    } else {
      for (const block of this.allocated) if (block >= first && block < last) this.allocated.delete(block);
    }
  }

  /** Bytes as they are on disk, for --save-files and tests. */
  content(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    this.backing.store.read(this.startSector * 512 + offset, bytes);
    return bytes;
  }

  /** The allocated parts in ascending order, in pieces of at most 1 MiB. */
  *ranges(): Generator<{ offset: number; bytes: Uint8Array }> {
    const most = Math.max(1, Math.floor((1 << 20) / this.blockSize));
    const whole = Math.min(this.allAllocatedBelow, Math.ceil(this.size / this.blockSize));
    for (let block = 0; block < whole; block += most) {
      yield this.piece(block, Math.min(most, whole - block));
    }
    const blocks = [...this.allocated].filter((block) => block >= whole).sort((a, b) => a - b);
    for (let i = 0; i < blocks.length; ) {
      let n = 1;
      while (n < most && blocks[i + n] === blocks[i] + n) n++;
      yield this.piece(blocks[i], n);
      i += n;
    }
  }

  private piece(block: number, blocks: number): { offset: number; bytes: Uint8Array } {
    const offset = block * this.blockSize;
    return { offset, bytes: this.content(offset, blocks * this.blockSize) };
  }

  /** Puts bytes there without any I/O, as a command that prepared the file did. */
  fill(offset: number, bytes: Uint8Array): void {
    this.backing.store.write(this.startSector * 512 + offset, bytes);
    this.allocate(offset, bytes.length);
    this.size = Math.max(this.size, offset + bytes.length);
  }

  /**
   * Starts a direct read or write (iomap_dio_rw) over the ranges. `done` is called with bytes or -errno, before this returns
   * when no disk I/O was needed. The caller may hold a plug.
   */
  *direct(
    task: IoTask,
    write: boolean,
    offset: number,
    ranges: readonly MemRange[],
    /** Flags of the bios beside those that every read or write has. */
    flags: number,
    done: (result: number) => void,
    /** The caller will wait: a block device then sends reads as synchronous ones. */
    waits = false,
  ): Gen<void> {
    const { kernel } = this;
    let wanted = 0;
    for (const range of ranges) wanted += range.length;
    if (offset % 512 !== 0 || wanted % 512 !== 0) {
      done(EINVAL);
      return;
    }
    const length = write ? wanted : Math.max(0, Math.min(wanted, this.size - offset));
    if (length === 0) {
      done(0);
      return;
    }
    let pending = 1;
    let failed = 0;
    const finish = (error: number): void => {
      if (error && !failed) failed = error;
      if (--pending > 0) return;
      if (write && !failed) {
        this.allocate(offset, length);
        if (offset + length > this.size) this.size = offset + length;
      }
      done(failed || length);
    };
    const opf =
      (write ? REQ_OP.WRITE | REQ_FLAG.SYNC | REQ_FLAG.IDLE : REQ_OP.READ) |
      (!write && (kernel.profile.rules.syncReads || (waits && this.raw)) ? REQ_FLAG.SYNC : 0) |
      flags;
    // block devices plug only what takes more than one bio; files of ext4 always
    const own = (!this.raw || write || length > MAX_BIO_BYTES) && startPlug(task);
    for (const piece of this.pieces(offset, length, coalesce(ranges), write)) {
      if (piece.hole) {
        kernel.memory.touch(piece.range.buffer, piece.range.offset, piece.range.length).fill(0);
        continue;
      }
      pending++;
      // a read of the last block of the file moves whole sectors; bytes behind the end are zero on disk
      const sectors = Math.ceil(piece.range.length / 512);
      yield* this.backing.disk.submit(task, {
        disk: this.backing.disk,
        opf,
        sector: this.startSector + piece.offset / 512,
        nrSectors: sectors,
        buffer: piece.range.buffer,
        offset: piece.range.offset,
        end: finish,
        done: 0,
        total: sectors,
        error: 0,
        traced: false,
      });
    }
    if (own) finishPlug(kernel, task);
    finish(0);
  }

  /** A direct read or write that waits for the disk, as a worker or a synchronous system call does. */
  *directAndWait(task: IoTask, write: boolean, offset: number, ranges: readonly MemRange[]): Gen<number> {
    let result: number | undefined;
    // blkdev_write_iter holds a plug over the wait, so that schedule() flushes it
    const plugged = this.raw && write && startPlug(task);
    yield* this.direct(
      task,
      write,
      offset,
      ranges,
      0,
      (value) => {
        result = value;
        this.kernel.sched.wake(task);
      },
      true,
    );
    if (result === undefined) {
      if (plugged) flushPlug(this.kernel, task, true);
      task.onSleep?.();
      while (result === undefined) yield PARK;
      task.onWake?.();
    }
    if (plugged) finishPlug(this.kernel, task);
    return result;
  }

  /** fsync: a flush of the disk's cache. */
  *flush(task: IoTask): Gen<number> {
    let result: number | undefined;
    yield* this.backing.disk.submit(task, {
      disk: this.backing.disk,
      opf: REQ_OP.WRITE | REQ_FLAG.SYNC | REQ_FLAG.PREFLUSH,
      sector: 0,
      nrSectors: 0,
      buffer: undefined,
      offset: 0,
      end: (error) => {
        result = error;
        this.kernel.sched.wake(task);
      },
      done: 0,
      total: 0,
      error: 0,
      traced: false,
    });
    if (result === undefined) {
      task.onSleep?.();
      while (result === undefined) yield PARK;
      task.onWake?.();
    }
    return result;
  }

  /** Cuts [offset, offset + length) where extents, memory ranges or the largest bio end. */
  private *pieces(
    offset: number,
    length: number,
    ranges: readonly MemRange[],
    write: boolean,
  ): Generator<{ offset: number; range: MemRange; hole: boolean }> {
    let index = 0;
    let used = 0;
    for (const extent of this.extents(offset, length, write)) {
      let at = extent.offset;
      let left = extent.length;
      while (left > 0) {
        const range = ranges[index];
        const n = Math.min(left, range.length - used, MAX_BIO_BYTES);
        yield {
          offset: at,
          hole: extent.hole,
          range: { buffer: range.buffer, offset: range.offset + used, length: n },
        };
        at += n;
        left -= n;
        used += n;
        if (used === range.length) {
          index++;
          used = 0;
        }
      }
    }
  }

  private extents(offset: number, length: number, write: boolean): Extent[] {
    const extents: Extent[] = [];
    const end = offset + length;
    let at = offset;
    while (at < end) {
      const hole = !write && !this.isAllocated(at);
      let next = at;
      do {
        next = (Math.floor(next / this.blockSize) + 1) * this.blockSize;
      } while (next < end && (write || this.isAllocated(next) !== hole));
      next = Math.min(next, end);
      extents.push({ offset: at, length: next - at, hole });
      at = next;
    }
    return extents;
  }

  private isAllocated(offset: number): boolean {
    const block = Math.floor(offset / this.blockSize);
    return block < this.allAllocatedBelow || this.allocated.has(block);
  }

  private allocate(offset: number, length: number): void {
    const first = Math.floor(offset / this.blockSize);
    const last = Math.ceil((offset + length) / this.blockSize);
    for (let block = first; block < last; block++) {
      if (block >= this.allAllocatedBelow) this.allocated.add(block);
    }
  }

  /** Turns the "all below" mark into single blocks, before some of them are freed. */
  private unpack(last: number): void {
    if (last <= 0 || this.allAllocatedBelow === 0) return;
    for (let block = 0; block < this.allAllocatedBelow; block++) this.allocated.add(block);
    this.allAllocatedBelow = 0;
  }
}

/** Joins ranges that follow each other in memory, as bio_iov_iter_get_pages joins pages. */
function coalesce(ranges: readonly MemRange[]): MemRange[] {
  const joined: MemRange[] = [];
  for (const range of ranges) {
    const last = joined.at(-1);
    if (last && last.buffer === range.buffer && last.offset + last.length === range.offset) {
      joined[joined.length - 1] = {
        buffer: last.buffer,
        offset: last.offset,
        length: last.length + range.length,
      };
    } else {
      joined.push(range);
    }
  }
  return joined;
}
