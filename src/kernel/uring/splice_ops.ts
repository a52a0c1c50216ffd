/** fs/splice.c: moving bytes between files and pipes. */
import { supportsSplice } from './devices';
import { dropPages, planDirect } from './direct_io';
import type { OpenFile } from './open_files';
import { PagePool } from './page_pool';
import { PAGE, zeroPage } from './pages';
import type { Pipe, PipeSlot } from './pipe';
import { fillCache, isUncached, writeChecks } from './regular_file';
import type { WaitQueue } from './wait_queue';

const EBADF = -9;
const EAGAIN = -11;
const EINVAL = -22;
const ESPIPE = -29;
const EPIPE = -32;
const MAX_RW_COUNT = 0x7ffff000;

/** Flags of splice. */
export const SPLICE_F = { MOVE: 1, NONBLOCK: 2, MORE: 4, GIFT: 8, ALL: 15, FD_IN_FIXED: 0x80000000 } as const;

/** What a splice or tee came to; `wait`: it sleeps there and starts again when woken. */
export interface SpliceResult {
  readonly res: number;
  readonly wait?: WaitQueue;
  /** The disk was asked. */
  readonly disk?: boolean;
}

/** do_splice with offsets; -1 is the file's own position. */
export function splice(
  input: OpenFile,
  offIn: number,
  output: OpenFile,
  offOut: number,
  length: number,
  flags: number,
  fsizeLimit: number,
): SpliceResult {
  if (!input.readable || !output.writable) return { res: EBADF };
  const from = input.pipe;
  const to = output.pipe;
  const nonblock = (flags & SPLICE_F.NONBLOCK) !== 0;
  if (from && to) {
    if (offIn !== -1 || offOut !== -1) return { res: ESPIPE };
    if (from === to) return { res: EINVAL };
    return pipeToPipe(from, to, length, nonblock || input.nonblock || output.nonblock);
  }
  if (from) {
    if (offIn !== -1) return { res: ESPIPE };
    const pos = offOut === -1 ? output.pos : offOut;
    if (output.append) return { res: EINVAL };
    if (pos < 0 || length < 0) return { res: EINVAL };
    return pipeToFile(from, output, pos, offOut === -1, length, nonblock || input.nonblock, fsizeLimit);
  }
  if (to) {
    if (offOut !== -1) return { res: ESPIPE };
    const pos = offIn === -1 ? input.pos : offIn;
    if (pos < 0) return { res: EINVAL };
    return fileToPipe(input, pos, offIn === -1, to, length, nonblock || output.nonblock);
  }
  return { res: EINVAL };
}

/** do_tee */
export function tee(input: OpenFile, output: OpenFile, length: number, flags: number): SpliceResult {
  if (!input.readable || !output.writable) return { res: EBADF };
  const from = input.pipe;
  const to = output.pipe;
  if (!from || !to || from === to) return { res: EINVAL };
  const nonblock = (flags & SPLICE_F.NONBLOCK) !== 0 || input.nonblock || output.nonblock;
  const ready = bothReady(from, to, nonblock);
  if (ready) return ready;
  let left = length;
  let done = 0;
  for (const slot of from.slots) {
    if (left === 0) break;
    if (to.readers === 0) return { res: done || EPIPE };
    if (to.full) break;
    const len = Math.min(slot.len, left);
    to.slots.push({ ...slot, len, merge: false });
    done += len;
    left -= len;
  }
  if (done > 0) to.wakeReaders();
  return { res: done };
}

/** ipipe_prep and opipe_prep: undefined when both can go on. */
function bothReady(from: Pipe, to: Pipe, nonblock: boolean): SpliceResult | undefined {
  if (from.slots.length === 0 && from.writers > 0) {
    return nonblock ? { res: EAGAIN } : { res: 0, wait: from.readWait };
  }
  if (to.full) {
    if (to.readers === 0) return { res: EPIPE };
    return nonblock ? { res: EAGAIN } : { res: 0, wait: to.writeWait };
  }
  return undefined;
}

function pipeToPipe(from: Pipe, to: Pipe, length: number, nonblock: boolean): SpliceResult {
  const ready = bothReady(from, to, nonblock);
  if (ready) return ready;
  let left = length;
  let done = 0;
  let moved = false;
  while (left > 0) {
    if (to.readers === 0) return { res: done || EPIPE };
    const slot = from.slots[0];
    if (slot === undefined || to.full) break;
    if (left >= slot.len) {
      from.slots.shift();
      to.slots.push(slot);
      moved = true;
      done += slot.len;
      left -= slot.len;
    } else {
      to.slots.push({ ...slot, len: left, merge: false });
      slot.offset += left;
      slot.len -= left;
      done += left;
      left = 0;
    }
  }
  if (done > 0) to.wakeReaders();
  if (moved) from.wakeWriters();
  return { res: done };
}

function fileToPipe(
  input: OpenFile,
  pos: number,
  ownPosition: boolean,
  to: Pipe,
  length: number,
  nonblock: boolean,
): SpliceResult {
  if (to.readers === 0) return { res: EPIPE };
  if (to.full) return nonblock ? { res: EAGAIN } : { res: 0, wait: to.writeWait };
  const room = (to.maxSlots - to.slots.length) * PAGE;
  const want = Math.min(length, room, MAX_RW_COUNT);
  if (!supportsSplice(input, 'read')) return { res: EINVAL };
  const read = input.kind === 'zero' || input.kind === 'full' || input.direct ? copyRead : borrowRead;
  const disk = input.pages !== undefined && (input.direct || isUncached(input, pos, want));
  const { slots, res } = read(input, pos, want, to.maxSlots - to.slots.length);
  to.slots.push(...slots);
  if (res > 0) {
    if (ownPosition && input.pages) input.pos = pos + res;
    to.wakeReaders();
  }
  return { res, disk: disk && res > 0 };
}

interface Filled {
  readonly slots: PipeSlot[];
  readonly res: number;
}

/** filemap_splice_read: the pipe borrows pages of the cache. */
function borrowRead(input: OpenFile, pos: number, want: number, free: number): Filled {
  const pages = input.pages!;
  if (isUncached(input, pos, want)) fillCache(input);
  pages.freshen(pos, want);
  const slots: PipeSlot[] = [];
  let res = 0;
  const length = Math.min(want, pages.size - pos);
  if (length > 0) {
    pages.each(pos, length, (page, at, n) => {
      if (slots.length >= free) return false;
      slots.push({ page, offset: at, len: n, merge: false });
      res += n;
      return true;
    });
  }
  return { slots, res };
}

/** Memory of pages of its own: as long as any read. */
const PAGES = { segments: [{ addr: 0, len: MAX_RW_COUNT }], registered: false };

/** copy_splice_read: new pages, filled by a read. */
function copyRead(input: OpenFile, pos: number, want: number): Filled {
  const pool = input.pages?.pool ?? new PagePool();
  const slots: PipeSlot[] = [];
  let res = want;
  if (input.pages) {
    if (pos >= input.pages.size) return { slots, res: 0 };
    res = input.direct
      ? planDirect(input, pos, want, PAGES, false).res
      : Math.min(want, input.pages.size - pos);
    if (res < 0) return { slots, res };
  }
  for (let done = 0; done < res; done += PAGE) {
    const page = zeroPage(pool);
    const len = Math.min(PAGE, res - done);
    if (input.pages) {
      let at = 0;
      input.pages.each(pos + done, len, (source, offset, n) => {
        page.bytes.set(source.bytes.subarray(offset, offset + n), at);
        at += n;
        return true;
      });
    }
    slots.push({ page, offset: 0, len, merge: false });
  }
  return { slots, res };
}

function pipeToFile(
  from: Pipe,
  output: OpenFile,
  pos: number,
  ownPosition: boolean,
  length: number,
  nonblock: boolean,
  fsizeLimit: number,
): SpliceResult {
  if (!supportsSplice(output, 'write')) return { res: EINVAL };
  if (from.slots.length === 0) {
    if (from.writers === 0) return { res: 0 };
    return nonblock ? { res: EAGAIN } : { res: 0, wait: from.readWait };
  }
  const { done, error, emptied } = output.direct
    ? drainDirect(from, output, pos, length, fsizeLimit)
    : drainBuffered(from, output, pos, length, fsizeLimit);
  if (emptied) from.wakeWriters();
  if (ownPosition && output.pages && done > 0) output.pos = pos + done;
  return {
    res: done > 0 ? done : error,
    disk: done > 0 && output.pages !== undefined && (output.sync || output.direct),
  };
}

/** What went out of a pipe into a file. */
interface Drained {
  readonly done: number;
  readonly error: number;
  readonly emptied: boolean;
}

/** Takes bytes out of the first slot; true when it is empty then. */
function takeFromSlot(from: Pipe, bytes: number): boolean {
  const slot = from.slots[0]!;
  slot.offset += bytes;
  slot.len -= bytes;
  if (slot.len > 0) return false;
  from.slots.shift();
  return true;
}

function drainBuffered(
  from: Pipe,
  output: OpenFile,
  pos: number,
  length: number,
  fsizeLimit: number,
): Drained {
  let done = 0;
  let emptied = false;
  while (done < length && from.slots.length > 0) {
    const slot = from.slots[0]!;
    const n = Math.min(slot.len, length - done);
    let put = n;
    if (output.pages) {
      const allowed = writeChecks(output, pos + done, n, false, fsizeLimit);
      if (allowed.error !== 0) return { done, error: allowed.error, emptied };
      put = allowed.count;
      output.pages.put(pos + done, slot.page.bytes.subarray(slot.offset, slot.offset + put).slice());
      output.pages.size = Math.max(output.pages.size, pos + done + put);
    }
    done += put;
    emptied = takeFromSlot(from, put) || emptied;
    if (put < n) break;
  }
  return { done, error: 0, emptied };
}

/** iter_file_splice_write to an O_DIRECT file: all slots are one write. */
function drainDirect(from: Pipe, output: OpenFile, pos: number, length: number, fsizeLimit: number): Drained {
  const pages = output.pages!;
  const total = Math.min(length, from.bytes);
  const { count, error } = writeChecks(output, pos, total, false, fsizeLimit);
  if (error !== 0) return { done: 0, error, emptied: false };
  // every slot is a page of its own
  const segments = from.slots.map(({ offset, len }, i) => ({ addr: 2 * i * PAGE + offset, len }));
  const plan = planDirect(output, pos, count, { segments, registered: false }, true);
  if (plan.res < 0) return { done: 0, error: plan.res, emptied: false };
  dropPages(output, pos, count);
  let done = 0;
  let emptied = false;
  while (done < count) {
    const slot = from.slots[0]!;
    const n = Math.min(slot.len, count - done);
    pages.put(pos + done, slot.page.bytes.subarray(slot.offset, slot.offset + n).slice());
    done += n;
    emptied = takeFromSlot(from, n) || emptied;
  }
  pages.size = Math.max(pages.size, pos + done);
  return { done, error: 0, emptied };
}
