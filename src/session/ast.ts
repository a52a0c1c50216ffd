/** What a `.ublk` session says, after parsing. Sizes, offsets and lengths are bytes, durations nanoseconds. */
import type { CommandBase } from './ast_base';
import type {
  BufferCommand,
  CloseCommand,
  MkfifoCommand,
  OpenCommand,
  ReapCommand,
  RingCommand,
  SqeCommand,
  SubmitCommand,
} from './ast_ring';

export type { CommandBase, Span } from './ast_base';
export type {
  BufferCommand,
  CloseCommand,
  MkfifoCommand,
  OpenCommand,
  ReapCommand,
  RingCommand,
  RingFile,
  SqeCommand,
  SubmitCommand,
} from './ast_ring';

/** A place in the text; both numbers count from 1, columns in UTF-16 units. */
export interface Position {
  line: number;
  column: number;
}

/** One remark about the text. `endColumn` is exclusive; a diagnostic never spans lines. */
export interface Diagnostic {
  severity: 'error' | 'warning' | 'info';
  line: number;
  column: number;
  endColumn: number;
  message: string;
}

/** `truncate -s SIZE FILE`: the file is made, grown with a hole, or cut to `size` bytes. */
export interface TruncateCommand extends CommandBase {
  kind: 'truncate';
  path: string;
  size: number;
}

export type UblkTargetType = 'null' | 'loop' | 'qcow2';

/** `ublk add`. */
export interface UblkAddCommand extends CommandBase {
  kind: 'ublk-add';
  type: UblkTargetType;
  /** Device number; -1 lets the driver choose. */
  id: number;
  queues: number;
  depth: number;
  /** -z: UBLK_F_SUPPORT_ZERO_COPY was asked for; a driver may clear it (6.1 does). */
  zeroCopy: boolean;
  /** -u: URING_CMD_COMP_IN_TASK; undefined when not on the command line. */
  compInTask: boolean | undefined;
  /** -g 1: UBLK_F_NEED_GET_DATA. */
  needGetData: boolean;
  /** Backing file of loop, image of qcow2. */
  file?: string;
  /** --buffered_io: the backing file is opened without O_DIRECT. */
  bufferedIo: boolean;
  /** -r 1: UBLK_F_USER_RECOVERY. */
  userRecovery: boolean;
  /** -i 1: UBLK_F_USER_RECOVERY_REISSUE. */
  recoveryReissue: boolean;
  maxIoBufBytes: number;
}

/** `ublk del -n ID` or `ublk del -a`. */
export interface UblkDelCommand extends CommandBase {
  kind: 'ublk-del';
  id: number | 'all';
}

/** `ublk list`. */
export interface UblkListCommand extends CommandBase {
  kind: 'ublk-list';
  /** undefined lists every device. */
  id: number | undefined;
  verbose: boolean;
}

/** `ublk recover -n ID`. */
export interface UblkRecoverCommand extends CommandBase {
  kind: 'ublk-recover';
  id: number;
  verbose: boolean;
}

export type FioRw =
  | 'read'
  | 'write'
  | 'randread'
  | 'randwrite'
  | 'readwrite'
  | 'randrw'
  | 'trim'
  | 'randtrim'
  | 'trimwrite'
  | 'randtrimwrite';

export type FioEngine = 'psync' | 'sync' | 'pvsync' | 'libaio';

/** One job of a fio command line, with fio's defaults filled in. */
export interface FioJob {
  name: string;
  filename: string;
  rw: FioRw;
  /** Percent of reads in a mixed job. */
  rwmixread: number;
  bs: number;
  /** Requests in flight, as they will be: 1 for the synchronous engines whatever --iodepth says. */
  iodepth: number;
  ioengine: FioEngine;
  direct: boolean;
  /** --number_ios; undefined: no such limit. */
  numberIos: number | undefined;
  /** --size: the region; undefined: from offset to the end of the file. */
  size: number | undefined;
  /** --io_size: bytes to move, where it differs from the region. */
  ioSize: number | undefined;
  offset: number;
  numjobs: number;
  /** --randseed; undefined: fio's own fixed default sequence (randrepeat). */
  randseed: bigint | undefined;
  /** --runtime; undefined: until the region or the I/O count is done. */
  runtimeNs: number | undefined;
  /** --time_based: start over until runtime is up. */
  timeBased: boolean;
  /** fsync / fdatasync after every so many writes; 0 never. */
  fsync: number;
  fdatasync: number;
  /** --end_fsync: one fsync when the job's writes are done. */
  endFsync: boolean;
  /** --thinktime between issues. */
  thinkTimeNs: number;
  /** --norandommap: random offsets may repeat. */
  noRandomMap: boolean;
  /** --stonewall: waits for the jobs before it. */
  stonewall: boolean;
}

/** `fio ...`: jobs run at the same time unless `stonewall`. */
export interface FioCommand extends CommandBase {
  kind: 'fio';
  jobs: FioJob[];
}

/** `dd`; `skip` and `seek` are bytes, operands in blocks already multiplied out. */
export interface DdCommand extends CommandBase {
  kind: 'dd';
  input: string;
  output: string;
  /** Block size of reads (ibs) and of writes (obs); equal when `bs=` was given. */
  bs: number;
  obs: number;
  /** Input blocks to copy; undefined: to end of file. */
  count: number | undefined;
  skip: number;
  seek: number;
  iflag: { direct: boolean; fullblock: boolean };
  oflag: { direct: boolean; dsync: boolean; sync: boolean };
  conv: { fsync: boolean; fdatasync: boolean; notrunc: boolean };
}

/** `blkdiscard`. */
export interface BlkdiscardCommand extends CommandBase {
  kind: 'blkdiscard';
  device: string;
  offset: number;
  /** undefined: to the end of the device. */
  length: number | undefined;
  mode: 'discard' | 'zeroout' | 'secure';
  /** -p: bytes per ioctl; undefined: one ioctl for all. */
  step: number | undefined;
}

/** `sync`, `sync FILE`, `sync -d FILE`. */
export interface SyncCommand extends CommandBase {
  kind: 'sync';
  paths: string[];
  /** `sync` writes everything back; the others act on `paths`. */
  mode: 'sync' | 'fsync' | 'fdatasync';
}

/** `wait` (all background jobs) or `wait $!`, `wait $P` (one of them). */
export interface WaitCommand extends CommandBase {
  kind: 'wait';
  /** True when `command` is the job started last. */
  last: boolean;
  /** Index in `Session.commands` of the job waited for; undefined: all of them. */
  command: number | undefined;
}

export type KillSignal = 'KILL' | 'TERM' | 'STOP' | 'CONT';

export type KillTarget =
  /** The ublk daemon started last (`$(pgrep -n ublk)`), or of device `id` where the text says so. */
  | { kind: 'daemon'; id?: number }
  /** `$!`, or a variable it was saved in; `command` is the index in `Session.commands` of the job it meant there. */
  | { kind: 'background-job'; command: number }
  | { kind: 'pid'; pid: number };

export interface KillCommand extends CommandBase {
  kind: 'kill';
  signal: KillSignal;
  target: KillTarget;
}

export interface SleepCommand extends CommandBase {
  kind: 'sleep';
  ns: number;
}

/** One exact request of an iogen list step. */
export interface IogenIo {
  op: 'read' | 'write';
  offset: number;
  length: number;
}

/** Steps run one after the other; a step ends when its last request has completed. */
export type IogenStep =
  | {
      kind: 'io';
      op: 'read' | 'write';
      pattern: 'seq' | 'rand';
      blockSize: number;
      count: number;
      /** 1: pread/pwrite; above: libaio with so many in flight. */
      queueDepth: number;
      /** First byte (seq) or start of the region (rand). */
      start: number;
      /** Offset of the buffer in its page. */
      bufferOffset: number;
    }
  /** Exact requests in this order, at most `queueDepth` in flight. */
  | { kind: 'list'; queueDepth: number; ios: IogenIo[] }
  /** fdatasync */
  | { kind: 'flush' }
  /** BLKDISCARD */
  | { kind: 'discard'; offset: number; length: number }
  /** BLKZEROOUT */
  | { kind: 'zero'; offset: number; length: number }
  | { kind: 'sleep'; ns: number };

/** `iogen DEV OUT.json STEP...`: the direct-I/O client of the recordings. */
export interface IogenCommand extends CommandBase {
  kind: 'iogen';
  device: string;
  output: string;
  steps: IogenStep[];
}

/** `qemu-img create -f qcow2 FILE SIZE`: an empty image. */
export interface QemuImgCommand extends CommandBase {
  kind: 'qemu-img';
  path: string;
  size: number;
  version: 2 | 3;
  clusterBits: number;
  /** Refcounts have 1 << order bits. */
  refcountOrder: number;
}

export type Command =
  | MkfifoCommand
  | RingCommand
  | OpenCommand
  | BufferCommand
  | SqeCommand
  | SubmitCommand
  | ReapCommand
  | CloseCommand
  | QemuImgCommand
  | TruncateCommand
  | UblkAddCommand
  | UblkDelCommand
  | UblkListCommand
  | UblkRecoverCommand
  | FioCommand
  | DdCommand
  | BlkdiscardCommand
  | SyncCommand
  | WaitCommand
  | KillCommand
  | SleepCommand
  | IogenCommand;

/** Every kernel profile name; see SIMULATED_KERNELS for those that run. */
export const KERNELS = ['6.1', '6.1+splice-zc', '6.12', '6.18', '7.3'] as const;
export type KernelName = (typeof KERNELS)[number];
/** Every server name; see SIMULATED_SERVERS for those that run. */
export const SERVERS = ['ublksrv-2022-11', 'ublksrv-1.2', 'ublksrv-1.8', 'kublk'] as const;
export type ServerName = (typeof SERVERS)[number];
/** Profiles that have the whole stack; the others run sessions that have nothing but a ring. */
export const SIMULATED_KERNELS: readonly KernelName[] = ['6.1', '6.1+splice-zc', '7.3'];
/** Servers the simulator has. */
export const SIMULATED_SERVERS: readonly ServerName[] = ['ublksrv-2022-11', 'ublksrv-1.2'];

/** The `#:` settings, with defaults filled in. They hold for the whole session, wherever they stand. */
export interface Settings {
  kernel: KernelName;
  server: ServerName;
  /** 64-bit seed of every choice. */
  seed: bigint;
  cpus: number;
  /** What holds the backing file: a file on a file system, or a block device with nothing between. */
  backing: 'file' | 'blkdev';
  /** st_blksize of the backing file system; the loop target takes its logical block size from it. */
  blockSize: number;
  /** The kernel reads the partition table when the disk appears. */
  partScan: boolean;
  /** ublk-qcow2: where the FSYNC with IOSQE_IO_LINK stands that should come before the WRITE of a table. */
  qcow2Link: 'shipped' | 'intended';
  /** Simulated page memory, in bytes; allocation beyond it ends the run. */
  memory: number;
  /** Events after which a run is stopped. */
  maxEvents: number;
}

/** Where a fault strikes. splice, read, write, fsync: the server's SQE; device: the backing device's request; server: what the server does. */
export type FaultKind = 'splice' | 'read' | 'write' | 'fsync' | 'device' | 'commit' | 'server';

/** Wrong things a server can do. */
export type ServerMistake =
  /** Commits the request's full length, whatever its SQE brought. */
  | 'over-commit'
  /** Commits before its SQE completed. */
  | 'commit-early'
  /** Commits the same request twice. */
  | 'commit-twice'
  /** Never commits. */
  | 'no-commit'
  /** Commits although it never moved any data. */
  | 'no-fill'
  /** Reads with SPLICE_F_DIRECT alone, without SPLICE_F_READ_TO_READ. */
  | 'no-read-to-read'
  /** Reads with SPLICE_F_READ_TO_READ alone, without SPLICE_F_DIRECT. */
  | 'read-to-read-only'
  /** After a short splice repeats the whole range instead of the rest. */
  | 'retry-same';

/** One `#: fault` line. Unset selectors match anything. */
export interface Fault {
  kind: FaultKind;
  queue?: number;
  tag?: number;
  /** Strikes only the nth match (1-based) counted over the session; unset: the first `count` matches. */
  nth?: number;
  /** How many matches it strikes; Infinity for `count=all`. Default 1. */
  count: number;
  /** Only requests that touch [offset, offset + length). Bytes; length defaults to one byte. */
  offset?: number;
  length?: number;
  /** Only this direction (device faults). */
  op?: 'read' | 'write' | 'flush' | 'discard';
  effect: {
    /** Bytes moved instead of all. */
    short?: number;
    /** Negative errno. */
    error?: number;
    /** Additional service time. */
    delayNs?: number;
    mistake?: ServerMistake;
  };
  /** Armed when the session reaches this line: before `commands[armedAt]` starts (0: from the beginning). */
  armedAt: number;
  line: number;
}

/** A parsed session. It may be run only if no diagnostic is an error; commands that had one are left out. */
export interface Session {
  file: string;
  commands: Command[];
  settings: Settings;
  faults: Fault[];
  diagnostics: Diagnostic[];
  /** It has nothing but files, pipes and a ring of its own; and it runs as a ring program does. */
  ringOnly: boolean;
  onRing: boolean;
}

/** Values that win over the text's `#:` lines (from the command line or a debug configuration). */
export interface SessionOverrides {
  kernel?: string;
  server?: string;
  seed?: bigint;
}
