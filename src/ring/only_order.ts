/** Whether schedules of a program differ in nothing but the order of CQEs. */
import { IORING_OP } from '../uapi/io_uring_ops';
import { REQ } from '../kernel/uring/types';
import type { RingProgram } from './program';
import type { RunResult } from './run';

/** Requests whose result depends on nothing but their file and, where another one touches that too, on order. */
const PLAIN: ReadonlySet<number> = new Set([
  IORING_OP.NOP,
  IORING_OP.READ,
  IORING_OP.WRITE,
  IORING_OP.READ_FIXED,
  IORING_OP.WRITE_FIXED,
  IORING_OP.READV,
  IORING_OP.WRITEV,
  IORING_OP.FSYNC,
  IORING_OP.SYNC_FILE_RANGE,
  IORING_OP.FALLOCATE,
  IORING_OP.SPLICE,
  IORING_OP.TEE,
]);

/** As many requests as find a worker at once (four for each of two CPUs, no more than the SQ has entries). */
const WORKERS = 8;

/**
 * True when no request can change another one's result, whatever the schedule: then every order of CQEs that the rules leave open
 * is one outcome. Known from the program; a run tells only that it does not hang and that every request
 * finds a worker and room in the CQ.
 */
export function onlyOrderVaries(program: RingProgram, run: RunResult): boolean {
  if (program.contended.size > 0) return false;
  // there the disk decides who waits, and with it which rules hold
  if (program.files.some(({ kind, cached, open }) => kind === 'file' && (!cached || open.has('DIRECT'))))
    return false;
  if (program.steps.some((step) => step.kind === 'close')) return false;
  if (run.steps.some((step) => step.hang)) return false;
  const { requests, cqEntries, sqEntries, profile } = run.ring;
  if (!profile.drainByLive && requests.some((req) => (req.flags & REQ.DRAIN) !== 0)) return false;
  if (requests.length > Math.min(cqEntries, sqEntries, WORKERS)) return false;
  return requests.every((req) => PLAIN.has(req.sqe.opcode));
}
