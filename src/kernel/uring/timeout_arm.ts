/** io_uring/timeout.c: timers and link timeouts. */
import { IORING_CQE_F } from '../../uapi/io_uring_abi';
import { addTaskWork } from './task_work_list';
import { completeDefer, setFail } from './complete_later';
import { postMore } from './cq';
import { removeNextLinked } from './links';
import { isPureTimer } from './timeout_flush';
import { type Req, type Uring, WORK } from './types';

const ETIME = -62;
/** How late a timer may fire on a busy machine, ns; and how long its interrupt takes. */
const TIMER_LATE = 2_000_000;
const TIMER_COST = 55_000;
/** A timer shorter than this interrupts the task that starts it, ns: the task goes on later, no CPU has to be woken. */
const TIMER_SHORT = 12_000;

/** Starts the timer of a request; `ns` from now. */
function startTimer(ring: Uring, req: Req, name: string, fire: () => void): void {
  const timeout = req.timeout!;
  const ns = timeout.absolute ? 0 : timeout.ns;
  const short = ns < TIMER_SHORT;
  const likely = short ? ns : ns + TIMER_COST;
  if (short) ring.world.charge(TIMER_SHORT);
  timeout.timer = ring.world.after(
    `${name} ${req.id}`,
    { likely, least: ns, most: ns + TIMER_COST + TIMER_LATE, timed: true },
    fire,
  );
}

/** io_timeout: puts the request into the list of timers, ordered by what it counts. */
export function startTimeout(ring: Uring, req: Req): void {
  const timeout = req.timeout!;
  const list = ring.timeouts;
  let at = list.length;
  if (!isPureTimer(timeout)) {
    const tail = ring.cq.length - ring.cqTimeouts;
    timeout.targetSeq = tail + timeout.off;
    ring.lastTimeoutFlush = tail;
    for (at = list.length; at > 0; at--) {
      const before = list[at - 1]!.timeout!;
      if (!isPureTimer(before) && timeout.off >= before.targetSeq - tail) break;
    }
  }
  list.splice(at, 0, req);
  startTimer(ring, req, 'timer', () => timeoutFired(ring, req));
}

function timeoutFired(ring: Uring, req: Req): void {
  const timeout = req.timeout!;
  ring.timeouts.splice(ring.timeouts.indexOf(req), 1);
  ring.cqTimeouts++;
  if (!timeout.etimeSuccess) setFail(req);
  req.res = ETIME;
  req.cause = 'timer';
  addTaskWork(ring, WORK.TIMEOUT, req, () => timeoutComplete(ring, req));
}

/** io_timeout_complete: a multishot timer goes on. */
function timeoutComplete(ring: Uring, req: Req): void {
  const timeout = req.timeout!;
  if (timeout.multishot && (timeout.off === 0 || --timeout.repeats > 0)) {
    if (postMore(ring, req, ETIME, IORING_CQE_F.MORE)) {
      ring.timeouts.push(req);
      startTimer(ring, req, 'timer', () => timeoutFired(ring, req));
      return;
    }
  }
  completeDefer(ring, req);
}

/** io_queue_linked_timeout: arms the timer of a chain member, unless that is done already. */
export function queueLinkTimeout(ring: Uring, req: Req): void {
  const timeout = req.timeout!;
  if (timeout.head) {
    ring.linkTimeouts.push(req);
    startTimer(ring, req, 'link timer', () => linkTimeoutFired(ring, req));
  }
  req.refs--;
}

function linkTimeoutFired(ring: Uring, req: Req): void {
  const timeout = req.timeout!;
  let prev = timeout.head;
  timeout.head = undefined;
  if (prev) {
    removeNextLinked(prev);
    if (prev.refs === 0) prev = undefined;
    else prev.refs++;
  }
  ring.linkTimeouts.splice(ring.linkTimeouts.indexOf(req), 1);
  timeout.prev = prev;
  req.cause = 'timer';
  addTaskWork(ring, WORK.LINK_TIMEOUT, req, () => ring.linkTimeoutTask(ring, req));
}

/** Result of a link timeout that has nothing to cancel, or whose cancel succeeded. */
export function finishLinkTimeout(ring: Uring, req: Req, cancelled: number): void {
  req.res = cancelled === 0 ? ETIME : cancelled;
  completeDefer(ring, req);
}
