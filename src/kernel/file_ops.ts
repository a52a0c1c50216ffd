import { IORING_OP } from '../uapi/io_uring_ops';
import { FALLOC_FL, RWF } from '../uapi/io_uring_abi';
import type { FaultPlan } from './faults';
import type { BackingFile, MemRange } from './file';
import { type IoReq, type OpTable, siteOf } from './io_req';
import type { Kernel } from './kernel';
import { PAGE_SIZE } from './memory';
import { EAGAIN, EIOCBQUEUED, type OpenFile } from './open_file';
import type { IoTask } from './request';
import { type Gen, PARK } from './sched';

/** One in so many direct reads and writes is answered before the call that issues it returns. */
const EARLY_IRQ = 64;
/** One in so many backing files takes direct writes without blocking (as recorded: one of five). */
const NOWAIT_WRITES = 5;
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
    if (write && this.refusesNowait(file.file)) return EAGAIN;
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
    return yield* this.direct(task, req, file.file, { ...range, length }, answer);
  }

  /**
   * Direct I/O of io_uring (iomap_dio_rw). Whoever drops the last reference completes it: the interrupt, or the caller where the
   * disk answered before the call returned. A write that the interrupt ended is completed by a kworker, which flushes for RWF_DSYNC.
   */
  private *direct(
    task: IoTask,
    req: IoReq,
    file: BackingFile,
    range: MemRange,
    done: (res: number) => void,
  ): Gen<number> {
    const { kernel } = this;
    const write = req.opcode === IORING_OP.WRITE;
    const sync = write && (req.opFlags & RWF.DSYNC) !== 0;
    let issuing = true;
    let result: number | undefined;
    yield* file.direct(task, write, req.off, [range], 0, (res) => {
      result = res;
      if (issuing) {
        if (task.state === 'parked') kernel.sched.wake(task);
      } else if (!write) done(res);
      else {
        kernel.queueWork(task.cpu, function* (worker) {
          done(sync && res > 0 ? (yield* file.flush(worker)) || res : res);
        });
      }
    });
    // while requests wait in a plug the disk has not even seen them
    if (result === undefined && !task.plug && kernel.choices.choose('early-irq', EARLY_IRQ) === 0) {
      while (result === undefined) yield PARK;
    }
    issuing = false;
    if (result === undefined) return EIOCBQUEUED;
    if (sync && result > 0) result = (yield* file.flush(task)) || result;
    done(result);
    return EIOCBQUEUED;
  }

  /** ext4 refuses a nonblocking direct write where it has to take the lock of the inode exclusively; which files that holds for is the file system's state. */
  private refusesNowait(file: BackingFile): boolean {
    if (file.raw || this.kernel.profile.nowaitWrites) return false;
    const takes = (): boolean => this.kernel.choices.choose('nowait-writes', NOWAIT_WRITES) === 0;
    if (this.kernel.profile.rules.nowaitPerWrite) return !takes();
    file.nowaitWrites ??= takes();
    return !file.nowaitWrites;
  }

  *blocking(worker: IoTask, req: IoReq, done: (res: number) => void): Gen<number> {
    const { file } = req;
    switch (req.opcode) {
      case IORING_OP.SPLICE: {
        if (req.opFlags >>> 31) return yield* this.splice(worker, req, req.ring.files[req.spliceFdIn]);
        const { rec } = this.kernel;
        rec.emit.io_uring_file_get(req.ring.ptr, req.ptr, req.udWord, this.kernel.i32(req.spliceFdIn));
        return yield* this.splice(worker, req, this.lookup(worker, req, req.spliceFdIn));
      }
      case IORING_OP.READ: {
        const range = this.userRange(req.addr, req.len);
        if (!range) return EFAULT;
        if (!file?.file) return EINVAL;
        if (!file.cache) return yield* this.direct(worker, req, file.file, range, done);
        const error = yield* file.cache.fillAndWait(worker, req.off, req.len);
        return error || file.cache.copyOut(req.off, this.bytes(range));
      }
      case IORING_OP.WRITE: {
        const range = this.userRange(req.addr, req.len);
        if (!range || !file?.file) return EFAULT;
        if (!file.cache) return yield* this.direct(worker, req, file.file, range, done);
        const written = yield* file.cache.write(worker, req.off, this.bytes(range));
        if (written <= 0 || !(req.opFlags & RWF.DSYNC)) return written;
        // generic_write_sync
        const error = (yield* file.cache.writeBack(worker)) || (yield* file.file.flush(worker));
        return error || written;
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
    yield* cache.fill(task, req.off, range.length, (error) => {
      if (error || !cache.isCached(req.off, range.length)) {
        done(error || EAGAIN);
        return;
      }
      const got = cache.copyOut(req.off, this.bytes(range));
      // io_read tries a short read of a regular file again. As recorded it finds the end where that is the end of a page; where the
      // file ends inside a page it goes on in a worker
      const inPage = (req.off + got) % PAGE_SIZE !== 0;
      req.partial = got > 0 && got < range.length && inPage && file.kind === 'regular';
      done(req.partial ? EAGAIN : got);
    });
    return EIOCBQUEUED;
  }

  private *fallocate(worker: IoTask, file: OpenFile, req: IoReq): Gen<number> {
    // FALLOCATE carries its length in addr and its mode in len
    const mode = req.len;
    if (!file.file) return EINVAL;
    const keepSize = (mode & FALLOC_FL.KEEP_SIZE) !== 0;
    if (mode & ~(FALLOC_FL.KEEP_SIZE | FALLOC_FL.PUNCH_HOLE | FALLOC_FL.ZERO_RANGE)) return EOPNOTSUPP;
    if (mode & FALLOC_FL.PUNCH_HOLE && !keepSize) return EOPNOTSUPP;
    const end = req.off + req.addr;
    if (req.off < 0 || req.addr <= 0 || (file.file.raw && end > file.file.size)) return EINVAL;
    if (mode & (FALLOC_FL.PUNCH_HOLE | FALLOC_FL.ZERO_RANGE)) {
      if (file.cache) yield* file.cache.discard(worker, req.off, req.addr);
      file.file.punch(req.off, req.addr);
    }
    // space that is reserved and never written reads as a hole does
    if (!keepSize && end > file.file.size) file.file.size = end;
    return 0;
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
