/** Chains: what happens to the followers when a request is done. */
import { IORING_OP } from '../../uapi/io_uring_ops';
import { addTaskWork } from './task_work_list';
import { completeByTaskWork, completeDefer } from './complete_later';
import { LINK_FLAGS, REQ, type Req, type Uring, WORK } from './types';
import { emit, opName, slotName } from './uring_trace';

const ECANCELED = -125;
const DISARM = REQ.ARM_LTIMEOUT | REQ.LINK_TIMEOUT | REQ.FAIL;

/** Takes the LINK_TIMEOUT out of the chain (io_remove_next_linked). */
export function removeNextLinked(req: Req): void {
  const next = req.link!;
  req.link = next.link;
  next.link = undefined;
}

/** io_req_find_next: the follower that may start, after timers are disarmed and a broken chain is failed. */
export function findNext(ring: Uring, req: Req): Req | undefined {
  if ((req.flags & DISARM) !== 0) disarmNext(ring, req);
  const next = req.link;
  req.link = undefined;
  return next;
}

/** Whether a request has or had a follower. */
export function inChain(req: Req): boolean {
  return (req.flags & LINK_FLAGS) !== 0;
}

/** Whether its completion posts nothing and starts nobody: when it comes among others is seen by nobody. */
export function onlyFrees(req: Req): boolean {
  return (req.flags & REQ.CQE_SKIP) !== 0 && !inChain(req) && req.link === undefined;
}

function disarmNext(ring: Uring, req: Req): void {
  const link = req.link;
  if ((req.flags & REQ.ARM_LTIMEOUT) !== 0) {
    req.flags &= ~REQ.ARM_LTIMEOUT;
    if (link?.opcode === IORING_OP.LINK_TIMEOUT) {
      removeNextLinked(req);
      link.cause = 'disarmed';
      completeByTaskWork(ring, link, ECANCELED);
    }
  } else if ((req.flags & REQ.LINK_TIMEOUT) !== 0 && link?.opcode === IORING_OP.LINK_TIMEOUT) {
    removeNextLinked(req);
    const timeout = link.timeout!;
    timeout.head = undefined;
    if (timeout.timer?.cancel()) {
      ring.linkTimeouts.splice(ring.linkTimeouts.indexOf(link), 1);
      link.cause = 'disarmed';
      completeByTaskWork(ring, link, ECANCELED);
    }
  }
  if ((req.flags & REQ.FAIL) !== 0 && (req.flags & REQ.HARDLINK) === 0) failLinks(ring, req);
}

/** io_fail_links: the rest of the chain is cancelled by one piece of task work. */
function failLinks(ring: Uring, req: Req): void {
  const first = req.link;
  if (first === undefined) return;
  const silent = (req.flags & REQ.SKIP_LINK_CQES) !== 0;
  for (let link: Req | undefined = first; link; link = link.link) {
    if (silent) link.flags |= REQ.CQE_SKIP;
    else link.flags &= ~REQ.CQE_SKIP;
    emit(ring, 'fail_link', req, { opcode: opName(ring, req.opcode), link: slotName(ring, link) }, link);
  }
  req.link = undefined;
  addTaskWork(ring, WORK.CANCEL_CHAIN, first, () => {
    for (let link: Req | undefined = first; link; ) {
      const next: Req | undefined = link.link;
      link.link = undefined;
      if ((link.flags & REQ.FAIL) === 0) link.res = ECANCELED;
      link.cause = `chain of ${req.id} broke`;
      completeDefer(ring, link);
      link = next;
    }
  });
}
