import { REQ_OP } from '../uapi/block';
import type { BlkDriver } from './blk_driver';
import { Disk } from './disk';
import type { FaultPlan } from './faults';
import type { Kernel } from './kernel';
import type { Request } from './request';
import type { ByteStore } from './store';

/** Major number of virtio-blk disks on the recorded machines. */
const VIRTBLK_MAJOR = 254;
const CHANNELS = 8;

/**
 * The disk below the backing file: a virtio-blk disk without scheduler that serves several requests at a time,
 * each after a chosen service time. Data moves when the request completes, as by DMA.
 */
export class BackingDisk implements BlkDriver {
  readonly queueRqs = true;
  readonly disk: Disk;
  private readonly channels = new Float64Array(CHANNELS);

  constructor(
    private readonly kernel: Kernel,
    minor: number,
    name: string,
    readonly store: ByteStore,
    sectors: number,
    private readonly faults: FaultPlan,
  ) {
    this.disk = new Disk(
      kernel,
      name,
      VIRTBLK_MAJOR,
      minor,
      sectors,
      {
        maxSectors: 2560,
        logicalBlockSize: 512,
        maxDiscardSectors: 0x7fffff,
        maxWriteZeroesSectors: 0x7fffff,
        writeCache: true,
      },
      this,
      1,
      256,
      false,
    );
  }

  queueRq(rq: Request): void {
    const { kernel, disk } = this;
    disk.start(rq, kernel.sched.current ? (kernel.sched.current.commId ?? 0) : 0);
    const { costs, choices } = kernel;
    let channel = 0;
    for (let i = 1; i < CHANNELS; i++) if (this.channels[i] < this.channels[channel]) channel = i;
    const op =
      rq.op === REQ_OP.READ
        ? 'read'
        : rq.op === REQ_OP.WRITE
          ? 'write'
          : rq.op === REQ_OP.FLUSH
            ? 'flush'
            : 'discard';
    const fault = this.faults({ kind: 'device', op, offset: rq.sector * 512, length: rq.bytes });
    const service =
      costs.device +
      choices.choose('service-time', costs.deviceSpread) +
      Math.floor((rq.bytes * costs.deviceKiB) / 1024) +
      (fault?.delayNs ?? 0);
    const done = Math.max(kernel.rec.now, this.channels[channel]) + service;
    this.channels[channel] = done;
    kernel.sched.at(done, () => this.complete(rq, fault?.error ?? 0, fault?.short));
  }

  private complete(rq: Request, error: number, short = rq.bytes): void {
    // a disk moves whole sectors; the rest of the request is sent to it again
    const bytes = Math.min(rq.bytes, short - (short % 512));
    if (!error) this.transfer(rq, bytes);
    if (error || bytes === rq.bytes || !rq.hasData) this.disk.end(rq, error);
    else if (this.disk.update(rq, 0, bytes)) this.disk.requeue(rq);
  }

  private transfer(rq: Request, bytes: number): void {
    let left = bytes;
    const { memory } = this.kernel;
    let at = rq.sector * 512;
    switch (rq.op) {
      case REQ_OP.READ:
      case REQ_OP.WRITE:
        for (const part of rq.parts) {
          const { buffer } = part.bio;
          if (!buffer) continue;
          const n = Math.min(left, part.length);
          const data = memory.touch(buffer, part.bio.offset + part.offset, n);
          if (rq.op === REQ_OP.READ) this.store.read(at, data);
          else this.store.write(at, data);
          at += n;
          left -= n;
        }
        break;
      case REQ_OP.DISCARD:
      case REQ_OP.WRITE_ZEROES:
        this.store.zero(at, rq.bytes);
        break;
      default:
        break;
    }
  }
}
