import type { CommandBase } from './ast_base';

/** `mkfifo PATH`: a pipe that SPLICE can fill and empty. */
export interface MkfifoCommand extends CommandBase {
  kind: 'mkfifo';
  path: string;
}

/** What an SQE works on: a file of the session, a pipe, or a bare descriptor number that nobody opened. */
export type RingFile = { path: string } | { fd: number };

/** `sqe OP ...`: fills an SQE of the session's own ring. Offsets are -1 where a pipe has none. */
export interface SqeCommand extends CommandBase {
  kind: 'sqe';
  opcode: number;
  file?: RingFile;
  offset: number;
  length: number;
  /** SPLICE: where the bytes go. */
  out?: RingFile;
  outOffset: number;
  /** IOSQE_* */
  flags: number;
  /** rw_flags, fsync_flags, splice_flags or the mode of FALLOCATE. */
  opFlags: number;
  userData: bigint;
  /** Which of the program's buffers READ fills and WRITE takes. */
  buffer: number;
  /** O_DIRECT. */
  direct: boolean;
}

/** `submit [--wait N]`: io_uring_enter with every SQE filled since the last one, and a look at the CQEs. */
export interface SubmitCommand extends CommandBase {
  kind: 'submit';
  wait: number;
}
