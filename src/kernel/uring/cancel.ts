/** io_uring/cancel.c: finding requests to cancel, wherever they wait. */
import { IORING_SETUP } from '../../uapi/io_uring_abi';
import { IORING_OP } from '../../uapi/io_uring_ops';
import { failByTaskWork, setFail } from './complete_later';
import { putReq, taskSubmit } from './core';
import { fixedFile, normalFile } from './file_get';
import type { OpenFile } from './open_files';
import { cancelPoll, disarmPoll, findAnyPoll, findPoll } from './poll_arm';
import { finishLinkTimeout } from './timeout_arm';
import { ISSUED, REQ, type Req, type Uring } from './types';

const ENOENT = -2;
const EBADF = -9;
const EALREADY = -114;
const ECANCELED = -125;

/** Bits of cancel_flags. */
export const CANCEL = { ALL: 1, FD: 2, ANY: 4, FD_FIXED: 8, USERDATA: 16, OP: 32 } as const;

/** What to cancel (struct io_cancel_data). */
interface CancelData {
  readonly data: bigint;
  readonly flags: number;
  readonly file: OpenFile | undefined;
  readonly opcode: number;
  readonly seq: number;
}

/** io_cancel_match_sequence: each request is met once by one cancel. */
function metBefore(req: Req, seq: number): boolean {
  if (req.cancelSeq === seq) return true;
  req.cancelSeq = seq;
  return false;
}

/** io_cancel_req_match */
function matches(req: Req, cd: CancelData): boolean {
  if ((cd.flags & CANCEL.ANY) === 0) {
    if ((cd.flags & CANCEL.FD) !== 0 && req.file !== cd.file) return false;
    if ((cd.flags & CANCEL.OP) !== 0 && req.opcode !== cd.opcode) return false;
    const byUserData = (cd.flags & (CANCEL.FD | CANCEL.OP)) === 0 || (cd.flags & CANCEL.USERDATA) !== 0;
    if (byUserData && req.userData !== cd.data) return false;
    if ((cd.flags & CANCEL.ALL) === 0) return true;
  }
  return !metBefore(req, cd.seq);
}

/** io_async_cancel_one */
function cancelInWorkers(ring: Uring, cd: CancelData): number {
  const all = (cd.flags & (CANCEL.ALL | CANCEL.ANY)) !== 0;
  switch (ring.wq.cancel(ring, (req) => matches(req, cd), all)) {
    case 'ok':
      return 0;
    case 'running':
      return EALREADY;
    case 'none':
      return ENOENT;
  }
}

/** io_poll_cancel */
function cancelInPolls(ring: Uring, cd: CancelData): number {
  const wide = (cd.flags & (CANCEL.FD | CANCEL.OP | CANCEL.ANY)) !== 0;
  const req = wide
    ? findAnyPoll(ring, (candidate) => matches(candidate, cd))
    : findPoll(ring, cd.data, (candidate) => (cd.flags & CANCEL.ALL) === 0 || !metBefore(candidate, cd.seq));
  if (req === undefined) return ENOENT;
  req.cancelledBy = ring.canceller?.id ?? 0;
  cancelPoll(ring, req, taskSubmit);
  return 0;
}

/** io_timeout_cancel */
function cancelInTimeouts(ring: Uring, cd: CancelData): number {
  const req = ring.timeouts.find((candidate) => matches(candidate, cd));
  if (req === undefined) return ENOENT;
  if (!req.timeout!.timer?.cancel()) return EALREADY;
  ring.timeouts.splice(ring.timeouts.indexOf(req), 1);
  req.cause = 'cancel';
  req.cancelledBy = ring.canceller?.id ?? 0;
  failByTaskWork(ring, req, ECANCELED);
  return 0;
}

/** io_try_cancel */
function tryCancel(ring: Uring, cd: CancelData): number {
  if (cancelInWorkers(ring, cd) === 0) return 0;
  const inPolls = cancelInPolls(ring, cd);
  if (inPolls !== ENOENT) return inPolls;
  return (cd.flags & CANCEL.FD) !== 0 ? ENOENT : cancelInTimeouts(ring, cd);
}

/** __io_async_cancel: a number of requests with ALL or ANY, else 0 or a negative errno. */
function cancelRequests(ring: Uring, cd: CancelData): number {
  const all = (cd.flags & (CANCEL.ALL | CANCEL.ANY)) !== 0;
  let nr = 0;
  for (;;) {
    const ret = tryCancel(ring, cd);
    if (ret === ENOENT) break;
    if (!all) return ret;
    nr++;
  }
  // The slow path asks the workers of every task that uses the ring, which the SQPOLL thread is not.
  const sqpoll = (ring.setup & IORING_SETUP.SQPOLL) !== 0;
  const slow = sqpoll ? ENOENT : cancelInWorkers(ring, cd);
  if (slow !== ENOENT && all) nr++;
  return all ? nr : slow;
}

/** Issue of ASYNC_CANCEL. */
export function issueCancel(ring: Uring, req: Req): number {
  const { sqe } = req;
  const flags = sqe.opFlags;
  let file: OpenFile | undefined;
  let ret = 0;
  ring.cancelSeq++;
  ring.canceller = req;
  if ((flags & CANCEL.FD) !== 0) {
    const fixed = (req.flags & REQ.FIXED_FILE) !== 0 || (flags & CANCEL.FD_FIXED) !== 0;
    file = fixed ? fixedFile(ring, sqe.fd) : normalFile(ring, req, sqe.fd);
    req.file = file;
    if (file === undefined) ret = EBADF;
  }
  if (ret === 0) {
    ret = cancelRequests(ring, { data: sqe.addr, flags, file, opcode: sqe.len, seq: ring.cancelSeq });
  }
  ring.canceller = undefined;
  if (ret < 0) setFail(req);
  req.res = ret;
  return ISSUED.COMPLETE;
}

/** Issue of TIMEOUT_REMOVE without UPDATE. */
export function issueTimeoutRemove(ring: Uring, req: Req): number {
  ring.canceller = req;
  const ret = cancelInTimeouts(ring, {
    data: req.sqe.addr,
    flags: 0,
    file: undefined,
    opcode: IORING_OP.TIMEOUT,
    seq: 0,
  });
  ring.canceller = undefined;
  if (ret < 0) setFail(req);
  req.res = ret;
  return ISSUED.COMPLETE;
}

/** Issue of POLL_REMOVE without an update. */
export function issuePollRemove(ring: Uring, req: Req): number {
  const armed = findPoll(ring, req.sqe.addr, ({ opcode }) => opcode === IORING_OP.POLL_ADD);
  if (armed) armed.cancelledBy = req.id;
  let ret = armed ? 0 : ENOENT;
  if (armed && !disarmPoll(ring, armed)) ret = EALREADY;
  if (ret < 0) setFail(req);
  req.res = ret;
  return ISSUED.COMPLETE;
}

/** io_req_task_link_timeout: a link timeout cancels whatever has the user_data of the timed request. */
export function linkTimeoutTask(ring: Uring, req: Req): void {
  const prev = req.timeout!.prev;
  if (prev === undefined) {
    finishLinkTimeout(ring, req, 0);
    return;
  }
  const ret = tryCancel(ring, { data: prev.userData, flags: 0, file: undefined, opcode: 0, seq: 0 });
  finishLinkTimeout(ring, req, ret);
  putReq(ring, prev);
}
