/** How reads and writes end: in their try, by task work, or when the disk says so. */
import { addTaskWork } from './task_work_list';
import { completeDefer, setFail } from './complete_later';
import { ISSUED, REQ, type Req, type RwState, type Uring, WORK } from './types';
import type { Delay } from './world';

/** kiocb_done: the result of a try that ends the request. */
export function done(req: Req, rw: RwState, ret: number): number {
  if (ret >= 0 && (req.flags & REQ.CUR_POS) !== 0) req.file!.pos = rw.pos;
  const total = rw.bytesDone + ret;
  if (ret !== rw.want) setFail(req);
  req.res = total;
  return ISSUED.COMPLETE;
}

/** io_complete_rw of a transfer that the disk ends: the file position stays. */
function doneDirect(req: Req, rw: RwState, ret: number): number {
  if (ret !== rw.want) setFail(req);
  req.res = ret;
  return ISSUED.COMPLETE;
}

/** io_rw_done of a write that failed: its CQE comes by task work, wherever the write ran. */
export function doneWrite(ring: Uring, req: Req, rw: RwState, ret: number): number {
  if (ret >= 0) return done(req, rw, ret);
  if (rw.bytesDone > 0) req.res = rw.bytesDone;
  else req.res = ret;
  setFail(req);
  addTaskWork(ring, WORK.COMPLETE, req, () => completeDefer(ring, req));
  return ISSUED.PENDING;
}

/** The disk ends a request: in task work of the submitter, unless a worker that started it still holds it. */
export function fromDisk(
  ring: Uring,
  req: Req,
  delay: Delay,
  res: number,
  held: boolean,
  transfer = (): void => {},
): void {
  const direct = { refs: held ? 2 : 1, res };
  req.rw!.direct = direct;
  const ended = (): void => {
    if (--direct.refs > 0) return;
    addTaskWork(ring, WORK.DISK, req, () => {
      req.cause = 'disk';
      doneDirect(req, req.rw!, res);
      completeDefer(ring, req);
    });
  };
  const { world } = ring;
  const moved = (): void => {
    transfer();
    // Its end may be told later than that of another transfer that came upon the same bytes.
    if (world.exploring && ring.contended(req.sqe)) world.after(`disk end ${req.id}`, 0, ended);
    else ended();
  };
  world.after(`disk ${req.id}`, delay, moved);
}

/** Whether the disk can be faster than a worker that starts a transfer: seldom, so only when exploring. */
export function holdsDirect(ring: Uring, nonblock: boolean): boolean {
  return ring.world.exploring && !nonblock;
}

/** Who started a direct transfer lets go of it: true when the disk was faster, then it is an ordinary end of the try. */
export function dropDirect(req: Req): boolean {
  const rw = req.rw!;
  const direct = rw.direct!;
  if (--direct.refs > 0) return false;
  if (direct.res > 0) rw.pos += direct.res;
  done(req, rw, direct.res);
  return true;
}
