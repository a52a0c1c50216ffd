import { getHi, getLo } from '../uapi/bytes';
import { IORING_OP } from '../uapi/io_uring_ops';
import type { OpenFile } from './open_file';
import type { IoTask } from './request';
import type { Ring } from './ring';
import type { Gen } from './sched';

/** A request (struct io_kiocb). */
export interface IoReq {
  readonly ring: Ring;
  /** The task that submitted it. */
  readonly task: IoTask;
  /** Word of its address; addresses are recycled at once, newest first. */
  readonly ptr: number;
  readonly opcode: number;
  /** The low REQ_F bits: those of sqe.flags, changed on the way (a drain adds ASYNC, a failure takes SKIP). */
  flags: number;
  readonly fd: number;
  readonly off: number;
  readonly addr: number;
  readonly len: number;
  readonly opFlags: number;
  readonly udLo: number;
  readonly udHi: number;
  readonly udWord: number;
  readonly spliceFdIn: number;
  /** Bytes after which a fault ends the backing file's side of a SPLICE. */
  readonly short?: number;
  /** The next member of its chain. */
  link: IoReq | undefined;
  /** REQ_F_FAIL: the rest of the chain is cancelled. */
  failed: boolean;
  /** REQ_F_SKIP_LINK_CQES: it failed and had CQE_SKIP_SUCCESS, so cancelled followers post nothing. */
  skipLinkCqes: boolean;
  /** Result of a member that is known to fail before it runs. */
  res: number;
  /** Another attempt without blocking was made before it went to io-wq (REQ_F_HASH_LOCKED of 6.1). */
  tried: boolean;
  /** REQ_F_PARTIAL_IO: that attempt moved some bytes, and the worker goes on. */
  partial: boolean;
  file: OpenFile | undefined;
  cmdOp: number;
  cmdView: DataView;
  cmdAt: number;
}

/** What a fault line selects a request by. */
export function siteOf(req: IoReq): {
  tag: number;
  queue: number | undefined;
  offset: number;
  length: number;
} {
  return { tag: req.udLo & 0xffff, queue: req.ring.queue, offset: req.off, length: req.len };
}

/** Operations that may block and so never run inline; other modules implement them. */
export interface OpTable {
  /** Nonblocking attempt of a read or write: calls `done` at once or later. -EAGAIN asks for a worker. */
  rw(task: IoTask, req: IoReq, done: (res: number) => void): Gen<number>;
  /** In a worker. -EIOCBQUEUED: the disk has it, `done` is called later. */
  blocking(worker: IoTask, req: IoReq, done: (res: number) => void): Gen<number>;
}

/** A 64-bit offset or address of an SQE: -1 where all bits are set (no offset); beyond 2^53 it is rounded, no file reaches there. */
export function fileOffset(view: DataView, at: number): number {
  const lo = getLo(view, at);
  const hi = getHi(view, at);
  return hi === 0xffffffff && lo === 0xffffffff ? -1 : hi * 0x100000000 + lo;
}

/** The request as a fault lets it run: a SPLICE asks for all and its backing file moves less, others ask for less. */
export function shortened(req: IoReq, bytes: number): IoReq {
  if (req.opcode === IORING_OP.SPLICE) return { ...req, short: bytes };
  return { ...req, len: Math.min(req.len, bytes) };
}
