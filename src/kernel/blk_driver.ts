import { blkStatusToErrno, BLK_STS } from '../uapi/block';
import type { Request } from './request';

/** What a block driver gives blk-mq. */
export interface BlkDriver {
  /** ->queue_rq: starts the request. `last` is false while more follow at once. */
  queueRq(rq: Request, last: boolean): void;
  /** ->queue_rqs exists: a flushed plug list goes to the driver directly, newest first. */
  readonly queueRqs: boolean;
}

/** Limits of a request queue. */
export interface DiskLimits {
  /** Largest request, sectors. */
  readonly maxSectors: number;
  /** No read or write crosses a multiple of so many sectors (a power of two); 0: no such bound. */
  readonly chunkSectors?: number;
  readonly logicalBlockSize: number;
  /** Largest discard, sectors; 0 where discard is not supported. */
  readonly maxDiscardSectors: number;
  readonly maxWriteZeroesSectors: number;
  /** The device has a volatile write cache, so flushes reach it. */
  readonly writeCache: boolean;
}

/** Sectors that a read or write may have that begins at `sector`. */
export function mostSectors({ maxSectors, chunkSectors }: DiskLimits, sector: number): number {
  return chunkSectors ? Math.min(maxSectors, chunkSectors - (sector % chunkSectors)) : maxSectors;
}

/** errno_to_blk_status: the block status of a negative errno; what has none of its own is BLK_STS_IOERR. */
export function blkStatusOf(error: number): number {
  for (const status of Object.values(BLK_STS)) if (blkStatusToErrno(status) === error) return status;
  return BLK_STS.IOERR;
}
