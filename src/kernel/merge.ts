import { REQ_FLAG, REQ_OP } from '../uapi/block';
import { type DiskLimits, mostSectors } from './blk_driver';
import type { MqDeadline } from './deadline';
import type { Kernel } from './kernel';
import type { BioPart, BlockQueue, IoTask } from './request';

/** A part of a bio that wants into a request: operation, first sector and length in sectors. */
interface Candidate {
  readonly opf: number;
  readonly sector: number;
  readonly n: number;
  readonly part: BioPart;
  readonly task: IoTask;
}

/**
 * bio_attempt_back_merge: appends the part to the newest request of the plug, or one of the scheduler, that ends where it begins.
 * Front merges are not modelled: no client of the simulator walks backwards.
 */
export function backMerge(
  kernel: Kernel,
  disk: BlockQueue & { readonly limits: DiskLimits },
  sched: MqDeadline | undefined,
  { opf, sector, n, part, task }: Candidate,
): boolean {
  const op = opf & 0xff;
  if ((op !== REQ_OP.READ && op !== REQ_OP.WRITE) || (opf & REQ_FLAG.NOMERGE) !== 0) return false;
  const last = task.plug?.at(-1);
  const rq =
    last && last.disk === disk && last.sector + last.nrSectors === sector
      ? last
      : sched?.mergeCandidate(sector, (opf & 1) !== 0);
  if (!rq || rq.opf !== opf || rq.nrSectors + n > mostSectors(disk.limits, rq.sector)) return false;
  kernel.rec.emit.block_bio_backmerge(disk.major, disk.minor, rq.rwbs, kernel.u64(sector), n, task.commId);
  rq.parts.push(part);
  rq.nrSectors += n;
  return true;
}
