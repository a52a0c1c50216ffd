/** The completion queue: filling, overflow, and what every commit looks at. */
import { cqReady, hasOverflow } from './cq_room';
import { flushTimeouts } from './timeout_flush';
import type { Cqe, Req, Uring } from './types';
import { REQ } from './types';
import { emit } from './uring_trace';

function hasRoom(ring: Uring): boolean {
  return cqReady(ring) < ring.cqEntries;
}

function cqeOf(req: Req): Cqe {
  return { userData: req.userData, res: req.res, flags: req.cflags, cause: req.cause, req: req.id };
}

/** io_fill_cqe_req: false when it has to go to the overflow list. */
export function fillCqe(ring: Uring, req: Req): boolean {
  if (hasOverflow(ring) || !hasRoom(ring)) return false;
  ring.cq.push(cqeOf(req));
  emit(ring, 'complete', req, { result: req.res, cflags: req.cflags });
  return true;
}

/** io_cqring_event_overflow */
export function overflowCqe(ring: Uring, req: Req): void {
  emit(ring, 'cqe_overflow', req, { res: req.res });
  ring.overflow.push(cqeOf(req));
}

/** A CQE that is not the request's last one (io_req_post_cqe); false when the CQ is full. */
export function postMore(ring: Uring, req: Req, res: number, flags: number): boolean {
  if (ring.profile.multishotFlushes && ring.compl.length > 0) ring.flushNow(ring);
  if (hasOverflow(ring) || !hasRoom(ring)) return false;
  ring.cq.push({ userData: req.userData, res, flags, cause: req.cause, req: req.id });
  emit(ring, 'complete', req, { result: res, cflags: flags });
  commitCq(ring);
  return true;
}

/** io_commit_cqring and what follows it: who waits looks again, timeouts that count completions are checked. */
export function commitCq(ring: Uring): void {
  ring.cqWake?.();
  if (ring.offTimeoutUsed) flushTimeouts(ring);
}

/** io_cqring_do_overflow_flush */
export function flushOverflow(ring: Uring): void {
  if (!hasOverflow(ring)) return;
  while (ring.overflow.length > 0 && hasRoom(ring)) ring.cq.push(ring.overflow.shift()!);
  commitCq(ring);
}

/** Whether the request posts a CQE when it completes. */
export function postsCqe(req: Req): boolean {
  return (req.flags & REQ.CQE_SKIP) === 0;
}
