import type { MemRange } from './file';
import type { Kernel } from './kernel';
import { type Buffer, PAGE_SIZE } from './memory';
import { finishPlug, startPlug } from './plug';
import type { IoTask } from './request';
import { type Gen, PARK } from './sched';

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

interface Page {
  readonly buffer: Buffer;
  uptodate: boolean;
  dirty: boolean;
  reading: boolean;
}

/** Readahead window of the block layer's default, bytes. */
const READAHEAD = 131072;
/** Largest write-back bio, bytes. */
const WRITEBACK = 262144;

/** The page cache of one file or block device (mm/filemap.c), with readahead and write-back on demand. */
export class PageCache {
  private readonly pages = new Map<number, Page>();

  constructor(
    private readonly kernel: Kernel,
    private readonly backend: CacheBackend,
  ) {}

  /** True when a read of the range needs no disk I/O. */
  isCached(offset: number, length: number): boolean {
    const last = Math.ceil(Math.min(offset + length, this.backend.size()) / PAGE_SIZE);
    for (let index = Math.floor(offset / PAGE_SIZE); index < last; index++) {
      if (!this.pages.get(index)?.uptodate) return false;
    }
    return true;
  }

  /** Starts reading what is missing of the range; `done` is called when all of it is there (0 or -errno). */
  *fill(task: IoTask, offset: number, length: number, done: (error: number) => void): Gen<void> {
    const size = this.backend.size();
    const first = Math.floor(offset / PAGE_SIZE);
    const want = Math.ceil(Math.min(offset + length, size) / PAGE_SIZE);
    const until = Math.min(Math.max(want, first + READAHEAD / PAGE_SIZE), Math.ceil(size / PAGE_SIZE));
    let pending = 1;
    let failed = 0;
    const finish = (error: number): void => {
      if (error && !failed) failed = error;
      if (--pending === 0) done(failed);
    };
    const own = startPlug(task);
    let index = first;
    while (index < until) {
      if (this.pages.get(index)?.uptodate || this.pages.get(index)?.reading) {
        index++;
        continue;
      }
      let end = index;
      while (end < until && !this.pages.has(end) && end - index < READAHEAD / PAGE_SIZE) end++;
      if (end === index) end++;
      const from = index;
      const count = end - index;
      const buffer = this.kernel.memory.alloc(count * PAGE_SIZE);
      for (let i = 0; i < count; i++) {
        this.pages.set(from + i, { buffer: view(buffer, i), uptodate: false, dirty: false, reading: true });
      }
      pending++;
      yield* this.backend.io(
        task,
        false,
        from * PAGE_SIZE,
        { buffer, offset: 0, length: Math.min(count * PAGE_SIZE, roundUp(size - from * PAGE_SIZE)) },
        true,
        (error) => {
          const bytes = this.kernel.memory.touch(buffer, 0, count * PAGE_SIZE);
          for (let i = 0; i < count; i++) {
            const page = this.pages.get(from + i);
            if (!page) continue;
            page.reading = false;
            if (error) this.pages.delete(from + i);
            else {
              this.kernel.memory.touch(page.buffer, 0, PAGE_SIZE).set(bytes.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE));
              page.uptodate = true;
            }
          }
          finish(error);
        },
      );
      index = end;
    }
    if (own) finishPlug(this.kernel, task);
    finish(0);
  }

  /** Reads the missing pages and waits for them. */
  *fillAndWait(task: IoTask, offset: number, length: number): Gen<number> {
    while (!this.isCached(offset, length)) {
      let result: number | undefined;
      yield* this.fill(task, offset, length, (error) => {
        result = error;
        this.kernel.sched.wake(task);
      });
      task.onSleep?.();
      while (result === undefined) yield PARK;
      task.onWake?.();
      if (result) return result;
      // pages that another task is reading are waited for by looking again
      if (!this.isCached(offset, length)) yield this.kernel.costs.wake;
    }
    return 0;
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

  /** A buffered write: partly written pages are read first, then all pages are dirty. */
  *write(task: IoTask, offset: number, src: Uint8Array): Gen<number> {
    const size = this.backend.size();
    const end = offset + src.length;
    for (const edge of new Set([Math.floor(offset / PAGE_SIZE), Math.floor((end - 1) / PAGE_SIZE)])) {
      const start = edge * PAGE_SIZE;
      const whole = offset <= start && end >= Math.min(start + PAGE_SIZE, size);
      if (!whole && start < size && !this.pages.get(edge)?.uptodate) {
        const error = yield* this.fillAndWait(task, start, PAGE_SIZE);
        if (error) return error;
      }
    }
    if (end > size) this.backend.grow(end);
    for (let index = Math.floor(offset / PAGE_SIZE); index * PAGE_SIZE < end; index++) {
      let page = this.pages.get(index);
      if (!page) {
        page = { buffer: this.kernel.memory.alloc(PAGE_SIZE), uptodate: true, dirty: false, reading: false };
        this.pages.set(index, page);
      }
      page.uptodate = true;
      page.dirty = true;
      const from = Math.max(0, offset - index * PAGE_SIZE);
      const n = Math.min(PAGE_SIZE - from, end - index * PAGE_SIZE - from);
      const at = index * PAGE_SIZE + from - offset;
      this.kernel.memory.touch(page.buffer, from, n).set(src.subarray(at, at + n));
    }
    this.kernel.rec.now += this.kernel.copyTime(src.length);
    return src.length;
  }

  /** Writes dirty pages back and waits (filemap_write_and_wait). 0 or -errno. */
  *writeBack(task: IoTask): Gen<number> {
    const dirty = [...this.pages].filter(([, page]) => page.dirty).map(([index]) => index);
    dirty.sort((a, b) => a - b);
    let pending = 1;
    let failed = 0;
    const finish = (error: number): void => {
      if (error && !failed) failed = error;
      if (--pending === 0) this.kernel.sched.wake(task);
    };
    const own = startPlug(task);
    for (let i = 0; i < dirty.length; ) {
      let j = i;
      while (j < dirty.length && dirty[j] === dirty[i] + (j - i) && (j - i) * PAGE_SIZE < WRITEBACK) j++;
      const count = j - i;
      const buffer = this.kernel.memory.alloc(count * PAGE_SIZE);
      const bytes = this.kernel.memory.touch(buffer, 0, count * PAGE_SIZE);
      for (let k = 0; k < count; k++) {
        const page = this.pages.get(dirty[i + k]);
        if (!page) continue;
        bytes.set(this.kernel.memory.touch(page.buffer, 0, PAGE_SIZE), k * PAGE_SIZE);
        page.dirty = false;
      }
      pending++;
      const length = Math.min(count * PAGE_SIZE, roundUp(this.backend.size() - dirty[i] * PAGE_SIZE));
      yield* this.backend.io(task, true, dirty[i] * PAGE_SIZE, { buffer, offset: 0, length }, false, finish);
      i = j;
    }
    if (own) finishPlug(this.kernel, task);
    finish(0);
    if (pending > 0) {
      task.onSleep?.();
      while (pending > 0) yield PARK;
      task.onWake?.();
    }
    return failed;
  }

  /** Drops clean pages of a range, before direct I/O or after a discard. */
  invalidate(offset: number, length: number): void {
    const last = Math.ceil((offset + length) / PAGE_SIZE);
    for (let index = Math.floor(offset / PAGE_SIZE); index < last; index++) this.pages.delete(index);
  }

  /** Any page that is not on disk yet. */
  get hasDirty(): boolean {
    for (const page of this.pages.values()) if (page.dirty) return true;
    return false;
  }

  get isEmpty(): boolean {
    return this.pages.size === 0;
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
}

/** A page of a larger buffer as a buffer of its own frame. */
function view(buffer: Buffer, index: number): Buffer {
  return {
    bytes: new Uint8Array(0),
    size: PAGE_SIZE,
    addr: buffer.addr + index * PAGE_SIZE,
    pfn: buffer.pfn + index,
  };
}

/** Whole sectors. */
function roundUp(bytes: number): number {
  return Math.ceil(bytes / 512) * 512;
}
