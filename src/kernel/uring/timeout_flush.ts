/** io_uring/timeout.c: timers that count completions. */
import { completeByTaskWork } from './complete_later';
import type { Req, TimeoutState, Uring } from './types';

/** io_is_timeout_noseq: a timer that counts no completions; one that repeats counts its repeats instead. */
export function isPureTimer({ off, multishot }: TimeoutState): boolean {
  return off === 0 || multishot;
}

/** io_flush_timeouts: ends those whose number of completions was reached. */
export function flushTimeouts(ring: Uring): void {
  const seq = ring.cq.length - ring.cqTimeouts;
  const killed: Req[] = [];
  for (const req of [...ring.timeouts]) {
    const timeout = req.timeout!;
    if (isPureTimer(timeout)) break;
    // Unsigned, as in the kernel: when timers that fired made the count go back, this ends a timer early.
    const needed = (timeout.targetSeq - ring.lastTimeoutFlush) >>> 0;
    const got = (seq - ring.lastTimeoutFlush) >>> 0;
    if (got < needed) break;
    if (timeout.timer?.cancel()) {
      ring.cqTimeouts++;
      ring.timeouts.splice(ring.timeouts.indexOf(req), 1);
      killed.push(req);
    }
  }
  ring.lastTimeoutFlush = seq;
  for (const req of killed) {
    req.cause = 'count';
    completeByTaskWork(ring, req, 0);
  }
}
