/** Completions of a DEFER_TASKRUN ring that wait for their CQE and whose turn nobody can take any more. */
import { postsCqe } from './cq';
import { mayOverflow } from './cq_room';
import { inChain } from './links';
import { flushesUnseen, postsAlone } from './unseen';
import { REQ, type Req, type TaskWork, type Uring, WORK } from './types';

/**
 * Whether the CQEs of what was handed over come in the order in which it was handed over: the ring's task posts all of them, takes
 * no SQE any more, and posts none at once.
 */
export function postsInTurn(ring: Uring): boolean {
  if (!ring.lastCall || !postsAlone(ring) || ring.profile.failedPostsAtOnce) return false;
  return ring.sq.length === 0 && ring.linkHead === undefined && !ring.submitting && !mayOverflow(ring);
}

/** Whether a piece of work does nothing but complete its request as that already is. */
export function onlyPosts({ what, req }: TaskWork): boolean {
  if (what === WORK.TIMEOUT) return !req.timeout!.multishot;
  return what === WORK.COMPLETE && (req.flags & REQ.REISSUE) === 0;
}

/** Whether all that happens to a completed request after its CQE is that it is freed. */
export function endsAlone(req: Req): boolean {
  const more = REQ.REISSUE | REQ.LINK_TIMEOUT | REQ.ARM_LTIMEOUT;
  return !inChain(req) && req.link === undefined && (req.flags & more) === 0;
}

/** Whether all that waits for the ring's task are completions that bring nothing more: when it takes them is seen by nobody. */
export function drainsUnseen(ring: Uring): boolean {
  if (!postsInTurn(ring) || !flushesUnseen(ring) || !ring.compl.every(endsAlone)) return false;
  return workLists(ring).every((list) => list.every((work) => onlyPosts(work) && endsAlone(work.req)));
}

/** Where work waits, in the order in which it runs. */
export function workLists(ring: Uring): readonly (readonly TaskWork[])[] {
  const { retryWork, round, localWork } = ring;
  return round === retryWork ? [retryWork, localWork] : [retryWork, round, localWork];
}

/** The requests whose CQEs surely come next, in this order. */
export function nextToPost(ring: Uring): Req[] {
  const next: Req[] = [];
  for (const req of ring.compl) if (postsCqe(req) && (req.flags & REQ.REISSUE) === 0) next.push(req);
  for (const list of workLists(ring)) {
    for (const work of list) {
      if (!onlyPosts(work)) return next;
      if (postsCqe(work.req)) next.push(work.req);
    }
  }
  return next;
}
