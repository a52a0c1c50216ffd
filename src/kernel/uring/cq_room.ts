/** How full the completion queue is. */
import type { Uring } from './types';

/** CQEs in the ring that were not taken. */
export function cqReady(ring: Uring): number {
  return ring.cq.length - ring.cqHead;
}

/** Whether requests that live can still fill the CQ beyond its size before anything is taken. */
export function mayOverflow(ring: Uring): boolean {
  return hasOverflow(ring) || cqReady(ring) + ring.live > ring.cqEntries;
}

/** CQ_OVERFLOW of sq_flags. */
export function hasOverflow(ring: Uring): boolean {
  return ring.overflow.length > 0;
}
