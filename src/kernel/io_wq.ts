import type { Kernel } from './kernel';
import type { IoTask } from './request';
import { type Gen, PARK } from './sched';

/** One piece of work for a worker thread. */
export interface IoWork {
  /** Work with the same key runs one at a time, in order (hashed by inode); undefined: unhashed. */
  readonly hash: object | undefined;
  /** IO_WQ_WORK_UNBOUND: it may block for ever, so it has workers of its own (pipes, sockets). */
  readonly unbound?: boolean;
  /** IO_WQ_WORK_CONCURRENT: a worker is made for it even where another one runs (IOSQE_ASYNC). */
  readonly concurrent?: boolean;
  run(worker: IoTask): Gen<void>;
  /** io_wq_free_work: what follows in the chain, once this has run. */
  linked?(): IoWork | undefined;
}

interface Worker {
  readonly task: IoTask;
  readonly acct: Acct;
  busy: boolean;
}

/** struct io_wqe_acct: bounded or unbounded work with its workers. */
interface Acct {
  readonly queue: IoWork[];
  running: number;
  workers: number;
  max: number;
}

/** Most workers for unbounded work; the kernel takes the process limit of the user. */
const UNBOUNDED_WORKERS = 4096;

/**
 * The io-wq of one task (io_uring/io-wq.c, 6.1): workers named iou-wrk-PID that are made on demand, another one whenever the
 * running ones all sleep, of bounded ones up to four a CPU. Bounded and unbounded work have queues and workers of their own.
 */
export class IoWq {
  private readonly bound: Acct;
  private readonly unbound: Acct = { queue: [], running: 0, workers: 0, max: UNBOUNDED_WORKERS };
  private readonly workers: Worker[] = [];
  private readonly activeHashes = new Set<object>();
  private exiting = false;
  private onIdle: (() => void) | undefined;

  constructor(
    private readonly kernel: Kernel,
    private readonly owner: IoTask,
    sqEntries: number,
    /** Called when a worker thread ends. */
    private readonly workerGone: (worker: IoTask) => void,
  ) {
    this.bound = { queue: [], running: 0, workers: 0, max: Math.min(sqEntries, 4 * kernel.cpus) };
  }

  /** Number of worker threads there are. */
  get size(): number {
    return this.workers.length;
  }

  /** IORING_REGISTER_IOWQ_MAX_WORKERS for bounded work. */
  limit(bounded: number): void {
    this.bound.max = bounded;
  }

  /** io_wq_enqueue */
  enqueue(work: IoWork): void {
    const acct = work.unbound ? this.unbound : this.bound;
    acct.queue.push(work);
    if (this.activateFree(acct)) return;
    if (work.concurrent || acct.running === 0) this.createWorker(acct);
  }

  /** The ring goes away: workers finish what they run and end. Calls back when all have. */
  exit(done: () => void): void {
    this.exiting = true;
    this.bound.queue.length = 0;
    this.unbound.queue.length = 0;
    this.onIdle = done;
    for (const worker of this.workers) if (!worker.busy) this.kernel.sched.wake(worker.task);
    if (this.workers.length === 0) done();
  }

  private activateFree(acct: Acct): boolean {
    const free = this.workers.find(
      (worker) => worker.acct === acct && !worker.busy && worker.task.state === 'parked',
    );
    if (!free || !this.hasRunnable(acct)) return false;
    this.kernel.sched.wake(free.task);
    return true;
  }

  private hasRunnable(acct: Acct): boolean {
    return acct.queue.some((work) => work.hash === undefined || !this.activeHashes.has(work.hash));
  }

  private createWorker(acct: Acct): void {
    if (acct.workers >= acct.max) return;
    const { kernel } = this;
    const task = kernel.newTask(
      `iou-wrk-${this.owner.pid}`,
      this.owner.tgid,
      (this.owner.cpu + 1) % kernel.cpus,
    );
    const worker: Worker = { task, acct, busy: false };
    this.workers.push(worker);
    acct.workers++;
    acct.running++;
    task.onSleep = () => this.sleeping(acct);
    task.onWake = () => {
      acct.running++;
    };
    kernel.sched.start(task, this.loop(worker), kernel.costs.newWorker);
  }

  /** io_wq_worker_sleeping: when the last running worker sleeps and work waits, another one takes over. */
  private sleeping(acct: Acct): void {
    acct.running--;
    if (acct.running > 0 || !this.hasRunnable(acct)) return;
    if (!this.activateFree(acct)) this.createWorker(acct);
  }

  private take(acct: Acct): IoWork | undefined {
    const at = acct.queue.findIndex((work) => work.hash === undefined || !this.activeHashes.has(work.hash));
    if (at < 0) return undefined;
    return acct.queue.splice(at, 1)[0];
  }

  private *loop(worker: Worker): Gen<void> {
    const { acct } = worker;
    for (;;) {
      for (;;) {
        const work = this.exiting ? undefined : this.take(acct);
        if (!work) break;
        worker.busy = true;
        yield* this.handle(worker, work);
        worker.busy = false;
      }
      if (this.exiting) break;
      acct.running--;
      yield PARK;
      acct.running++;
    }
    acct.running--;
    acct.workers--;
    this.workers.splice(this.workers.indexOf(worker), 1);
    this.workerGone(worker.task);
    if (this.workers.length === 0) this.onIdle?.();
  }

  /** io_worker_handle_work: the rest of a chain runs here too, unless it is hashed or hashed work waits behind this one. */
  private *handle(worker: Worker, first: IoWork): Gen<void> {
    let work: IoWork | undefined = first;
    while (work) {
      const hash: object | undefined = work.hash;
      if (hash) this.activeHashes.add(hash);
      yield* work.run(worker.task);
      const linked: IoWork | undefined = this.exiting ? undefined : work.linked?.();
      const here: boolean =
        linked?.hash === undefined && !(hash && worker.acct.queue.some((w) => w.hash === hash));
      if (linked && !here) this.enqueue(linked);
      if (hash) this.activeHashes.delete(hash);
      work = here ? linked : undefined;
    }
  }
}
