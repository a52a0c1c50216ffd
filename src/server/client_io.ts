import { REQ_FLAG, REQ_OP } from '../uapi/block';
import type { Machine, MachineDisk } from '../kernel/machine';
import type { Buffer } from '../kernel/memory';
import { finishPlug, flushPlug, startPlug } from '../kernel/plug';
import type { IoTask } from '../kernel/request';
import { type Gen, PARK, TaskKilled } from '../kernel/sched';
import { NOUNMAP } from '../kernel/ublk_desc';

const EIO = -5;
const ENOSPC = -28;
const EINVAL = -22;
const EOPNOTSUPP = -95;
/** Bits of a buffer's address that must be 0 (dma_alignment). */
const DMA_ALIGNMENT = 511;
/** Pages of one bio (BIO_MAX_VECS). */
const BIO_PAGES = 256;

/** One I/O that a client did; offsets and lengths are bytes, result is bytes or -errno. */
export interface ClientIo {
  readonly device: string;
  readonly op: 'read' | 'write' | 'discard' | 'zero' | 'flush';
  readonly offset: number;
  readonly length: number;
  readonly result: number;
  /** What was read, or what was to be written. Valid only during the call. */
  readonly data: Uint8Array | undefined;
  readonly line: number;
}

/** An open block device of a client. */
export type ClientDevice = MachineDisk;

/** The system calls that clients use on block devices (block/fops.c, fs/aio.c, 6.1). */
export class ClientSyscalls {
  private nextId = 1;
  private readonly opIds: Record<'read' | 'write' | 'discard' | 'zero' | 'flush', number>;

  constructor(
    readonly machine: Machine,
    private readonly observe: (io: ClientIo) => void,
  ) {
    const { strings } = machine.kernel.rec.trace;
    this.opIds = {
      read: strings.id('read'),
      write: strings.id('write'),
      discard: strings.id('discard'),
      zero: strings.id('zero'),
      flush: strings.id('flush'),
    };
  }

  /** O_DIRECT pread or pwrite. */
  *direct(
    task: IoTask,
    device: ClientDevice,
    line: number,
    write: boolean,
    offset: number,
    buffer: Buffer,
    length: number,
  ): Gen<number> {
    const { kernel } = this.machine;
    if (task.killed) throw new TaskKilled();
    const id = this.begin(line, write ? 'write' : 'read', offset, length);
    let result: number | undefined;
    const plugged = write && startPlug(task);
    yield* this.submitDirect(task, device, write, true, offset, buffer, length, (res) => {
      result = res;
      kernel.sched.wake(task);
    });
    // a synchronous write waits with the plug still open, so that schedule() flushes it
    if (plugged && result === undefined) flushPlug(kernel, task, true);
    while (result === undefined) yield PARK;
    if (plugged) finishPlug(kernel, task);
    yield kernel.costs.syscall;
    this.end(id, {
      device: device.name,
      op: write ? 'write' : 'read',
      offset,
      length,
      result,
      line,
      data: this.data(buffer, length),
    });
    return result;
  }

  /** Starts one asynchronous direct I/O. `done` gets bytes or -errno, in whatever context the request ends. */
  *submitDirect(
    task: IoTask,
    device: ClientDevice,
    write: boolean,
    sync: boolean,
    offset: number,
    buffer: Buffer,
    length: number,
    done: (result: number) => void,
  ): Gen<void> {
    const { disk } = device;
    const block = disk.limits.logicalBlockSize;
    if (offset % block !== 0 || length % block !== 0 || (buffer.addr & DMA_ALIGNMENT) !== 0) {
      done(EINVAL);
      return;
    }
    if (device.cache.hasDirty) {
      const error = yield* device.cache.writeBack(task);
      if (error) {
        done(error);
        return;
      }
    }
    if (write) device.cache.invalidate(offset, length);
    const size = disk.sectors * 512;
    const bytes = Math.min(length, Math.max(0, size - offset));
    if (bytes === 0 || disk.dead) {
      done(write ? ENOSPC : 0);
      return;
    }
    const opf = write
      ? REQ_OP.WRITE | REQ_FLAG.SYNC | REQ_FLAG.IDLE
      : REQ_OP.READ | (sync ? REQ_FLAG.SYNC : 0);
    let pending = 1;
    let failed = 0;
    const finish = (error: number): void => {
      if (error && !failed) failed = error;
      if (--pending > 0) return;
      buffer.pins--;
      if (write) device.cache.invalidate(offset, length);
      done(failed || bytes);
    };
    buffer.pins++;
    const room = BIO_PAGES * 4096 - (buffer.addr & 4095);
    const max = room - (room % block);
    // blkdev_write_iter plugs every write
    const own = (write || bytes > max) && startPlug(task);
    for (let at = 0; at < bytes; ) {
      const n = Math.min(max, bytes - at);
      pending++;
      yield* disk.submit(task, {
        disk,
        opf,
        sector: (offset + at) / 512,
        nrSectors: n / 512,
        buffer,
        offset: at,
        end: finish,
        done: 0,
        total: n / 512,
        error: 0,
        traced: false,
      });
      at += n;
    }
    if (own) finishPlug(this.machine.kernel, task);
    finish(0);
  }

  /** Buffered pread or pwrite; `sync` is O_DSYNC. */
  *buffered(
    task: IoTask,
    device: ClientDevice,
    line: number,
    write: boolean,
    offset: number,
    buffer: Buffer,
    length: number,
    sync = false,
  ): Gen<number> {
    const { kernel } = this.machine;
    if (task.killed) throw new TaskKilled();
    const id = this.begin(line, write ? 'write' : 'read', offset, length);
    const bytes = Math.min(length, Math.max(0, device.disk.sectors * 512 - offset));
    const data = kernel.memory.touch(buffer, 0, length).subarray(0, bytes);
    let result: number;
    // del_gendisk sets the size to 0
    if (device.disk.dead) result = write ? ENOSPC : 0;
    else if (write) result = bytes === 0 && length > 0 ? -28 : yield* device.cache.write(task, offset, data);
    else {
      const error = yield* device.cache.fillAndWait(task, offset, bytes);
      result = error || device.cache.copyOut(offset, data);
    }
    if (write && sync && result > 0) result = (yield* this.commit(task, device)) || result;
    yield kernel.costs.syscall;
    this.end(id, { device: device.name, op: write ? 'write' : 'read', offset, length, result, line, data });
    return result;
  }

  /** fsync or fdatasync of a block device: write-back, then a flush where the disk has a volatile cache. */
  *fsync(task: IoTask, device: ClientDevice, line: number): Gen<number> {
    if (task.killed) throw new TaskKilled();
    const id = this.begin(line, 'flush', 0, 0);
    const result = device.disk.dead ? EIO : yield* this.commit(task, device);
    yield this.machine.kernel.costs.syscall;
    this.end(id, { device: device.name, op: 'flush', offset: 0, length: 0, result, line, data: undefined });
    return result;
  }

  /** Write-back, then a flush where the disk has a volatile cache. 0 or -errno. */
  private *commit(task: IoTask, device: ClientDevice): Gen<number> {
    const error = yield* device.cache.writeBack(task);
    if (error || !device.disk.limits.writeCache) return error;
    return yield* this.submitAndWait(task, device, REQ_OP.WRITE | REQ_FLAG.SYNC | REQ_FLAG.PREFLUSH, 0, 0);
  }

  /** BLKDISCARD */
  *discard(task: IoTask, device: ClientDevice, line: number, offset: number, length: number): Gen<number> {
    if (task.killed) throw new TaskKilled();
    const id = this.begin(line, 'discard', offset, length);
    let result = this.rangeError(device, offset, length);
    if (!result && device.disk.limits.maxDiscardSectors === 0) result = EOPNOTSUPP;
    if (!result) {
      yield* device.cache.discard(task, offset, length);
      result = yield* this.submitAndWait(task, device, REQ_OP.DISCARD | REQ_FLAG.SYNC, offset, length);
    }
    this.end(id, { device: device.name, op: 'discard', offset, length, result, line, data: undefined });
    return result;
  }

  /** BLKZEROOUT: WRITE_ZEROES where the disk takes them, else writes of the zero page. */
  *zeroout(task: IoTask, device: ClientDevice, line: number, offset: number, length: number): Gen<number> {
    if (task.killed) throw new TaskKilled();
    const id = this.begin(line, 'zero', offset, length);
    let result = this.rangeError(device, offset, length);
    if (!result) {
      yield* device.cache.discard(task, offset, length);
      if (device.disk.limits.maxWriteZeroesSectors > 0) {
        result = yield* this.submitAndWait(
          task,
          device,
          REQ_OP.WRITE_ZEROES | REQ_FLAG.SYNC | NOUNMAP,
          offset,
          length,
        );
      } else {
        const buffer = this.machine.kernel.memory.alloc(Math.min(length, BIO_PAGES * 4096));
        result = yield* this.submitAndWait(
          task,
          device,
          REQ_OP.WRITE | REQ_FLAG.SYNC,
          offset,
          length,
          buffer,
        );
      }
    }
    this.end(id, { device: device.name, op: 'zero', offset, length, result, line, data: undefined });
    return result;
  }

  /** nanosleep; a signal that kills ends it early. */
  *sleep(task: IoTask, ns: number): Gen<void> {
    const { sched, rec } = this.machine.kernel;
    const until = rec.now + ns;
    sched.at(until, () => sched.wake(task));
    while (rec.now < until) {
      if (task.killed) throw new TaskKilled();
      yield PARK;
    }
  }

  private rangeError(device: ClientDevice, offset: number, length: number): number {
    const block = device.disk.limits.logicalBlockSize;
    if (device.disk.dead) return EIO;
    if (offset % block !== 0 || length % block !== 0 || length === 0) return EINVAL;
    return offset + length > device.disk.sectors * 512 ? EINVAL : 0;
  }

  private *submitAndWait(
    task: IoTask,
    device: ClientDevice,
    opf: number,
    offset: number,
    length: number,
    buffer?: Buffer,
  ): Gen<number> {
    const { kernel } = this.machine;
    let pending = 1;
    let failed = 0;
    const finish = (error: number): void => {
      if (error && !failed) failed = error;
      if (--pending === 0) kernel.sched.wake(task);
    };
    const own = startPlug(task);
    const step = buffer ? buffer.size : length;
    let at = 0;
    do {
      const n = Math.min(step, length - at);
      pending++;
      yield* device.disk.submit(task, {
        disk: device.disk,
        opf,
        sector: (offset + at) / 512,
        nrSectors: n / 512,
        buffer,
        offset: 0,
        end: finish,
        done: 0,
        total: n / 512,
        error: 0,
        traced: false,
      });
      at += n;
    } while (at < length);
    finish(0);
    // the wait begins with the plug still open, so it is flushed by schedule()
    if (pending > 0 && own) flushPlug(kernel, task, true);
    while (pending > 0) yield PARK;
    if (own) finishPlug(kernel, task);
    return failed;
  }

  /** Records that an I/O of a client begins; returns its id. */
  begin(line: number, op: ClientIo['op'], offset: number, length: number): number {
    const { kernel } = this.machine;
    const id = this.nextId++;
    kernel.rec.emit.app_io_submit(id, line, this.opIds[op], kernel.u64(offset), kernel.u64(length));
    return id;
  }

  /** Records its end. */
  end(id: number, io: ClientIo): void {
    const { kernel } = this.machine;
    kernel.rec.emit.app_io_done(id, kernel.i32(io.result));
    this.observe(io);
  }

  /** The first bytes of a buffer. */
  data(buffer: Buffer, length: number): Uint8Array {
    return this.machine.kernel.memory.touch(buffer, 0, length);
  }
}
