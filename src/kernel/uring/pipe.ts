/** fs/pipe.c: a ring of slots, reads and writes. */
import type { Digest } from './digest';
import { EPOLL } from './epoll_bits';
import { PagePool } from './page_pool';
import { PAGE, type Page, zeroPage } from './pages';
import type { UserIter } from './user_memory';
import { WaitQueue } from './wait_queue';

const EAGAIN = -11;
const EFAULT = -14;
const EPIPE = -32;

/** One buffer of a pipe. */
export interface PipeSlot {
  page: Page;
  offset: number;
  len: number;
  /** A later write may append (PIPE_BUF_FLAG_CAN_MERGE). */
  merge: boolean;
}

/** What a try of a read or write came to; `blocked`: nothing more without waiting. */
export interface PipeTry {
  readonly done: number;
  readonly error: number;
  readonly blocked: boolean;
}

/** struct pipe_inode_info. */
export class Pipe {
  slots: PipeSlot[] = [];
  readers = 1;
  writers = 1;
  /** Somebody polled it: every write wakes, not only the first into an empty pipe. */
  pollUsage = false;
  readonly readWait = new WaitQueue();
  readonly writeWait = new WaitQueue();

  constructor(
    readonly maxSlots: number,
    readonly pool = new PagePool(),
  ) {}

  get full(): boolean {
    return this.slots.length >= this.maxSlots;
  }

  get bytes(): number {
    return this.slots.reduce((sum, slot) => sum + slot.len, 0);
  }

  /** What splice does after it moved something: a wake-up that names no event. */
  wakeReaders(): void {
    this.readWait.wakeUp(0);
  }

  wakeWriters(): void {
    this.writeWait.wakeUp(0);
  }

  /** Drops the first slot when it is empty. */
  drop(): void {
    if (this.slots[0]?.len === 0) this.slots.shift();
  }

  /** One pass of pipe_read: takes what is there; `resumed` after a sleep in the same call. */
  read(iter: UserIter, resumed: boolean): PipeTry {
    if (iter.count === 0) return { done: 0, error: 0, blocked: false };
    let done = 0;
    let error = 0;
    const wasFull = this.full;
    while (iter.count > 0) {
      const slot = this.slots[0];
      if (slot === undefined) break;
      const n = Math.min(slot.len, iter.count);
      const copied = iter.put(slot.page.bytes.subarray(slot.offset, slot.offset + n));
      if (copied < n) {
        if (done === 0) error = EFAULT;
        break;
      }
      done += n;
      slot.offset += n;
      slot.len -= n;
      this.drop();
    }
    const blocked = done === 0 && error === 0 && this.writers > 0;
    if (wasFull && !this.full) this.writeWait.wakeUp(EPOLL.OUT | EPOLL.WRNORM);
    if (resumed && this.slots.length > 0) this.readWait.wakeUp(EPOLL.IN | EPOLL.RDNORM);
    return { done, error: blocked ? EAGAIN : error, blocked };
  }

  /** One pass of pipe_write: puts in what fits; `resumed` after a wait in the same call. */
  write(iter: UserIter, resumed: boolean): PipeTry {
    if (iter.count === 0) return { done: 0, error: 0, blocked: false };
    if (this.readers === 0) return { done: 0, error: EPIPE, blocked: false };
    const wasEmpty = this.slots.length === 0;
    let done = 0;
    let error = 0;
    const chars = iter.count % PAGE;
    if (!resumed && chars > 0 && !wasEmpty) {
      const last = this.slots[this.slots.length - 1]!;
      const end = last.offset + last.len;
      if (last.merge && end + chars <= PAGE) {
        done += this.append(last, end, chars, iter);
        if (done < chars) return { done, error: done === 0 ? EFAULT : 0, blocked: false };
      }
    }
    while (iter.count > 0 && !this.full) {
      const want = Math.min(PAGE, iter.count);
      const slot: PipeSlot = { page: zeroPage(this.pool), offset: 0, len: 0, merge: true };
      const n = this.append(slot, 0, want, iter);
      if (n > 0) this.slots.push(slot);
      done += n;
      if (n < want) {
        if (done === 0) error = EFAULT;
        break;
      }
    }
    const blocked = error === 0 && iter.count > 0 && this.full;
    if (wasEmpty || this.pollUsage) this.readWait.wakeUp(EPOLL.IN | EPOLL.RDNORM);
    if (resumed && !this.full) this.writeWait.wakeUp(EPOLL.OUT | EPOLL.WRNORM);
    return { done, error, blocked };
  }

  private append(slot: PipeSlot, at: number, bytes: number, iter: UserIter): number {
    let done = 0;
    const target = slot.page.writable();
    while (done < bytes) {
      const piece = iter.take(bytes - done);
      if (piece.length === 0) break;
      target.set(piece, at + done);
      done += piece.length;
    }
    slot.len += done;
    return done;
  }

  /** Closing one end wakes everybody who waits. */
  release(end: 'r' | 'w'): void {
    if (end === 'r') this.readers--;
    else this.writers--;

    if ((this.readers === 0) === (this.writers === 0)) return;
    this.readWait.wakeUp(0);
    this.writeWait.wakeUp(0);
  }

  /** Adds its slots and who waits to the digest of a state. */
  stateKey(digest: Digest): void {
    digest.add(this.readers);
    digest.add(this.writers);
    digest.add(this.pollUsage);
    digest.add(this.slots.length);
    for (const { page, offset, len, merge } of this.slots) {
      page.stateKey(digest);
      digest.add(offset);
      digest.add(len);
      digest.add(merge);
    }
    this.readWait.stateKey(digest);
    this.writeWait.stateKey(digest);
  }

  /** The bytes in it, in pieces. */
  *contents(): Generator<Uint8Array> {
    for (const { page, offset, len } of this.slots) yield page.bytes.subarray(offset, offset + len);
  }
}
