import type { Recorder } from '../trace/recorder';
import type { Choices } from './choice';
import { PhysicalMemory } from './memory';
import type { Costs, KernelProfile } from './profile';
import { IoTask } from './request';
import { type Gen, PARK, Scheduler } from './sched';

/** Priority of a task with nice 0. */
const PRIO = 120;

type Work = (task: IoTask) => void;

interface KblockdWorker {
  readonly task: IoTask;
  readonly queue: Work[];
}

interface Worker {
  readonly task: IoTask;
  work: ((task: IoTask) => Gen<void>) | undefined;
}

/** What every part of the simulated kernel shares: time, tasks, choices, memory, workqueues, the trace. */
export class Kernel {
  readonly sched: Scheduler;
  readonly memory: PhysicalMemory;
  readonly costs: Costs;
  private nextPid = 250;
  private nextPointer = 0x2000000;
  private readonly kblockd: KblockdWorker[] = [];
  private readonly idleWorkers: Worker[] = [];
  private workers = 0;

  constructor(
    readonly rec: Recorder,
    readonly choices: Choices,
    readonly profile: KernelProfile,
    readonly cpus: number,
    memoryLimit: number,
    stop: () => boolean = () => false,
  ) {
    this.costs = profile.costs;
    this.sched = new Scheduler(
      rec,
      () => this.costs.wake + this.choices.choose('wake-latency', this.costs.wakeSpread),
      stop,
    );
    this.memory = new PhysicalMemory(memoryLimit);
  }

  /** A new process or thread; tgid 0 makes it its own thread group. */
  newTask(comm: string, tgid = 0, cpu = this.pickCpu()): IoTask {
    const pid = this.nextPid++;
    return new IoTask(pid, tgid || pid, comm, cpu, this.rec);
  }

  /** A process that came and went (the first fork of a daemon) used a pid. */
  skipPid(): void {
    this.nextPid++;
  }

  /**
   * The thread ends (do_exit). Divergence: only threads of servers say so; of other processes `session_command_done` is the end.
   */
  processExit(task: IoTask): void {
    const { stamp } = this.rec;
    const before = { ...stamp };
    this.sched.stampAs(task);
    this.rec.emit.sched_process_exit(task.commId, task.pid, PRIO);
    Object.assign(stamp, before);
  }

  /** Word of an unsigned or negative integer number. */
  u64(value: number): number {
    return value >= 0 && value < 0x80000000 ? value : this.rec.trace.wide.ofNumber(value);
  }

  /** Word of a signed result. */
  i32(value: number): number {
    return value >= 0 ? value : this.rec.trace.wide.ofNumber(value);
  }

  /** Word of a fresh kernel object address; each call gives another one. */
  pointer(size: number): number {
    const at = this.nextPointer;
    this.nextPointer += Math.ceil(size / 256) * 256;
    return this.rec.trace.wide.word(at >>> 0, 0xffff8880 + Math.floor(at / 0x100000000));
  }

  /** Time to copy so many bytes, ns. */
  copyTime(bytes: number): number {
    return Math.floor((bytes * this.costs.copyKiB) / 1024);
  }

  /** Queues work on the kblockd worker of a CPU (kworker/N:1H). */
  queueKblockd(cpu: number, work: Work): void {
    let worker = this.kblockd[cpu];
    if (!worker) {
      worker = { task: this.newTask(`kworker/${cpu}:1H`, 0, cpu), queue: [] };
      this.kblockd[cpu] = worker;
      const { task, queue } = worker;
      this.sched.start(task, workerLoop(queue, task, this.costs.kworker));
    }
    worker.queue.push(work);
    this.sched.wake(worker.task);
  }

  /** Queues work that may sleep on an unoccupied kworker of the CPU, made when there is none. */
  queueWork(cpu: number, work: (task: IoTask) => Gen<void>): void {
    const idle = this.idleWorkers.pop();
    if (idle) {
      idle.work = work;
      this.sched.wake(idle.task);
      return;
    }
    const task = this.newTask(`kworker/${cpu}:${this.workers++}`, 0, cpu);
    const worker: Worker = { task, work };
    this.sched.start(task, this.work(worker), this.costs.kworker);
  }

  private *work(worker: Worker): Gen<void> {
    for (;;) {
      const { work } = worker;
      worker.work = undefined;
      if (work) {
        yield* work(worker.task);
        this.idleWorkers.push(worker);
      }
      if (!worker.work) yield PARK;
    }
  }

  private pickCpu(): number {
    return this.choices.choose('cpu', this.cpus);
  }
}

function* workerLoop(queue: Work[], task: IoTask, delay: number): Gen<void> {
  for (;;) {
    while (queue.length > 0) {
      yield delay;
      const work = queue.shift();
      work?.(task);
    }
    yield PARK;
  }
}
