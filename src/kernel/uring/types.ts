/** Data of one io_uring instance and its requests: what the functions of this folder share. */
import type { Sqe } from '../../uapi/sqe';
import type { UringProfile } from './uring_profile';
import type { OpenFile } from './open_files';
import type { UserIter, UserMemory } from './user_memory';
import type { PollWait, WaitQueue } from './wait_queue';
import type { Digest } from './digest';
import type { Actor, World } from './world';

/** Bits of a request's flags: the low seven are the IOSQE bits, the others stand for REQ_F_* of the kernel. */
export const REQ = {
  FIXED_FILE: 0x1,
  DRAIN: 0x2,
  LINK: 0x4,
  HARDLINK: 0x8,
  FORCE_ASYNC: 0x10,
  BUFFER_SELECT: 0x20,
  CQE_SKIP: 0x40,
  FAIL: 0x100,
  NOWAIT: 0x200,
  CUR_POS: 0x400,
  ARM_LTIMEOUT: 0x800,
  LINK_TIMEOUT: 0x1000,
  SKIP_LINK_CQES: 0x2000,
  POLLED: 0x4000,
  REFCOUNT: 0x8000,
  REISSUE: 0x10000,
} as const;

/** IO_REQ_LINK_FLAGS */
export const LINK_FLAGS = REQ.LINK | REQ.HARDLINK;

/** What the issue function of an op says: a negative errno, or one of these. */
export const ISSUED = {
  /** res is set: complete the request now (IOU_COMPLETE). */
  COMPLETE: 0,
  /** Somebody else completes it later (IOU_ISSUE_SKIP_COMPLETE). */
  PENDING: 1,
  /** Only in a worker: it sleeps on `req.blockedOn`, and the op is tried again when woken. */
  BLOCKED: 2,
} as const;

/** Flags of an issue call (IO_URING_F_*). */
export const ISSUE = { NONBLOCK: 1, COMPLETE_DEFER: 2, UNLOCKED: 4, IOWQ: 8 } as const;

/** State of an armed poll (struct io_poll with the request's poll fields). */
export interface PollState {
  /** Events waited for, with ONESHOT and ET bits as numbers of EPOLL*. */
  events: number;
  /** Mask of the first wake-up; 0 asks the file again. */
  res: number;
  refs: number;
  cancelled: boolean;
  retry: boolean;
  waits: PollWait[];
  hashed: boolean;
  /** How often the request may still arm. */
  readonly retries: number;
}

/** State of a TIMEOUT or LINK_TIMEOUT. */
export interface TimeoutState {
  ns: number;
  /** Completions to wait for, or how often a timer repeats; 0 is a pure timer. */
  off: number;
  targetSeq: number;
  etimeSuccess: boolean;
  multishot: boolean;
  repeats: number;
  absolute: boolean;
  /** Handle of the running timer, or undefined. */
  timer: TimerHandle | undefined;
  /** LINK_TIMEOUT: the timed request, until one of both is done. */
  head: Req | undefined;
  prev: Req | undefined;
}

/** A running timer; `cancel` says whether it had not fired yet (hrtimer_try_to_cancel). */
export interface TimerHandle {
  cancel(): boolean;
}

/** State of a read or write across its tries (struct io_rw with io_async_rw). */
export interface RwState {
  pos: number;
  iter: UserIter | undefined;
  /** Bytes done by earlier tries. */
  bytesDone: number;
  /** Bytes asked for in the running try. */
  want: number;
  /** Flags of the kiocb: see RWF in ops_rw. */
  kflags: number;
  /** A direct transfer (struct iomap_dio): who holds it, the disk and who started it, and what it came to. */
  direct: { refs: number; readonly res: number } | undefined;
}

/** One request (struct io_kiocb). */
export interface Req {
  readonly id: number;
  readonly sqe: Sqe;
  opcode: number;
  flags: number;
  readonly userData: bigint;
  file: OpenFile | undefined;
  link: Req | undefined;
  res: number;
  cflags: number;
  refs: number;
  cancelSeq: number;
  /** io-wq flags, set by io_prep_async_work. */
  work: { hash: number; unbound: boolean; concurrent: boolean; cancel: boolean };
  rw: RwState | undefined;
  poll: PollState | undefined;
  timeout: TimeoutState | undefined;
  blockedOn: WaitQueue | undefined;
  /** Input of a splice that sleeps. */
  spliceIn: OpenFile | undefined;
  /** Time that the running try spends waiting for the disk, ns; the worker sleeps that long. */
  diskWait: number;
  /** Its completion is a step of its own: other contexts may come between. */
  splitPost: boolean;
  /** It did all that others can see but its completion. */
  done: boolean;
  /** It is done and its completion is held back: by the disk, or to be a step of its own. */
  held: boolean;
  /** Which piece of request memory it is: what a reader of traces sees as its pointer. */
  slot: number;
  /** Sequence number for the drain of 6.1 and 6.12. */
  seq: number;
  /** Why its CQE came when it came. */
  cause: string;
  /** Id of the head of its chain; its own where it has none. */
  chain: number;
  /** Number of the submit call that took it. */
  readonly batch: number;
  /** Malformed, or in a chain with a malformed member: fails without being issued. */
  malformed: boolean;
  /** Its submit call sent it to io-wq. */
  queuedInline: boolean;
  /** The request that cancelled it. */
  cancelledBy: number;
  /** Nobody holds it any more. */
  freed: boolean;
}

/** One CQE, with what posted it. */
export interface Cqe {
  readonly userData: bigint;
  readonly res: number;
  readonly flags: number;
  readonly cause: string;
  readonly req: number;
}

/** One event of the io_uring tracepoints. */
export interface UringEvent {
  /** Name without its io_uring_ prefix. */
  readonly event: string;
  /** Fields as the ring program format prints them. */
  readonly fields: Readonly<Record<string, string | number | null>>;
  /** Virtual time, ns, and the context that ran. */
  readonly at: number;
  readonly context: string;
  readonly req: Req;
  /** Its IOSQE bits at that moment. */
  readonly flags: number;
  /** The descriptor of file_get. */
  readonly fd: number;
  /** The other request of link and fail_link. */
  readonly other: Req | undefined;
}

/**
 * What an application does: it calls io_uring_enter with so many SQEs (and waits for CQEs) and returns from it, sleeps in it until there are so
 * many CQEs (`sleep`: for that it calls it), takes so many CQEs.
 */
export type AppAct = 'enter' | 'exit' | 'wait' | 'sleep' | 'take';

/** One op of the table (struct io_issue_def). */
export interface OpDef {
  readonly name: string;
  readonly needsFile: boolean;
  readonly ioprio: boolean;
  readonly pollin: boolean;
  readonly pollout: boolean;
  readonly hashRegFile: boolean;
  readonly unboundNonreg: boolean;
  readonly bufferSelect: boolean;
  /** Blocking op that always goes to io-wq. */
  readonly forceAsync: boolean;
  prep(ring: Uring, req: Req): number;
  issue(ring: Uring, req: Req, flags: number): number;
  /** It fails at once, before its file is locked. */
  readonly refused?: (req: Req) => boolean;
  /** Whether the simulator answers for such an SQE; without it, for all. */
  readonly models?: (sqe: Sqe) => boolean;
  /** ->fail of the op: last look at res before a failed request completes. */
  readonly fail?: (req: Req) => void;
}

/** What cancelling in io-wq found. */
export type WqCancel = 'ok' | 'running' | 'none';

/** struct io_wq, as the rest of io_uring knows it. */
export interface IoWq {
  /** io_wq_enqueue */
  enqueue(ring: Uring, req: Req): void;
  /** io_wq_cancel_cb: takes pending work off, signals running work. */
  cancel(ring: Uring, matches: (req: Req) => boolean, all: boolean): WqCancel;
  /** Adds what it knows to the digest of a state. */
  stateKey(digest: Digest): void;
  /** A worker whose next step nobody sees. */
  unseen?(ring: Uring): Actor | undefined;
}

/** What a piece of task work does to its request. */
export const WORK = {
  COMPLETE: 0,
  FAIL: 1,
  SUBMIT: 2,
  POLL: 3,
  CANCEL_CHAIN: 4,
  TIMEOUT: 5,
  LINK_TIMEOUT: 6,
  DISK: 7,
  FREED: 8,
} as const;

/** A piece of task work. */
export interface TaskWork {
  readonly what: (typeof WORK)[keyof typeof WORK];
  readonly req: Req;
  run(): void;
}

/** The task that submits: the application, or the SQPOLL thread. */
export interface Submitter {
  readonly name: string;
  actor: Actor | undefined;
  /** Task work of non-DEFER rings, oldest first. */
  taskWork: TaskWork[];
  /** Called when work was added. */
  notify(): void;
}

/** A disk read that waits for the end of its submit call. */
export interface PluggedRead {
  readonly inode: number;
  readonly pos: number;
  readonly end: number;
  start(after: number): void;
}

/** One io_uring instance (struct io_ring_ctx). */
export interface Uring {
  readonly profile: UringProfile;
  readonly world: World;
  readonly memory: UserMemory;
  readonly ops: readonly (OpDef | undefined)[];
  readonly setup: number;
  readonly sqEntries: number;
  readonly cqEntries: number;
  readonly fds: ReadonlyMap<number, OpenFile>;
  readonly fixedFiles: readonly (OpenFile | undefined)[];
  readonly fixedBuffers: readonly { addr: number; len: number }[];
  readonly submitter: Submitter;
  readonly wq: IoWq;
  readonly fsizeLimit: number;
  /** Whether another request may touch the same file, pipe or memory at the same time. */
  contended(sqe: Sqe): boolean;
  /** Tracepoints are wanted. */
  readonly trace: UringEvent[] | undefined;

  sq: Sqe[];
  sqDropped: number;
  cq: Cqe[];
  /** CQEs the application took. */
  cqHead: number;
  overflow: Cqe[];
  cqOverflowCount: number;
  /** Work of a DEFER_TASKRUN ring, oldest first, and what an earlier run left. */
  localWork: TaskWork[];
  retryWork: TaskWork[];
  /** What is left of the round of work that runs. */
  round: TaskWork[];

  /** No SQE comes any more, and no request of the program posts more than one CQE. */
  lastCall: boolean;
  linkHead: Req | undefined;
  linkLast: Req | undefined;
  compl: Req[];

  drainActive: boolean;
  drainNext: boolean;
  drainDisabled: boolean;
  deferList: Req[];
  /** Live requests, and those of them that wait in the defer list. */
  live: number;
  drained: number;
  /** Requests taken so far (cached_sq_head), for drain by sequence. */
  taken: number;

  timeouts: Req[];
  linkTimeouts: Req[];
  cqTimeouts: number;
  lastTimeoutFlush: number;
  offTimeoutUsed: boolean;

  /** Poll hash table: bucket lists, newest first. */
  polls: Req[][];
  cancelSeq: number;
  nextReq: number;
  /** Every request taken, in the order of the SQ. */
  readonly requests: Req[];
  /** Number of submit calls; and whether one is taking SQEs now. */
  batch: number;
  submitting: boolean;
  /** Disk reads that a submit call of more than two SQEs holds back, to start them in the order of the disk. */
  plug: PluggedRead[] | undefined;
  /** The cancel that runs. */
  canceller: Req | undefined;
  /** Free pieces of request memory, last in first out, and the user_data last told for each. */
  freeSlots: number[];
  slotNames: (string | undefined)[];
  /** io_req_complete_post of a request that did not run, with what follows in its chain. */
  postFailed(ring: Uring, req: Req): void;
  /** __io_submit_flush_completions, in one step. */
  flushNow(ring: Uring): void;
  /** io_req_task_link_timeout: cancels the timed request. */
  linkTimeoutTask(ring: Uring, req: Req): void;
  /** Set while the application sleeps in io_cqring_wait: called when it should look again. */
  cqWake: (() => void) | undefined;
  /** Told what the application does. */
  tell: ((what: AppAct, count: number, wait?: number) => void) | undefined;
}
