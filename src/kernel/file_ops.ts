import { IORING_OP } from '../uapi/io_uring_ops';
import { FALLOC_FL } from '../uapi/io_uring_abi';
import type { FaultPlan } from './faults';
import type { MemRange } from './file';
import { type IoReq, type OpTable, siteOf } from './io_uring';
import type { Kernel } from './kernel';
import { EAGAIN, EIOCBQUEUED, type OpenFile } from './open_file';
import { finishPlug, startPlug } from './plug';
import type { IoTask } from './request';
import type { Gen } from './sched';

const EFAULT = -14;
const EINVAL = -22;
const EOPNOTSUPP = -95;

/** Runs a SPLICE request in a worker. */
export type SpliceOp = (worker: IoTask, req: IoReq, inFile: OpenFile | undefined) => Gen<number>;

/** READ, WRITE, FSYNC, SYNC_FILE_RANGE and FALLOCATE on files of the backing disk (io_uring/rw.c and sync.c, ext4). */
export class FileOps implements OpTable {
  /** Set once the ring core exists: looks a plain descriptor up for a worker. */
  lookup: (task: IoTask, req: IoReq, fd: number) => OpenFile | undefined = () => undefined;

  constructor(
    private readonly kernel: Kernel,
    private readonly faults: FaultPlan,
    private readonly splice: SpliceOp,
  ) {}

  *rw(task: IoTask, req: IoReq, done: (res: number) => void): Gen<number> {
    const { file } = req;
    if (!file?.file) return EINVAL;
    const write = req.opcode === IORING_OP.WRITE;
    const range = this.userRange(req.addr, req.len);
    if (!range) return EFAULT;
    // buffered writes of ext4 refuse the nonblocking attempt; faults strike them in the worker
    if (write && file.cache) return EAGAIN;
    const fault = this.faults({ kind: write ? 'write' : 'read', ...siteOf(req) });
    const { delayNs } = fault ?? {};
    const { sched, rec } = this.kernel;
    const answer = delayNs ? (res: number): void => sched.at(rec.now + delayNs, () => done(res)) : done;
    if (fault?.error) {
      answer(fault.error);
      return EIOCBQUEUED;
    }
    const length = Math.min(fault?.short ?? req.len, req.len);
    if (file.cache) return yield* this.bufferedRead(task, req, file, { ...range, length }, answer);
    yield* file.file.direct(task, write, req.off, [{ ...range, length }], false, answer);
    return EIOCBQUEUED;
  }

  *blocking(worker: IoTask, req: IoReq): Gen<number> {
    const { file } = req;
    switch (req.opcode) {
      case IORING_OP.SPLICE: {
        const { rec } = this.kernel;
        rec.emit.io_uring_file_get(req.ring.ptr, req.ptr, req.udWord, this.kernel.i32(req.spliceFdIn));
        return yield* this.splice(worker, req, this.lookup(worker, req, req.spliceFdIn));
      }
      case IORING_OP.READ: {
        const range = this.userRange(req.addr, req.len);
        if (!range || !file?.cache) return EFAULT;
        const error = yield* file.cache.fillAndWait(worker, req.off, req.len);
        return error || file.cache.copyOut(req.off, this.bytes(range));
      }
      case IORING_OP.WRITE: {
        const range = this.userRange(req.addr, req.len);
        if (!range || !file?.cache) return EFAULT;
        return yield* file.cache.write(worker, req.off, this.bytes(range));
      }
      case IORING_OP.FALLOCATE:
        yield this.kernel.costs.fallocate;
        if (!file?.file) return EINVAL;
        return yield* this.fallocate(worker, file, req);
      case IORING_OP.FSYNC: {
        if (!file?.file) return EINVAL;
        const error = file.cache ? yield* file.cache.writeBack(worker) : 0;
        return error || (yield* file.file.flush(worker));
      }
      case IORING_OP.SYNC_FILE_RANGE:
        return 0;
      default:
        return EOPNOTSUPP;
    }
  }

  /**
   * Buffered reads complete inline from the page cache, else when the pages arrive (IOCB_WAITQ: task work repeats the read).
   * Where the pages are gone again by then, a worker does it.
   */
  private *bufferedRead(
    task: IoTask,
    req: IoReq,
    file: OpenFile,
    range: MemRange,
    done: (res: number) => void,
  ): Gen<number> {
    const { cache } = file;
    if (!cache) return EINVAL;
    if (cache.isCached(req.off, range.length)) {
      done(cache.copyOut(req.off, this.bytes(range)));
      return EIOCBQUEUED;
    }
    const own = startPlug(task);
    yield* cache.fill(task, req.off, range.length, (error) => {
      if (error) done(error);
      else done(cache.isCached(req.off, range.length) ? cache.copyOut(req.off, this.bytes(range)) : EAGAIN);
    });
    if (own) finishPlug(this.kernel, task);
    return EIOCBQUEUED;
  }

  private *fallocate(worker: IoTask, file: OpenFile, req: IoReq): Gen<number> {
    // FALLOCATE carries its length in addr and its mode in len
    const mode = req.len;
    if (!file.file) return EINVAL;
    if (mode & (FALLOC_FL.PUNCH_HOLE | FALLOC_FL.ZERO_RANGE)) {
      if (file.cache) yield* file.cache.discard(worker, req.off, req.addr);
      file.file.punch(req.off, req.addr);
      return 0;
    }
    return EOPNOTSUPP;
  }

  private userRange(addr: number, length: number): MemRange | undefined {
    const place = this.kernel.memory.find(addr);
    if (!place || place.offset + length > place.buffer.size) return undefined;
    return { buffer: place.buffer, offset: place.offset, length };
  }

  private bytes(range: MemRange): Uint8Array {
    return this.kernel.memory.touch(range.buffer, range.offset, range.length);
  }
}
