/** What a worker of io-wq does with one request (io_wq_submit_work). */
import { IORING_OP } from '../../uapi/io_uring_ops';
import { failByTaskWork, setFail } from './complete_later';
import { assignFile, completeFromWorker, issueSqe, putFromWorker, taskSubmit } from './core';
import { canPoll, putFile } from './open_files';
import { takePositionFirst } from './ops_rw';
import { dropDirect } from './rw_end';
import { armAsyncPoll } from './poll_arm';
import { OPT, opTime, TIME } from './run_times';
import { ISSUE, ISSUED, REQ, type Req, type Uring } from './types';
import type { Pipe } from './pipe';
import { SPLICE_F } from './splice_ops';
import type { SleepWait } from './wait_queue';
import { type Actor, type Context, type Delay, PARK, type World } from './world';

const EBADF = -9;
const EAGAIN = -11;
const ECANCELED = -125;
const EINTR = -4;

/** Later than any timer that matters, ns. */
const FAR = 1_000_000_000;

/** The thread that runs a request. */
export interface Thread {
  actor: Actor | undefined;
  signalled: boolean;
  /** Set while it sleeps inside an op. */
  interrupt: (() => void) | undefined;
}

/** i_rwsem of an inode or the mutex of a pipe, as far as workers contend for it. */
interface Lock {
  held: boolean;
  readonly waiting: Actor[];
}

/** Pipes that a request works on. */
function pipesOf(ring: Uring, { file, sqe }: Req): Pipe[] {
  const pipes = file?.pipe ? [file.pipe] : [];
  if (sqe.opcode !== IORING_OP.SPLICE && sqe.opcode !== IORING_OP.TEE) return pipes;
  const fixed = (sqe.opFlags & SPLICE_F.FD_IN_FIXED) !== 0;
  const input = fixed ? ring.fixedFiles[sqe.spliceFdIn] : ring.fds.get(sqe.spliceFdIn);
  return input?.pipe ? [...pipes, input.pipe] : pipes;
}

/** The part of io-wq that does not depend on how threads are made. */
export abstract class WorkRunner {
  private readonly locks = new Map<number | Pipe, Lock>();

  constructor(
    protected readonly world: World,
    /** Ops take no time of their own, and a completion may be a step of its own where `splits` says so. */
    private readonly splits: ((req: Req) => boolean) | undefined,
    /** Whether somebody may come to cancel a request. */
    protected readonly cancellable?: (req: Req) => boolean,
  ) {}

  /** Whether it is seen by nobody when a worker starts with a request: it goes to wait for the disk, for all that matters at any time. */
  protected startsUnseen(_ring: Uring, _req: Req): boolean {
    return false;
  }

  /** The thread sleeps inside an op (io_wq_worker_sleeping). */
  protected abstract fellAsleep(ring: Uring, thread: Thread): void;

  /** The thread can run again, and goes on when it has a CPU. */
  protected abstract wokeUp(thread: Thread): Generator<number, void, void>;

  /** io_wq_submit_work */
  protected *runOne(ring: Uring, thread: Thread, req: Req): Context {
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
    if (this.splits) {
      if (this.cancellable?.(req)) {
        this.world.mark(7, req.id);
        yield 0;
      }
      if (ring.contended(req.sqe) && takePositionFirst(req)) {
        this.world.mark(8, req.id);
        yield 0;
      }
      yield* this.issue(ring, thread, req, undefined);
      return;
    }
    const refused = ring.ops[req.opcode]!.refused?.(req) ?? false;
    const lock = refused ? undefined : this.inodeLock(ring, req);
    if (lock) yield* this.acquire(ring, thread, lock);
    for (const shared of this.sharedLocks(ring, req)) {
      yield* this.waitFor(ring, thread, shared);
      this.wakeNext(shared);
    }
    yield refused ? OPT.refused : opTime(req.opcode, req.file, req.sqe.len);
    yield* this.issue(ring, thread, req, lock);
  }

  private *issue(ring: Uring, thread: Thread, req: Req, lock: Lock | undefined): Context {
    const def = ring.ops[req.opcode]!;
    let poll = (req.flags & REQ.FORCE_ASYNC) !== 0 && (def.pollin || def.pollout) && canPoll(req.file!);
    for (;;) {
      let flags = ISSUE.UNLOCKED | ISSUE.IOWQ;
      if (poll) flags |= ISSUE.NONBLOCK;
      req.diskWait = 0;
      req.splitPost = this.splits?.(req) ?? false;
      let ret = issueSqe(ring, req, flags);
      const kept = this.splits ? [] : this.keptLocks(ring, req, lock);
      if (lock?.held && !kept.includes(lock)) this.release(lock);
      for (const each of kept) each.held = true;
      if (ret === ISSUED.BLOCKED) ret = yield* this.sleepInOp(ring, thread, req, flags);
      if (req.held) yield* this.waitForDisk(ring, thread, req);
      for (const each of kept) this.release(each);
      if (req.rw?.direct?.refs === 2) {
        this.world.mark(6, req.id);
        yield 0;
        if (dropDirect(req)) completeFromWorker(ring, req);
      }
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
  private inodeLock(ring: Uring, req: Req): Lock | undefined {
    const { file } = req;
    const changes = ring.ops[req.opcode]!.hashRegFile || req.opcode === IORING_OP.FALLOCATE;
    if (file?.kind !== 'file' || !changes) return undefined;
    // A splice that finds its pipe empty never comes to its file.
    if (pipesOf(ring, req).some(({ slots }) => slots.length === 0)) return undefined;
    return this.lockOf(file.inode);
  }

  /** Locks that an op takes only for a moment: of pipes, and of a file that is read without its cache. */
  private sharedLocks(ring: Uring, req: Req): Lock[] {
    const { file } = req;
    const reads = file?.direct && !ring.ops[req.opcode]!.hashRegFile && req.rw !== undefined;
    return [
      ...pipesOf(ring, req).map((pipe) => this.lockOf(pipe)),
      ...(reads ? [this.lockOf(file.inode)] : []),
    ];
  }

  /** Locks that stay while the disk works: of a file that is written without its cache, of a pipe that is moved. */
  private keptLocks(ring: Uring, req: Req, own: Lock | undefined): Lock[] {
    if (!req.held) return [];
    const kept = own && req.file?.direct ? [own] : [];
    if (req.opcode === IORING_OP.SPLICE) kept.push(...pipesOf(ring, req).map((pipe) => this.lockOf(pipe)));
    return kept;
  }

  private lockOf(key: number | Pipe): Lock {
    let lock = this.locks.get(key);
    if (lock === undefined) {
      lock = { held: false, waiting: [] };
      this.locks.set(key, lock);
    }
    return lock;
  }

  /** inode_lock: who waits is woken when it is free, and may find it taken again. */
  private *acquire(ring: Uring, thread: Thread, lock: Lock): Generator<number, void, void> {
    yield* this.waitFor(ring, thread, lock);
    lock.held = true;
  }

  private *waitFor(ring: Uring, thread: Thread, lock: Lock): Generator<number, void, void> {
    while (lock.held) {
      lock.waiting.push(thread.actor!);
      this.fellAsleep(ring, thread);
      yield PARK;
      yield* this.wokeUp(thread);
    }
  }

  private release(lock: Lock): void {
    lock.held = false;
    this.wakeNext(lock);
  }

  private wakeNext(lock: Lock): void {
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

  private *waitForDisk(ring: Uring, thread: Thread, req: Req): Generator<number | Delay, void, void> {
    const { diskWait } = req;
    this.fellAsleep(ring, thread);
    this.world.mark(1, req.id);
    const most = this.startsUnseen(ring, req) ? FAR : Math.max(diskWait * 20, 1_500_000);
    yield { likely: diskWait, least: Math.min(diskWait, 10_000), most };
    yield* this.wokeUp(thread);
    req.diskWait = 0;
    req.held = false;
    completeFromWorker(ring, req);
  }

  /** A blocking op sleeps until the pipe wakes it, or a cancel interrupts it. */
  private *sleepInOp(ring: Uring, thread: Thread, req: Req, flags: number): Generator<number, number, void> {
    for (;;) {
      // Whoever sleeps in a pipe looks at the pipe first and at signals afterwards: what came with the signal is taken.
      if (thread.signalled) return this.interrupted(ring, req);
      const queue = req.blockedOn!;
      const sleeper: SleepWait = {
        owner: req.id,
        exclusive: req.opcode !== IORING_OP.SPLICE && req.opcode !== IORING_OP.TEE,
        wake: () => this.world.wake(thread.actor!, TIME.pipeWake),
      };
      queue.addSleeper(sleeper);
      thread.interrupt = () => {
        thread.interrupt = undefined;
        queue.removeSleeper(sleeper);
        this.world.wake(thread.actor!, TIME.signalWake);
      };
      this.fellAsleep(ring, thread);
      this.world.mark(2, req.id);
      yield PARK;
      yield* this.wokeUp(thread);
      thread.interrupt = undefined;
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
      return EINTR;
    }
    setFail(req);
    req.res = ring.profile.interruptedSplice;
    completeFromWorker(ring, req);
    return 0;
  }

  /** io_run_cancel: the work is run as cancelled by whoever cancels. */
  protected dropPending(ring: Uring, first: Req): void {
    for (let req: Req | undefined = first; req; ) {
      req.work.cancel = true;
      this.takeReference(req);
      req.cause = 'cancel';
      req.cancelledBy = ring.canceller?.id ?? 0;
      failByTaskWork(ring, req, ECANCELED);
      req = putFromWorker(ring, req);
    }
  }
}
