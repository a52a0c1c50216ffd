import type { Kernel } from './kernel';
import type { Ring } from './ring';

/** Timeouts of waits for CQEs. One timer a ring, moved lazily, because most waits end long before their timeout. */
export class RingTimers {
  private readonly deadlines = new Map<Ring, { at: number; fire: () => void }>();
  private readonly timers = new Set<Ring>();

  constructor(private readonly kernel: Kernel) {}

  /** Calls `fire` and wakes the waiter when the wait still lasts after `timeout` ns. */
  arm(ring: Ring, timeout: number, fire: () => void): void {
    this.deadlines.set(ring, { at: this.kernel.rec.now + timeout, fire });
    if (this.timers.has(ring)) return;
    this.timers.add(ring);
    const tick = (): void => {
      const deadline = this.deadlines.get(ring);
      if (!deadline || ring.dead) {
        this.timers.delete(ring);
      } else if (deadline.at <= this.kernel.rec.now) {
        this.timers.delete(ring);
        deadline.fire();
        if (ring.waiter) this.kernel.sched.wake(ring.waiter);
      } else {
        this.kernel.sched.at(deadline.at, tick);
      }
    };
    this.kernel.sched.at(this.kernel.rec.now + timeout, tick);
  }

  /** The wait ended. */
  cancel(ring: Ring): void {
    this.deadlines.delete(ring);
  }
}
