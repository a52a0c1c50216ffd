/** io_uring_enter(2): submitting and waiting. */
import { IORING_SETUP } from '../../uapi/io_uring_abi';
import { flushOverflow } from './cq';
import { cqReady, hasOverflow, mayOverflow } from './cq_room';
import { flushCompletions, queueFallback } from './core';
import { submitSqe } from './init_req';
import { TIME } from './run_times';
import { defersTaskWork, hasLocalWork, hasTaskWork, runLocalWork, runTaskWork } from './task_work_list';
import type { PluggedRead, Uring } from './types';
import { endsUnseen, entersUnseen, takesUnseen } from './unseen';
import { PARK } from './world';

/** A plug is used when more SQEs come at once (IO_PLUG_THRESHOLD). */
const PLUG_THRESHOLD = 2;

/** A piece of the submitter's code: yields times, returns a value. */
export type Code<T> = Generator<number, T, void>;

/** blk_finish_plug: the elevator sorts what was held back, and joins to one before what begins where that ends. */
function finishPlug(ring: Uring): void {
  const { plug } = ring;
  ring.plug = undefined;
  const sorted: PluggedRead[] = [];
  for (const read of plug?.sort((a, b) => a.inode - b.inode || a.pos - b.pos) ?? []) {
    const before = sorted.findIndex(({ inode, end }) => inode === read.inode && end === read.pos);
    sorted.splice(before < 0 ? sorted.length : before + 1, 0, read);
  }
  sorted.forEach((read, i) => {
    read.start(i);
  });
}

/** io_submit_sqes: how many SQEs were taken; `looks`: the caller goes on to what other contexts handed over. */
export function* submitSqes(ring: Uring, toSubmit: number, looks = false): Code<number> {
  const entries = Math.min(toSubmit, ring.sq.length, ring.sqEntries);
  let taken = 0;
  ring.world.note(entries);
  ring.batch++;
  if (entries > PLUG_THRESHOLD) ring.plug = [];
  while (taken < entries) {
    const sqe = ring.sq.shift()!;
    taken++;
    ring.submitting = true;
    const bad = submitSqe(ring, sqe);
    ring.submitting = false;
    if (bad !== 0 && (ring.setup & IORING_SETUP.SUBMIT_ALL) === 0) {
      if (ring.world.exploring && !endsUnseen(ring, looks)) yield 0;
      break;
    }
    const next = ring.sq[0];
    const last = next === undefined || taken >= entries;
    if (last ? ring.linkHead !== undefined || endsUnseen(ring, looks) : takesUnseen(ring, next))
      ring.world.alone = ring.world.current;
    yield TIME.sqe;
  }
  if (entries === 0) return 0;
  if (ring.linkHead) {
    const head = ring.linkHead;
    ring.linkHead = undefined;
    queueFallback(ring, head);
    if (ring.world.exploring && !endsUnseen(ring, looks)) yield 0;
  }
  yield* flushCompletions(ring);
  finishPlug(ring);
  return taken;
}

/** io_uring_enter by the application; `wait` undefined: without GETEVENTS. Returns the number of SQEs taken. */
export function* enter(ring: Uring, toSubmit: number, wait: number | undefined): Code<number> {
  ring.tell?.('enter', toSubmit, wait);
  const taken = yield* inKernel(ring, toSubmit, wait);
  ring.tell?.('exit', taken);
  return taken;
}

function* inKernel(ring: Uring, toSubmit: number, wait: number | undefined): Code<number> {
  let taken = 0;
  if (toSubmit > 0 && entersUnseen(ring)) ring.world.alone = ring.world.current;
  yield TIME.syscall;
  if ((ring.setup & IORING_SETUP.SQPOLL) !== 0) {
    if (toSubmit > 0) ring.submitter.notify();
    if (wait !== undefined) yield* waitForCqes(ring, wait, toSubmit);
    return toSubmit;
  }
  if (toSubmit > 0) {
    taken = yield* submitSqes(ring, toSubmit, wait !== undefined);
    if (taken !== toSubmit) {
      yield* leave(ring);
      return taken;
    }
    if (wait !== undefined && defersTaskWork(ring) && hasLocalWork(ring))
      runLocalWork(ring, wait, flushCompletions);
  }
  if (wait !== undefined) yield* waitForCqes(ring, wait, taken);
  yield* leave(ring);
  return taken;
}

/** Task work runs on the way back to user space. */
export function* leave(ring: Uring): Code<void> {
  const { setup, world } = ring;
  if (setup & IORING_SETUP.SQPOLL) return;
  if (!world.exploring) {
    if (hasTaskWork(ring)) yield* runTaskWork(ring, flushCompletions);
    return;
  }
  // What a worker hands in later waits for the next call only where nobody interrupts the application; else when it came is
  // seen by the application in CQ_OVERFLOW only.
  const seen = (setup & IORING_SETUP.COOP_TASKRUN) !== 0 && (setup & IORING_SETUP.DEFER_TASKRUN) === 0;
  for (;;) {
    if (seen || mayOverflow(ring)) yield 0;
    if (!hasTaskWork(ring)) return;
    yield* runTaskWork(ring, flushCompletions);
  }
}

/** Runs what waits for the task inside io_cqring_wait. */
function* runWork(ring: Uring, atLeast: number): Code<void> {
  if (hasLocalWork(ring)) yield* runLocalWork(ring, atLeast, flushCompletions);
  if ((ring.setup & IORING_SETUP.SQPOLL) === 0) yield* runTaskWork(ring, flushCompletions);
}

/** io_cqring_wait */
function* waitForCqes(ring: Uring, wanted: number, taken: number): Code<void> {
  const min = Math.min(wanted, ring.cqEntries);
  const sqpoll = (ring.setup & IORING_SETUP.SQPOLL) !== 0;
  yield* runWork(ring, min);
  flushOverflow(ring);
  if (cqReady(ring) >= min) return;
  ring.tell?.('wait', min);
  const target = ring.cqHead + min;
  const timeouts = ring.cqTimeouts;
  const enough = (): boolean => ring.cq.length >= target || ring.cqTimeouts !== timeouts;
  const app = ring.world.current;
  for (;;) {
    ring.world.mark(9, min, target, timeouts, taken);
    ring.cqWake = () => {
      if (enough() || hasOverflow(ring) || hasLocalWork(ring))
        ring.world.wake(app, TIME.taskWake, TIME.wakeTask);
    };
    if (!(enough() || hasLocalWork(ring) || (!sqpoll && hasTaskWork(ring)))) yield PARK;
    ring.cqWake = undefined;
    yield* runWork(ring, min);
    flushOverflow(ring);
    if (enough()) return;
  }
}
