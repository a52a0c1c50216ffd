import { SQE_OFFSET } from '../uapi/sqe';
import type { IoUring } from '../kernel/io_uring';
import type { Kernel } from '../kernel/kernel';
import type { IoTask } from '../kernel/request';
import type { Ring } from '../kernel/ring';
import type { Gen } from '../kernel/sched';

const IORING_ENTER_GETEVENTS = 1;

/** Fields of an SQE that a program sets; the rest is zero. 64-bit values as split words or safe numbers. */
export interface SqeFields {
  readonly opcode: number;
  readonly flags: number;
  readonly fd: number;
  readonly udLo: number;
  readonly udHi: number;
  readonly off?: number;
  readonly addr?: number;
  readonly len?: number;
  readonly opFlags?: number;
  readonly spliceFdIn?: number;
  readonly cmdOp?: number;
}

/** User space's side of a ring, as liburing has it: SQEs are written to shared memory and published at the next enter. */
export class UserRing {
  private sqTail: number;
  /** SQEs that found the ring full: a library would submit first, which happens at the next enter. */
  private backlog: (() => void)[] = [];
  /** Base address of the SQE array in the process. */
  readonly sqeBase: number;

  constructor(
    private readonly kernel: Kernel,
    private readonly uring: IoUring,
    readonly task: IoTask,
    readonly ring: Ring,
    /** Record each SQE's bytes. */
    private readonly facts: boolean,
  ) {
    this.sqTail = ring.sqTail;
    this.sqeBase = 0x7f6c00000000 + task.pid * 0x100000;
  }

  /** SQEs written but not submitted. */
  get pending(): number {
    return (this.sqTail - this.ring.sqHead) >>> 0;
  }

  /** io_uring_sq_space_left is 0. */
  get full(): boolean {
    return this.pending >= this.ring.sqEntries;
  }

  /** Byte offset of the next SQE in the array. */
  get nextOffset(): number {
    return (this.sqTail & (this.ring.sqEntries - 1)) * this.ring.sqeSize;
  }

  /** io_uring_get_sqe and the prep helpers: `fill` may write the command area (a view at byte 48). */
  push(fields: SqeFields, fill?: (view: DataView, at: number) => void): void {
    const { ring } = this;
    if (this.full) {
      this.backlog.push(() => this.push(fields, fill));
      return;
    }
    const at = this.nextOffset;
    const view = ring.sqes;
    ring.sqeBytes.fill(0, at, at + ring.sqeSize);
    view.setUint8(at + SQE_OFFSET.OPCODE, fields.opcode);
    view.setUint8(at + SQE_OFFSET.FLAGS, fields.flags);
    view.setInt32(at + SQE_OFFSET.FD, fields.fd, true);
    if (fields.cmdOp !== undefined) view.setUint32(at + SQE_OFFSET.CMD_OP, fields.cmdOp, true);
    else if (fields.off) putOffset(view, at + SQE_OFFSET.OFF, fields.off);
    if (fields.addr) putOffset(view, at + SQE_OFFSET.ADDR, fields.addr);
    if (fields.len) view.setUint32(at + SQE_OFFSET.LEN, fields.len, true);
    if (fields.opFlags) view.setUint32(at + SQE_OFFSET.OP_FLAGS, fields.opFlags, true);
    view.setUint32(at + SQE_OFFSET.USER_DATA, fields.udLo, true);
    view.setUint32(at + SQE_OFFSET.USER_DATA + 4, fields.udHi, true);
    if (fields.spliceFdIn) view.setInt32(at + SQE_OFFSET.SPLICE_FD_IN, fields.spliceFdIn, true);
    fill?.(view, at + SQE_OFFSET.CMD);
    if (this.facts) this.record(at, fields);
    this.sqTail = (this.sqTail + 1) >>> 0;
  }

  /** io_uring_submit: everything pending, without waiting. */
  *submit(): Gen<number> {
    const n = this.publish();
    return yield* this.uring.enter(this.task, this.ring, n, 0, 0, 0, 8, undefined);
  }

  /** A wait for one CQE through the plain ring descriptor. */
  *waitOne(): Gen<number> {
    return yield* this.uring.enter(this.task, this.ring, 0, 1, IORING_ENTER_GETEVENTS, 0, 8, undefined);
  }

  /** io_uring_submit_and_wait through the plain ring descriptor; without `min` it does not wait. */
  *submitAndWaitPlain(min: number): Gen<number> {
    const flags = min > 0 ? IORING_ENTER_GETEVENTS : 0;
    return yield* this.uring.enter(this.task, this.ring, this.publish(), min, flags, 0, 8, undefined);
  }

  /** io_uring_submit_and_wait_timeout through the registered ring descriptor. */
  *submitAndWait(min: number, timeout: number | undefined): Gen<number> {
    while (this.backlog.length > 0) {
      yield* this.submit();
      for (const push of this.backlog.splice(0)) push();
    }
    const n = this.publish();
    const argp = this.kernel.u64(this.sqeBase + 0xfff90);
    return yield* this.uring.enter(this.task, this.ring, n, min, 0x19, argp, 0x18, timeout);
  }

  /** Calls `handle` for each visible CQE, then moves the head once. Returns how many there were. */
  reap(handle: (lo: number, hi: number, res: number) => void): number {
    const { ring } = this;
    const count = ring.cqReady;
    const mask = ring.cqEntries - 1;
    for (let i = 0; i < count; i++) {
      const at = ((ring.cqHead + i) & mask) * 16;
      handle(
        ring.cqes.getUint32(at, true),
        ring.cqes.getUint32(at + 4, true),
        ring.cqes.getInt32(at + 8, true),
      );
    }
    if (count > 0) {
      ring.cqHead = (ring.cqHead + count) >>> 0;
      if (this.facts) this.kernel.rec.emit.io_uring_cq_advance(ring.ptr, this.kernel.u64(ring.cqHead), count);
    }
    return count;
  }

  private publish(): number {
    this.ring.sqTail = this.sqTail;
    return this.pending;
  }

  private record(at: number, fields: SqeFields): void {
    const { rec } = this.kernel;
    rec.emit.io_uring_get_sqe(
      this.ring.ptr,
      this.kernel.u64(this.sqTail),
      rec.trace.wide.word(fields.udLo, fields.udHi),
      rec.trace.strings.idOfHex(this.ring.sqeBytes.subarray(at, at + 64)),
    );
  }
}

/** Writes an offset as 64 bits; -1 stands for none. */
function putOffset(view: DataView, at: number, value: number): void {
  if (value >= 0) {
    putNumber(view, at, value);
    return;
  }
  view.setUint32(at, 0xffffffff, true);
  view.setUint32(at + 4, 0xffffffff, true);
}

/** Writes a non-negative safe integer as 64 bits. */
export function putNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 0x100000000) >>> 0, true);
}
