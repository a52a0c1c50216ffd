import { IORING_ENTER, IOSQE } from '../uapi/io_uring_abi';
import { IORING_OP, opcodeName } from '../uapi/io_uring_ops';
import { SQE_OFFSET } from '../uapi/sqe';
import { getHi, getLo } from '../uapi/bytes';
import type { FaultPlan } from './faults';
import { FdTables } from './fd_tables';
import { type IoReq, type OpTable, siteOf } from './io_req';
import { IoWq } from './io_wq';
import type { Kernel } from './kernel';
import { EAGAIN, EIOCBQUEUED, fileReqFlags, type OpenFile, type UringCmd } from './open_file';
import { finishPlug, startPlug } from './plug';
import type { IoTask } from './request';
import { Ring } from './ring';
import { RingTimers } from './ring_timers';
import { type Gen, PARK, TaskKilled } from './sched';
import { TaskWork } from './task_work';

const EBADF = -9;
const EINVAL = -22;
const ETIME = -62;
/** io_uring_submit_sqes opens a plug when more than this many SQEs come at once (IO_PLUG_THRESHOLD). */
const PLUG_THRESHOLD = 2;
/** REQ_F_CREDS, and bit 29 that every punted request of the recordings carries. */
const PUNTED_FLAGS = 0x20040000;
/** REQ_F_ASYNC_DATA */
const ASYNC_DATA = 0x00200000;

/** The io_uring core of 6.1: submission, inline completion, task work, io-wq, CQ waiting. */
export class IoUring {
  private readonly opcodeIds = new Map<number, number>();
  private readonly freeReqs: number[] = [];
  private readonly fds = new FdTables();
  private readonly work: TaskWork;
  private readonly timers: RingTimers;
  private readonly wqs = new Map<IoTask, IoWq>();
  private readonly normalQueue: number;
  private readonly hashedQueue: number;
  private readonly rings = new Map<IoTask, Ring[]>();

  constructor(
    readonly kernel: Kernel,
    private readonly ops: OpTable,
    private readonly faults: FaultPlan,
    private readonly workerGone: (worker: IoTask) => void,
  ) {
    this.work = new TaskWork(kernel);
    this.timers = new RingTimers(kernel);
    this.normalQueue = kernel.rec.trace.strings.id('normal');
    this.hashedQueue = kernel.rec.trace.strings.id('hashed');
  }

  /** io_uring_setup(2). */
  *setup(task: IoTask, entries: number, cqEntries: number | undefined, flags: number, fd: number): Gen<Ring> {
    const { emit } = this.kernel.rec;
    emit.sys_enter_io_uring_setup(entries, this.userPointer(task));
    yield this.kernel.costs.syscall;
    const ring = new Ring(this.kernel, fd, entries, cqEntries, flags, task);
    emit.io_uring_create(ring.ptr, fd, ring.sqEntries, ring.cqEntries, flags);
    emit.sys_exit_io_uring_setup(fd);
    const list = this.rings.get(task);
    if (list) list.push(ring);
    else this.rings.set(task, [ring]);
    return ring;
  }

  /** io_uring_register(2): files (2), unregister files (3), ring descriptors (20 and 21). */
  *register(
    task: IoTask,
    ring: Ring,
    opcode: number,
    files: (OpenFile | undefined)[],
    nr: number,
  ): Gen<number> {
    const { emit } = this.kernel.rec;
    emit.sys_enter_io_uring_register(ring.fd, opcode, opcode === 3 ? 0 : this.userPointer(task), nr);
    yield this.kernel.costs.syscall;
    let ret = 0;
    if (opcode === 2) ring.files = files;
    else if (opcode === 3) ring.files = [];
    else ret = 1;
    emit.io_uring_register(ring.ptr, opcode, ring.files.length, 0, ret);
    emit.sys_exit_io_uring_register(ret);
    return ret;
  }

  /**
   * io_uring_enter(2). `timeout` ns limits the wait (EXT_ARG), undefined waits for ever. Returns SQEs consumed or -errno.
   * Throws TaskKilled when the task is killed while it waits.
   */
  *enter(
    task: IoTask,
    ring: Ring,
    toSubmit: number,
    minComplete: number,
    flags: number,
    argp: number,
    argsz: number,
    timeout: number | undefined,
  ): Gen<number> {
    const { emit } = this.kernel.rec;
    const fd = flags & IORING_ENTER.REGISTERED_RING ? 0 : ring.fd;
    emit.sys_enter_io_uring_enter(fd, toSubmit, minComplete, flags, argp, argsz);
    this.work.run(task);
    let ret = 0;
    if (toSubmit > 0) ret = yield* this.submit(task, ring, toSubmit);
    if (flags & IORING_ENTER.GETEVENTS) {
      const waited = yield* this.wait(task, ring, Math.min(minComplete, ring.cqEntries), timeout);
      if (ret === 0 && waited < 0) ret = waited;
    }
    this.work.run(task);
    emit.sys_exit_io_uring_enter(this.kernel.i32(ret));
    yield this.kernel.costs.syscall;
    return ret;
  }

  /** task_work_add of the task itself, outside io_uring. False when the task is dead or dying. */
  addPlainTaskWork(task: IoTask, fn: () => void): boolean {
    return this.work.addPlain(task, fn);
  }

  /** do_exit of a task: its rings die, workers end first; `done` is called when all is gone. */
  exitTask(task: IoTask, done: () => void): void {
    for (const ring of this.rings.get(task) ?? []) ring.dead = true;
    this.work.runFallback(task);
    const wq = this.wqs.get(task);
    if (wq) wq.exit(done);
    else done();
  }

  private *submit(task: IoTask, ring: Ring, toSubmit: number): Gen<number> {
    const available = (ring.sqTail - ring.sqHead) >>> 0;
    const n = Math.min(toSubmit, available, ring.sqEntries);
    const inline: { req: IoReq; res: number }[] = [];
    const plugged = n > PLUG_THRESHOLD && startPlug(task);
    let head = ring.sqHead;
    for (let i = 0; i < n; i++) {
      const req = this.initReq(ring, head);
      head = (head + 1) >>> 0;
      const res = this.prep(task, req);
      if (res !== 0) inline.push({ req, res });
      else if (req.opcode === IORING_OP.URING_CMD) this.issueCmd(task, req);
      else yield* this.issue(task, req, inline);
    }
    ring.sqHead = head;
    if (plugged) finishPlug(this.kernel, task);
    for (const { req, res } of inline) this.finish(req, res);
    return n;
  }

  private initReq(ring: Ring, head: number): IoReq {
    const view = ring.sqes;
    const at = (head & (ring.sqEntries - 1)) * ring.sqeSize;
    const lo = view.getUint32(at + SQE_OFFSET.USER_DATA, true);
    const hi = view.getUint32(at + SQE_OFFSET.USER_DATA + 4, true);
    const opcode = view.getUint8(at);
    const ptr = this.freeReqs.pop() ?? this.kernel.pointer(256);
    const isCmd = opcode === IORING_OP.URING_CMD;
    return {
      ring,
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
      file: undefined,
      cmdOp: isCmd ? view.getUint32(at + SQE_OFFSET.OFF, true) : 0,
      cmdView: view,
      cmdAt: at + 48,
    };
  }

  /** io_init_req and the file lookup: 0 or the error that the CQE will carry. */
  private prep(task: IoTask, req: IoReq): number {
    const { emit } = this.kernel.rec;
    emit.io_uring_submit_sqe(req.ring.ptr, req.ptr, req.udWord, this.opcodeId(req.opcode), req.flags, 1, 0);
    if (req.opcode === IORING_OP.NOP) return 0;
    if (req.flags & IOSQE.FIXED_FILE) {
      req.file = req.ring.files[req.fd];
    } else {
      emit.io_uring_file_get(req.ring.ptr, req.ptr, req.udWord, this.kernel.i32(req.fd));
      req.file = this.fileOf(task, req.fd);
    }
    return req.file ? 0 : EBADF;
  }

  private issueCmd(task: IoTask, req: IoReq): void {
    const file = req.file;
    const cmd = this.uringCmd(task, req);
    const res = file?.uringCmd ? file.uringCmd(cmd) : -95;
    if (res === EIOCBQUEUED) return;
    if (res !== EAGAIN) {
      this.finish(req, res);
      return;
    }
    // the SQE slot is reused while the worker waits, so the command area is copied first
    const copy = new Uint8Array(80);
    copy.set(req.ring.sqeBytes.subarray(req.cmdAt, req.cmdAt + req.ring.sqeSize - 48));
    req.cmdView = new DataView(copy.buffer);
    req.cmdAt = 0;
    this.punt(task, req, undefined, ASYNC_DATA);
  }

  private *issue(task: IoTask, req: IoReq, inline: { req: IoReq; res: number }[]): Gen<void> {
    switch (req.opcode) {
      case IORING_OP.NOP:
        inline.push({ req, res: 0 });
        return;
      case IORING_OP.READ:
      case IORING_OP.WRITE: {
        let issuing = true;
        const ret = yield* this.ops.rw(task, req, (res) => {
          // a disk that answers before the call returns makes the request complete inline
          if (issuing) inline.push({ req, res });
          else if (res === EAGAIN) this.work.add(task, () => this.punt(task, req, undefined, 0));
          else this.work.add(task, () => this.finish(req, res));
        });
        issuing = false;
        if (ret === EAGAIN)
          this.punt(task, req, req.opcode === IORING_OP.WRITE ? this.hashOf(req) : undefined, 0);
        else if (ret < 0 && ret !== EIOCBQUEUED) inline.push({ req, res: ret });
        return;
      }
      case IORING_OP.SPLICE:
        this.punt(task, req, this.hashOf(req), 0);
        return;
      case IORING_OP.FSYNC:
      case IORING_OP.SYNC_FILE_RANGE:
      case IORING_OP.FALLOCATE:
        this.punt(task, req, undefined, 0);
        return;
      default:
        inline.push({ req, res: EINVAL });
    }
  }

  /** Only regular files are hashed, by inode (REQ_F_ISREG with hash_reg_file). */
  private hashOf(req: IoReq): object | undefined {
    return req.file?.kind === 'regular' ? req.file.file : undefined;
  }

  /** io_queue_iowq */
  private punt(task: IoTask, req: IoReq, hash: object | undefined, more: number): void {
    const flags = req.file ? fileReqFlags(req.file) : 0;
    this.kernel.rec.emit.io_uring_queue_async_work(
      req.ring.ptr,
      req.ptr,
      req.udWord,
      this.opcodeId(req.opcode),
      this.kernel.u64(req.flags + PUNTED_FLAGS + more + flags),
      hash ? this.hashedQueue : this.normalQueue,
      this.workPointer(req.ptr),
    );
    this.wq(task, req.ring).enqueue({ hash, run: (worker) => this.runInWorker(task, worker, req) });
  }

  private *runInWorker(task: IoTask, worker: IoTask, req: IoReq): Gen<void> {
    this.kernel.rec.emit.io_wq_submit_work();
    let res: number;
    if (req.opcode === IORING_OP.URING_CMD) {
      const run = req.file?.uringCmdBlocking;
      const cmd = this.uringCmd(task, req);
      res = run ? yield* run.call(req.file, cmd) : -95;
    } else {
      const fault = this.strike(req);
      if (fault?.delayNs) yield fault.delayNs;
      const cut = fault?.short === undefined ? req : shortened(req, fault.short);
      const later = (result: number): void => this.work.add(task, () => this.finish(req, result));
      res = fault?.error ?? (yield* this.ops.blocking(worker, cut, later));
    }
    if (res !== EIOCBQUEUED) this.finish(req, res);
  }

  /** Faults on operations that run in workers; those on reads and direct writes are asked for by their operation. */
  private strike(req: IoReq): ReturnType<FaultPlan> {
    switch (req.opcode) {
      case IORING_OP.SPLICE:
        return this.faults({ kind: 'splice', ...siteOf(req) });
      case IORING_OP.WRITE:
        return this.faults({ kind: 'write', ...siteOf(req) });
      case IORING_OP.FSYNC:
      case IORING_OP.SYNC_FILE_RANGE:
        return this.faults({ kind: 'fsync', ...siteOf(req) });
      default:
        return undefined;
    }
  }

  private uringCmd(task: IoTask, req: IoReq): UringCmd {
    return {
      cmdOp: req.cmdOp,
      view: req.cmdView,
      at: req.cmdAt,
      task,
      done: (res) => this.finish(req, res),
      completeInTask: (fn) => this.work.add(task, fn),
    };
  }

  /** Posts the CQE and gives the request back. */
  private finish(req: IoReq, res: number): void {
    req.ring.post(req.ptr, req.udWord, req.udLo, req.udHi, res);
    this.freeReqs.push(req.ptr);
  }

  private *wait(task: IoTask, ring: Ring, min: number, timeout: number | undefined): Gen<number> {
    for (;;) {
      const ran = this.work.run(task);
      ring.flushOverflow();
      if (ring.cqReady >= min) return 0;
      if (!ran) break;
    }
    this.kernel.rec.emit.io_uring_cqring_wait(ring.ptr, min);
    ring.waiter = task;
    ring.waitNr = min;
    let expired = false;
    if (timeout !== undefined) this.timers.arm(ring, timeout, () => (expired = true));
    try {
      for (;;) {
        if (task.killed) throw new TaskKilled();
        this.work.run(task);
        if (ring.cqReady >= min) return 0;
        if (expired) return ETIME;
        yield PARK;
      }
    } finally {
      ring.waiter = undefined;
      this.timers.cancel(ring);
    }
  }

  private wq(task: IoTask, ring: Ring): IoWq {
    let wq = this.wqs.get(task);
    if (!wq) {
      wq = new IoWq(this.kernel, task, ring.sqEntries, this.workerGone);
      this.wqs.set(task, wq);
    }
    return wq;
  }

  /** Installs a file in the table of a process (tgid). */
  install(tgid: number, fd: number, file: OpenFile): void {
    this.fds.install(tgid, fd, file);
  }

  /** The file behind a descriptor of a task's process. */
  fileOf(task: IoTask, fd: number): OpenFile | undefined {
    return this.fds.get(task.tgid, fd);
  }

  /** String id of an opcode's name. */
  private opcodeId(opcode: number): number {
    let id = this.opcodeIds.get(opcode);
    if (id === undefined) {
      id = this.kernel.rec.trace.strings.id(opcodeName(opcode, 49));
      this.opcodeIds.set(opcode, id);
    }
    return id;
  }

  /** The io-wq work lies inside the request: 0xc8 bytes behind its start on 6.1. */
  private workPointer(reqPtr: number): number {
    const { wide } = this.kernel.rec.trace;
    return wide.word((wide.lowOf(reqPtr) + 0xc8) >>> 0, wide.highOf(reqPtr));
  }

  private userPointer(task: IoTask): number {
    return this.kernel.u64(0x7ffc00000000 + task.pid * 4096);
  }
}

/** A 64-bit offset or address of an SQE: -1 where all bits are set (no offset); beyond 2^53 it is rounded, no file reaches there. */
function fileOffset(view: DataView, at: number): number {
  const lo = getLo(view, at);
  const hi = getHi(view, at);
  return hi === 0xffffffff && lo === 0xffffffff ? -1 : hi * 0x100000000 + lo;
}

/** The request as a fault lets it run: a SPLICE asks for all and its backing file moves less, others ask for less. */
function shortened(req: IoReq, bytes: number): IoReq {
  if (req.opcode === IORING_OP.SPLICE) return { ...req, short: bytes };
  return { ...req, len: Math.min(req.len, bytes) };
}
