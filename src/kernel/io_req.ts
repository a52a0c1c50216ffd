import type { OpenFile } from './open_file';
import type { IoTask } from './request';
import type { Ring } from './ring';
import type { Gen } from './sched';

/** A request (struct io_kiocb). */
export interface IoReq {
  readonly ring: Ring;
  /** Word of its address; addresses are recycled at once, newest first. */
  readonly ptr: number;
  readonly opcode: number;
  readonly flags: number;
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
