import type { Kernel } from './kernel';
import type { IoTask } from './request';
import type { Gen } from './sched';

/** One piece of task work; a generator where it may have to wait (it issues a request). */
export type TaskWorkItem = () => Gen<void> | undefined | void;

/** Task work of one task (struct io_uring_task): on 6.1 it runs newest first, as the lock-less list gives it. */
interface TaskCtx {
  readonly ptr: number;
  work: TaskWorkItem[];
}

/** Work that a task runs on its way into or out of the kernel: io_uring's own lists, and plain task_work_add. */
export class TaskWork {
  private readonly tctxs = new Map<IoTask, TaskCtx>();
  private readonly plain = new Map<IoTask, (() => void)[]>();

  constructor(private readonly kernel: Kernel) {}

  /** task_work_add outside io_uring, oldest first. False when the task is dead or dying. */
  addPlain(task: IoTask, fn: () => void): boolean {
    if (task.state === 'dead' || task.killed) return false;
    const list = this.plain.get(task);
    if (list) list.push(fn);
    else this.plain.set(task, [fn]);
    this.kernel.sched.wake(task);
    return true;
  }

  /** io_req_task_work_add */
  add(task: IoTask, fn: TaskWorkItem): void {
    let tctx = this.tctxs.get(task);
    if (!tctx) {
      tctx = { ptr: this.kernel.pointer(512), work: [] };
      this.tctxs.set(task, tctx);
    }
    tctx.work.push(fn);
    this.kernel.sched.wake(task);
  }

  /** Runs plain task work, then io_uring's (tctx_task_work). True when there was any. */
  *run(task: IoTask): Gen<boolean> {
    let ran = false;
    const plain = this.plain.get(task);
    while (plain && plain.length > 0) {
      ran = true;
      for (const fn of plain.splice(0)) fn();
    }
    const tctx = this.tctxs.get(task);
    if (!tctx || tctx.work.length === 0) return ran;
    let count = 0;
    let loops = 0;
    while (tctx.work.length > 0) {
      const list = tctx.work;
      tctx.work = [];
      loops++;
      count += list.length;
      if (!this.kernel.profile.rules.taskWorkFifo) list.reverse();
      for (const item of list) {
        const rest = item();
        if (rest) yield* rest;
      }
    }
    this.kernel.rec.emit.io_uring_task_work_run(tctx.ptr, count, loops);
    return true;
  }

  /** Task work of a task that is exiting: handlers see that the task is not the daemon any more. */
  runFallback(task: IoTask): void {
    for (const fn of this.plain.get(task)?.splice(0) ?? []) fn();
    const tctx = this.tctxs.get(task);
    // a request that was about to be issued is not: its ring is dead
    if (tctx) for (const fn of tctx.work.splice(0)) fn();
  }
}
