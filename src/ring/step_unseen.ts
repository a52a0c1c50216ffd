/** Which calls of the application begin with nothing that somebody sees. */
import { IORING_SETUP } from '../uapi/io_uring_abi';
import { mayOverflow } from '../kernel/uring/cq_room';
import { hasLocalWork, hasTaskWork } from '../kernel/uring/task_work_list';
import type { Uring } from '../kernel/uring/types';
import { flushesUnseen, takesUnseen } from '../kernel/uring/unseen';
import type { ProgramStep } from './program';

/** Whether the application goes to sleep next whatever comes between, to take everything once all is done. */
export function waitsNext(ring: Uring, step: ProgramStep): boolean {
  if (step.kind !== 'reap' || step.count !== 'all' || (ring.setup & IORING_SETUP.SQPOLL) !== 0) return false;
  return !hasTaskWork(ring) && !hasLocalWork(ring) && !mayOverflow(ring);
}

/** Whether the application submits next, whatever was handed over to it meanwhile. */
export function submitsNext(ring: Uring, step: ProgramStep): boolean {
  if (step.kind !== 'submit' || !flushesUnseen(ring)) return false;
  const first = ring.sq[0] ?? step.sqes[0];
  return first === undefined || takesUnseen(ring, first);
}

/** Whether a step can bring SQEs to the ring. */
export function addsSqes(step: ProgramStep): boolean {
  return step.kind === 'submit' && (step.sqes.length > 0 || step.toSubmit !== undefined);
}
