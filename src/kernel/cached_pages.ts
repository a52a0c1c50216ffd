import type { MemRange } from './file';
import type { Kernel } from './kernel';
import { type Buffer, PAGE_SIZE } from './memory';
import type { IoTask } from './request';
import type { Gen } from './sched';

/** What lies under a page cache. */
export interface CacheBackend {
  /** Bytes in the file or device. */
  size(): number;
  /** A write behind the end makes the file longer. */
  grow(size: number): void;
  /** Starts direct I/O of whole pages; `readahead` marks reads that nobody waits for yet. */
  io(
    task: IoTask,
    write: boolean,
    offset: number,
    range: MemRange,
    readahead: boolean,
    done: (error: number) => void,
  ): Gen<void>;
}

/** One cached page. */
export interface Page {
  readonly buffer: Buffer;
  uptodate: boolean;
  dirty: boolean;
  /** Calls waiting for the read that brings the page; undefined when none is under way. */
  reading: ((error: number) => void)[] | undefined;
  /** PG_readahead: whoever reads this page starts the next window. */
  marked: boolean;
}

/** The pages that a page cache holds, and what needs no I/O: lookups, copies, zeroing, dropping. */
export class CachedPages {
  protected readonly pages = new Map<number, Page>();
  protected readonly dirty = new Set<number>();
  /** Pages that a writer needs to stay. */
  protected readonly pinned: number[] = [];
  /** A write-back is under way. */
  protected flushing = false;

  constructor(
    protected readonly kernel: Kernel,
    protected readonly backend: CacheBackend,
  ) {
    kernel.memory.reclaimers.push((bytes, first, last) => this.reclaim(bytes, first, last));
  }

  /** True when a read of the range needs no disk I/O. */
  isCached(offset: number, length: number): boolean {
    const last = Math.ceil(Math.min(offset + length, this.backend.size()) / PAGE_SIZE);
    for (let index = Math.floor(offset / PAGE_SIZE); index < last; index++) {
      if (!this.pages.get(index)?.uptodate) return false;
    }
    return true;
  }

  /** Copies cached bytes out. Returns the number of bytes up to the end of the file. */
  copyOut(offset: number, dst: Uint8Array): number {
    const n = Math.max(0, Math.min(dst.length, this.backend.size() - offset));
    this.each(offset, n, (page, from, at, count) => {
      dst.set(this.kernel.memory.touch(page.buffer, from, count), at);
    });
    this.kernel.rec.now += this.kernel.copyTime(n);
    return n;
  }

  /** Puts what is newer here than on disk over `bytes`, which were read from the disk at `offset`. */
  overlay(offset: number, bytes: Uint8Array): void {
    if (this.dirty.size === 0 && !this.flushing) return;
    this.each(offset, bytes.length, (page, from, at, count) => {
      if (page.uptodate) bytes.set(this.kernel.memory.touch(page.buffer, from, count), at);
    });
  }

  /** Forgets clean pages of a range, around direct writes (invalidate_inode_pages2_range). */
  invalidate(offset: number, length: number): void {
    if (this.pages.size === 0) return;
    const first = Math.floor(offset / PAGE_SIZE);
    const last = Math.ceil((offset + length) / PAGE_SIZE);
    for (const index of this.indices(first, last)) if (!this.pages.get(index)?.dirty) this.drop(index);
  }

  /** Whole pages of the range are dropped, parts zeroed. */
  zero(offset: number, length: number): void {
    const end = offset + length;
    for (const index of this.indices(Math.floor(offset / PAGE_SIZE), Math.ceil(end / PAGE_SIZE))) {
      const page = this.pages.get(index);
      const from = Math.max(0, offset - index * PAGE_SIZE);
      const to = Math.min(PAGE_SIZE, end - index * PAGE_SIZE);
      if (!page?.uptodate || (from === 0 && to === PAGE_SIZE)) this.drop(index);
      else this.kernel.memory.touch(page.buffer, from, to - from).fill(0);
    }
  }

  /** Cached pages take over bytes that were put on the disk below them. */
  update(offset: number, bytes: Uint8Array): void {
    this.each(offset, bytes.length, (page, from, at, count) => {
      if (page.uptodate)
        this.kernel.memory.touch(page.buffer, from, count).set(bytes.subarray(at, at + count));
    });
  }

  /** Offsets of pages that are not on disk yet. */
  dirtyOffsets(): number[] {
    return [...this.dirty].sort((a, b) => a - b).map((index) => index * PAGE_SIZE);
  }

  /** Forgets every page (kill_bdev). */
  clear(): void {
    for (const index of [...this.pages.keys()]) this.drop(index);
  }

  get isEmpty(): boolean {
    return this.pages.size === 0;
  }

  /** Gives clean pages outside [first, last) back until `bytes` are free; called when memory runs short. */
  private reclaim(bytes: number, first: number, last: number): number {
    let freed = 0;
    if (this.flushing) return 0;
    for (const [index, page] of this.pages) {
      if (freed >= bytes) break;
      if (page.dirty || page.reading || (index >= first && index < last) || this.pinned.includes(index))
        continue;
      this.drop(index);
      freed += PAGE_SIZE;
    }
    return freed;
  }

  protected drop(index: number): void {
    const page = this.pages.get(index);
    if (!page) return;
    this.pages.delete(index);
    this.dirty.delete(index);
    this.kernel.memory.free(page.buffer);
  }

  /** Indices of pages in [first, last) that there are. */
  protected indices(first: number, last: number): number[] {
    if (last - first > this.pages.size)
      return [...this.pages.keys()].filter((index) => index >= first && index < last);
    const found: number[] = [];
    for (let index = first; index < last; index++) if (this.pages.has(index)) found.push(index);
    return found;
  }

  private each(
    offset: number,
    length: number,
    visit: (page: Page, from: number, at: number, count: number) => void,
  ): void {
    let at = 0;
    while (at < length) {
      const index = Math.floor((offset + at) / PAGE_SIZE);
      const from = offset + at - index * PAGE_SIZE;
      const count = Math.min(PAGE_SIZE - from, length - at);
      const page = this.pages.get(index);
      if (page) visit(page, from, at, count);
      at += count;
    }
  }

  /** The content of `count` dirty pages from `index` on, which are clean from then on. */
  protected snapshot(index: number, count: number): Buffer | undefined {
    const { memory } = this.kernel;
    if (!this.pages.get(index)?.dirty) return undefined;
    const buffer = memory.scratch(count * PAGE_SIZE);
    const bytes = memory.touch(buffer, 0, count * PAGE_SIZE);
    for (let k = 0; k < count; k++) {
      const page = this.pages.get(index + k);
      if (!page) continue;
      bytes.set(memory.touch(page.buffer, 0, PAGE_SIZE), k * PAGE_SIZE);
      page.dirty = false;
      this.dirty.delete(index + k);
    }
    return buffer;
  }
}
