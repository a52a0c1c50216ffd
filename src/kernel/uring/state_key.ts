/** Digest of a ring and its requests: equal for states from which everything goes on alike. */
import { type Digest, unordered } from './digest';
import { endsAlone, onlyPosts, postsInTurn, workLists } from './in_turn';
import { onlyFrees } from './links';
import { type Req, type TaskWork, type Uring, WORK } from './types';

/**
 * Adds a ring to the digest of a state. Left out is what only says how things came about: the CQEs that were posted (their number
 * counts), why a request completed, which piece of memory it had.
 */
export function ringKey(digest: Digest, ring: Uring): void {
  digest.add(ring.sq.length);
  digest.add(ring.sqDropped);
  digest.add(ring.cq.length);
  digest.add(ring.cqHead);
  digest.add(ring.overflow.length);
  digest.add(ring.cqOverflowCount);
  digest.add(ring.taken);
  digest.add(ring.live);
  digest.add(ring.drained);
  digest.add(ring.cqTimeouts);
  digest.add(ring.lastTimeoutFlush);
  digest.add(ring.cancelSeq);
  let bits = 0;
  const states = [ring.drainActive, ring.drainNext, ring.drainDisabled, ring.offTimeoutUsed, ring.submitting];
  for (const bit of [...states, ring.cqWake !== undefined]) bits = bits * 2 + Number(bit);
  digest.add(bits);
  digest.add(ring.linkHead?.id ?? 0);
  digest.add(ring.linkLast?.id ?? 0);
  digest.add(ring.plug?.length ?? -1);
  for (const { inode, pos } of ring.plug ?? []) {
    digest.add(inode);
    digest.add(pos);
  }
  digest.add(ring.lastCall);
  // The order of CQEs that surely come next is part of what was posted.
  let inTurn = postsInTurn(ring);
  if (inTurn) completed(digest, ring.compl);
  else ids(digest, ring.compl);
  for (const list of workLists(ring)) inTurn = works(digest, list, inTurn);
  works(digest, ring.submitter.taskWork, false);
  ids(digest, ring.deferList);
  ids(digest, ring.timeouts);
  ids(digest, ring.linkTimeouts);
  for (const bucket of ring.polls) ids(digest, bucket);
  for (const req of ring.requests) if (!req.freed) requestKey(digest, req);
  ring.wq.stateKey(digest);
  ring.memory.stateKey(digest);
}

/** Adds a list of work; `inTurn`: all before it was counted as posted. Returns whether it is so of the whole list, too. */
function works(digest: Digest, list: readonly TaskWork[], inTurn: boolean): boolean {
  digest.add(list.length);
  let freed = 0;
  for (const work of list) {
    const { what, req } = work;
    inTurn &&= onlyPosts(work);
    if (inTurn ? endsAlone(req) : what === WORK.COMPLETE && onlyFrees(req)) {
      freed += unordered(req.id);
      continue;
    }
    digest.add(what);
    digest.add(req.id);
  }
  digest.add(freed);
  return inTurn;
}

/** Adds what the next flush posts. */
function completed(digest: Digest, list: readonly Req[]): void {
  digest.add(-list.length);
  let freed = 0;
  for (const req of list) {
    if (endsAlone(req)) freed += unordered(req.id);
    else digest.add(req.id);
  }
  digest.add(freed);
}

function ids(digest: Digest, list: readonly Req[]): void {
  if (list.length === 0) {
    digest.add(0);
    return;
  }
  digest.add(-list.length);
  for (const req of list) digest.add(req.id);
}

function requestKey(digest: Digest, req: Req): void {
  digest.add(req.id);
  digest.add(req.opcode);
  digest.add(req.flags);
  digest.add(req.link?.id ?? 0);
  digest.add(req.res);
  digest.add(req.cflags);
  digest.add(req.refs);
  digest.add(req.cancelSeq);
  digest.add(req.seq);
  digest.add(req.diskWait > 0);
  const { work, rw, poll, timeout } = req;
  digest.add(work.hash);
  const states = [work.unbound, work.concurrent, work.cancel, req.splitPost && !req.done, req.held, req.done];
  let bits = 0;
  for (const bit of [...states, req.file !== undefined, req.spliceIn !== undefined, !!req.blockedOn])
    bits = bits * 2 + Number(bit);
  digest.add(bits);
  if (rw) {
    digest.add(rw.pos);
    digest.add(rw.iter?.count ?? -1);
    digest.add(rw.bytesDone);
    digest.add(rw.want);
    digest.add(rw.direct?.refs ?? 0);
  }
  if (poll) {
    digest.add(poll.events);
    digest.add(poll.res);
    digest.add(poll.refs);
    digest.add((poll.cancelled ? 1 : 0) + (poll.retry ? 2 : 0) + (poll.hashed ? 4 : 0));
    digest.add(poll.waits.length);
    digest.add(poll.retries);
  }
  if (timeout) {
    digest.add(timeout.targetSeq);
    digest.add(timeout.repeats);
    digest.add(timeout.head?.id ?? 0);
    digest.add(timeout.prev?.id ?? 0);
  }
}
