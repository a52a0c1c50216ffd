import { SPLICE_F } from '../uapi/splice';
import type { MemRange } from './file';
import type { IoReq } from './io_req';
import type { Kernel } from './kernel';
import { PAGE_SIZE } from './memory';
import type { OpenFile } from './open_file';
import type { IoTask } from './request';
import type { Gen } from './sched';
import type { UserPipe } from './user_pipe';

const EINVAL = -22;
const EAGAIN = -11;
const ESPIPE = -29;
const EPIPE = -32;

/**
 * do_splice of 6.1: data moves between a user pipe and a file, or between two pipes; one end must be a pipe. Runs in an io-wq
 * worker, which sleeps while the pipe is empty or full. Returns bytes or -errno.
 */
export function* spliceWithPipe(
  kernel: Kernel,
  worker: IoTask,
  req: IoReq,
  from: OpenFile,
  to: OpenFile,
): Gen<number> {
  const { emit } = kernel.rec;
  const flags = req.opFlags & 0x7fffffff;
  emit.io_splice();
  if (req.len === 0) return 0;
  emit.do_splice(req.len, flags);
  const ret = yield* move(kernel, worker, req, from, to, (flags & SPLICE_F.NONBLOCK) !== 0);
  emit.do_splice_ret(kernel.i32(ret));
  return ret;
}

function* move(
  kernel: Kernel,
  worker: IoTask,
  req: IoReq,
  from: OpenFile,
  to: OpenFile,
  nonblock: boolean,
): Gen<number> {
  const source = from.pipe;
  const sink = to.pipe;
  if (source && sink) {
    if (req.addr !== -1 || req.off !== -1) return ESPIPE;
    return source === sink ? EINVAL : yield* pipeToPipe(worker, source, sink, req.len, nonblock);
  }
  if (source) {
    if (req.addr !== -1) return ESPIPE;
    return yield* pipeToFile(kernel, worker, source, to, Math.max(0, req.off), req.len, nonblock);
  }
  if (sink) {
    if (req.off !== -1) return ESPIPE;
    return yield* fileToPipe(kernel, worker, from, sink, Math.max(0, req.addr), req.len, nonblock);
  }
  return EINVAL;
}

/** iter_file_splice_write: waits for the first data only, then writes what is there. */
function* pipeToFile(
  kernel: Kernel,
  worker: IoTask,
  pipe: UserPipe,
  to: OpenFile,
  offset: number,
  length: number,
  nonblock: boolean,
): Gen<number> {
  const { file, cache } = to;
  if (!file) return EINVAL;
  let moved = 0;
  while (moved < length) {
    if (pipe.buffers.length === 0) {
      if (moved > 0 || pipe.writers === 0) break;
      if (nonblock) return EAGAIN;
      yield* sleepUntil(worker, pipe, () => pipe.buffers.length > 0 || pipe.writers === 0);
      continue;
    }
    const n = Math.min(length - moved, pipe.bytes);
    let written: number;
    if (cache) {
      written = yield* cache.write(worker, offset + moved, pipe.peek(n));
    } else {
      const ranges: MemRange[] = [];
      let left = n;
      for (const buffer of pipe.buffers) {
        if (left === 0) break;
        const size = Math.min(left, buffer.length);
        ranges.push({ buffer: buffer.page, offset: buffer.offset, length: size });
        left -= size;
      }
      written = yield* file.directAndWait(worker, true, offset + moved, ranges);
    }
    if (written <= 0) return moved || written;
    pipe.consume(written);
    moved += written;
  }
  kernel.rec.now += kernel.copyTime(cache ? moved : 0);
  return moved;
}

/** splice_file_to_pipe: waits for room, then fills at most the free slots; a full pipe ends the call short. */
function* fileToPipe(
  kernel: Kernel,
  worker: IoTask,
  from: OpenFile,
  pipe: UserPipe,
  offset: number,
  length: number,
  nonblock: boolean,
): Gen<number> {
  const { file, cache } = from;
  if (!file) return EINVAL;
  if (pipe.readers === 0) return EPIPE;
  if (pipe.free === 0) {
    if (nonblock) return EAGAIN;
    kernel.rec.emit.wait_for_space();
    yield* sleepUntil(worker, pipe, () => pipe.free > 0 || pipe.readers === 0);
    if (pipe.readers === 0) return EPIPE;
  }
  const most = Math.min(
    length,
    Math.max(0, file.size - offset),
    pipe.free * PAGE_SIZE - (offset % PAGE_SIZE),
  );
  let moved = 0;
  while (moved < most) {
    const at = offset + moved;
    const inPage = at % PAGE_SIZE;
    const n = Math.min(PAGE_SIZE - inPage, most - moved);
    const page = kernel.memory.alloc(PAGE_SIZE);
    if (cache) {
      const error = yield* cache.fillAndWait(worker, at, n);
      if (error) return moved || error;
      cache.copyOut(at, kernel.memory.touch(page, inPage, n));
    } else {
      const size = Math.ceil(n / 512) * 512;
      const got = yield* file.directAndWait(worker, false, at, [
        { buffer: page, offset: inPage, length: size },
      ]);
      if (got <= 0) return moved || got;
    }
    if (!pipe.add({ page, offset: inPage, length: n })) break;
    moved += n;
  }
  return moved;
}

/** splice_pipe_to_pipe: whole buffers change their pipe, the last one may be cut. */
function* pipeToPipe(
  worker: IoTask,
  from: UserPipe,
  to: UserPipe,
  length: number,
  nonblock: boolean,
): Gen<number> {
  while (from.buffers.length === 0 || to.free === 0) {
    if (from.buffers.length === 0 && from.writers === 0) return 0;
    if (to.readers === 0) return EPIPE;
    if (nonblock) return EAGAIN;
    const waitFor = from.buffers.length === 0 ? from : to;
    yield* sleepUntil(worker, waitFor, () => from.buffers.length > 0 || from.writers === 0 || to.free > 0);
    if (from.buffers.length > 0 && to.free === 0)
      yield* sleepUntil(worker, to, () => to.free > 0 || to.readers === 0);
  }
  let moved = 0;
  while (moved < length && from.buffers.length > 0 && to.free > 0) {
    const buffer = from.buffers[0];
    const n = Math.min(buffer.length, length - moved);
    to.add({ page: buffer.page, offset: buffer.offset, length: n });
    from.consume(n);
    moved += n;
  }
  return moved;
}

function* sleepUntil(worker: IoTask, pipe: UserPipe, ready: () => boolean): Gen<void> {
  if (ready()) return;
  worker.onSleep?.();
  yield* pipe.changed.until(worker, ready);
  worker.onWake?.();
}
