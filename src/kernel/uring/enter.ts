/** io_uring_enter(2): submitting and waiting. */
import { IORING_SETUP } from '../../uapi/io_uring_abi';
import { IORING_OP } from '../../uapi/io_uring_ops';
import type { Sqe } from '../../uapi/sqe';
import { cqReady, flushOverflow, hasOverflow, mayOverflow } from './cq';
import { flushCompletions, queueFallback } from './core';
import { submitSqe } from './init_req';
import { TIME } from './run_times';
import { defersTaskWork, hasLocalWork, hasTaskWork, runLocalWork, runTaskWork } from './task_work_list';
import { LINK_FLAGS, REQ, type Uring } from './types';
import { PARK } from './world';

/** A plug is used when more SQEs come at once (IO_PLUG_THRESHOLD). */
const PLUG_THRESHOLD = 2;

/** A piece of the submitter's code: yields times, returns a value. */
export type Code<T> = Generator<number, T, void>;

/** Whether the submitter does nothing with an SQE but hand it to io-wq. */
function goesToWorker(ring: Uring, sqe: Sqe): boolean {
  const op = ring.ops[sqe.opcode];
  if ((sqe.flags & REQ.FORCE_ASYNC) !== 0 || op === undefined || op.forceAsync) return true;
  const fixed = (sqe.flags & REQ.FIXED_FILE) !== 0;
  const file = fixed ? ring.fixedFiles[sqe.fd] : ring.fds.get(sqe.fd);
  return op.hashRegFile && file?.kind === 'file' && !file.direct;
}

/** Whether taking an SQE can be seen by nobody but the submitter until its completions are flushed. */
function isPrivate(ring: Uring, sqe: Sqe): boolean {
  if (ring.drainActive && !ring.profile.drainByLive) return false;
  if (ring.linkHead !== undefined) return (sqe.flags & LINK_FLAGS) !== 0;
  if ((sqe.flags & LINK_FLAGS) !== 0) return true;
  switch (sqe.opcode) {
    case IORING_OP.ASYNC_CANCEL:
    case IORING_OP.TIMEOUT_REMOVE:
    case IORING_OP.TIMEOUT:
      return false;
    default:
      return !ring.contended(sqe) || goesToWorker(ring, sqe);
  }
}

/** Whether the end of a submit call does nothing that somebody sees. */
function endsUnseen(ring: Uring): boolean {
  return ring.compl.length === 0 && ring.linkHead === undefined && !ring.drainActive && !ring.plug?.length;
}

/** blk_finish_plug: the elevator sorts what was held back. */
function finishPlug(ring: Uring): void {
  const { plug } = ring;
  ring.plug = undefined;
  plug
    ?.sort((a, b) => a.inode - b.inode || a.pos - b.pos)
    .forEach((read, i) => {
      read.start(i);
    });
}

/** io_submit_sqes: how many SQEs were taken. */
export function* submitSqes(ring: Uring, toSubmit: number): Code<number> {
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
    if (bad !== 0 && (ring.setup & IORING_SETUP.SUBMIT_ALL) === 0) break;
    const next = ring.sq[0];
    const last = next === undefined || taken >= entries;
    if (last ? endsUnseen(ring) : isPrivate(ring, next)) ring.world.alone = ring.world.current;
    yield TIME.sqe;
  }
  if (entries === 0) return 0;
  if (ring.linkHead) {
    const head = ring.linkHead;
    ring.linkHead = undefined;
    queueFallback(ring, head);
  }
  yield* flushCompletions(ring);
  finishPlug(ring);
  return taken;
}

/** io_uring_enter by the application; `wait` undefined: without GETEVENTS. Returns the number of SQEs taken. */
export function* enter(ring: Uring, toSubmit: number, wait: number | undefined): Code<number> {
  let taken = 0;
  ring.world.alone = ring.world.current;
  yield TIME.syscall;
  if ((ring.setup & IORING_SETUP.SQPOLL) !== 0) {
    if (toSubmit > 0) ring.submitter.notify();
    if (wait !== undefined) yield* waitForCqes(ring, wait, toSubmit);
    return toSubmit;
  }
  if (toSubmit > 0) {
    taken = yield* submitSqes(ring, toSubmit);
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
  if (ring.setup & IORING_SETUP.SQPOLL) return;
  // Whether a worker was fast enough to hand in its work is seen by the application in CQ_OVERFLOW only.
  if (ring.world.exploring && mayOverflow(ring)) yield 0;
  if (hasTaskWork(ring)) yield* runTaskWork(ring, flushCompletions);
}

/** io_cqring_wait */
function* waitForCqes(ring: Uring, wanted: number, taken: number): Code<void> {
  const min = Math.min(wanted, ring.cqEntries);
  const sqpoll = (ring.setup & IORING_SETUP.SQPOLL) !== 0;
  const runWork = function* (atLeast: number): Code<void> {
    if (hasLocalWork(ring)) yield* runLocalWork(ring, atLeast, flushCompletions);
    if (!sqpoll) yield* runTaskWork(ring, flushCompletions);
  };
  yield* runWork(min);
  flushOverflow(ring);
  if (cqReady(ring) >= min) return;
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
    yield* runWork(min);
    flushOverflow(ring);
    if (enough()) return;
  }
}
