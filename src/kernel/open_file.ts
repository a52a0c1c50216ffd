import type { BackingFile } from './file';
import type { PageCache } from './page_cache';
import type { Pipe } from './pipe';
import type { IoTask } from './request';
import type { UserPipe } from './user_pipe';
import type { Gen } from './sched';

/** -EIOCBQUEUED: the command stays with the driver (kernel-internal, never seen by user space). */
export const EIOCBQUEUED = -529;
/** -EAGAIN: try again where blocking is allowed. */
export const EAGAIN = -11;

/** A uring_cmd as a driver sees it. */
export interface UringCmd {
  readonly cmdOp: number;
  /** The 128- or 64-byte SQE is gone when this is called again later: drivers copy what they need. */
  readonly view: DataView;
  /** Offset of cmd[] in `view`. */
  readonly at: number;
  /** The task that submitted it. */
  readonly task: IoTask;
  /** io_uring_cmd_done: posts the CQE now, in the name of whoever runs. */
  done(res: number): void;
  /** io_uring_cmd_complete_in_task: runs `fn` as task work of the submitter. */
  completeInTask(fn: () => void): void;
}

/** A file that gives pages of its requests to a pipe (RFC). */
export interface SpliceSource {
  /** ->splice_read: bytes put into the pipe, or -errno. */
  spliceRead(worker: IoTask, pos: number, pipe: Pipe, len: number, flags: number): number;
  /** Pages from `pos` on were filled by a consumer; `source` names where the bytes came from. */
  filled(pos: number, length: number, source: string): void;
}

/** An open file description, as io_uring sees it. */
export interface OpenFile {
  readonly kind: 'regular' | 'block' | 'pipe' | 'ublk-char' | 'ublk-control';
  readonly file?: BackingFile;
  /** One end of a pipe. */
  readonly pipe?: UserPipe;
  /** Opened without O_DIRECT: the page cache that reads and writes go through. */
  readonly cache?: PageCache;
  /** ->uring_cmd without permission to block: -EAGAIN asks for a worker. */
  uringCmd?(cmd: UringCmd): number;
  /** ->uring_cmd in a worker. */
  uringCmdBlocking?(cmd: UringCmd): Gen<number>;
  /** ->splice_read, for files that give request pages (RFC). */
  readonly splice?: SpliceSource;
}

/** REQ_F_SUPPORT_NOWAIT and REQ_F_ISREG of 6.1, as io_uring_queue_async_work prints them. */
export function fileReqFlags(file: OpenFile): number {
  if (file.kind === 'regular') return 0xc0000000;
  return file.kind === 'block' ? 0x40000000 : 0;
}
