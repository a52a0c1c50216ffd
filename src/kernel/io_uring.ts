import { IORING_ENTER, IORING_SETUP, IOSQE } from '../uapi/io_uring_abi';
import { IORING_OP } from '../uapi/io_uring_ops';
import type { FaultPlan } from './faults';
import { FdTables } from './fd_tables';
import { Chain, Drains, ECANCELED, linksOn, setFailed } from './io_chain';
import { type Completed, IoIssue, isBlocking } from './io_issue';
import type { IoReq, OpTable } from './io_req';
import { IoWq } from './io_wq';
import type { Kernel } from './kernel';
import type { OpenFile } from './open_file';
import { finishPlug, startPlug } from './plug';
import { submitFlags } from './req_flags';
import type { IoTask } from './request';
import { Ring } from './ring';
import { RingTimers } from './ring_timers';
import { type Gen, PARK, TaskKilled } from './sched';
import { TaskWork } from './task_work';

const EINTR = -4;
const ETIME = -62;
/** io_uring_submit_sqes opens a plug when more than this many SQEs come at once (IO_PLUG_THRESHOLD). */
const PLUG_THRESHOLD = 2;
/** Opcodes of io_uring_register that do something here. */
const REGISTER_FILES = 2;
const UNREGISTER_FILES = 3;
const REGISTER_IOWQ_MAX_WORKERS = 19;

/** The io_uring core of 6.1: submission, inline completion, task work, io-wq, CQ waiting. */
export class IoUring {
  private readonly issue: IoIssue;
  private readonly drains = new Drains();
  private readonly fds = new FdTables();
  private readonly work: TaskWork;
  private readonly timers: RingTimers;
  private readonly wqs = new Map<IoTask, IoWq>();
  private readonly rings = new Map<IoTask, Ring[]>();

  constructor(
    readonly kernel: Kernel,
    ops: OpTable,
    faults: FaultPlan,
    private readonly workerGone: (worker: IoTask) => void,
  ) {
    this.work = new TaskWork(kernel);
    this.timers = new RingTimers(kernel);
    this.issue = new IoIssue(
      kernel,
      ops,
      faults,
      this.work,
      { wqOf: (task, ring) => this.wq(task, ring), fileOf: (task, fd) => this.fileOf(task, fd) },
      (ring) => {
        for (const req of this.drains.ready(ring)) this.issue.queueTask(req);
      },
    );
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
    emit.sys_enter_io_uring_register(
      ring.fd,
      opcode,
      opcode === UNREGISTER_FILES ? 0 : this.userPointer(task),
      nr,
    );
    yield this.kernel.costs.syscall;
    let ret = 0;
    if (opcode === REGISTER_FILES) ring.files = files;
    else if (opcode === UNREGISTER_FILES) ring.files = [];
    else ret = 1;
    emit.io_uring_register(ring.ptr, opcode, ring.files.length, 0, ret);
    emit.sys_exit_io_uring_register(ret);
    return ret;
  }

  /** IORING_REGISTER_IOWQ_MAX_WORKERS: at most so many bounded workers; the unbounded stay as they are. */
  *limitWorkers(task: IoTask, ring: Ring, bounded: number): Gen<void> {
    const { emit } = this.kernel.rec;
    emit.sys_enter_io_uring_register(ring.fd, REGISTER_IOWQ_MAX_WORKERS, this.userPointer(task), 2);
    yield this.kernel.costs.syscall;
    this.wq(task, ring).limit(bounded);
    emit.io_uring_register(ring.ptr, REGISTER_IOWQ_MAX_WORKERS, ring.files.length, 0, 0);
    emit.sys_exit_io_uring_register(0);
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
    emit.sys_enter_io_uring_enter(fd, toSubmit, this.kernel.u64(minComplete), flags, argp, argsz);
    yield* this.work.run(task);
    let ret = 0;
    if (toSubmit > 0) ret = yield* this.submit(task, ring, toSubmit);
    if (flags & IORING_ENTER.GETEVENTS) {
      const waited = yield* this.wait(task, ring, Math.min(minComplete, ring.cqEntries), timeout);
      if (ret === 0 && waited < 0) ret = waited;
      if (waited === EINTR) {
        // the signal is taken on the way back to user space, behind the tracepoint
        emit.sys_exit_io_uring_enter(this.kernel.i32(ret));
        throw new TaskKilled();
      }
    }
    yield* this.work.run(task);
    emit.sys_exit_io_uring_enter(this.kernel.i32(ret));
    yield this.kernel.costs.syscall;
    return ret;
  }

  /** task_work_add of the task itself, outside io_uring. False when the task is dead or dying. */
  addPlainTaskWork(task: IoTask, fn: () => void): boolean {
    return this.work.addPlain(task, fn);
  }

  /** Task work of a task that is in user space; true when there was any. */
  *interrupt(task: IoTask): Gen<boolean> {
    return yield* this.work.run(task);
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
    const inline: Completed[] = [];
    const chain = new Chain();
    const plugged = n > PLUG_THRESHOLD && startPlug(task);
    const head = ring.sqHead;
    let taken = 0;
    while (taken < n) {
      const req = this.issue.read(ring, task, (head + taken) >>> 0);
      taken++;
      ring.taken = (ring.taken + 1) >>> 0;
      const error = this.drains.init(req, chain.head) || this.issue.check(req);
      if (error) {
        this.submitFailed(req, error, chain);
        if (!linksOn(req) && !(ring.setupFlags & IORING_SETUP.SUBMIT_ALL)) break;
      } else {
        if (this.kernel.profile.rules.forceAsyncAtPrep && isBlocking(req)) req.flags |= IOSQE.ASYNC;
        yield* this.submitOne(req, chain, inline);
      }
    }
    ring.sqHead = (head + taken) >>> 0;
    // the chain ends where the submit call ends
    const cut = chain.take();
    if (cut) this.queueSlowly(cut);
    if (plugged) finishPlug(this.kernel, task);
    this.issue.flush(inline);
    return taken;
  }

  /** io_submit_sqe: issues the request, or adds it to the chain and issues the head when the chain is complete. */
  private *submitOne(req: IoReq, chain: Chain, inline: Completed[]): Gen<void> {
    const { issue } = this;
    const { emit } = this.kernel.rec;
    const { rules } = this.kernel.profile;
    const opcode = issue.opcodeId(req.opcode);
    if (rules.laterTracepoints)
      emit.io_uring_submit_req(req.ring.ptr, req.ptr, req.udWord, opcode, submitFlags(req), 0);
    else emit.io_uring_submit_sqe(req.ring.ptr, req.ptr, req.udWord, opcode, req.flags, 1, 0);
    let first = req;
    if (chain.head) {
      if (rules.filesAtLink) issue.prepAsync(req);
      const after = rules.linkTracesPredecessor ? (chain.last ?? chain.head) : chain.head;
      emit.io_uring_link(req.ring.ptr, req.ptr, after.ptr);
      chain.add(req);
      if (linksOn(req)) return;
      first = chain.take() ?? req;
    } else if (linksOn(req)) {
      // its followers come with the next SQEs, and the slot may be used again before it runs
      chain.add(req);
      return;
    }
    if (first.flags & IOSQE.ASYNC || first.failed) this.queueSlowly(first);
    else if (first.opcode === IORING_OP.URING_CMD && issue.assign(first)) issue.queueCmd(first);
    else yield* issue.queue(first, inline);
  }

  /** io_submit_fail_init: a malformed member fails the chain as a whole, once the chain is complete. */
  private submitFailed(req: IoReq, error: number, chain: Chain): void {
    const { emit } = this.kernel.rec;
    const u64 = (value: number): number => this.kernel.u64(value);
    emit.io_uring_req_failed(
      req.ring.ptr,
      req.ptr,
      req.udWord,
      this.issue.opcodeId(req.opcode),
      req.flags,
      0,
      u64(req.off),
      u64(req.addr),
      u64(req.len),
      u64(req.opFlags),
      0,
      0,
      this.kernel.i32(req.spliceFdIn),
      0,
      0,
      this.kernel.i32(error),
    );
    setFailed(req, error);
    if (chain.head && !chain.head.failed) setFailed(chain.head, ECANCELED);
    chain.add(req);
    if (linksOn(req)) return;
    const head = chain.take();
    if (head) this.queueSlowly(head);
  }

  /** io_queue_sqe_fallback: requests that never get an inline attempt. */
  private queueSlowly(req: IoReq): void {
    const { ring } = req;
    if (req.failed) {
      req.flags = (req.flags & ~IOSQE.IO_HARDLINK) | IOSQE.IO_LINK;
      this.issue.completeFailed(req, req.res);
    } else if (ring.drainActive) {
      if (!this.drains.defers(req)) {
        this.issue.queueTask(req);
        return;
      }
      if (this.kernel.profile.rules.filesAtLink) this.issue.prepAsync(req);
      this.kernel.rec.emit.io_uring_defer(ring.ptr, req.ptr, req.udWord, this.issue.opcodeId(req.opcode));
    } else {
      this.issue.prepAsync(req);
      this.issue.punt(req);
    }
  }

  private *wait(task: IoTask, ring: Ring, min: number, timeout: number | undefined): Gen<number> {
    for (;;) {
      const ran = yield* this.work.run(task);
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
        if (task.killed) return EINTR;
        yield* this.work.run(task);
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

  private userPointer(task: IoTask): number {
    return this.kernel.u64(0x7ffc00000000 + task.pid * 4096);
  }
}
