import { blkStatusToErrno, formatRwbs, REQ_FLAG, REQ_OP, rwbsOf } from '../uapi/block';
import { type BlkDriver, blkStatusOf, type DiskLimits, mostSectors } from './blk_driver';
import { MqDeadline } from './deadline';
import { makeHctx } from './hctx';
import type { Kernel } from './kernel';
import { backMerge } from './merge';
import { flushPlug } from './plug';
import { type Bio, type BlockQueue, type Hctx, type IoTask, Request, takeParts } from './request';
import { type Gen, WaitQueue } from './sched';

const FAILFAST = REQ_FLAG.FAILFAST_DEV | REQ_FLAG.FAILFAST_TRANSPORT | REQ_FLAG.FAILFAST_DRIVER;
/** Largest number of requests in a plug before it is flushed (BLK_MAX_REQUEST_COUNT). */
const MAX_PLUG = 32;

/** A blk-mq disk (gendisk with its queue): block/blk-mq.c and blk-mq-sched.c of 6.1. */
export class Disk implements BlockQueue {
  readonly hctxs: Hctx[];
  readonly sched: MqDeadline | undefined;
  readonly nrRequests: number;
  /** del_gendisk was called: new bios fail. */
  dead = false;
  /** blk_mq_quiesce_queue: nothing is dispatched. */
  quiesced = false;
  private readonly requeueList: Request[] = [];
  private readonly rwbsIds = new Map<number, number>();
  private openRequests = 0;
  /** Calls of submit_bio that have begun; they hold q_usage_counter. */
  private submitters = 0;
  private readonly frozenWait: WaitQueue;

  constructor(
    private readonly kernel: Kernel,
    readonly name: string,
    readonly major: number,
    readonly minor: number,
    /** Size in sectors of 512 bytes. */
    public sectors: number,
    readonly limits: DiskLimits,
    readonly driver: BlkDriver,
    queues: number,
    readonly depth: number,
    useScheduler: boolean,
  ) {
    this.sched = useScheduler ? new MqDeadline() : undefined;
    this.nrRequests = useScheduler ? Math.min(2 * depth, 256) : depth;
    this.frozenWait = new WaitQueue(kernel.sched);
    this.hctxs = Array.from({ length: queues }, (_, index) => makeHctx(kernel, index, depth));
  }

  /** Requests between allocation and end. */
  get inFlight(): number {
    return this.openRequests;
  }

  get elevator(): boolean {
    return this.sched !== undefined;
  }

  /** Sleeps until no request is left (blk_mq_freeze_queue_wait). */
  *drain(task: IoTask): Gen<void> {
    yield* this.frozenWait.until(task, () => this.openRequests === 0 && this.submitters === 0);
  }

  /** Hardware queue of a CPU (blk_mq_map_queues: CPUs spread over the queues). */
  hctxOf(cpu: number): Hctx {
    return this.hctxs[cpu % this.hctxs.length];
  }

  /** submit_bio: splits the bio where the device needs it and makes requests of the parts. Sleeps while tags are short. */
  *submit(task: IoTask, bio: Bio): Gen<void> {
    if (this.dead) {
      bio.error = -5;
      bio.end(-5);
      return;
    }
    this.submitters++;
    try {
      yield* this.submitParts(task, bio);
    } finally {
      if (--this.submitters === 0) this.frozenWait.wakeAll();
    }
  }

  private *submitParts(task: IoTask, bio: Bio): Gen<void> {
    const { emit } = this.kernel.rec;
    const letters = this.rwbs(bio.opf);
    emit.block_bio_queue(
      this.major,
      this.minor,
      letters,
      this.kernel.u64(bio.sector),
      bio.nrSectors,
      task.commId,
    );
    const op = bio.opf & 0xff;
    const limit =
      op === REQ_OP.DISCARD
        ? this.limits.maxDiscardSectors
        : op === REQ_OP.WRITE_ZEROES
          ? this.limits.maxWriteZeroesSectors
          : undefined;
    let sector = bio.sector;
    let offset = 0;
    let left = bio.nrSectors;
    let opf = bio.opf;
    do {
      let n = left;
      const max = limit ?? mostSectors(this.limits, sector);
      if (n > max) {
        n = max;
        opf |= REQ_FLAG.NOMERGE;
        emit.block_split(
          this.major,
          this.minor,
          letters,
          this.kernel.u64(sector),
          this.kernel.u64(sector + n),
          task.commId,
        );
      } else {
        opf = bio.opf;
      }
      yield* this.submitPart(task, bio, sector, n, offset, opf, letters);
      sector += n;
      offset += n * 512;
      left -= n;
    } while (left > 0);
  }

  /** blk_mq_run_hw_queue: dispatches here, or in a kblockd worker when asynchronous. */
  runHctx(hctx: Hctx, async: boolean, task: IoTask | undefined): void {
    if (async || task === undefined) {
      if (hctx.runQueued) return;
      hctx.runQueued = true;
      this.kernel.queueKblockd(task?.cpu ?? 0, () => {
        hctx.runQueued = false;
        this.dispatch(hctx);
      });
      return;
    }
    this.dispatch(hctx);
  }

  /** blk_mq_start_request */
  start(rq: Request, comm: number): void {
    rq.started = true;
    this.kernel.rec.emit.block_rq_issue(
      this.major,
      this.minor,
      rq.rwbs,
      rq.hasData || rq.op !== REQ_OP.FLUSH ? rq.bytes : 0,
      0,
      this.kernel.u64(rq.sector),
      rq.nrSectors,
      comm,
    );
  }

  /** blk_update_request: `bytes` of the request are done. True when something of it is left. */
  update(rq: Request, error: number, bytes: number): boolean {
    const sectors = error ? rq.nrSectors : Math.floor(bytes / 512);
    this.kernel.rec.emit.block_rq_complete(
      this.major,
      this.minor,
      rq.rwbs,
      0,
      this.kernel.u64(rq.op === REQ_OP.FLUSH ? -1 : rq.sector),
      sectors,
      this.kernel.i32(error),
    );
    const ended = takeParts(rq, error ? rq.bytes : bytes, error);
    rq.sector += sectors;
    rq.nrSectors -= sectors;
    for (const bio of ended) bio.end(bio.error);
    return rq.nrSectors > 0 && !error;
  }

  /** __blk_mq_end_request: the tag is free again and waiters go on. */
  finish(rq: Request): void {
    const { hctx } = rq;
    this.putTag(rq);
    rq.started = false;
    this.openRequests--;
    if (this.sched) hctx.schedUsed--;
    hctx.tagWait.wakeAll();
    if (this.openRequests === 0) this.frozenWait.wakeAll();
    if (hctx.dispatchList.length > 0 || (this.sched && this.sched.length > 0))
      this.runHctx(hctx, true, undefined);
  }

  /** blk_mq_end_request */
  end(rq: Request, error: number): void {
    const status = blkStatusOf(error);
    this.kernel.rec.emit.blk_mq_end_request(Math.max(rq.tag, 0), status);
    this.update(rq, blkStatusToErrno(status), rq.bytes);
    this.finish(rq);
  }

  /** blk_mq_requeue_request with a kick: a kworker inserts it again at the head. */
  requeue(rq: Request, delay = 0): void {
    const { emit } = this.kernel.rec;
    emit.blk_mq_requeue_request(rq.tag, this.kernel.u64(rq.sector), rq.bytes);
    emit.block_rq_requeue(this.major, this.minor, rq.rwbs, 0, this.kernel.u64(rq.sector), rq.nrSectors, 0);
    if (this.sched) this.putTag(rq);
    rq.started = false;
    this.requeueList.push(rq);
    if (delay < 0) return;
    const kick = (): void => this.kickRequeue();
    if (delay > 0) this.kernel.sched.at(this.kernel.rec.now + delay, kick);
    else kick();
  }

  /** blk_mq_kick_requeue_list */
  kickRequeue(): void {
    if (this.requeueList.length === 0) return;
    this.kernel.queueKblockd(0, (task) => {
      for (const rq of this.requeueList.splice(0)) {
        this.insert(rq, true, task);
        this.runHctx(rq.hctx, false, task);
      }
    });
  }

  /** Every request that the driver has started (blk_mq_tagset_busy_iter). */
  *startedRequests(): Generator<Request> {
    for (const hctx of this.hctxs) for (const rq of hctx.rqs) if (rq?.started) yield rq;
  }

  private *submitPart(
    task: IoTask,
    bio: Bio,
    sector: number,
    n: number,
    offset: number,
    opf: number,
    letters: number,
  ): Gen<void> {
    const { plug } = task;
    const part = { bio, offset, length: n * 512 };
    // blk_mq_bio_to_request: nobody retries what was only read ahead
    if (opf & REQ_FLAG.RAHEAD) opf |= FAILFAST;
    if (opf & REQ_FLAG.PREFLUSH && n === 0) {
      yield* this.submitFlush(task, bio, sector, opf, letters);
      return;
    }
    if (backMerge(this.kernel, this, this.sched, { opf, sector, n, part, task })) return;
    const hctx = this.hctxOf(task.cpu);
    if (!this.hasRoom(hctx)) {
      if (plug) flushPlug(this.kernel, task, true);
      yield* hctx.tagWait.until(task, () => this.hasRoom(hctx));
    }
    const { emit } = this.kernel.rec;
    emit.block_getrq(this.major, this.minor, letters, this.kernel.u64(sector), n, task.commId);
    const rq = new Request(this, hctx, opf, sector, n, task.cpu, task, letters);
    rq.parts.push(part);
    this.openRequests++;
    if (this.sched) hctx.schedUsed++;
    else this.takeTag(rq);
    if (plug) {
      if (plug.length >= MAX_PLUG) flushPlug(this.kernel, task, false);
      if (plug.length === 0) emit.block_plug(task.commId);
      plug.push(rq);
    } else if (this.sched) {
      this.insert(rq, false, task);
      this.runHctx(hctx, true, task);
    } else {
      this.issueDirect(rq, true);
    }
  }

  /**
   * blk_insert_flush of a bio without data: the request waits while a kworker sends the flush request of the queue, which
   * borrows its tag. Divergence: flushes of several bios are not joined into one.
   */
  private *submitFlush(task: IoTask, bio: Bio, sector: number, opf: number, letters: number): Gen<void> {
    const hctx = this.hctxOf(task.cpu);
    yield* hctx.tagWait.until(task, () => this.hasRoom(hctx));
    this.kernel.rec.emit.block_getrq(
      this.major,
      this.minor,
      letters,
      this.kernel.u64(sector),
      0,
      task.commId,
    );
    const plain = opf & ~REQ_FLAG.PREFLUSH;
    const rq = new Request(this, hctx, plain, sector, 0, task.cpu, task, this.rwbs(plain));
    rq.parts.push({ bio, offset: 0, length: 0 });
    this.openRequests += 2;
    if (this.sched) hctx.schedUsed += 2;
    this.takeTag(rq);
    const flush = new Request(
      this,
      hctx,
      REQ_OP.FLUSH | REQ_FLAG.PREFLUSH,
      0,
      0,
      task.cpu,
      undefined,
      this.rwbs(REQ_OP.FLUSH | REQ_FLAG.PREFLUSH),
    );
    flush.tag = rq.tag;
    const endFlush = (error: number): void => {
      flush.tag = -1;
      this.end(rq, error);
    };
    flush.parts.push({
      bio: { ...bio, opf: flush.opf, done: 0, total: 0, end: (error) => endFlush(error) },
      offset: 0,
      length: 0,
    });
    this.kernel.queueKblockd(task.cpu, () => this.driver.queueRq(flush, true));
  }

  private hasRoom(hctx: Hctx): boolean {
    return this.sched ? hctx.schedUsed < this.nrRequests : hctx.tags.inUse < this.depth;
  }

  insert(rq: Request, atHead: boolean, task: IoTask): void {
    if (!this.sched && atHead) {
      // blk_mq_request_bypass_insert
      rq.hctx.dispatchList.unshift(rq);
      return;
    }
    this.kernel.rec.emit.block_rq_insert(
      this.major,
      this.minor,
      rq.rwbs,
      rq.bytes,
      0,
      this.kernel.u64(rq.sector),
      rq.nrSectors,
      task.commId,
    );
    if (this.sched) this.sched.insert(rq, atHead, this.kernel.rec.now);
    else rq.hctx.dispatchList.push(rq);
  }

  /** Hands the request to the driver at once. */
  issueDirect(rq: Request, last: boolean): void {
    if (this.quiesced) rq.hctx.dispatchList.push(rq);
    else this.driver.queueRq(rq, last);
  }

  /** blk_mq_sched_dispatch_requests: first a list with driver tags is gathered, then the driver gets it. */
  private dispatch(hctx: Hctx): void {
    if (this.quiesced || hctx.running) return;
    hctx.running = true;
    for (;;) {
      const list = hctx.dispatchList.splice(0);
      if (this.sched && list.length === 0) {
        while (list.length < this.nrRequests && hctx.tags.inUse < this.depth) {
          const rq = this.sched.dispatch(this.kernel.rec.now);
          if (!rq) break;
          this.takeTag(rq);
          list.push(rq);
        }
      }
      if (list.length === 0) break;
      for (let i = 0; i < list.length; i++) this.driver.queueRq(list[i], i === list.length - 1);
    }
    hctx.running = false;
  }

  private takeTag(rq: Request): void {
    const tag = rq.hctx.tags.get(rq.cpu);
    rq.tag = tag;
    rq.hctx.rqs[tag] = rq;
    this.kernel.rec.emit.blk_mq_get_driver_tag(
      this.major,
      this.minor,
      rq.hctx.index,
      tag,
      this.kernel.u64(rq.sector),
      rq.bytes,
    );
  }

  private putTag(rq: Request): void {
    if (rq.tag < 0) return;
    this.kernel.rec.emit.blk_mq_put_driver_tag(this.major, this.minor, rq.hctx.index, rq.tag);
    rq.hctx.tags.put(rq.tag, rq.cpu);
    rq.hctx.rqs[rq.tag] = undefined;
    rq.tag = -1;
  }

  private rwbs(opf: number): number {
    let id = this.rwbsIds.get(opf);
    if (id === undefined) {
      id = this.kernel.rec.trace.strings.id(formatRwbs(rwbsOf(opf)));
      this.rwbsIds.set(opf, id);
    }
    return id;
  }
}
