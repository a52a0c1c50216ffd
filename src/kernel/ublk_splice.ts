import { REQ_OP } from '../uapi/block';
import { SPLICE_F } from '../uapi/splice';
import type { Kernel } from './kernel';
import type { Pipe } from './pipe';
import type { IoTask, Request } from './request';
import type { UblkQueue } from './ublk_queue';

const EPERM = -1;
const EINVAL = -22;
const EACCES = -13;
const TAG_SHIFT = 2 ** 30;
const QUEUE_SHIFT = 2 ** 42;

/** What ublk_splice_read needs of a device. */
export interface SpliceDevice {
  readonly kernel: Kernel;
  readonly queues: readonly UblkQueue[];
  readonly spliceZc: boolean;
  requestOf(queue: UblkQueue, tag: number): Request | undefined;
}

/**
 * ublk_splice_read of the RFC: pages of the request that `pos` names go into the pipe, one buffer a segment, without
 * references. Returns bytes or -errno. `handled` is raised before data, range and direction are checked, so a refused
 * attempt counts, and the loop does not stop at `len`: both as the RFC has it.
 */
export function ublkSpliceRead(
  device: SpliceDevice,
  _worker: IoTask,
  pos: number,
  pipe: Pipe,
  len: number,
  flags: number,
): number {
  const { kernel } = device;
  const { emit } = kernel.rec;
  emit.ublk_splice_read(
    kernel.u64(pos),
    len,
    flags,
    pipe.ptr,
    pipe.head,
    pipe.tail,
    pipe.consumedByRead ? 1 : 0,
  );
  const ret = addPages(device, pos, pipe, len, flags);
  emit.ublk_splice_read_ret(kernel.i32(ret));
  return ret;
}

function addPages(device: SpliceDevice, pos: number, pipe: Pipe, len: number, flags: number): number {
  if (!(flags & SPLICE_F.DIRECT)) return EPERM;
  if (pipe.consumedByRead) return EINVAL;
  const queue = device.queues[Math.floor(pos / QUEUE_SHIFT)];
  const tag = Math.floor((pos % QUEUE_SHIFT) / TAG_SHIFT);
  const offset = pos % TAG_SHIFT;
  if (!queue || !device.spliceZc || tag >= queue.depth) return EINVAL;
  const rq = device.requestOf(queue, tag);
  if (!rq) return EINVAL;
  rq.handled += len;
  device.kernel.rec.emit.ublk_handled(tag, rq.handled, rq.bytes);
  if (rq.handled > rq.bytes || len === 0) return EACCES;
  if (!rq.hasData) return EINVAL;
  if (offset + len > rq.bytes) return EINVAL;
  const read = rq.op === REQ_OP.READ;
  if (read !== ((flags & SPLICE_F.READ_TO_READ) !== 0)) return EINVAL;
  const total = fillPipe(rq, pipe, offset);
  if (read) pipe.consumedByRead = true;
  return total;
}

/** A full pipe ends only the walk over the current bio: each further bio tries, and fails, once more. */
function fillPipe(rq: Request, pipe: Pipe, offset: number): number {
  let total = 0;
  let at = 0;
  for (const part of rq.parts) {
    const from = Math.max(0, offset - at);
    if (from < part.length) {
      for (const segment of rq.segments(at + from, part.length - from)) {
        if (!pipe.add(segment)) break;
        total += segment.length;
      }
    }
    at += part.length;
  }
  return total;
}
