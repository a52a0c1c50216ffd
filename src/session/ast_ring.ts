import type { CommandBase, Span } from './ast_base';

/** `mkfifo PATH`: a pipe. */
export interface MkfifoCommand extends CommandBase {
  kind: 'mkfifo';
  path: string;
}

/** `ring`: how the session's own ring is set up. */
export interface RingCommand extends CommandBase {
  kind: 'ring';
  entries: number;
  cqEntries: number | undefined;
  /** Names of IORING_SETUP_*. */
  setup: readonly string[];
  /** RLIMIT_FSIZE, bytes. */
  fsize: number | undefined;
  at: Places;
}

/** `open PATH`: how a file of the ring is opened, and with `size` how it is made. */
export interface OpenCommand extends CommandBase {
  kind: 'open';
  path: string;
  /** Names of O_*. */
  flags: readonly string[];
  fixed: boolean;
  /** Makes the file with so many bytes of the pattern of ring programs; of a pipe its capacity. */
  size: number | undefined;
  /** Bytes of the pattern that a pipe holds at first. */
  fill: number | undefined;
  uncached: boolean;
  at: Places;
}

/** `buffer NAME SIZE`: memory of the program, filled with the pattern of ring programs. */
export interface BufferCommand extends CommandBase {
  kind: 'buffer';
  name: string;
  size: number;
  fixed: boolean;
  at: Places;
}

/** What an SQE works on: a file of the session, an end of a pipe, or a bare descriptor number. */
export type RingFile = { path: string; end?: 'r' | 'w' } | { fd: number };

/** A part of a buffer. */
export interface BufferRange {
  /** Name of a `buffer`, or a number: one of 16 that are there, 1 MiB of zeros each. */
  buffer: string;
  offset: number;
  length: number;
}

/** Where the words of a command stand, by the name of what they give. */
export type Places = Readonly<Record<string, Span>>;

/** Fields of an SQE that are lists of flags, each with its bits. */
export type FlagField =
  | 'rw_flags'
  | 'fsync_flags'
  | 'sync_range_flags'
  | 'mode'
  | 'splice_flags'
  | 'poll_events'
  | 'poll_flags'
  | 'timeout_flags'
  | 'cancel_flags';

/** Raw fields of an SQE, which replace what names give. */
export type RawField = 'fd' | 'splice_fd_in' | 'addr' | 'ioprio' | 'buf_index' | 'personality';

/** `sqe OP ...`: fills an SQE of the session's own ring. */
export interface SqeCommand extends CommandBase {
  kind: 'sqe';
  opcode: number;
  /** Name of the operation; undefined for a bare number. */
  op: string | undefined;
  /** What it works on; of SPLICE and TEE where the bytes go. */
  file?: RingFile;
  /** SPLICE and TEE: where the bytes come from. */
  fileIn?: RingFile;
  /** 64 bits; all ones stand for none. */
  off?: bigint;
  offIn?: bigint;
  len?: bigint;
  /** Part of a buffer that READ fills and WRITE takes. */
  range?: { buffer: string; offset: number };
  iov?: readonly BufferRange[];
  /** IOSQE_* */
  flags: number;
  /** Bits of the flag fields that are given. */
  bits: Readonly<Partial<Record<FlagField, number>>>;
  userData: bigint;
  /** TIMEOUT and LINK_TIMEOUT. */
  ns?: number;
  count?: number;
  /** user_data of the request that TIMEOUT_REMOVE and ASYNC_CANCEL mean. */
  target?: bigint;
  raw: Readonly<Partial<Record<RawField, bigint>>>;
  /** O_DIRECT. */
  direct: boolean;
  at: Places;
}

/** `submit [--wait N]`: io_uring_enter with every SQE filled since the last one. */
export interface SubmitCommand extends CommandBase {
  kind: 'submit';
  /** min_complete; undefined: without IORING_ENTER_GETEVENTS. */
  wait: number | undefined;
  toSubmit: number | undefined;
  /** Takes no CQEs. */
  keep: boolean;
  at: Places;
}

/** `reap N` or `reap all`: takes CQEs. */
export interface ReapCommand extends CommandBase {
  kind: 'reap';
  count: number | 'all';
}

/** `close FILE`. */
export interface CloseCommand extends CommandBase {
  kind: 'close';
  path: string;
  at: Places;
}
