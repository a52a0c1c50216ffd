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
/** io_submit opens a plug when it is given more than this many iocbs (AIO_PLUG_THRESHOLD). */
const AIO_PLUG_THRESHOLD = 2;

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
    private readonly machine: Machine,
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
      if (write) device.cache.invalidate(offset, length);
      done(failed || bytes);
    };
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

  /** io_submit and io_getevents over a list of I/Os, at most `depth` in flight; `batch` as many at once as there is room for. */
  *aio(
    task: IoTask,
    device: ClientDevice,
    line: number,
    depth: number,
    batch: boolean,
    buffers: Buffer[],
    next: () => AioRequest | undefined,
    stopOnError = false,
  ): Gen<number> {
    const { kernel } = this.machine;
    const free = buffers.map((_, index) => index);
    const finished: { slot: number; id: number; io: AioRequest; result: number }[] = [];
    let inFlight = 0;
    let status = 0;
    let more = true;
    while (more || inFlight > 0) {
      for (;;) {
        const list: AioRequest[] = [];
        while (
          more &&
          free.length - list.length > 0 &&
          inFlight + list.length < depth &&
          (batch || list.length === 0)
        ) {
          const io = next();
          if (!io) more = false;
          else list.push(io);
        }
        if (list.length === 0) break;
        const plugged = list.length > AIO_PLUG_THRESHOLD && startPlug(task);
        for (const io of list) {
          if (io.trim) {
            const result = yield* this.discard(task, device, line, io.offset, io.length);
            if (result < 0) status = result;
            continue;
          }
          const slot = free.shift() as number;
          const buffer = buffers[slot];
          if (io.write && io.fill) io.fill(kernel.memory.touch(buffer, 0, io.length));
          const id = this.begin(line, io.write ? 'write' : 'read', io.offset, io.length);
          inFlight++;
          yield* this.submitDirect(task, device, io.write, false, io.offset, buffer, io.length, (result) => {
            finished.push({ slot, id, io, result });
            kernel.sched.wake(task);
          });
        }
        if (plugged) finishPlug(kernel, task);
        yield kernel.costs.syscall;
        const last = list.at(-1);
        if (last?.flushAfter) {
          const result = yield* this.fsync(task, device, line);
          if (result < 0) status = result;
        }
        if (last?.pauseNs) yield* this.sleep(task, last.pauseNs);
        if ((status < 0 && stopOnError) || task.killed) more = false;
        if (batch) break;
      }
      while (finished.length === 0 && inFlight > 0) yield PARK;
      for (const { slot, id, io, result } of finished.splice(0)) {
        inFlight--;
        free.push(slot);
        if (result < 0) status = result;
        if (stopOnError && result <= 0) {
          // fio takes an I/O that moved nothing for an error
          status = result || EIO;
          more = false;
        }
        this.end(id, {
          device: device.name,
          op: io.write ? 'write' : 'read',
          offset: io.offset,
          length: io.length,
          result,
          line,
          data: this.data(buffers[slot], io.length),
        });
      }
    }
    if (task.killed) throw new TaskKilled();
    return status;
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

  private begin(line: number, op: ClientIo['op'], offset: number, length: number): number {
    const { kernel } = this.machine;
    const id = this.nextId++;
    kernel.rec.emit.app_io_submit(id, line, this.opIds[op], kernel.u64(offset), kernel.u64(length));
    return id;
  }

  private end(id: number, io: ClientIo): void {
    const { kernel } = this.machine;
    kernel.rec.emit.app_io_done(id, kernel.i32(io.result));
    this.observe(io);
  }

  private data(buffer: Buffer, length: number): Uint8Array {
    return this.machine.kernel.memory.touch(buffer, 0, length);
  }
}

/** One I/O for {@link ClientSyscalls.aio}. */
export interface AioRequest {
  readonly write: boolean;
  readonly offset: number;
  readonly length: number;
  /** Fills the buffer of a write. */
  readonly fill: ((data: Uint8Array) => void) | undefined;
  /** A discard instead; fio's libaio engine waits for it. */
  readonly trim?: boolean;
  /** fsync when it was submitted. */
  readonly flushAfter?: boolean;
  /** Time to think before the next one, ns. */
  readonly pauseNs?: number;
}
