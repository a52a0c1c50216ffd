import { IORING_OP } from '../../uapi/io_uring_ops';

/** Likely times of a machine with two CPUs, ns. They decide which order is the likeliest; every other order stays possible. */
export const TIME = {
  /** One piece of task work, and the end of a round. */
  taskWork: 200,
  round: 700,
  /** Waking an idle worker, paid by whoever does it. */
  wakeWorker: 4_000,
  /** A worker that waited for an inode is woken. */
  lockWake: 25_000,
  /** Between two calls of the application. */
  gap: 3_000,
  /** Entering and leaving a system call. */
  syscall: 700,
  /** Taking one SQE. */
  sqe: 700,
  /** Creating a worker thread, paid by whoever does it. */
  createWorker: 14_000,
  /** A new worker starts to run. */
  workerStart: 22_000,
  /** An idle worker is woken. */
  workerWake: 6_000,
  /** A sleeping task gets its CPU back. */
  taskWake: 8_000,
  /** A worker between two pieces of work. */
  workerNext: 400,
  /** A sleeping worker is woken by a pipe. */
  pipeWake: 8_000,
  /** The SQPOLL thread looks at its ring. */
  sqpoll: 2_000,
} as const;

/** What one try of an op takes, ns. */
export function opTime(opcode: number): number {
  switch (opcode) {
    case IORING_OP.FALLOCATE:
      return 30_000;
    case IORING_OP.WRITE:
    case IORING_OP.WRITEV:
    case IORING_OP.WRITE_FIXED:
      return 8_000;
    case IORING_OP.SPLICE:
      return 6_000;
    case IORING_OP.NOP:
      return 300;
    default:
      return 2_500;
  }
}
