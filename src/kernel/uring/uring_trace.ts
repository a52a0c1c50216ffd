/** The io_uring tracepoints of a run. */
import { opcodeName } from '../../uapi/io_uring_ops';
import type { Req, Uring } from './types';

/** Writes one event about a request; costs nothing when nobody wants a trace. */
export function emit(
  ring: Uring,
  event: string,
  req: Req,
  fields: Readonly<Record<string, string | number | null>> = {},
  other?: Req,
  fd = -1,
): void {
  if (ring.trace === undefined) return;
  const { now, current } = ring.world;
  const all = { user_data: userData(req), ...fields };
  ring.trace.push({
    event,
    fields: all,
    at: now,
    context: current.name,
    req,
    flags: req.flags & 0x7f,
    fd,
    other,
  });
}

/** user_data as the format prints it. */
export function userData(req: Req): string {
  return req.userData.toString();
}

/** What the kernel prints for the opcode of a request. */
export function opName(ring: Uring, opcode: number): string {
  return opcodeName(opcode, ring.profile.opLast);
}

/** How a reader of the trace names the request behind a pointer: by the last submit_req of that piece of memory. */
export function slotName(ring: Uring, req: Req): string | null {
  return ring.slotNames[req.slot] ?? null;
}
