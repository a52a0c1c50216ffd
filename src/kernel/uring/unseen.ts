/** Which steps of the submitter nobody else can see: exploring tries nobody before them. */
import { IORING_SETUP } from '../../uapi/io_uring_abi';
import { IORING_OP } from '../../uapi/io_uring_ops';
import type { Sqe } from '../../uapi/sqe';
import { mayOverflow } from './cq_room';
import { LINK_FLAGS, REQ, type TaskWork, type Uring, WORK } from './types';

/** Whether the submitter does nothing with an SQE but hand it to io-wq. */
function goesToWorker(ring: Uring, sqe: Sqe): boolean {
  const op = ring.ops[sqe.opcode];
  if ((sqe.flags & REQ.FORCE_ASYNC) !== 0 || op === undefined || op.forceAsync) return true;
  const fixed = (sqe.flags & REQ.FIXED_FILE) !== 0;
  const file = fixed ? ring.fixedFiles[sqe.fd] : ring.fds.get(sqe.fd);
  return op.hashRegFile && file?.kind === 'file' && !file.direct;
}

/** Whether issuing an SQE can be seen by nobody but the submitter until its completions are flushed. */
function issuesUnseen(ring: Uring, sqe: Sqe): boolean {
  switch (sqe.opcode) {
    case IORING_OP.ASYNC_CANCEL:
    case IORING_OP.TIMEOUT_REMOVE:
    case IORING_OP.TIMEOUT:
      return false;
    default:
      return !ring.contended(sqe) || goesToWorker(ring, sqe);
  }
}

/** Whether taking an SQE can be seen by nobody but the submitter until its completions are flushed. */
export function takesUnseen(ring: Uring, sqe: Sqe): boolean {
  if (ring.drainActive && !ring.profile.drainByLive) return false;
  if (ring.linkHead !== undefined) return (sqe.flags & LINK_FLAGS) !== 0;
  if ((sqe.flags & LINK_FLAGS) !== 0) return true;
  return issuesUnseen(ring, sqe);
}

/** Whether it does not matter if somebody comes between entering the kernel and taking the first SQE. */
export function entersUnseen(ring: Uring): boolean {
  const [first] = ring.sq;
  // Task work that is added outside the kernel runs there, unless it has to wait for the next call.
  const waits = (ring.setup & (IORING_SETUP.COOP_TASKRUN | IORING_SETUP.DEFER_TASKRUN)) !== 0;
  return waits || first === undefined || takesUnseen(ring, first);
}

/** Whether the end of a submit call does nothing that somebody sees; `looks`: it goes on to what others handed over. */
export function endsUnseen(ring: Uring, looks = true): boolean {
  if (!looks && flushesUnseen(ring)) return true;
  return ring.compl.length === 0 && ring.linkHead === undefined && !ring.drainActive && !ring.plug?.length;
}

/** Whether the ring's task posts every CQE. */
export function postsAlone({ setup, profile }: Uring): boolean {
  return (setup & IORING_SETUP.DEFER_TASKRUN) !== 0 && profile.workerDefersCqe;
}

/**
 * Whether a flush is seen by nobody: the task of a DEFER_TASKRUN ring posts every CQE, and nothing looks at what was posted or freed.
 */
export function flushesUnseen(ring: Uring): boolean {
  if (!postsAlone(ring) || ring.world.careful) return false;
  if (ring.offTimeoutUsed || mayOverflow(ring)) return false;
  return !ring.drainActive && ring.deferList.length === 0 && !ring.plug?.length;
}

/** Whether a piece of task work only adds to what the next flush posts. */
export function onlyCompletes(ring: Uring, { what, req }: TaskWork): boolean {
  switch (what) {
    case WORK.COMPLETE:
    case WORK.CANCEL_CHAIN:
    case WORK.DISK:
    case WORK.FREED:
      return true;
    case WORK.FAIL:
      return !ring.profile.failedPostsAtOnce;
    case WORK.TIMEOUT:
      return !req.timeout!.multishot;
    default:
      return false;
  }
}

/** Whether it does not matter if somebody comes right before a piece of task work. */
export function runsUnseen(ring: Uring, work: TaskWork): boolean {
  return onlyCompletes(ring, work) || (work.what === WORK.SUBMIT && issuesUnseen(ring, work.req.sqe));
}
