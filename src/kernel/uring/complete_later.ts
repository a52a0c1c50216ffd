/** Completions that task work of the submitter makes. */
import { addTaskWork } from './task_work_list';
import { REQ, type Req, type Uring, WORK } from './types';

/** req_set_fail: breaks the chain behind it; a request with SKIP posts its CQE, its followers post none. */
export function setFail(req: Req): void {
  req.flags |= REQ.FAIL;
  if ((req.flags & REQ.CQE_SKIP) !== 0) {
    req.flags = (req.flags & ~REQ.CQE_SKIP) | REQ.SKIP_LINK_CQES;
  }
}

/** io_req_complete_defer: posts with the next flush. */
export function completeDefer(ring: Uring, req: Req): void {
  ring.compl.push(req);
}

/** io_req_queue_tw_complete */
export function completeByTaskWork(ring: Uring, req: Req, res: number): void {
  req.res = res;
  addTaskWork(ring, WORK.COMPLETE, req, () => completeDefer(ring, req));
}

/** io_req_defer_failed; before it, io_req_complete_failed */
export function deferFailed(ring: Uring, req: Req, res: number): void {
  setFail(req);
  req.res = res;
  ring.ops[req.opcode]?.fail?.(req);
  if (ring.profile.failedPostsAtOnce) ring.postFailed(ring, req);
  else completeDefer(ring, req);
}

/** io_req_task_queue_fail */
export function failByTaskWork(ring: Uring, req: Req, res: number): void {
  req.res = res;
  addTaskWork(ring, WORK.FAIL, req, () => deferFailed(ring, req, res));
}
