/** io_uring/io-wq.c: worker threads, bounded and unbounded, with work hashed by inode. */
import { failByTaskWork, setFail } from './complete_later';
import { assignFile, completeFromWorker, issueSqe, putFromWorker, taskSubmit } from './core';
import { canPoll, putFile } from './open_files';
import { armAsyncPoll } from './poll_arm';
import { opTime, TIME } from './run_times';
import { type IoWq, ISSUE, ISSUED, REQ, type Req, type Uring, type WqCancel } from './types';
import type { SleepWait } from './wait_queue';
import { type Actor, type Context, type Delay, PARK, type World } from './world';
import { IORING_OP } from '../../uapi/io_uring_ops';

const EBADF = -9;
const EAGAIN = -11;
const ECANCELED = -125;
const ERESTARTSYS = -512;
/** CPUs of the simulated machine. */
const CPUS = 2;
const MAX_UNBOUND = 4096;

/** One class of workers (struct io_wq_acct). */
interface Acct {
  readonly name: string;
  readonly max: number;
  list: Req[];
  workers: number;
  running: number;
  /** Idle and just created workers, last in first out. */
  free: Worker[];
}

/** struct io_worker */
interface Worker {
  readonly acct: Acct;
  actor: Actor | undefined;
  current: Req | undefined;
  signalled: boolean;
  idle: boolean;
  /** Set while it sleeps inside an op. */
  interrupt: (() => void) | undefined;
}

/** i_rwsem of an inode, as far as workers contend for it. */
interface InodeLock {
  held: boolean;
  readonly waiting: Actor[];
}

/** The io-wq of one submitting task. */
export class WorkerPool implements IoWq {
  private readonly bound: Acct;
  private readonly unbound: Acct;
  private readonly all: Worker[] = [];
  private readonly hashBusy = new Set<number>();
  private readonly locks = new Map<number, InodeLock>();
  private readonly hashTail = new Map<number, Req>();

  constructor(
    private readonly world: World,
    sqEntries: number,
  ) {
    const acct = (name: string, max: number): Acct => ({
      name,
      max,
      list: [],
      workers: 0,
      running: 0,
      free: [],
    });
    this.bound = acct('wrk', Math.min(sqEntries, 4 * CPUS));
    this.unbound = acct('unb', MAX_UNBOUND);
  }

  enqueue(ring: Uring, req: Req): void {
    this.world.touch(ring.wqLock);
    const acct = req.work.unbound ? this.unbound : this.bound;
    this.insert(acct, req);
    if (this.activateFree(acct)) return;
    if (req.work.concurrent || acct.running === 0) this.create(ring, acct, 0);
  }

  private insert(acct: Acct, req: Req): void {
    const { hash } = req.work;
    const tail = hash >= 0 ? this.hashTail.get(hash) : undefined;
    if (hash >= 0) this.hashTail.set(hash, req);
    if (tail) acct.list.splice(acct.list.indexOf(tail) + 1, 0, req);
    else acct.list.push(req);
  }

  /** io_acct_activate_free_worker: true when there is one, even one that has not started yet. */
  private activateFree(acct: Acct): boolean {
    const worker = acct.free[0];
    if (worker === undefined) return false;
    if (worker.idle && worker.actor) {
      this.world.charge(TIME.wakeWorker);
      this.world.wake(worker.actor, TIME.workerWake);
    }
    return true;
  }

  private create(ring: Uring, acct: Acct, delay: number): void {
    if (acct.workers >= acct.max) return;
    acct.workers++;
    acct.running++;
    const worker: Worker = {
      acct,
      actor: undefined,
      current: undefined,
      signalled: false,
      idle: false,
      interrupt: undefined,
    };
    acct.free.unshift(worker);
    this.all.push(worker);
    worker.actor = this.world.spawn(
      `iou-${acct.name}-${this.all.length}`,
      this.workerLoop(ring, worker),
      delay + TIME.createWorker + TIME.workerStart,
    );
    if (delay === 0) this.world.charge(TIME.createWorker);
  }

  private *workerLoop(ring: Uring, worker: Worker): Context {
    const { acct } = worker;
    for (;;) {
      for (;;) {
        this.world.touch(ring.wqLock);
        const batch = this.next(acct);
        if (batch.length === 0) break;
        const at = acct.free.indexOf(worker);
        if (at >= 0) acct.free.splice(at, 1);
        yield* this.runBatch(ring, worker, batch);
      }
      if (!acct.free.includes(worker)) acct.free.unshift(worker);
      acct.running--;
      worker.idle = true;
      yield PARK;
      worker.idle = false;
      acct.running++;
    }
  }

  /** io_get_next_work: the first that may run, with everything queued behind it under the same hash. */
  private next(acct: Acct): Req[] {
    const { list } = acct;
    for (let i = 0; i < list.length; i++) {
      const { hash } = list[i]!.work;
      if (hash < 0) return list.splice(i, 1);
      let end = i + 1;
      while (end < list.length && list[end]!.work.hash === hash) end++;
      if (!this.hashBusy.has(hash)) {
        this.hashBusy.add(hash);
        this.hashTail.delete(hash);
        return list.splice(i, end - i);
      }
      i = end - 1;
    }
    return [];
  }

  private *runBatch(ring: Uring, worker: Worker, batch: Req[]): Context {
    let work = batch.shift();
    while (work) {
      const { hash } = work.work;
      const lastOfHash = batch.length === 0;
      worker.current = work;
      yield* this.runOne(ring, worker, work);
      worker.current = undefined;
      worker.signalled = false;
      let linked = putFromWorker(ring, work);
      work = batch.shift();
      if (!work && linked && linked.work.hash < 0) {
        work = linked;
        linked = undefined;
      }
      if (linked) this.enqueue(ring, linked);
      if (hash >= 0 && lastOfHash) this.releaseHash(ring, hash);
      worker.current = work;
      yield TIME.workerNext;
    }
  }

  private releaseHash(ring: Uring, hash: number): void {
    this.world.touch(ring.wqLock);
    this.hashBusy.delete(hash);
    for (const acct of [this.bound, this.unbound]) {
      if (acct.list.some((req) => req.work.hash === hash)) this.activateFree(acct);
    }
  }

  /** io_wq_submit_work */
  private *runOne(ring: Uring, worker: Worker, req: Req): Context {
    this.takeReference(req);
    req.cause = 'worker';
    if (req.work.cancel) {
      failByTaskWork(ring, req, ECANCELED);
      return;
    }
    if (!assignFile(ring, req)) {
      failByTaskWork(ring, req, EBADF);
      return;
    }
    const lock = this.inodeLock(ring, req);
    this.world.touch(ring.ctlLock);
    if (lock) yield* this.acquire(ring, worker, lock);
    yield opTime(req.opcode);
    yield* this.issue(ring, worker, req, lock);
  }

  private *issue(ring: Uring, worker: Worker, req: Req, lock: InodeLock | undefined): Context {
    const def = ring.ops[req.opcode]!;
    let poll = (req.flags & REQ.FORCE_ASYNC) !== 0 && (def.pollin || def.pollout) && canPoll(req.file!);
    for (;;) {
      let flags = ISSUE.UNLOCKED | ISSUE.IOWQ;
      if (poll) flags |= ISSUE.NONBLOCK;
      req.diskWait = 0;
      let ret = issueSqe(ring, req, flags);
      if (lock?.held) this.release(lock);
      if (ret === ISSUED.BLOCKED) ret = yield* this.sleepInOp(ring, worker, req, flags);
      if (req.diskWait > 0) yield* this.waitForDisk(ring, worker, req, ret);
      if (ret === EAGAIN && (req.flags & REQ.NOWAIT) === 0 && poll) {
        if (armAsyncPoll(ring, req, taskSubmit) === 'armed') return;
        poll = false;
        continue;
      }
      if (ret !== 0) failByTaskWork(ring, req, ret);
      return;
    }
  }

  /** The lock of the regular file that an op changes. */
  private inodeLock(ring: Uring, req: Req): InodeLock | undefined {
    const { file } = req;
    const changes = ring.ops[req.opcode]!.hashRegFile || req.opcode === IORING_OP.FALLOCATE;
    if (file?.kind !== 'file' || !changes) return undefined;
    let lock = this.locks.get(file.inode);
    if (lock === undefined) {
      lock = { held: false, waiting: [] };
      this.locks.set(file.inode, lock);
    }
    return lock;
  }

  /** inode_lock: who waits is woken when it is free, and may find it taken again. */
  private *acquire(ring: Uring, worker: Worker, lock: InodeLock): Generator<number, void, void> {
    while (lock.held) {
      lock.waiting.push(worker.actor!);
      this.stopRunning(ring, worker.acct);
      yield PARK;
      worker.acct.running++;
    }
    lock.held = true;
  }

  private release(lock: InodeLock): void {
    lock.held = false;
    const next = lock.waiting.shift();
    if (next) this.world.wake(next, TIME.lockWake);
  }

  private takeReference(req: Req): void {
    if ((req.flags & REQ.REFCOUNT) !== 0) req.refs++;
    else {
      req.flags |= REQ.REFCOUNT;
      req.refs = 2;
    }
  }

  private *waitForDisk(
    ring: Uring,
    worker: Worker,
    req: Req,
    ret: number,
  ): Generator<number | Delay, void, void> {
    this.stopRunning(ring, worker.acct);
    yield { likely: req.diskWait, least: 10_000, most: req.diskWait * 20 };
    worker.acct.running++;
    req.diskWait = 0;
    if (ret === 0) completeFromWorker(ring, req);
  }

  /** A blocking op sleeps until the pipe wakes it, or a cancel interrupts it. */
  private *sleepInOp(ring: Uring, worker: Worker, req: Req, flags: number): Generator<number, number, void> {
    for (;;) {
      if (worker.signalled) return this.interrupted(ring, req);
      const queue = req.blockedOn!;
      const sleeper: SleepWait = {
        exclusive: ring.ops[req.opcode]!.unboundNonreg,
        wake: () => this.world.wake(worker.actor!, TIME.pipeWake),
      };
      queue.addSleeper(sleeper);
      worker.interrupt = () => {
        queue.removeSleeper(sleeper);
        this.world.wake(worker.actor!, TIME.pipeWake);
      };
      this.stopRunning(ring, worker.acct);
      yield PARK;
      worker.acct.running++;
      worker.interrupt = undefined;
      if (worker.signalled) return this.interrupted(ring, req);
      req.diskWait = 0;
      const ret = issueSqe(ring, req, flags);
      if (ret !== ISSUED.BLOCKED) return ret;
    }
  }

  private interrupted(ring: Uring, req: Req): number {
    req.blockedOn = undefined;
    if (req.spliceIn) putFile(req.spliceIn);
    req.spliceIn = undefined;
    const splicing = req.opcode === IORING_OP.SPLICE || req.opcode === IORING_OP.TEE;
    if (!splicing) {
      const moved = req.rw?.bytesDone ?? 0;
      if (moved > 0) {
        setFail(req);
        req.res = moved;
        completeFromWorker(ring, req);
        return 0;
      }
      return ERESTARTSYS;
    }
    setFail(req);
    req.res = ring.profile.interruptedSplice;
    completeFromWorker(ring, req);
    return 0;
  }

  /** io_wq_worker_sleeping: when nobody runs and work waits, another worker is made by the submitter. */
  private stopRunning(ring: Uring, acct: Acct): void {
    this.world.touch(ring.wqLock);
    acct.running--;
    if (acct.running > 0 || !this.hasRunnable(acct)) return;
    this.create(ring, acct, TIME.taskWake);
  }

  private hasRunnable(acct: Acct): boolean {
    return acct.list.some((req) => req.work.hash < 0 || !this.hashBusy.has(req.work.hash));
  }

  cancel(ring: Uring, matches: (req: Req) => boolean, all: boolean): WqCancel {
    let pending = 0;
    for (const acct of [this.bound, this.unbound]) {
      for (let i = 0; i < acct.list.length; ) {
        const req = acct.list[i]!;
        if (!matches(req)) {
          i++;
          continue;
        }
        this.removePending(acct, i);
        this.dropPending(ring, req);
        pending++;
        if (!all) return 'ok';
      }
    }
    let running = 0;
    for (const worker of this.all) {
      if (worker.current === undefined || !matches(worker.current)) continue;
      worker.signalled = true;
      worker.interrupt?.();
      running++;
      if (!all) return 'running';
    }
    if (running > 0) return 'running';
    return pending > 0 ? 'ok' : 'none';
  }

  /** io_wq_remove_pending: the tail of a hash moves to the item before it. */
  private removePending(acct: Acct, i: number): void {
    const req = acct.list[i]!;
    const { hash } = req.work;
    if (hash >= 0 && this.hashTail.get(hash) === req) {
      const before = acct.list[i - 1];
      if (before && before.work.hash === hash) this.hashTail.set(hash, before);
      else this.hashTail.delete(hash);
    }
    acct.list.splice(i, 1);
  }

  /** io_run_cancel: the work is run as cancelled by whoever cancels. */
  private dropPending(ring: Uring, first: Req): void {
    for (let req: Req | undefined = first; req; ) {
      req.work.cancel = true;
      this.takeReference(req);
      req.cause = 'cancel';
      failByTaskWork(ring, req, ECANCELED);
      req = putFromWorker(ring, req);
    }
  }
}
