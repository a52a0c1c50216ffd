import type { Kernel } from './kernel';
import type { IoTask } from './request';
import { type Gen, PARK } from './sched';

/** One piece of work for a worker thread. */
export interface IoWork {
  /** Work with the same key runs one at a time, in order (hashed by inode); undefined: unhashed. */
  readonly hash: object | undefined;
  run(worker: IoTask): Gen<void>;
}

interface Worker {
  readonly task: IoTask;
  busy: boolean;
}

/**
 * The io-wq of one task (io_uring/io-wq.c, 6.1), bounded work only: workers named iou-wrk-PID that are made on demand,
 * another one whenever the running ones all sleep, up to four a CPU.
 */
export class IoWq {
  private readonly queue: IoWork[] = [];
  private readonly workers: Worker[] = [];
  private readonly activeHashes = new Set<object>();
  private running = 0;
  private exiting = false;
  private readonly max: number;
  private onIdle: (() => void) | undefined;

  constructor(
    private readonly kernel: Kernel,
    private readonly owner: IoTask,
    sqEntries: number,
    /** Called when a worker thread ends. */
    private readonly workerGone: (worker: IoTask) => void,
  ) {
    this.max = Math.min(sqEntries, 4 * kernel.cpus);
  }

  /** Number of worker threads there are. */
  get size(): number {
    return this.workers.length;
  }

  /** io_wq_enqueue */
  enqueue(work: IoWork): void {
    this.queue.push(work);
    if (this.activateFree()) return;
    if (this.running === 0) this.createWorker();
  }

  /** The ring goes away: workers finish what they run and end. Calls back when all have. */
  exit(done: () => void): void {
    this.exiting = true;
    this.queue.length = 0;
    this.onIdle = done;
    for (const worker of this.workers) if (!worker.busy) this.kernel.sched.wake(worker.task);
    if (this.workers.length === 0) done();
  }

  private activateFree(): boolean {
    const free = this.workers.find((worker) => !worker.busy && worker.task.state === 'parked');
    if (!free || !this.hasRunnable()) return false;
    this.kernel.sched.wake(free.task);
    return true;
  }

  private hasRunnable(): boolean {
    return this.queue.some((work) => work.hash === undefined || !this.activeHashes.has(work.hash));
  }

  private createWorker(): void {
    if (this.workers.length >= this.max) return;
    const { kernel } = this;
    const task = kernel.newTask(
      `iou-wrk-${this.owner.pid}`,
      this.owner.tgid,
      (this.owner.cpu + 1) % kernel.cpus,
    );
    const worker: Worker = { task, busy: false };
    this.workers.push(worker);
    this.running++;
    task.onSleep = () => this.sleeping();
    task.onWake = () => {
      this.running++;
    };
    kernel.sched.start(task, this.loop(worker), kernel.costs.newWorker);
  }

  /** io_wq_worker_sleeping: when the last running worker sleeps and work waits, another one takes over. */
  private sleeping(): void {
    this.running--;
    if (this.running > 0 || !this.hasRunnable()) return;
    if (!this.activateFree()) this.createWorker();
  }

  private take(): IoWork | undefined {
    const at = this.queue.findIndex((work) => work.hash === undefined || !this.activeHashes.has(work.hash));
    if (at < 0) return undefined;
    return this.queue.splice(at, 1)[0];
  }

  private *loop(worker: Worker): Gen<void> {
    for (;;) {
      for (;;) {
        const work = this.exiting ? undefined : this.take();
        if (!work) break;
        worker.busy = true;
        if (work.hash) this.activeHashes.add(work.hash);
        yield* work.run(worker.task);
        if (work.hash) this.activeHashes.delete(work.hash);
        worker.busy = false;
      }
      if (this.exiting) break;
      this.running--;
      yield PARK;
      this.running++;
    }
    this.running--;
    this.workers.splice(this.workers.indexOf(worker), 1);
    this.workerGone(worker.task);
    if (this.workers.length === 0) this.onIdle?.();
  }
}
