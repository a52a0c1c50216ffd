/** io_uring/timeout.c: timers that count completions. */
import { completeByTaskWork } from './complete_later';
import type { Req, Uring } from './types';

/** io_flush_timeouts: ends those whose number of completions was reached. */
export function flushTimeouts(ring: Uring): void {
  const seq = ring.cq.length - ring.cqTimeouts;
  const killed: Req[] = [];
  for (const req of [...ring.timeouts]) {
    const timeout = req.timeout!;
    if (timeout.off === 0) break;
    if (seq - ring.lastTimeoutFlush < timeout.targetSeq - ring.lastTimeoutFlush) break;
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
