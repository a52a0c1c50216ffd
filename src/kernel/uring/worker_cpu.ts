/** The CPU that workers run on: its queue, and who has it. */
import { TIME } from './run_times';
import type { Actor, World } from './world';

/** Somebody who needs a CPU to run. */
export interface Runnable {
  actor: Actor | undefined;
}

/**
 * Of two CPUs one is the submitter's: workers share the other. Who comes later runs when those before it sleep, or on the
 * submitter's CPU. Divergence: nobody is preempted.
 */
export class WorkerCpu<T extends Runnable> {
  private holder: T | undefined;
  private readonly waiting: T[] = [];
  private readonly unstarted = new Set<T>();

  constructor(private readonly world: World) {}

  /** Whether `thread` may run. */
  has(thread: T): boolean {
    return this.holder === thread;
  }

  /** `thread` can run from now on; true when the CPU is its own at once. Who was woken goes before who is new. */
  enter(thread: T, isNew = false): boolean {
    if (this.holder === thread || this.waiting.includes(thread)) return this.holder === thread;
    if (this.holder === undefined) this.holder = thread;
    else if (!isNew && this.unstarted.has(this.holder)) {
      this.waiting.unshift(this.holder);
      this.holder = thread;
    } else if (isNew) this.waiting.push(thread);
    else {
      const behind = this.waiting.findIndex((other) => this.unstarted.has(other));
      this.waiting.splice(behind < 0 ? this.waiting.length : behind, 0, thread);
    }
    if (isNew) this.unstarted.add(thread);
    return this.holder === thread;
  }

  /** `thread` runs for the first time. */
  started(thread: T): void {
    this.unstarted.delete(thread);
  }

  /** `thread` runs on the CPU of the submitter. */
  elsewhere(thread: T): void {
    const at = this.waiting.indexOf(thread);
    if (at >= 0) this.waiting.splice(at, 1);
  }

  /** `thread` sleeps: the next one runs. */
  leave(thread: T): void {
    if (this.holder !== thread) return;
    this.holder = this.waiting.shift();
    const next = this.holder?.actor;
    if (next?.parked) this.world.wake(next, TIME.switchTask);
  }
}
