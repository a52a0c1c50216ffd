/** io_uring/poll.c: arming, waking and finishing polls. */
import { IORING_CQE_F } from '../../uapi/io_uring_abi';
import { IORING_OP } from '../../uapi/io_uring_ops';
import { addTaskWork } from './task_work_list';
import { completeDefer, deferFailed, setFail } from './complete_later';
import { postMore } from './cq';
import { EPOLL } from './epoll_bits';
import { canPoll, type OpenFile, pollMask } from './open_files';
import type { PollState, Req, Uring } from './types';
import { REQ, WORK } from './types';
import { emit, opName } from './uring_trace';
import type { PollWait, WaitQueue } from './wait_queue';

const EINVAL = -22;
const ECANCELED = -125;
/** Always of interest (IO_POLL_UNMASK). */
const UNMASK = EPOLL.ERR | EPOLL.HUP | EPOLL.NVAL | EPOLL.RDHUP;
/** Not looked at when a wake-up names its events (IO_ASYNC_POLL_COMMON). */
const POLL_COMMON = EPOLL.ONESHOT | EPOLL.PRI;

/** Polls that one request may arm (APOLL_MAX_RETRY): a file that says it is ready and then is not goes to a worker. */
const MAX_RETRIES = 128;

/** io_req_task_submit: passed in, since issuing stands above polling. */
type Submit = (ring: Uring, req: Req) => void;

/** What arming came to: a mask that is there already, or an error. */
type Armed = { readonly mask: number } | { readonly error: number } | 'armed';

/** __io_arm_poll_handler: waits at the file for `events`. */
function arm(ring: Uring, req: Req, events: number, submit: Submit): Armed {
  const file = req.file!;
  const state: PollState = {
    events: (events | UNMASK) >>> 0,
    res: 0,
    refs: 0,
    cancelled: false,
    retry: false,
    waits: [],
    hashed: false,
    retries: (req.poll?.retries ?? MAX_RETRIES) - 1,
  };
  req.poll = state;
  const mask = (pollMask(file) & state.events) >>> 0;
  if (file.pipe === undefined) {
    if (mask !== 0 && (state.events & EPOLL.ET) !== 0) return { mask };
    return { error: EINVAL };
  }
  const oneshotEdge = (state.events & EPOLL.ONESHOT) !== 0 && (state.events & EPOLL.ET) !== 0;
  if (mask !== 0 && oneshotEdge) return { mask };
  addWaits(ring, req, file, state, submit);
  ring.world.effects++;
  hashAdd(ring, req);
  if (mask !== 0 && (state.events & EPOLL.ET) !== 0) {
    state.refs++;
    execute(ring, req, mask, submit);
  }
  return 'armed';
}

function addWaits(ring: Uring, req: Req, file: OpenFile, state: PollState, submit: Submit): void {
  const { pipe } = file;
  const add = (queue: WaitQueue): void => {
    const wait: PollWait = { queue, owner: req.id, wake: (mask) => wake(ring, req, state, mask, submit) };
    queue.addPoll(wait);
    state.waits.push(wait);
  };
  if (file.readable) add(pipe!.readWait);
  if (file.writable) add(pipe!.writeWait);
}

/** io_poll_wake */
function wake(ring: Uring, req: Req, state: PollState, mask: number, submit: Submit): boolean {
  if (mask !== 0 && (mask & state.events & ~POLL_COMMON) === 0) return false;
  if (state.refs++ === 0) {
    if (mask !== 0 && (state.events & EPOLL.ONESHOT) !== 0) removeWaits(state);
    execute(ring, req, mask, submit);
  }
  return true;
}

/** __io_poll_execute */
function execute(ring: Uring, req: Req, mask: number, submit: Submit): void {
  req.poll!.res = mask;
  addTaskWork(ring, WORK.POLL, req, () => pollTask(ring, req, submit));
}

function removeWaits(state: PollState): void {
  for (const wait of state.waits) wait.queue.removePoll(wait);
  state.waits = [];
}

/** What io_poll_check_events decides. */
type Checked = 'done' | 'none' | 'reissue' | 'use-res' | number;

function checkEvents(ring: Uring, req: Req, state: PollState): Checked {
  for (;;) {
    if (state.cancelled) return ECANCELED;
    if (state.refs !== 1) state.res = 0;
    const seen = state.refs;
    if (state.res === 0) {
      state.res = (pollMask(req.file!) & state.events) >>> 0;
      if (state.res === 0) {
        if ((state.events & EPOLL.ONESHOT) !== 0) return 'reissue';
        state.refs -= seen;
        if (state.refs > 0) continue;
        return 'none';
      }
    }
    if ((state.events & EPOLL.ONESHOT) !== 0) return 'done';
    const mask = visibleMask(state.res & state.events);
    req.cause = 'poll';
    if (!postMore(ring, req, mask, IORING_CQE_F.MORE)) {
      req.res = mask;
      return 'use-res';
    }
    state.res = 0;
    state.refs -= seen;
    if (state.refs <= 0) return 'none';
  }
}

function visibleMask(mask: number): number {
  return (mask & 0xffff) | 0;
}

/** io_poll_task_func */
function pollTask(ring: Uring, req: Req, submit: Submit): void {
  const state = req.poll!;
  const found = checkEvents(ring, req, state);
  if (found === 'none') return;
  removeWaits(state);
  hashRemove(ring, req);
  req.cause = 'poll';
  if (req.opcode !== IORING_OP.POLL_ADD) {
    if (found === 'done' || found === 'reissue') submit(ring, req);
    else if (found === 'use-res') completeDefer(ring, req);
    else deferFailed(ring, req, found);
    return;
  }
  if (found === 'reissue') {
    submit(ring, req);
    return;
  }
  if (found === 'done') req.res = visibleMask(state.res & state.events);
  else if (found !== 'use-res') {
    req.res = found;
    setFail(req);
  }
  completeDefer(ring, req);
}

/** io_arm_poll_handler: lets the file wake a request that would wait. */
export function armAsyncPoll(ring: Uring, req: Req, submit: Submit): 'armed' | 'ready' | 'aborted' {
  const def = ring.ops[req.opcode]!;
  if (!def.pollin && !def.pollout) return 'aborted';
  if (!canPoll(req.file!) || req.poll?.retries === 1) return 'aborted';
  const wanted = def.pollin ? EPOLL.IN | EPOLL.RDNORM : EPOLL.OUT | EPOLL.WRNORM;
  const events = (EPOLL.PRI | EPOLL.ERR | EPOLL.ET | EPOLL.ONESHOT | wanted) >>> 0;
  req.flags |= REQ.POLLED;
  const armed = arm(ring, req, events, submit);
  if (armed !== 'armed') return 'mask' in armed ? 'ready' : 'aborted';
  emit(ring, 'poll_arm', req, { opcode: opName(ring, req.opcode), mask: events, events: req.poll!.events });
  return 'armed';
}

/** Issue of POLL_ADD: a mask now (positive), 'armed', or an error. */
export function armPoll(ring: Uring, req: Req, events: number, submit: Submit): Armed {
  return arm(ring, req, events, submit);
}

/** Bits of the hash of armed polls, as io_uring_create takes them. */
export function pollHashBits(cqEntries: number): number {
  return Math.min(8, Math.max(1, Math.floor(Math.log2(cqEntries)) - 5));
}

/** hash_long of the kernel. */
function bucketOf(ring: Uring, userDataValue: bigint): Req[] {
  const bits = Math.log2(ring.polls.length);
  const product = BigInt.asUintN(64, userDataValue * 0x61c8864680b583ebn);
  return ring.polls[Number(product >> BigInt(64 - bits))]!;
}

function hashAdd(ring: Uring, req: Req): void {
  bucketOf(ring, req.userData).unshift(req);
  req.poll!.hashed = true;
}

function hashRemove(ring: Uring, req: Req): void {
  if (!req.poll!.hashed) return;
  req.poll!.hashed = false;
  const bucket = bucketOf(ring, req.userData);
  bucket.splice(bucket.indexOf(req), 1);
}

/** io_poll_find: the newest armed request with this user_data that `matches` takes. */
export function findPoll(ring: Uring, value: bigint, matches: (req: Req) => boolean): Req | undefined {
  return bucketOf(ring, value).find((req) => req.userData === value && matches(req));
}

/** io_poll_file_find: the first armed request, bucket by bucket, that `matches` takes. */
export function findAnyPoll(ring: Uring, matches: (req: Req) => boolean): Req | undefined {
  for (const bucket of ring.polls) {
    const req = bucket.find(matches);
    if (req) return req;
  }
  return undefined;
}

/** io_poll_disarm of POLL_REMOVE: false when somebody else has it already. */
export function disarmPoll(ring: Uring, req: Req): boolean {
  const state = req.poll!;
  if (state.refs++ > 0) return false;
  removeWaits(state);
  hashRemove(ring, req);
  req.cause = 'cancel';
  req.res = ECANCELED;
  setFail(req);
  addTaskWork(ring, WORK.COMPLETE, req, () => completeDefer(ring, req));
  return true;
}

/** io_poll_cancel_req */
export function cancelPoll(ring: Uring, req: Req, submit: Submit): void {
  const state = req.poll!;
  state.cancelled = true;
  if (state.refs++ === 0) execute(ring, req, 0, submit);
}
