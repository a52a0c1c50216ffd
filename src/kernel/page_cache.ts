import { type CacheBackend, CachedPages, type Page } from './cached_pages';
import type { Kernel } from './kernel';
import { type Buffer, PAGE_SIZE } from './memory';
import { finishPlug, flushPlug, startPlug } from './plug';
import { Readahead, type ReadaheadWindow } from './readahead';
import type { IoTask } from './request';
import { type Gen, PARK, WaitQueue } from './sched';

/** Readahead window of the block layer's default, bytes. */
const READAHEAD = 131072;
/** Largest write-back bio, bytes. */
const WRITEBACK = 262144;

/** The page cache of one file or block device (mm/filemap.c), with readahead and write-back on demand. */
export class PageCache extends CachedPages {
  private readonly flushed: WaitQueue;
  private readonly readahead = new Readahead();

  constructor(kernel: Kernel, backend: CacheBackend) {
    super(kernel, backend);
    this.flushed = new WaitQueue(kernel.sched);
  }

  /**
   * Reads the range as filemap_read does, without waiting: what is missing is asked for with readahead, marks of earlier windows
   * start the next ones. `done` is called when all of the range was read (0 or -errno), at once when all of it is cached.
   */
  *fill(
    task: IoTask,
    offset: number,
    length: number,
    done: (error: number) => void,
    ahead = true,
  ): Gen<void> {
    const size = this.backend.size();
    const last = Math.ceil(Math.min(offset + length, size) / PAGE_SIZE);
    const end = Math.ceil(size / PAGE_SIZE);
    const first = Math.floor(offset / PAGE_SIZE);
    let pending = 1;
    let failed = 0;
    const finish = (error: number): void => {
      if (error && !failed) failed = error;
      if (--pending === 0) done(failed);
    };
    const wanted = last - first + (ahead ? READAHEAD / PAGE_SIZE : 0);
    this.kernel.memory.room(wanted * PAGE_SIZE * 2, first, last);
    for (let index = first; index < last; index++) {
      const page = this.pages.get(index);
      if (!page) {
        const window = ahead
          ? this.readahead.miss(index, last - index, this.cachedBefore(index))
          : { start: index, count: 1, mark: -1 };
        yield* this.readWindow(task, window, end, size, ahead);
        // the next window of a sequential reader begins behind a page that was dropped (filemap_create_folio)
        if (!this.pages.has(index))
          yield* this.readWindow(task, { start: index, count: 1, mark: -1 }, end, size, false);
      } else if (page.marked) {
        page.marked = false;
        let missing = index;
        while (missing < end && this.pages.has(missing)) missing++;
        yield* this.readWindow(task, this.readahead.hit(index, missing, last - index), end, size, true);
      }
      // another read of a page that is wanted here is waited for, not repeated
      const { reading } = this.pages.get(index) ?? {};
      if (reading) {
        pending++;
        reading.push(finish);
      }
    }
    if (ahead) this.readahead.readUpTo(Math.min(offset + length, size));
    finish(0);
  }

  /** The file was opened anew. */
  opened(): void {
    this.readahead.reset();
  }

  /** Reads the missing pages and waits for them. */
  *fillAndWait(task: IoTask, offset: number, length: number, ahead = true): Gen<number> {
    do {
      let result: number | undefined;
      yield* this.fill(
        task,
        offset,
        length,
        (error) => {
          result = error;
          if (task.state === 'parked') this.kernel.sched.wake(task);
        },
        ahead,
      );
      if (result === undefined) {
        task.onSleep?.();
        while (result === undefined) yield PARK;
        task.onWake?.();
      }
      if (result) return result;
    } while (!this.isCached(offset, length));
    return 0;
  }

  /** Reads the pages of a window that are not there, each run of them with one call. */
  private *readWindow(
    task: IoTask,
    window: ReadaheadWindow,
    end: number,
    size: number,
    ahead: boolean,
  ): Gen<void> {
    const until = Math.min(window.start + window.count, end);
    const own = startPlug(task);
    for (let index = window.start; index < until; ) {
      let to = index;
      while (to < until && !this.pages.has(to) && to - index < READAHEAD / PAGE_SIZE) to++;
      if (to === index) {
        index++;
        continue;
      }
      yield* this.read(task, index, to - index, size, ahead, window.mark);
      index = to;
    }
    if (own) finishPlug(this.kernel, task);
  }

  /** Cached pages right before `index`, as many as a window has at most. */
  private cachedBefore(index: number): number {
    let count = 0;
    while (count < READAHEAD / PAGE_SIZE && this.pages.has(index - count - 1)) count++;
    return count;
  }

  /** A buffered write: partly written pages are read first, then all pages are dirty. */
  *write(task: IoTask, offset: number, src: Uint8Array): Gen<number> {
    const end = offset + src.length;
    const first = Math.floor(offset / PAGE_SIZE);
    const last = Math.floor((end - 1) / PAGE_SIZE);
    const { memory } = this.kernel;
    if (!memory.room(src.length + PAGE_SIZE * 2, first, last + 1)) {
      const error = yield* this.writeBack(task);
      if (error) return error;
      memory.room(src.length + PAGE_SIZE * 2, first, last + 1);
    }
    // while one edge is read the other one must not be given back
    const edges = [first, last];
    this.pinned.push(...edges);
    try {
      for (let missing = this.unready(offset, end); missing >= 0; missing = this.unready(offset, end)) {
        const error = yield* this.fillAndWait(task, missing * PAGE_SIZE, PAGE_SIZE, false);
        if (error) return error;
      }
    } finally {
      for (const edge of edges) this.pinned.splice(this.pinned.indexOf(edge), 1);
    }
    if (end > this.backend.size()) this.backend.grow(end);
    for (let index = first; index <= last; index++) {
      let page = this.pages.get(index);
      if (!page) {
        page = {
          buffer: memory.scratch(PAGE_SIZE),
          uptodate: true,
          dirty: false,
          reading: undefined,
          marked: false,
        };
        this.pages.set(index, page);
      }
      page.dirty = true;
      this.dirty.add(index);
      const from = Math.max(0, offset - index * PAGE_SIZE);
      const n = Math.min(PAGE_SIZE - from, end - index * PAGE_SIZE - from);
      const at = index * PAGE_SIZE + from - offset;
      memory.touch(page.buffer, from, n).set(src.subarray(at, at + n));
    }
    this.kernel.rec.now += this.kernel.copyTime(src.length);
    return src.length;
  }

  /** Writes dirty pages back and waits (filemap_write_and_wait). 0 or -errno. */
  *writeBack(task: IoTask): Gen<number> {
    // a page is not written again while it is being written, so that the newer content comes last
    yield* this.waitFlushed(task);
    if (this.dirty.size === 0) return 0;
    this.flushing = true;
    const { memory } = this.kernel;
    const dirty = [...this.dirty].sort((a, b) => a - b);
    let pending = 1;
    let failed = 0;
    const finish = (error: number): void => {
      if (error && !failed) failed = error;
      if (--pending > 0) return;
      this.flushing = false;
      this.flushed.wakeAll();
      this.kernel.sched.wake(task);
    };
    const own = startPlug(task);
    for (let i = 0; i < dirty.length; ) {
      let j = i;
      while (j < dirty.length && dirty[j] === dirty[i] + (j - i) && (j - i) * PAGE_SIZE < WRITEBACK) j++;
      const from = i;
      i = j;
      const present = dirty.slice(from, j).every((index) => this.pages.get(index)?.dirty);
      // a discard dropped some of them meanwhile: the others go one by one
      const step = present ? j - from : 1;
      for (let at = from; at < j; at += step) {
        const buffer = this.snapshot(dirty[at], step);
        if (!buffer) continue;
        pending++;
        const length = Math.min(step * PAGE_SIZE, roundUp(this.backend.size() - dirty[at] * PAGE_SIZE));
        yield* this.backend.io(
          task,
          true,
          dirty[at] * PAGE_SIZE,
          { buffer, offset: 0, length },
          false,
          (error) => {
            memory.free(buffer);
            finish(error);
          },
        );
      }
    }
    if (own) finishPlug(this.kernel, task);
    finish(0);
    if (pending > 0) {
      // a plug of the caller is flushed by schedule()
      flushPlug(this.kernel, task, true);
      task.onSleep?.();
      while (pending > 0) yield PARK;
      task.onWake?.();
    }
    return failed;
  }

  /** The range reads as zeros from now on, once what is being written back has arrived (truncate_inode_pages_range). */
  *discard(task: IoTask, offset: number, length: number): Gen<void> {
    yield* this.waitFlushed(task);
    this.zero(offset, length);
  }

  /** Any page that is not on disk yet. */
  get hasDirty(): boolean {
    return this.dirty.size > 0 || this.flushing;
  }

  private *waitFlushed(task: IoTask): Gen<void> {
    if (!this.flushing) return;
    flushPlug(this.kernel, task, true);
    task.onSleep?.();
    yield* this.flushed.until(task, () => !this.flushing);
    task.onWake?.();
  }

  /** One read of `count` pages that are not there. */
  private *read(
    task: IoTask,
    from: number,
    count: number,
    size: number,
    ahead: boolean,
    mark: number,
  ): Gen<void> {
    const { memory } = this.kernel;
    const buffer = memory.scratch(count * PAGE_SIZE);
    const pages: Page[] = [];
    for (let i = 0; i < count; i++) {
      const page: Page = {
        buffer: view(buffer, i),
        uptodate: false,
        dirty: false,
        reading: [],
        marked: from + i === mark,
      };
      pages.push(page);
      this.pages.set(from + i, page);
    }
    const length = Math.min(count * PAGE_SIZE, roundUp(size - from * PAGE_SIZE));
    yield* this.backend.io(task, false, from * PAGE_SIZE, { buffer, offset: 0, length }, ahead, (error) => {
      const bytes = memory.touch(buffer, 0, count * PAGE_SIZE);
      for (const [i, page] of pages.entries()) {
        const waiters = page.reading ?? [];
        page.reading = undefined;
        // a page that was dropped while it was read keeps nothing: those who wait look again
        if (this.pages.get(from + i) === page) {
          if (error) this.pages.delete(from + i);
          else {
            memory.touch(page.buffer, 0, PAGE_SIZE).set(bytes.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE));
            page.uptodate = true;
          }
        }
        for (const waiter of waiters) waiter(error);
      }
      memory.free(buffer);
    });
  }

  /** A page that a write to [offset, end) must wait for: one that is only partly written, or one under way from the disk. */
  private unready(offset: number, end: number): number {
    const size = this.backend.size();
    for (let index = Math.floor(offset / PAGE_SIZE); index * PAGE_SIZE < end; index++) {
      const page = this.pages.get(index);
      if (page?.uptodate) continue;
      const start = index * PAGE_SIZE;
      const whole = offset <= start && end >= Math.min(start + PAGE_SIZE, size);
      if (page?.reading || (!whole && start < size)) return index;
    }
    return -1;
  }
}

/** A page of a larger buffer as a buffer of its own frame. */
function view(buffer: Buffer, index: number): Buffer {
  return {
    bytes: new Uint8Array(0),
    size: PAGE_SIZE,
    addr: buffer.addr + index * PAGE_SIZE,
    pfn: buffer.pfn + index,
    pins: 0,
  };
}

/** Whole sectors. */
function roundUp(bytes: number): number {
  return Math.ceil(bytes / 512) * 512;
}
