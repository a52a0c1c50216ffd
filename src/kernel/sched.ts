import type { Recorder } from '../trace/recorder';

/** What a context yields: a delay in ns, or {@link PARK} to sleep until somebody wakes it. */
export type Wait = number;
export const PARK = -1;

/** A kernel or user function that may sleep. */
export type Gen<T> = Generator<Wait, T, void>;

/** Thrown into a task that was killed, at its next chance to die. */
export class TaskKilled extends Error {}

/** One thread. Its body is a generator; while it runs no other context does. */
export class Task {
  state: 'ready' | 'parked' | 'dead' = 'parked';
  /** A SIGKILL is pending; the task dies at its next killable point. */
  killed = false;
  /** Stopped by SIGSTOP: not scheduled until SIGCONT. */
  stopped = false;
  /** Woken while it ran or was stopped. */
  woken = false;
  body: Gen<void> | undefined;
  /** Index in the trace's task table. */
  readonly traceId: number;
  readonly commId: number;

  constructor(
    readonly pid: number,
    readonly tgid: number,
    readonly comm: string,
    public cpu: number,
    rec: Recorder,
  ) {
    this.traceId = rec.trace.taskId(comm, pid, tgid);
    this.commId = rec.trace.strings.id(comm);
  }
}

/** An interrupt or timer: runs once, to its end, at its time. */
export type Callback = () => void;

type Entry = Task | Callback;

/** Discrete-event scheduler: a heap ordered by (time, sequence), so that equal times run in the order they were asked for. */
export class Scheduler {
  private times = new Float64Array(1024);
  private seqs = new Float64Array(1024);
  private readonly entries: (Entry | undefined)[] = [];
  private count = 0;
  private seq = 0;
  current: Task | undefined;
  /** Flags column of ordinary task context. */
  private readonly plainFlags: number;
  private readonly irqFlags: number;
  private readonly idleTasks: number[] = [];

  constructor(
    private readonly rec: Recorder,
    private readonly wakeLatency: () => number,
    /** Called between steps; true ends the run. */
    private readonly stop: () => boolean = () => false,
  ) {
    this.plainFlags = rec.trace.strings.id('.....');
    this.irqFlags = rec.trace.strings.id('d.h2.');
  }

  /** Virtual time, ns. */
  get now(): number {
    return this.rec.now;
  }

  /** Starts a task's body `delay` ns from now. */
  start(task: Task, body: Gen<void>, delay = 0): void {
    task.body = body;
    task.state = 'ready';
    this.push(this.rec.now + delay, task);
  }

  /** Calls back in interrupt context at an absolute time. */
  at(time: number, callback: Callback): void {
    this.push(time, callback);
  }

  /** Makes a parked task runnable; a running task will not sleep the next time it wants to. */
  wake(task: Task): void {
    if (task.state === 'parked' && !task.stopped) {
      task.state = 'ready';
      this.push(this.rec.now + this.wakeLatency(), task);
    } else if (task.state !== 'dead') {
      task.woken = true;
    }
  }

  /** SIGKILL: the task dies at its next killable point. */
  kill(task: Task): void {
    if (task.state === 'dead') return;
    task.killed = true;
    task.stopped = false;
    this.wake(task);
  }

  /** SIGSTOP and SIGCONT. */
  setStopped(task: Task, stopped: boolean): void {
    if (task.state === 'dead' || task.stopped === stopped) return;
    task.stopped = stopped;
    if (!stopped && task.woken) this.wake(task);
  }

  /** Runs until nothing is left to do or `stop` says so. Returns the number of steps. */
  run(maxSteps = Number.POSITIVE_INFINITY): number {
    let steps = 0;
    while (this.count > 0 && steps < maxSteps && !this.stop()) {
      steps++;
      const time = this.times[0];
      const entry = this.pop();
      if (time > this.rec.now) this.rec.now = time;
      if (typeof entry === 'function') this.interrupt(entry);
      else this.step(entry);
    }
    return steps;
  }

  /** True when nothing is scheduled. */
  get idle(): boolean {
    return this.count === 0;
  }

  /** Takes over the stamp for a task, for code that acts in its name outside its body. */
  stampAs(task: Task): void {
    const { stamp } = this.rec;
    stamp.task = task.traceId;
    stamp.cpu = task.cpu;
    stamp.flags = this.plainFlags;
  }

  private interrupt(callback: Callback): void {
    const { stamp } = this.rec;
    stamp.task = this.idleTask(0);
    stamp.cpu = 0;
    stamp.flags = this.irqFlags;
    this.current = undefined;
    callback();
  }

  private idleTask(cpu: number): number {
    const known = this.idleTasks[cpu];
    if (known !== undefined) return known;
    const id = this.rec.trace.taskId('<idle>', 0, -1);
    this.idleTasks[cpu] = id;
    return id;
  }

  private step(task: Task): void {
    if (task.state !== 'ready' || task.body === undefined) return;
    if (task.stopped) {
      task.state = 'parked';
      task.woken = true;
      return;
    }
    this.stampAs(task);
    this.current = task;
    let wait: Wait;
    try {
      const result = task.body.next();
      if (result.done) {
        task.state = 'dead';
        task.body = undefined;
        return;
      }
      wait = result.value;
    } catch (error) {
      if (!(error instanceof TaskKilled)) throw error;
      task.state = 'dead';
      task.body = undefined;
      return;
    } finally {
      this.current = undefined;
    }
    if (wait >= 0) {
      this.push(this.rec.now + wait, task);
    } else if (task.woken) {
      task.woken = false;
      this.push(this.rec.now, task);
    } else {
      task.state = 'parked';
    }
  }

  private push(time: number, entry: Entry): void {
    if (this.count === this.times.length) {
      const times = new Float64Array(this.times.length * 2);
      times.set(this.times);
      this.times = times;
      const seqs = new Float64Array(this.seqs.length * 2);
      seqs.set(this.seqs);
      this.seqs = seqs;
    }
    const { times, seqs, entries } = this;
    const seq = this.seq++;
    let i = this.count++;
    while (i > 0) {
      const up = (i - 1) >>> 1;
      if (times[up] < time || (times[up] === time && seqs[up] < seq)) break;
      times[i] = times[up];
      seqs[i] = seqs[up];
      entries[i] = entries[up];
      i = up;
    }
    times[i] = time;
    seqs[i] = seq;
    entries[i] = entry;
  }

  private pop(): Entry {
    const { times, seqs, entries } = this;
    const top = entries[0] as Entry;
    const last = --this.count;
    const time = times[last];
    const seq = seqs[last];
    const entry = entries[last];
    entries[last] = undefined;
    let i = 0;
    for (;;) {
      let child = i * 2 + 1;
      if (child >= last) break;
      const right = child + 1;
      if (
        right < last &&
        (times[right] < times[child] || (times[right] === times[child] && seqs[right] < seqs[child]))
      ) {
        child = right;
      }
      if (time < times[child] || (time === times[child] && seq < seqs[child])) break;
      times[i] = times[child];
      seqs[i] = seqs[child];
      entries[i] = entries[child];
      i = child;
    }
    if (last > 0) {
      times[i] = time;
      seqs[i] = seq;
      entries[i] = entry;
    }
    return top;
  }
}

/** Tasks that sleep until a condition may have changed. */
export class WaitQueue {
  private readonly waiters: Task[] = [];

  constructor(private readonly sched: Scheduler) {}

  /** Sleeps until `ready` is true; `ready` is looked at again after every {@link wakeAll}. */
  *until(task: Task, ready: () => boolean): Gen<void> {
    while (!ready()) {
      this.waiters.push(task);
      yield PARK;
    }
  }

  /** Wakes everybody who waits here. */
  wakeAll(): void {
    for (const task of this.waiters.splice(0)) this.sched.wake(task);
  }
}
