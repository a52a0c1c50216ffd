/** io_init_req and io_submit_sqe: taking one SQE. */
import type { Sqe } from '../../uapi/sqe';
import { setFail } from './complete_later';
import { assignEarly, queueFallback, queueSqe } from './core';
import { LINK_FLAGS, REQ, type Req, type Uring } from './types';
import { emit, opName, slotName, userData } from './uring_trace';

const EINVAL = -22;
const EOPNOTSUPP = -95;
const ECANCELED = -125;
/** SQE flags that need no further look. */
const COMMON = REQ.FIXED_FILE | REQ.LINK | REQ.HARDLINK | REQ.FORCE_ASYNC;
const VALID = 0x7f;

/** Requests are allocated this many at a time (IO_REQ_ALLOC_BATCH). */
const BATCH = 8;

/** io_alloc_req: the piece of memory that was freed last. */
function takeSlot(ring: Uring): number {
  if (ring.freeSlots.length === 0) {
    const first = ring.slotNames.length;
    for (let i = 0; i < BATCH; i++) {
      ring.slotNames.push(undefined);
      ring.freeSlots.push(first + i);
    }
  }
  return ring.freeSlots.pop()!;
}

function newReq(ring: Uring, sqe: Sqe): Req {
  return {
    id: ring.nextReq++,
    sqe,
    opcode: sqe.opcode,
    flags: sqe.flags,
    userData: sqe.userData,
    file: undefined,
    link: undefined,
    res: 0,
    cflags: 0,
    refs: 0,
    cancelSeq: 0,
    work: { hash: -1, unbound: false, concurrent: false, cancel: false },
    rw: undefined,
    poll: undefined,
    timeout: undefined,
    blockedOn: undefined,
    diskWait: 0,
    splitPost: false,
    done: false,
    held: false,
    spliceIn: undefined,
    slot: takeSlot(ring),
    seq: 0,
    cause: 'inline',
    chain: ring.linkHead?.id ?? ring.nextReq - 1,
    batch: ring.batch,
    malformed: ring.linkHead?.malformed ?? false,
    queuedInline: false,
    cancelledBy: 0,
    freed: false,
  };
}

/** io_init_req: 0, or the error of a malformed SQE. */
function initReq(ring: Uring, req: Req): number {
  const { sqe } = req;
  const def = ring.ops[sqe.opcode];
  if (sqe.opcode >= ring.profile.opLast || def === undefined) {
    req.opcode = 0;
    return EINVAL;
  }
  if ((sqe.flags & ~COMMON) !== 0) {
    if ((sqe.flags & ~VALID) !== 0) return EINVAL;
    if ((sqe.flags & REQ.BUFFER_SELECT) !== 0 && !def.bufferSelect) return EOPNOTSUPP;
    if ((sqe.flags & REQ.CQE_SKIP) !== 0) ring.drainDisabled = true;
    if ((sqe.flags & REQ.DRAIN) !== 0) {
      if (ring.drainDisabled) return EOPNOTSUPP;
      startDrain(ring);
    }
  }
  if (ring.drainActive) req.flags |= REQ.FORCE_ASYNC;
  if (ring.drainNext && ring.linkHead === undefined) {
    ring.drainNext = false;
    ring.drainActive = true;
    req.flags |= REQ.DRAIN | REQ.FORCE_ASYNC;
  }
  if (!def.ioprio && sqe.ioprio !== 0) return EINVAL;
  if (sqe.personality !== 0) return EINVAL;
  const bad = def.prep(ring, req);
  if (bad === 0 && def.forceAsync && ring.profile.forceAsyncAtPrep) req.flags |= REQ.FORCE_ASYNC;
  return bad;
}

/** io_init_drain: a drain inside a chain drains its head, and what follows the chain. */
function startDrain(ring: Uring): void {
  ring.drainActive = true;
  const head = ring.linkHead;
  if (head === undefined) return;
  head.flags |= REQ.DRAIN | REQ.FORCE_ASYNC;
  ring.drainNext = true;
}

/** io_submit_sqe: takes one SQE; returns 0, or the error that ends a batch without SUBMIT_ALL. */
export function submitSqe(ring: Uring, sqe: Sqe): number {
  const req = newReq(ring, sqe);
  ring.requests.push(req);
  ring.live++;
  ring.taken++;
  const bad = initReq(ring, req);
  if (bad !== 0) return failInit(ring, req, bad);
  emit(ring, 'submit_req', req, { opcode: opName(ring, req.opcode), flags: req.flags & VALID });
  ring.slotNames[req.slot] = userData(req);
  if (ring.linkHead) {
    assignEarly(ring, req, 'link');
    const after = ring.profile.linkTracesPredecessor ? ring.linkLast! : ring.linkHead;
    emit(ring, 'link', req, { after: slotName(ring, after) }, after);
    ring.linkLast!.link = req;
    ring.linkLast = req;
    if ((req.flags & LINK_FLAGS) !== 0) return 0;
    const head = ring.linkHead;
    ring.linkHead = undefined;
    if ((head.flags & (REQ.FORCE_ASYNC | REQ.FAIL)) !== 0) queueFallback(ring, head);
    else queueSqe(ring, head, 0);
    return 0;
  }
  if ((req.flags & LINK_FLAGS) !== 0) {
    ring.linkHead = req;
    ring.linkLast = req;
  } else if ((req.flags & (REQ.FORCE_ASYNC | REQ.FAIL)) !== 0) queueFallback(ring, req);
  else queueSqe(ring, req, 0);
  return 0;
}

/** io_submit_fail_init: the chain is assembled on, and fails as a whole. */
function failInit(ring: Uring, req: Req, error: number): number {
  emit(ring, 'req_failed', req, { opcode: opName(ring, req.sqe.opcode), error });
  const head = ring.linkHead;
  for (const member of ring.requests) if (member.chain === req.chain) member.malformed = true;
  setFail(req);
  req.res = error;
  if (head && (head.flags & REQ.FAIL) === 0) {
    setFail(head);
    head.res = ECANCELED;
  }
  if ((req.flags & LINK_FLAGS) === 0) {
    let first = req;
    if (head) {
      ring.linkLast!.link = req;
      ring.linkHead = undefined;
      first = head;
    }
    queueFallback(ring, first);
    return error;
  }
  if (head) ring.linkLast!.link = req;
  else ring.linkHead = req;
  ring.linkLast = req;
  return 0;
}

/** Whether the simulator answers for an SQE: it has the op, or the kernel does not know it either. */
export function isModelled(ring: Pick<Uring, 'ops' | 'profile'>, sqe: Sqe): boolean {
  if (sqe.opcode >= ring.profile.opLast) return true;
  const def = ring.ops[sqe.opcode];
  return def !== undefined && (def.models?.(sqe) ?? true);
}
