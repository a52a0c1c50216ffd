import type { Kernel } from './kernel';
import type { Request } from './request';

/**
 * ublk_copy_user_pages: one memcpy by the daemon thread, in kernel mode, between the pages of a request and the server's buffer
 * at user address `addr`. Returns the bytes copied, 0 for a wild address.
 */
export function copyUserPages(
  kernel: Kernel,
  rq: Request,
  addr: number,
  length: number,
  toServer: boolean,
): number {
  kernel.rec.emit.ublk_copy_user_pages(rq.tag, toServer ? 1 : 0, length);
  const place = kernel.memory.find(addr);
  if (!place) return 0;
  const bytes = Math.min(length, place.buffer.size - place.offset);
  const user = kernel.memory.touch(place.buffer, place.offset, bytes);
  let at = 0;
  for (const segment of rq.segments(0, bytes)) {
    const page = kernel.memory.touch(segment.buffer, segment.offset, segment.length);
    const part = user.subarray(at, at + segment.length);
    if (toServer) part.set(page);
    else page.set(part);
    at += segment.length;
  }
  kernel.rec.now += kernel.copyTime(bytes);
  return bytes;
}

/** Bytes of [0, length) of a READ that the backend filled in this delivery; overlapping fills count once. */
export function filledBytes(rq: Request, length: number): number {
  let filled = 0;
  let at = 0;
  for (const fill of [...rq.fills].sort((a, b) => a.offset - b.offset)) {
    const from = Math.max(at, fill.offset);
    const to = Math.min(length, fill.offset + fill.length);
    if (to > from) filled += to - from;
    at = Math.max(at, to);
  }
  return filled;
}
