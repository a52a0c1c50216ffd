import { putCqe } from '../uapi/cqe';
import { IORING_SETUP, ringEntries } from '../uapi/io_uring_abi';
import type { OpenFile } from './open_file';
import type { Kernel } from './kernel';
import type { IoTask } from './request';

interface OverflowCqe {
  readonly lo: number;
  readonly hi: number;
  readonly res: number;
  readonly flags: number;
}

/** The memory that a ring shares with user space, and the kernel's counters of it (struct io_ring_ctx). Indices are free-running u32. */
export class Ring {
  readonly sqEntries: number;
  readonly cqEntries: number;
  readonly sqeSize: 64 | 128;
  readonly sqes: DataView;
  readonly sqeBytes: Uint8Array;
  readonly cqes: DataView;
  /** Published by user space. */
  sqTail = 0;
  sqHead = 0;
  cqHead = 0;
  cqTail = 0;
  readonly overflow: OverflowCqe[] = [];
  files: (OpenFile | undefined)[] = [];
  /** Word of the ring's address. */
  readonly ptr: number;
  /** Task that waits for CQEs, and for how many. */
  waiter: IoTask | undefined;
  waitNr = 0;
  dead = false;
  /** SQEs taken so far, also those of the submit call under way (cached_sq_head). */
  taken = 0;
  /** A request with IOSQE_IO_DRAIN waits, so what comes behind it goes the slow way. */
  drainActive = false;
  /** The next request or chain has to drain too: the drain stood inside a chain. */
  drainNext = false;
  /** An SQE had CQE_SKIP_SUCCESS: CQEs cannot be counted any more, so no drain is possible. */
  drainDisabled = false;
  /** Hardware queue that its owner serves; fault lines select by it. */
  queue: number | undefined;

  constructor(
    private readonly kernel: Kernel,
    readonly fd: number,
    entries: number,
    cqEntries: number | undefined,
    readonly setupFlags: number,
    readonly owner: IoTask,
  ) {
    this.sqEntries = ringEntries(entries);
    this.cqEntries = cqEntries === undefined ? this.sqEntries * 2 : ringEntries(cqEntries);
    this.sqeSize = setupFlags & IORING_SETUP.SQE128 ? 128 : 64;
    this.sqeBytes = new Uint8Array(this.sqEntries * this.sqeSize);
    this.sqes = new DataView(this.sqeBytes.buffer);
    this.cqes = new DataView(new ArrayBuffer(this.cqEntries * 16));
    this.ptr = kernel.pointer(2048);
  }

  /** CQEs that user space has not seen. */
  get cqReady(): number {
    return (this.cqTail - this.cqHead) >>> 0;
  }

  /** CQEs made so far, modulo 2^32. */
  get posted(): number {
    return (this.cqTail + this.overflow.length) >>> 0;
  }

  /** Fills a CQE, or puts it on the overflow list when the ring is full. Prints io_uring_complete or io_uring_cqe_overflow. */
  post(reqPtr: number, udWord: number, lo: number, hi: number, res: number): void {
    const { emit } = this.kernel.rec;
    const result = this.kernel.i32(res);
    if (this.overflow.length > 0 || this.cqReady >= this.cqEntries) {
      emit.io_uring_cqe_overflow(this.ptr, udWord, result, 0, this.kernel.pointer(64));
      this.overflow.push({ lo, hi, res, flags: 0 });
      return;
    }
    emit.io_uring_complete(this.ptr, reqPtr, udWord, result, 0, 0, 0);
    this.put(lo, hi, res, 0);
  }

  /** io_cqring_overflow_flush */
  flushOverflow(): void {
    while (this.overflow.length > 0 && this.cqReady < this.cqEntries) {
      const cqe = this.overflow.shift();
      if (cqe) this.put(cqe.lo, cqe.hi, cqe.res, cqe.flags);
    }
  }

  private put(lo: number, hi: number, res: number, flags: number): void {
    putCqe(this.cqes, (this.cqTail & (this.cqEntries - 1)) * 16, lo, hi, res, flags);
    this.cqTail = (this.cqTail + 1) >>> 0;
    if (this.waiter && this.cqReady >= this.waitNr) this.kernel.sched.wake(this.waiter);
  }
}
