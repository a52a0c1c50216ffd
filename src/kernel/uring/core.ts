/** io_uring/io_uring.c: issue, completion, freeing and drain of requests. */
import { unordered } from './digest';
import { putFile } from './open_files';
import { addTaskWork, hasLocalWork } from './task_work_list';
import { completeDefer, deferFailed } from './complete_later';
import { commitCq, fillCqe, overflowCqe, postsCqe } from './cq';
import { mayOverflow } from './cq_room';
import { fixedFile, normalFile } from './file_get';
import { endsAlone } from './in_turn';
import { findNext, inChain } from './links';
import { armAsyncPoll } from './poll_arm';
import { queueLinkTimeout } from './timeout_arm';
import { ISSUE, ISSUED, LINK_FLAGS, REQ, type Req, type Uring, WORK } from './types';
import { emit, opName } from './uring_trace';
import { IORING_SETUP } from '../../uapi/io_uring_abi';
import { IORING_OP } from '../../uapi/io_uring_ops';

const EBADF = -9;
const EAGAIN = -11;

/** io_assign_file: false when there is no such file. */
export function assignFile(ring: Uring, req: Req): boolean {
  if (req.file !== undefined || !ring.ops[req.opcode]!.needsFile) return true;
  req.file =
    (req.flags & REQ.FIXED_FILE) !== 0 ? fixedFile(ring, req.sqe.fd) : normalFile(ring, req, req.sqe.fd);
  return req.file !== undefined;
}

/** io_issue_sqe: 0 when the request is done or somebody else completes it, else what the op says. */
export function issueSqe(ring: Uring, req: Req, flags: number): number {
  const def = ring.ops[req.opcode]!;
  if (!assignFile(ring, req)) return EBADF;
  let timer: Req | undefined;
  if ((req.flags & REQ.ARM_LTIMEOUT) !== 0) {
    req.flags = (req.flags & ~REQ.ARM_LTIMEOUT) | REQ.LINK_TIMEOUT;
    if ((req.flags & REQ.REFCOUNT) === 0) {
      req.flags |= REQ.REFCOUNT;
      req.refs = 1;
    }
    timer = req.link!;
    timer.flags |= REQ.REFCOUNT;
    timer.refs = 2;
  }
  const ret = def.issue(ring, req, flags);
  if (timer) {
    if (ret === ISSUED.BLOCKED) req.flags |= REQ.ARM_LTIMEOUT;
    else queueLinkTimeout(ring, timer);
  }
  if (ret === ISSUED.PENDING) return 0;
  if (ret !== ISSUED.COMPLETE) return ret;
  req.done = (req.flags & REQ.REISSUE) === 0;
  if ((flags & ISSUE.COMPLETE_DEFER) !== 0) completeDefer(ring, req);
  else if (req.diskWait > 0 || req.splitPost) req.held = true;
  else completeFromWorker(ring, req);
  return 0;
}

/** io_req_complete_post: a worker posts the CQE, unless the ring leaves that to its submitter. */
export function completeFromWorker(ring: Uring, req: Req): void {
  const { profile } = ring;
  const defers = profile.workerDefersCqe && (ring.setup & IORING_SETUP.DEFER_TASKRUN) !== 0;
  if (
    defers ||
    (profile.workerDefersDrain && (req.flags & REQ.DRAIN) !== 0) ||
    (req.flags & REQ.REISSUE) !== 0
  ) {
    const next = ring.world.exploring && onlyPosts(ring, req);
    addTaskWork(ring, WORK.COMPLETE, req, () => completeDefer(ring, req));
    if (next) ring.world.alone = ring.submitter.actor;
    return;
  }
  if (postsCqe(req) && !fillCqe(ring, req)) {
    if (profile.workerDefersOverflow) {
      addTaskWork(ring, WORK.COMPLETE, req, () => completeDefer(ring, req));
      return;
    }
    overflowCqe(ring, req);
  }
  commitCq(ring);
  if (ring.drainActive && !profile.drainByLive) queueDeferred(ring);
  req.refs--;
}

/**
 * Whether the submitter, asleep with nothing else to do, only posts a CQE: then it can as well do so next, as CQEs come in the
 * order in which they were handed over anyway.
 */
function onlyPosts(ring: Uring, req: Req): boolean {
  if (ring.cqWake === undefined || hasLocalWork(ring) || ring.compl.length > 0 || inChain(req)) return false;
  return ring.deferList.length === 0 && !ring.offTimeoutUsed && !mayOverflow(ring);
}

/** Posts a failed request at once. */
export function postFailed(ring: Uring, req: Req): void {
  if (postsCqe(req) && !fillCqe(ring, req)) overflowCqe(ring, req);
  commitCq(ring);
  freeCompleted(ring, req);
  if (ring.drainActive) queueDeferred(ring);
}

/** __io_submit_flush_completions, in one step. */
export function flushNow(ring: Uring): void {
  const { compl } = ring;
  ring.compl = [];
  for (const req of compl) {
    if (postsCqe(req) && (req.flags & REQ.REISSUE) === 0 && !fillCqe(ring, req)) overflowCqe(ring, req);
  }
  commitCq(ring);
  for (const req of compl) freeCompleted(ring, req);
}

/** __io_submit_flush_completions */
export function* flushCompletions(ring: Uring): Generator<number, void, void> {
  const { compl } = ring;
  if (compl.length > 0) {
    ring.compl = [];
    for (const req of compl) {
      if (postsCqe(req) && (req.flags & REQ.REISSUE) === 0 && !fillCqe(ring, req)) overflowCqe(ring, req);
    }
    commitCq(ring);
    // The CQEs can be seen, the followers are not started: a worker may come between.
    if (ring.world.exploring && compl.some(inChain)) {
      let freed = 0;
      for (const req of compl) {
        if (endsAlone(req)) freed += unordered(req.id);
        else ring.world.note(req.id);
      }
      ring.world.note(freed);
      yield 0;
    }
    for (const req of compl) freeCompleted(ring, req);
  }
  if (ring.drainActive) queueDeferred(ring);
}

function freeCompleted(ring: Uring, req: Req): void {
  if ((req.flags & REQ.REISSUE) !== 0) {
    req.flags &= ~REQ.REISSUE;
    queueIowq(ring, req);
    return;
  }
  if ((req.flags & REQ.REFCOUNT) !== 0 && --req.refs > 0) return;
  if (inChain(req)) {
    const next = findNext(ring, req);
    if (next) queueByTaskWork(ring, next);
  }
  freeReq(ring, req);
}

function freeReq(ring: Uring, req: Req): void {
  if (req.file) {
    putFile(req.file);
    req.file = undefined;
  }
  ring.live--;
  req.freed = true;
  ring.freeSlots.push(req.slot);
}

/** What io_wq_free_work does with the worker's reference: the follower to run, when it was the last one. */
export function putFromWorker(ring: Uring, req: Req): Req | undefined {
  if (--req.refs > 0) return undefined;
  const next = inChain(req) ? findNext(ring, req) : undefined;
  // Freeing is seen by nobody but a drain that waits: without one, exploring leaves the task work out.
  const watched = !ring.world.exploring || ring.deferList.length > 0;
  if (ring.profile.workerFreesByTaskWork && watched) {
    req.flags = (req.flags & ~REQ.REFCOUNT) | REQ.CQE_SKIP;
    addTaskWork(ring, WORK.COMPLETE, req, () => completeDefer(ring, req));
  } else {
    freeReq(ring, req);
    if (ring.drainActive && watched) addTaskWork(ring, WORK.FREED, req, () => {});
  }
  return next;
}

/** io_put_req for a reference that a timer held. */
export function putReq(ring: Uring, req: Req): void {
  if (--req.refs > 0) return;
  req.flags = (req.flags & ~REQ.REFCOUNT) | REQ.CQE_SKIP;
  addTaskWork(ring, WORK.COMPLETE, req, () => completeDefer(ring, req));
}

/** io_req_task_queue */
export function queueByTaskWork(ring: Uring, req: Req): void {
  addTaskWork(ring, WORK.SUBMIT, req, () => taskSubmit(ring, req));
}

/** io_req_task_submit */
export function taskSubmit(ring: Uring, req: Req): void {
  if ((req.flags & REQ.FORCE_ASYNC) !== 0 && ring.profile.taskWorkForcesAsync) queueIowq(ring, req);
  else queueSqe(ring, req, 0);
}

/** io_queue_sqe: the inline try; what would wait is polled for, or goes to io-wq. */
export function queueSqe(ring: Uring, req: Req, extra: number): void {
  const ret = issueSqe(ring, req, ISSUE.NONBLOCK | ISSUE.COMPLETE_DEFER | extra);
  if (ret === 0) return;
  if (ret !== EAGAIN || (req.flags & REQ.NOWAIT) !== 0) {
    deferFailed(ring, req, ret);
    return;
  }
  switch (armAsyncPoll(ring, req, taskSubmit)) {
    case 'ready':
      queueByTaskWork(ring, req);
      break;
    case 'aborted':
      queueIowq(ring, req);
      break;
    case 'armed':
      break;
  }
}

/** io_queue_sqe_fallback: failed chains, forced-async requests, chains cut at the end of a submit, drains. */
export function queueFallback(ring: Uring, req: Req): void {
  if ((req.flags & REQ.FAIL) !== 0) {
    req.flags = (req.flags & ~REQ.HARDLINK) | REQ.LINK;
    deferFailed(ring, req, req.res);
  } else if (ring.drainActive) drainReq(ring, req);
  else {
    assignEarly(ring, req, 'fallback');
    queueIowq(ring, req);
  }
}

/** io_req_prep_async: looks a file up before its request runs. */
export function assignEarly(ring: Uring, req: Req, why: 'link' | 'drain' | 'fallback'): void {
  const { earlyFiles } = ring.profile;
  const def = ring.ops[req.opcode]!;
  const splices = req.opcode === IORING_OP.SPLICE || req.opcode === IORING_OP.TEE;
  if (earlyFiles === 'none' || (earlyFiles === 'async' && (splices || why !== 'fallback'))) return;
  if (def.needsFile && req.file === undefined && (req.flags & REQ.FIXED_FILE) === 0)
    req.file = normalFile(ring, req, req.sqe.fd);
}

/** io_prep_async_work for every member of a chain. */
function prepAsyncLink(ring: Uring, req: Req): void {
  for (let link: Req | undefined = req; link; link = link.link) {
    const def = ring.ops[link.opcode]!;
    const { file, work } = link;
    work.concurrent = (link.flags & REQ.FORCE_ASYNC) !== 0;
    work.hash = -1;
    work.unbound = false;
    work.cancel = false;
    if (file?.kind === 'file') {
      const parallel = file.direct && ring.profile.parallelDio;
      if (def.hashRegFile && !parallel) work.hash = file.inode;
    } else if (def.unboundNonreg) work.unbound = true;
    if ((link.flags & LINK_FLAGS) === 0) break;
  }
}

/** io_queue_iowq */
export function queueIowq(ring: Uring, req: Req): void {
  prepAsyncLink(ring, req);
  emit(ring, 'queue_async_work', req, {
    opcode: opName(ring, req.opcode),
    queue: req.work.hash >= 0 ? 'hashed' : 'normal',
  });
  req.queuedInline = ring.submitting;
  ring.wq.enqueue(ring, req);
}

function chainLength(req: Req): number {
  let n = 0;
  for (let link: Req | undefined = req; link; link = link.link) n++;
  return n;
}

/** io_drain_req: the request waits in the defer list, or starts at once by task work. */
function drainReq(ring: Uring, req: Req): void {
  const drain = (req.flags & REQ.DRAIN) !== 0;
  if (!ring.profile.drainByLive) {
    drainBySequence(ring, req);
    return;
  }
  prepAsyncLink(ring, req);
  emit(ring, 'defer', req, { opcode: opName(ring, req.opcode) });
  ring.drained += chainLength(req);
  ring.deferList.push(req);
  queueDeferred(ring);
  if (!drain && ring.deferList.length === 0) ring.drainActive = false;
}

/** The drain of 6.1 and 6.12: compares the request's sequence with the CQEs that came. */
function drainBySequence(ring: Uring, req: Req): void {
  const seq = drainSequence(ring, req);
  if (!needsDefer(ring, req, seq) && ring.deferList.length === 0) {
    ring.drainActive = false;
    queueByTaskWork(ring, req);
    return;
  }
  assignEarly(ring, req, 'drain');
  prepAsyncLink(ring, req);
  emit(ring, 'defer', req, { opcode: opName(ring, req.opcode) });
  req.seq = seq;
  ring.deferList.push(req);
}

/** io_get_sequence: SQEs taken before the head of this chain. */
function drainSequence(ring: Uring, req: Req): number {
  return ring.taken - chainLength(req);
}

function needsDefer(ring: Uring, req: Req, seq: number): boolean {
  if ((req.flags & REQ.DRAIN) === 0) return false;
  return seq !== ring.cq.length + ring.overflow.length;
}

/** io_queue_deferred: starts what no longer has to wait. */
export function queueDeferred(ring: Uring): void {
  if (!ring.profile.drainByLive) {
    while (ring.deferList.length > 0) {
      const first = ring.deferList[0]!;
      if (needsDefer(ring, first, first.seq)) return;
      ring.deferList.shift();
      queueByTaskWork(ring, first);
    }
    return;
  }
  let drainSeen = false;
  let isFirst = true;
  while (ring.deferList.length > 0) {
    const next = ring.deferList[0]!;
    drainSeen ||= (next.flags & REQ.DRAIN) !== 0;
    if ((drainSeen || isFirst) && ring.live !== ring.drained) return;
    ring.deferList.shift();
    ring.drained -= chainLength(next);
    queueByTaskWork(ring, next);
    isFirst = false;
  }
}
