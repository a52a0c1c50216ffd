import { REQ_OP } from '../uapi/block';
import type { Buffer } from './memory';
import type { Sbitmap } from './sbitmap';
import { type Gen, Task, type WaitQueue } from './sched';

/** A task that may have a plug (struct blk_plug on its stack). */
export class IoTask extends Task {
  plug: Request[] | undefined;
  /** Called around a sleep in the kernel; io-wq counts its running workers by it. */
  onSleep: (() => void) | undefined;
  onWake: (() => void) | undefined;
}

/** A hardware queue: tags, and requests that wait for the driver. */
export interface Hctx {
  readonly index: number;
  readonly tags: Sbitmap;
  /** Scheduler tags in use, with mq-deadline. */
  schedUsed: number;
  readonly dispatchList: Request[];
  /** Requests by driver tag. */
  readonly rqs: (Request | undefined)[];
  running: boolean;
  runQueued: boolean;
  readonly tagWait: WaitQueue;
}

/** A request queue as bios, requests and file systems see it; see Disk. */
export interface BlockQueue {
  readonly name: string;
  readonly major: number;
  readonly minor: number;
  /** Size in sectors of 512 bytes. */
  sectors: number;
  /** A scheduler sits between plug and driver. */
  readonly elevator: boolean;
  submit(task: IoTask, bio: Bio): Gen<void>;
  insert(rq: Request, atHead: boolean, task: IoTask): void;
  runHctx(hctx: Hctx, async: boolean, task: IoTask | undefined): void;
  issueDirect(rq: Request, last: boolean): void;
  start(rq: Request, comm: number): void;
}

/** One I/O as it enters the block layer. Memory is one buffer range; discards and zeroing have none. */
export interface Bio {
  readonly disk: BlockQueue;
  /** Operation and flags (blk_opf_t). */
  opf: number;
  /** First sector, units of 512 bytes. */
  sector: number;
  nrSectors: number;
  /** Payload memory, undefined where the operation has no data. */
  readonly buffer: Buffer | undefined;
  /** Offset of the payload in `buffer`, bytes. */
  offset: number;
  /** Called once when all of the bio is done; error is 0 or -errno. */
  readonly end: (error: number) => void;
  /** Sectors already done, over all requests that carry parts of it. */
  done: number;
  total: number;
  error: number;
  /** block_bio_queue was printed (BIO_TRACE_COMPLETION). */
  traced: boolean;
}

/** A piece of payload memory of a request that lies in one page, or less. */
export interface Segment {
  readonly buffer: Buffer;
  /** Offset in the buffer, bytes. */
  readonly offset: number;
  readonly length: number;
  /** Frame of the page, and offset in it. */
  readonly pfn: number;
  readonly pageOffset: number;
}

/** Bytes of a request that hold data, and where the data came from. Offsets count from the first byte of the delivery. */
export interface Fill {
  readonly offset: number;
  readonly length: number;
  readonly source: string;
}

/** A part of a bio that a request carries. */
export interface BioPart {
  readonly bio: Bio;
  /** Offset of this part in the payload of the bio, bytes. */
  readonly offset: number;
  length: number;
}

/** A block request (struct request). */
export class Request {
  tag = -1;
  started = false;
  /** RFC: bytes that splices asked for in this delivery (ublk_rq_data.handled). */
  handled = 0;
  fills: Fill[] = [];
  readonly parts: BioPart[] = [];

  constructor(
    readonly disk: BlockQueue,
    readonly hctx: Hctx,
    public opf: number,
    public sector: number,
    public nrSectors: number,
    /** CPU whose software queue it belongs to. */
    readonly cpu: number,
    readonly owner: Task | undefined,
    /** String id of its rwbs letters. */
    public rwbs: number,
  ) {}

  get op(): number {
    return this.opf & 0xff;
  }

  /** Data goes to the device, or there is none but the operation changes it. */
  get isWrite(): boolean {
    return (this.opf & 1) !== 0;
  }

  get bytes(): number {
    return this.nrSectors * 512;
  }

  /** READ and WRITE carry payload. */
  get hasData(): boolean {
    return this.op === REQ_OP.READ || this.op === REQ_OP.WRITE;
  }

  /** Pages of the payload from byte `from`, one segment a page at most (rq_for_each_segment). */
  *segments(from = 0, length = this.bytes - from): Generator<Segment> {
    let skip = from;
    let left = length;
    for (const part of this.parts) {
      const { buffer } = part.bio;
      if (!buffer) continue;
      if (skip >= part.length) {
        skip -= part.length;
        continue;
      }
      let offset = part.bio.offset + part.offset + skip;
      let size = Math.min(part.length - skip, left);
      skip = 0;
      while (size > 0) {
        const inFirst = (buffer.addr & 4095) + offset;
        const pageOffset = inFirst & 4095;
        const n = Math.min(size, 4096 - pageOffset);
        yield { buffer, offset, length: n, pfn: buffer.pfn + (inFirst >>> 12), pageOffset };
        offset += n;
        size -= n;
        left -= n;
      }
      if (left <= 0) return;
    }
  }
}

/** Takes `bytes` done off the front of a request's parts. Returns the bios that are complete by that. */
export function takeParts(rq: Request, bytes: number, error: number): Bio[] {
  let left = bytes;
  const ended: Bio[] = [];
  while (rq.parts.length > 0) {
    const part = rq.parts[0];
    if (left < part.length) {
      if (left > 0) rq.parts[0] = { bio: part.bio, offset: part.offset + left, length: part.length - left };
      part.bio.done += left / 512;
      break;
    }
    left -= part.length;
    part.bio.done += part.length / 512;
    rq.parts.shift();
    if (error && !part.bio.error) part.bio.error = error;
    if (part.bio.done >= part.bio.total) ended.push(part.bio);
  }
  return ended;
}
