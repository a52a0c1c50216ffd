/** Task work: adding it to a ring's submitter, and running it in rounds. */
import { IORING_SETUP } from '../../uapi/io_uring_abi';
import { TIME } from './run_times';
import type { Req, TaskWork, Uring } from './types';
import { endsUnseen, onlyCompletes, runsUnseen } from './unseen';

/** Ends a round: posts what it completed. */
type Flush = (ring: Uring) => Generator<number, void, void>;

/** Most local work that one run takes when nobody asks for more (IO_LOCAL_TW_DEFAULT_MAX). */
const LOCAL_MAX = 20;

/** Whether task work of the ring runs only inside io_uring_enter of its submitter. */
export function defersTaskWork(ring: Uring): boolean {
  return (ring.setup & IORING_SETUP.DEFER_TASKRUN) !== 0;
}

/** io_req_task_work_add */
export function addTaskWork(ring: Uring, what: TaskWork['what'], req: Req, run: () => void): void {
  const work: TaskWork = { what, req, run };
  ring.world.effects++;
  if (defersTaskWork(ring)) {
    ring.localWork.push(work);
    ring.cqWake?.();
    return;
  }
  ring.submitter.taskWork.push(work);
  ring.submitter.notify();
}

/** Whether task work waits. */
export function hasTaskWork(ring: Uring): boolean {
  return ring.submitter.taskWork.length > 0;
}

/** Runs at most so many pieces of work; others come between where that can be seen. */
function* runRound(ring: Uring, works: TaskWork[], most: number): Generator<number, number, void> {
  const { exploring } = ring.world;
  let done = 0;
  let seen = false;
  while (works.length > 0 && done < most) {
    const work = works.shift()!;
    seen ||= !onlyCompletes(ring, work);
    work.run();
    done++;
    const [next] = works;
    const ends = next === undefined || done === most;
    if (!exploring || (seen && (ends ? !endsUnseen(ring) : !runsUnseen(ring, next)))) yield TIME.taskWork;
  }
  return done;
}

/** task_work_run: rounds until nothing is left; every round ends with a flush of completions. */
export function* runTaskWork(ring: Uring, flush: Flush): Generator<number, void, void> {
  const { submitter } = ring;
  while (submitter.taskWork.length > 0) {
    yield TIME.round;
    const round = submitter.taskWork;
    submitter.taskWork = [];
    if (!ring.profile.taskWorkFifo) round.reverse();
    ring.round = round;
    // What is added from now on waits for the next round.
    if (ring.world.exploring) yield 0;
    yield* runRound(ring, round, round.length);
    if (ring.profile.flushesEachRound || submitter.taskWork.length === 0) yield* flush(ring);
  }
}

/** Whether work of a DEFER_TASKRUN ring waits. */
export function hasLocalWork(ring: Uring): boolean {
  return ring.localWork.length > 0 || ring.retryWork.length > 0;
}

/** __io_run_local_work: takes at most `max`, goes on while fewer than `min` were done. */
export function* runLocalWork(ring: Uring, min: number, flush: Flush): Generator<number, void, void> {
  const max = Math.max(LOCAL_MAX, min);
  let done = 0;
  for (;;) {
    done += yield* runRound(ring, ring.retryWork, max);
    if (ring.retryWork.length === 0) {
      const round = ring.localWork;
      ring.localWork = [];
      ring.round = round;
      done += yield* runRound(ring, round, Math.max(0, max - done));
      ring.retryWork = round;
      if (hasLocalWork(ring) && done < min) continue;
    }
    ring.world.note(done);
    yield* flush(ring);
    if (!(hasLocalWork(ring) && done < min)) return;
  }
}
