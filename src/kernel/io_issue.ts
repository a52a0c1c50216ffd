import { IOSQE, IORING_FSYNC_DATASYNC, IOSQE_ALL } from '../uapi/io_uring_abi';
import { IORING_OP, opcodeName } from '../uapi/io_uring_ops';
import { SQE_OFFSET } from '../uapi/sqe';
import type { FaultPlan } from './faults';
import { ECANCELED, failLinks, setFailed } from './io_chain';
import { fileOffset, type IoReq, type OpTable, shortened, siteOf } from './io_req';
import type { IoWork, IoWq } from './io_wq';
import type { Kernel } from './kernel';
import { EAGAIN, EIOCBQUEUED, type OpenFile, type UringCmd } from './open_file';
import { puntedFlags } from './req_flags';
import type { IoTask } from './request';
import type { Ring } from './ring';
import type { Gen } from './sched';
import type { TaskWork } from './task_work';

const EBADF = -9;
const EINVAL = -22;
const EOPNOTSUPP = -95;
/** REQ_F_ASYNC_DATA */
const ASYNC_DATA = 0x00200000;
/** REQ_F_PARTIAL_IO */
const PARTIAL_IO = 0x02000000;
const BLOCKING_OPS: ReadonlySet<number> = new Set([
  IORING_OP.FSYNC,
  IORING_OP.SYNC_FILE_RANGE,
  IORING_OP.FALLOCATE,
  IORING_OP.SPLICE,
]);
const KNOWN_OPS: ReadonlySet<number> = new Set([
  IORING_OP.NOP,
  IORING_OP.READ,
  IORING_OP.WRITE,
  IORING_OP.URING_CMD,
  ...BLOCKING_OPS,
]);
/** Operations whose results differ from what was asked for when they are short: that breaks a chain, as an error does. */
const COUNTED_OPS: ReadonlySet<number> = new Set([IORING_OP.READ, IORING_OP.WRITE, IORING_OP.SPLICE]);

/** A request that ended without sleeping; its CQE is posted when the batch ends. */
export interface Completed {
  readonly req: IoReq;
  readonly res: number;
}

/** What requests need of the ring core. */
export interface IssueHost {
  wqOf(task: IoTask, ring: Ring): IoWq;
  fileOf(task: IoTask, fd: number): OpenFile | undefined;
}

/** One request from its SQE to its CQE: preparation, the attempt that must not block, io-wq, completion, the next of its chain (6.1). */
export class IoIssue {
  private readonly opcodeIds = new Map<number, number>();
  private readonly freeReqs: number[] = [];
  private readonly normalQueue: number;
  private readonly hashedQueue: number;

  constructor(
    private readonly kernel: Kernel,
    private readonly ops: OpTable,
    private readonly faults: FaultPlan,
    private readonly work: TaskWork,
    private readonly host: IssueHost,
    /** A CQE was posted on a ring whose requests wait for a drain. */
    private readonly drain: (ring: Ring) => void,
  ) {
    this.normalQueue = kernel.rec.trace.strings.id('normal');
    this.hashedQueue = kernel.rec.trace.strings.id('hashed');
  }

  /** Takes the SQE at a free-running index. */
  read(ring: Ring, task: IoTask, head: number): IoReq {
    const view = ring.sqes;
    const at = (head & (ring.sqEntries - 1)) * ring.sqeSize;
    const lo = view.getUint32(at + SQE_OFFSET.USER_DATA, true);
    const hi = view.getUint32(at + SQE_OFFSET.USER_DATA + 4, true);
    const opcode = view.getUint8(at);
    const ptr = this.freeReqs.pop() ?? this.kernel.pointer(256);
    const isCmd = opcode === IORING_OP.URING_CMD;
    return {
      ring,
      task,
      ptr,
      opcode,
      flags: view.getUint8(at + 1),
      fd: view.getInt32(at + SQE_OFFSET.FD, true),
      off: isCmd ? 0 : fileOffset(view, at + SQE_OFFSET.OFF),
      addr: fileOffset(view, at + SQE_OFFSET.ADDR),
      len: view.getUint32(at + SQE_OFFSET.LEN, true),
      opFlags: view.getUint32(at + SQE_OFFSET.LEN + 4, true),
      udLo: lo,
      udHi: hi,
      udWord: this.kernel.rec.trace.wide.word(lo, hi),
      spliceFdIn: view.getInt32(at + SQE_OFFSET.SPLICE_FD_IN, true),
      link: undefined,
      failed: false,
      skipLinkCqes: false,
      res: 0,
      tried: false,
      partial: false,
      file: undefined,
      cmdOp: isCmd ? view.getUint32(at + SQE_OFFSET.OFF, true) : 0,
      cmdView: view,
      cmdAt: at + 48,
    };
  }

  /** The checks of io_init_req and of the operation's prep function: 0 or -errno. */
  check(req: IoReq): number {
    if (!KNOWN_OPS.has(req.opcode) || req.flags & ~IOSQE_ALL) return EINVAL;
    if (req.flags & IOSQE.BUFFER_SELECT && req.opcode !== IORING_OP.READ) return EOPNOTSUPP;
    switch (req.opcode) {
      case IORING_OP.FSYNC:
        return req.addr || req.spliceFdIn || req.opFlags & ~IORING_FSYNC_DATASYNC ? EINVAL : 0;
      case IORING_OP.SYNC_FILE_RANGE:
        return req.addr || req.spliceFdIn ? EINVAL : 0;
      case IORING_OP.FALLOCATE:
        return req.opFlags || req.spliceFdIn ? EINVAL : 0;
      default:
        return 0;
    }
  }

  /** io_assign_file, with io_uring_file_get for a plain descriptor. False for a bad one. */
  assign(req: IoReq): boolean {
    if (req.file || req.opcode === IORING_OP.NOP) return true;
    if (req.flags & IOSQE.FIXED_FILE) req.file = req.ring.files[req.fd];
    else this.assignPlain(req);
    return req.file !== undefined;
  }

  /** io_req_prep_async: what must be read of the SQE before its slot is used again; registered files are looked up by the worker. */
  prepAsync(req: IoReq): void {
    // recorded on 7.3: of a request that is forced to a worker the file is known before, except that of a splice
    const late = !this.kernel.profile.rules.filesAtLink && req.opcode === IORING_OP.SPLICE;
    if (!(req.flags & IOSQE.FIXED_FILE) && req.opcode !== IORING_OP.NOP && !late) this.assignPlain(req);
    if (req.opcode === IORING_OP.URING_CMD) copyCommand(req);
  }

  private assignPlain(req: IoReq): void {
    const { emit } = this.kernel.rec;
    emit.io_uring_file_get(req.ring.ptr, req.ptr, req.udWord, this.kernel.i32(req.fd));
    req.file = this.host.fileOf(req.task, req.fd);
  }

  /** io_queue_sqe for everything but URING_CMD: the attempt that must not block. What ends at once goes to `inline`. */
  *queue(req: IoReq, inline: Completed[]): Gen<void> {
    if (!this.assign(req)) {
      this.completeFailed(req, EBADF);
    } else if (req.opcode === IORING_OP.URING_CMD) this.queueCmd(req);
    else if (req.opcode === IORING_OP.NOP) inline.push({ req, res: 0 });
    else if (BLOCKING_OPS.has(req.opcode)) this.retryInWorker(req, 0);
    else yield* this.readOrWrite(req, inline);
  }

  /** io_queue_sqe of a URING_CMD whose file is known. */
  queueCmd(req: IoReq): void {
    const { file } = req;
    const res = file?.uringCmd ? file.uringCmd(this.uringCmd(req)) : EOPNOTSUPP;
    if (res === EIOCBQUEUED) return;
    if (res !== EAGAIN) {
      this.finish(req, res);
      return;
    }
    copyCommand(req);
    this.retryInWorker(req, ASYNC_DATA);
  }

  private *readOrWrite(req: IoReq, inline: Completed[]): Gen<void> {
    const { task } = req;
    let issuing = true;
    let again = false;
    const ret = yield* this.ops.rw(task, req, (res) => {
      // a disk that answers before the call returns makes the request complete inline
      if (issuing && res === EAGAIN) again = true;
      else if (issuing) inline.push({ req, res });
      else if (res === EAGAIN) this.work.add(task, () => this.retryInWorker(req, 0));
      else this.work.add(task, () => this.finish(req, res));
    });
    issuing = false;
    if (again || ret === EAGAIN) this.retryInWorker(req, 0);
    else if (ret < 0 && ret !== EIOCBQUEUED) inline.push({ req, res: ret });
  }

  /** io_submit_flush_completions: all CQEs first, then what follows in their chains. */
  flush(inline: Completed[]): void {
    for (const { req, res } of inline) this.complete(req, res);
    for (const { req } of inline) this.startNext(req);
  }

  private retryInWorker(req: IoReq, more: number): void {
    req.tried = true;
    this.punt(req, more + (req.partial ? PARTIAL_IO + ASYNC_DATA : 0));
  }

  /** io_queue_iowq */
  punt(req: IoReq, more = 0): void {
    const work = this.workOf(req);
    const flags = puntedFlags(req, this.kernel.profile.rules.laterTracepoints) + more;
    this.kernel.rec.emit.io_uring_queue_async_work(
      req.ring.ptr,
      req.ptr,
      req.udWord,
      this.opcodeId(req.opcode),
      this.kernel.u64(flags),
      work.hash ? this.hashedQueue : this.normalQueue,
      this.workPointer(req.ptr),
    );
    this.host.wqOf(req.task, req.ring).enqueue(work);
  }

  /** io_prep_async_work: writes and splices to regular files are hashed by inode; what may block for ever has workers of its own. */
  private workOf(req: IoReq): IoWork {
    const { file, opcode } = req;
    const parallel = this.kernel.profile.rules.parallelDio && file?.cache === undefined;
    const hashes = (opcode === IORING_OP.WRITE && !parallel) || opcode === IORING_OP.SPLICE;
    const waits = COUNTED_OPS.has(opcode) && file !== undefined;
    let ran = false;
    const issue = this;
    return {
      hash: hashes && file?.kind === 'regular' ? file.file : undefined,
      unbound: waits && file.kind !== 'regular' && file.kind !== 'block',
      concurrent: (req.flags & IOSQE.ASYNC) !== 0,
      *run(worker) {
        ran = yield* issue.runInWorker(worker, req);
      },
      linked: () => (ran ? issue.afterWorker(req) : undefined),
    };
  }

  /** True when the request ended here; false when its CQE comes by task work. */
  private *runInWorker(worker: IoTask, req: IoReq): Gen<boolean> {
    this.kernel.rec.emit.io_wq_submit_work();
    if (!this.assign(req)) {
      this.work.add(req.task, () => this.completeFailed(req, EBADF));
      return false;
    }
    const res = yield* this.issueInWorker(worker, req);
    if (res === EIOCBQUEUED) return false;
    this.complete(req, res);
    if (this.kernel.profile.rules.workerFreesByTaskWork) this.work.add(req.task, () => {});
    return true;
  }

  private *issueInWorker(worker: IoTask, req: IoReq): Gen<number> {
    if (req.opcode === IORING_OP.NOP) return 0;
    if (req.opcode === IORING_OP.URING_CMD) {
      const run = req.file?.uringCmdBlocking;
      return run ? yield* run.call(req.file, this.uringCmd(req)) : EOPNOTSUPP;
    }
    const fault = this.strike(req);
    if (fault?.delayNs) yield fault.delayNs;
    const cut = fault?.short === undefined ? req : shortened(req, fault.short);
    const later = (result: number): void => this.work.add(req.task, () => this.finish(req, result));
    return fault?.error ?? (yield* this.ops.blocking(worker, cut, later));
  }

  /** Faults on operations that run in workers; reads and direct writes that were tried before have asked already. */
  private strike(req: IoReq): ReturnType<FaultPlan> {
    switch (req.opcode) {
      case IORING_OP.SPLICE:
        return this.faults({ kind: 'splice', ...siteOf(req) });
      case IORING_OP.WRITE:
        return this.faults({ kind: 'write', ...siteOf(req) });
      case IORING_OP.READ:
        return req.tried ? undefined : this.faults({ kind: 'read', ...siteOf(req) });
      case IORING_OP.FSYNC:
      case IORING_OP.SYNC_FILE_RANGE:
        return this.faults({ kind: 'fsync', ...siteOf(req) });
      default:
        return undefined;
    }
  }

  private uringCmd(req: IoReq): UringCmd {
    return {
      cmdOp: req.cmdOp,
      view: req.cmdView,
      at: req.cmdAt,
      task: req.task,
      done: (res) => this.finish(req, res),
      completeInTask: (fn) => this.work.add(req.task, fn),
    };
  }

  /** Posts the CQE and starts what follows. */
  finish(req: IoReq, res: number): void {
    this.complete(req, res);
    this.startNext(req);
  }

  /** io_req_complete_failed */
  completeFailed(req: IoReq, res: number): void {
    setFailed(req, res);
    this.finish(req, res);
  }

  /** Posts the CQE, unless success is to be silent. */
  private complete(req: IoReq, res: number): void {
    if (breaksChain(req, res)) setFailed(req, res);
    this.post(req, res);
  }

  private post(req: IoReq, res: number): void {
    if (!(req.flags & IOSQE.CQE_SKIP_SUCCESS)) req.ring.post(req.ptr, req.udWord, req.udLo, req.udHi, res);
    if (req.ring.drainActive) this.drain(req.ring);
  }

  /** io_req_find_next: the next member of the chain; of a broken chain the rest is cancelled. Gives the request back. */
  private takeNext(req: IoReq): IoReq | undefined {
    if (req.failed && req.link && !(req.flags & IOSQE.IO_HARDLINK)) this.cancelRest(req, req.link);
    const { link } = req;
    req.link = undefined;
    this.freeReqs.push(req.ptr);
    return link;
  }

  private startNext(req: IoReq): void {
    const next = this.takeNext(req);
    if (next) this.queueTask(next);
  }

  /** io_req_task_queue: task work of the submitter issues the request. */
  queueTask(req: IoReq): void {
    this.work.add(req.task, () => this.startInTask(req));
  }

  private *startInTask(req: IoReq): Gen<void> {
    this.kernel.rec.emit.io_req_task_submit();
    const inline: Completed[] = [];
    if (req.flags & IOSQE.ASYNC) {
      if (this.kernel.profile.rules.filesAtLink) this.prepAsync(req);
      this.punt(req);
    } else yield* this.queue(req, inline);
    this.flush(inline);
  }

  /** What a worker does after a request that ended there: the next of its chain is prepared as work already. */
  private afterWorker(req: IoReq): IoWork | undefined {
    const next = this.takeNext(req);
    return next && this.workOf(next);
  }

  /** io_fail_links: the rest of the chain is told now, and completed by task work. */
  private cancelRest(req: IoReq, first: IoReq): void {
    const { emit } = this.kernel.rec;
    const opcode = this.opcodeId(req.opcode);
    const rest = failLinks(req);
    for (const member of rest) emit.io_uring_fail_link(req.ring.ptr, req.ptr, req.udWord, opcode, member.ptr);
    this.work.add(first.task, () => {
      for (const member of rest) {
        member.link = undefined;
        this.post(member, member.failed ? member.res : ECANCELED);
        this.freeReqs.push(member.ptr);
      }
    });
    req.link = undefined;
  }

  /** String id of an opcode's name. */
  opcodeId(opcode: number): number {
    let id = this.opcodeIds.get(opcode);
    if (id === undefined) {
      id = this.kernel.rec.trace.strings.id(
        opcodeName(opcode, this.kernel.profile.rules.laterTracepoints ? 65 : 49),
      );
      this.opcodeIds.set(opcode, id);
    }
    return id;
  }

  /** The io-wq work lies inside the request: 0xc8 bytes behind its start on 6.1. */
  private workPointer(reqPtr: number): number {
    const { wide } = this.kernel.rec.trace;
    return wide.word((wide.lowOf(reqPtr) + 0xc8) >>> 0, wide.highOf(reqPtr));
  }
}

/** Whether an operation always runs in a worker. */
export function isBlocking(req: IoReq): boolean {
  return BLOCKING_OPS.has(req.opcode);
}

/** What sets REQ_F_FAIL when an operation ends; FSYNC, SYNC_FILE_RANGE and FALLOCATE never do. */
function breaksChain(req: IoReq, res: number): boolean {
  if (COUNTED_OPS.has(req.opcode)) return res !== req.len;
  return req.opcode === IORING_OP.URING_CMD && res < 0;
}

/** The SQE slot is reused while a request waits, so the command area is copied first. */
function copyCommand(req: IoReq): void {
  const copy = new Uint8Array(80);
  copy.set(req.ring.sqeBytes.subarray(req.cmdAt, req.cmdAt + req.ring.sqeSize - 48));
  req.cmdView = new DataView(copy.buffer);
  req.cmdAt = 0;
}
