import type { Buffer } from '../kernel/memory';
import { finishPlug, startPlug } from '../kernel/plug';
import type { IoTask } from '../kernel/request';
import { type Gen, PARK, TaskKilled } from '../kernel/sched';
import type { ClientDevice, ClientSyscalls } from './client_io';

const EIO = -5;
/** io_submit opens a plug when it is given more than this many iocbs (AIO_PLUG_THRESHOLD). */
const AIO_PLUG_THRESHOLD = 2;

/** One I/O for {@link aio}. */
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

/** io_submit and io_getevents over a list of I/Os, at most `depth` in flight; `batch` as many at once as there is room for. */
export function* aio(
  sys: ClientSyscalls,
  task: IoTask,
  device: ClientDevice,
  line: number,
  depth: number,
  batch: boolean,
  buffers: Buffer[],
  next: () => AioRequest | undefined,
  stopOnError = false,
): Gen<number> {
  const { kernel } = sys.machine;
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
          const result = yield* sys.discard(task, device, line, io.offset, io.length);
          if (result < 0) status = result;
          continue;
        }
        const slot = free.shift() as number;
        const buffer = buffers[slot];
        if (io.write && io.fill) io.fill(kernel.memory.touch(buffer, 0, io.length));
        const id = sys.begin(line, io.write ? 'write' : 'read', io.offset, io.length);
        inFlight++;
        yield* sys.submitDirect(task, device, io.write, false, io.offset, buffer, io.length, (result) => {
          finished.push({ slot, id, io, result });
          kernel.sched.wake(task);
        });
      }
      if (plugged) finishPlug(kernel, task);
      yield kernel.costs.syscall;
      const last = list.at(-1);
      if (last?.flushAfter) {
        const result = yield* sys.fsync(task, device, line);
        if (result < 0) status = result;
      }
      if (last?.pauseNs) yield* sys.sleep(task, last.pauseNs);
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
      sys.end(id, {
        device: device.name,
        op: io.write ? 'write' : 'read',
        offset: io.offset,
        length: io.length,
        result,
        line,
        data: sys.data(buffers[slot], io.length),
      });
    }
  }
  if (task.killed) throw new TaskKilled();
  return status;
}
