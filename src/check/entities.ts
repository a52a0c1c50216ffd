/** What an SQE is to a ublk server, by its opcode and user_data. */
export type SqeKind = 'command' | 'target' | 'other';

/** ublk commands as user_data and command numbers carry them in their low byte. */
export const CMD = { fetch: 0x20, commit: 0x21, getData: 0x22 } as const;

/** Bits of sqe->flags, which the tracepoints print in the low byte of req->flags. */
export const SQE_FLAG = { link: 1 << 2, hardlink: 1 << 3, skip: 1 << 6 } as const;

export const ENODEV = -19;

/** One ring, from its creation or first event on. */
export interface Ring {
  readonly word: number;
  /** Event of its creation, -1 where it is older than the trace. */
  readonly created: number;
  readonly sqEntries: number;
  readonly cqEntries: number;
  readonly slots: Slot[];
  /** Open and finished SQEs by the word of their kernel request. */
  readonly sqes: Map<number, Sqe>;
  /** Device and queue that it serves, -1 while unknown. */
  device: number;
  qid: number;
  /** Task that submits to it. */
  pid: number;
  /** Slots fetched, and the first delivery: from then on `fetched` is the queue depth of a ring created in the trace. */
  fetched: number;
  firstDelivery: number;
  /** Last SQE of the present call, for chains. */
  lastSqe: Sqe | undefined;
  /** A call that submits to it was seen from its start: what stands in front of its SQEs is known. */
  callSeen: boolean;
  lastWait: number;
}

/** One SQE. Event numbers are -1 where unknown. */
export interface Sqe {
  readonly ring: Ring;
  /** Word of user_data. */
  readonly data: number;
  readonly kind: SqeKind;
  readonly op: number;
  readonly tag: number;
  readonly opcode: string;
  readonly flags: number;
  readonly submit: number;
  readonly pid: number;
  /** A CQE may be missing: it, or a member of its chain before it, asks to skip it. */
  readonly maySkip: boolean;
  /** Delivery that it works for. */
  readonly delivery: number;
  punted: boolean;
  complete: number;
  result: number;
}

/** What a slot is doing, as far as the trace tells. */
export const SLOT = { unknown: 0, fresh: 1, armed: 2, owned: 3, needData: 4, getting: 5, gone: 6 } as const;
export type SlotState = (typeof SLOT)[keyof typeof SLOT];

/** Names of {@link SLOT} for messages. */
export const SLOT_NAMES = [
  'unknown',
  'never fetched',
  'armed',
  'owned by the server',
  'waiting for NEED_GET_DATA',
  'fetching its data',
  'answered with -ENODEV',
] as const;

/** One (ring, tag). */
export interface Slot {
  readonly ring: Ring;
  readonly tag: number;
  state: SlotState;
  /** The command that the driver holds. */
  armed: Sqe | undefined;
  /** State before `armed` was submitted, to go back to when it is refused. */
  before: SlotState;
  /** Ever armed, delivered or committed on this ring. */
  used: boolean;
  /** Last CQE that delivered a request, and the COMMIT that answered it. */
  deliver: number;
  commit: Sqe | undefined;
  /** Backend SQEs since the delivery. */
  targets: Sqe[];
  block: Block | undefined;
  pid: number;
}

/** Byte ranges [from, to) of a request. */
export type Range = readonly [from: number, to: number];

/** One delivery of a block request to the driver. */
export interface Block {
  /** Number of the device within this trace, -1 while unknown. */
  readonly device: number;
  readonly qid: number;
  readonly tag: number;
  readonly sector: number;
  /** Payload, bytes. */
  readonly bytes: number;
  /** First letter of the operation: R, W, F, D or another; empty while unknown. */
  readonly op: string;
  readonly start: number;
  /** The CQE that told the server; -1 before that or where it cannot be told which it was. */
  deliver: number;
  /** SQE of the COMMIT, and the result that the driver read from it (NaN while unknown). */
  commit: number;
  commitResult: number;
  /** Ended or given back. */
  end: number;
  /** The driver copied for it. */
  copied: boolean;
  /** The driver finished it without copying, as a probe shows. */
  uncopied: boolean;
  readonly fills: Range[];
  /** What SPLICEs asked for and whether the driver counted them. */
  readonly asks: { readonly range: Range; readonly event: number; counted: boolean }[];
  /** SPLICEs that hold its pages now. */
  readonly users: SpliceCall[];
}

/** One splice that a task runs. */
export interface SpliceCall {
  readonly event: number;
  readonly kind: 'read' | 'write' | 'plain';
  readonly asked: number;
  readonly sqe: Sqe | undefined;
  block: Block | undefined;
  /** The char device was asked for pages: queue, tag and offset are those of a request. */
  seen: boolean;
  qid: number;
  tag: number;
  offset: number;
  /** Offset up to which the pages were filled by reading. */
  filled: number;
  head: number;
  tail: number;
  /** Buffers that the pipe took, buffers let go, bytes in it, bytes of the present producing half. */
  pushed: number;
  released: number;
  occupied: number;
  produced: number;
  consumer: boolean;
  /** Producing halves that called the driver. */
  fromDriver: boolean;
  /** Page that did not fit and has to be released next. */
  refused: number;
  readonly pages: Map<number, { refs: number; event: number }>;
}

/** What a driver command in progress is about. */
export interface DriverCommand {
  readonly op: number;
  readonly qid: number;
  readonly tag: number;
  readonly result: number;
  readonly event: number;
  readonly block: Block | undefined;
  /** The request of the command has ended inside it. */
  ended: number;
}
