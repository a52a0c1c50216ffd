import { IORING_OP } from '../../uapi/io_uring_ops';
import type { OpenFile } from './open_files';

/** Likely times of a machine with two CPUs, ns. They decide which order is the likeliest; every other order stays possible. */
export const TIME = {
  /** One piece of task work, and the end of a round. */
  taskWork: 860,
  round: 100,
  /** Waking an idle worker, paid by whoever does it. */
  wakeWorker: 6_300,
  /** A worker that waited for an inode is woken. */
  lockWake: 4_000,
  /** A CPU goes from one thread to another. */
  switchTask: 2_000,
  /** The CPU of a sleeping submitter takes over a new worker that waits for the other CPU. */
  takeOver: 36_000,
  /** Between two calls of the application. */
  gap: 80,
  /** Entering and leaving a system call. */
  syscall: 610,
  /** Taking one SQE. */
  sqe: 260,
  /** Creating a worker thread, paid by whoever does it. */
  createWorker: 12_500,
  /** An idle worker that has slept for long is woken. */
  workerWakeCold: 30_000,
  /** From this time on a sleep is long. */
  longSleep: 300_000,
  /** A new worker starts to run. */
  workerStart: 23_200,
  /** An idle worker is woken. */
  workerWake: 15_700,
  /** Waking a sleeping task, paid by whoever does it. */
  wakeTask: 2_200,
  /** A sleeping task gets its CPU back. */
  taskWake: 25_000,
  /** A worker between two pieces of work. */
  workerNext: 50,
  /** A sleeping worker is woken by a pipe. */
  pipeWake: 31_000,
  /** A sleeping worker is woken by a cancel. */
  signalWake: 40_000,
  /** The SQPOLL thread looks at its ring. */
  sqpoll: 2_000,
  /** How late it can be: whoever sleeps for longer finds the SQ taken. */
  sqpollLate: 10_000_000,
} as const;

/** What one try of an op takes in a worker, ns. */
export const OPT = {
  /** FALLOCATE that reserves blocks, and one that zeroes or moves them. */
  reserve: 10_000,
  fallocate: 14_000,
  write: 2_400,
  /** A write without the cache, before it gives work to the disk. */
  direct: 25_000,
  splice: 390,
  tee: 2_500,
  read: 660,
  refused: 400,
  nop: 350,
  sync: 300,
  poll: 1_800,
} as const;

/** What one try of an op takes in a worker, ns; `mode` is that of FALLOCATE. */
export function opTime(opcode: number, file: OpenFile | undefined, mode: number): number {
  switch (opcode) {
    case IORING_OP.FALLOCATE:
      return mode === 0 ? OPT.reserve : OPT.fallocate;
    case IORING_OP.WRITE:
    case IORING_OP.WRITEV:
    case IORING_OP.WRITE_FIXED:
      if (file?.kind !== 'file') return OPT.read;
      return file.direct ? OPT.direct : OPT.write;
    case IORING_OP.SPLICE:
      return OPT.splice;
    case IORING_OP.TEE:
      return OPT.tee;
    case IORING_OP.FSYNC:
    case IORING_OP.SYNC_FILE_RANGE:
      return OPT.sync;
    case IORING_OP.POLL_ADD:
      return OPT.poll;
    case IORING_OP.NOP:
      return OPT.nop;
    default:
      return OPT.read;
  }
}
