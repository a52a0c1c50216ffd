import { DiskPart } from './requests_disk';
import { FusePart } from './requests_fuse';
import { KIND } from './requests_kinds';
import { ProbePart } from './requests_probe';
import { RingPart } from './requests_ring';
import { MatchState } from './requests_state';
import { WorkPart } from './requests_work';
import type { Sliced } from './slices';
import type { Trace } from './trace';

/** Events of one slice. */
const SLICE = 4096;

/** What one pass over the events found, before requests are made of it. */
export interface Matched {
  readonly state: MatchState;
  readonly fuse: FusePart;
}

/** One pass over all events: block requests, slot lives and SQEs, and to which of them each event belongs. */
export function* matchEvents(trace: Trace): Sliced<Matched> {
  const state = new MatchState(trace);
  const work = new WorkPart(state);
  const ring = new RingPart(state, work);
  const disk = new DiskPart(state, work);
  const probe = new ProbePart(state, work);
  const fuse = new FusePart(state, ring);
  const parts: Parts = { state, work, ring, disk, probe, fuse };
  const { length } = trace;
  for (let from = 0; from < length; from += SLICE) {
    pass(parts, from, Math.min(length, from + SLICE));
    yield from / length;
  }
  fuse.finish();
  yield 1;
  return { state, fuse };
}

interface Parts extends Matched {
  readonly work: WorkPart;
  readonly ring: RingPart;
  readonly disk: DiskPart;
  readonly probe: ProbePart;
}

/** The events from `from` up to `to`. */
function pass({ state, work, ring, disk, probe, fuse }: Parts, from: number, to: number): void {
  const { kind: kinds, detail } = state.plans;
  const { shape, task: tasks } = state.trace;
  for (let e = from; e < to; e++) {
    const id = shape[e];
    const kind = kinds[id];
    if (kind === KIND.none) continue;
    const task = tasks[e];
    switch (kind) {
      case KIND.plug:
        disk.plug(e, task);
        break;
      case KIND.endProbe:
        disk.endProbe(e);
        break;
      case KIND.queueRq:
        disk.queueRq(e, task);
        break;
      case KIND.driverStart:
        disk.driverStart(e, task);
        break;
      case KIND.tagBitmap:
        disk.driverTag(e, (detail[id] & 8) !== 0);
        break;
      case KIND.submit:
        ring.submit(e, task);
        break;
      case KIND.cqe:
        ring.complete(e, task);
        break;
      case KIND.sqeEvent:
        ring.other(e, task, false);
        break;
      case KIND.reqFailed:
        ring.other(e, task, true);
        break;
      case KIND.link:
        ring.link(e, task);
        break;
      case KIND.taskWork:
        ring.taskWork(e, task);
        break;
      case KIND.pause:
        ring.pause(task);
        break;
      case KIND.getSqe:
        ring.getSqe(e);
        break;
      case KIND.workStart:
        work.workStart(e, task);
        break;
      case KIND.create:
        state.newRing(state.word(e, 0), e);
        break;
      case KIND.fuseSend:
        fuse.send(e);
        break;
      case KIND.fuseEnd:
        fuse.end(e, task);
        break;
      default:
        if (kind <= KIND.complete) disk.event(kind, e, task);
        else probe.event(kind, e, task);
    }
  }
}
