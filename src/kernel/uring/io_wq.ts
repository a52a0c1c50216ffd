/** io_uring/io-wq.c: worker threads, bounded and unbounded, with work hashed by inode. */
import { putFromWorker } from './core';
import { TIME } from './run_times';
import type { IoWq, Req, Uring, WqCancel } from './types';
import { type Context, PARK, type World } from './world';
import { type Thread, WorkRunner } from './work_runner';
import { WorkerCpu } from './worker_cpu';

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
interface Worker extends Thread {
  readonly acct: Acct;
  current: Req | undefined;
  idle: boolean;
  idleSince: number;
}

/** The io-wq of one submitting task. */
export class WorkerPool extends WorkRunner implements IoWq {
  private readonly bound: Acct;
  private readonly unbound: Acct;
  private readonly all: Worker[] = [];
  private readonly cpu: WorkerCpu<Worker>;
  private readonly hashBusy = new Set<number>();
  private readonly hashTail = new Map<number, Req>();

  constructor(world: World, sqEntries: number) {
    super(world, undefined);
    this.cpu = new WorkerCpu(world);
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
    const acct = req.work.unbound ? this.unbound : this.bound;
    this.insert(acct, req);
    if (this.activateFree(acct)) return;
    if (req.work.concurrent || acct.running === 0) this.create(ring, acct, 0);
  }

  /** Nobody asks: only runs without a choice use it. */
  stateKey(): void {}

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
      const cold = this.world.now - worker.idleSince > TIME.longSleep;
      if (!this.cpu.has(worker) && this.cpu.enter(worker))
        this.world.wake(worker.actor, cold ? TIME.workerWakeCold : TIME.workerWake);
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
      idleSince: 0,
      interrupt: undefined,
    };
    acct.free.unshift(worker);
    this.all.push(worker);
    const idle = this.cpu.enter(worker, true);
    worker.actor = this.world.spawn(
      `iou-${acct.name}-${this.all.length}`,
      this.workerLoop(ring, worker),
      delay + TIME.createWorker + (idle ? TIME.workerStart : TIME.takeOver),
    );
    if (delay === 0) this.world.charge(TIME.createWorker);
  }

  private *workerLoop(ring: Uring, worker: Worker): Context {
    const { acct } = worker;
    if (!this.cpu.has(worker) && ring.cqWake) this.cpu.elsewhere(worker);
    else while (!this.cpu.has(worker)) yield PARK;
    this.cpu.started(worker);
    for (;;) {
      for (;;) {
        const batch = this.next(acct);
        if (batch.length === 0) break;
        const at = acct.free.indexOf(worker);
        if (at >= 0) acct.free.splice(at, 1);
        yield* this.runBatch(ring, worker, batch);
      }
      if (!acct.free.includes(worker)) acct.free.unshift(worker);
      acct.running--;
      worker.idle = true;
      worker.idleSince = this.world.now;
      this.cpu.leave(worker);
      do yield PARK;
      while (!this.cpu.has(worker));
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
      if (hash >= 0 && lastOfHash) this.releaseHash(hash);
      worker.current = work;
      yield TIME.workerNext;
    }
  }

  private releaseHash(hash: number): void {
    this.hashBusy.delete(hash);
    for (const acct of [this.bound, this.unbound]) {
      if (acct.list.some((req) => req.work.hash === hash)) this.activateFree(acct);
    }
  }

  /** When nobody runs and work waits, another worker is made by the submitter. */
  protected override fellAsleep(ring: Uring, thread: Thread): void {
    const { acct } = thread as Worker;
    acct.running--;
    this.cpu.leave(thread as Worker);
    if (acct.running > 0 || !this.hasRunnable(acct)) return;
    this.create(ring, acct, TIME.taskWake);
  }

  protected override *wokeUp(thread: Thread): Generator<number, void, void> {
    const worker = thread as Worker;
    this.cpu.enter(worker);
    while (!this.cpu.has(worker)) yield PARK;
    worker.acct.running++;
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
      worker.current.work.cancel = true;
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
}
