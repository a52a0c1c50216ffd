/**
 * The state while it is replayed: numbers only, so that an event costs no allocation. Interned 64-bit values are kept as the
 * event's word `| 0` (a small integer), strings as their id. Entities carry the epoch of the working state that made them:
 * a snapshot shares them, and the first change after it copies the entity (copy on write).
 */

/** Stands for "the trace does not say" in every numeric field; no event carries this value. */
export const UNKNOWN = -0x40000000;

/** An SQE that user space filled. Never changed once made. */
export interface Sqe {
  readonly index: number;
  readonly userData: number;
  readonly bytes: number;
}

/** A CQE. Never changed once made. */
export interface Cqe {
  readonly userData: number;
  readonly res: number;
  readonly flags: number;
}

export interface Req {
  epoch: number;
  readonly ptr: number;
  readonly ring: number;
  userData: number;
  /** String id, -1 when unknown. */
  opcode: number;
  phase: number;
  since: number;
  skip: boolean;
  link: number;
  /** String id of `hashed` or `normal`, -1 before it was queued. */
  queue: number;
  /** Slot whose command this is: device, queue and tag; device -1 for none. */
  device: number;
  qid: number;
  tag: number;
}

export interface Ring {
  epoch: number;
  readonly id: number;
  readonly ptr: number;
  fd: number;
  owner: number;
  flags: number;
  sqEntries: number;
  cqEntries: number;
  sqHead: number;
  sqPending: number;
  cqTail: number;
  cqReady: number;
  overflow: number;
  waiting: number;
  /** Device whose commands it carried last, -1 for none. */
  device: number;
  /** Queue it serves, where only user_data tells of commands; -1 unknown. */
  queue: number;
  /** Requests in flight whose success posts no CQE. */
  skips: number;
  lastDone: number;
  lastSkip: boolean;
  /** Its task has ended; it lives on with the commands that lie in a driver. */
  abandoned: boolean;
  sqes: Sqe[];
  cqes: Cqe[];
  reqs: Map<number, Req>;
}

export interface Slot {
  epoch: number;
  state: number;
  inferred: boolean;
  /** Command in the driver: ring pointer, request pointer, user_data, number. */
  ring: number;
  req: number;
  userData: number;
  op: number;
  result: number;
  request: number;
  deliveries: number;
  handled: number;
  filled: number;
  /** Descriptor. */
  ioOp: number;
  ioFlags: number;
  sector: number;
  sectors: number;
  addr: number;
  /** State to go back to when the driver refuses the command. */
  undoState: number;
  undoReq: number;
  undoUserData: number;
  undoOp: number;
  /** Some pages of its request are in the page table. */
  pages: boolean;
}

export interface Queue {
  epoch: number;
  slots: (Slot | undefined)[];
}

export interface Device {
  epoch: number;
  readonly index: number;
  id: number;
  /** String id, -1 unknown, -2 STOPPING, -3 LIVE (concluded). */
  state: number;
  nrQueues: number;
  depth: number;
  flags: number;
  /** Key of its disk, -1 unknown. */
  disk: number;
  queues: (Queue | undefined)[];
  /** It was added, or its recovery began, and its server did not arm all slots yet. */
  awaited: boolean;
}

export interface PipeBuffer {
  readonly page: number;
  readonly offset: number;
  readonly len: number;
}

export interface Pipe {
  epoch: number;
  readonly id: number;
  readonly ptr: number;
  owner: number;
  ringSize: number;
  head: number;
  tail: number;
  byRead: number;
  buffers: PipeBuffer[];
}

export interface Page {
  epoch: number;
  readonly ptr: number;
  refs: number;
  pipe: number;
  slot: number;
  device: number;
  qid: number;
  tag: number;
  offset: number;
  len: number;
  /** String id, -1 unknown. */
  fill: number;
}

export interface DiskIo {
  /** String id of the RWBS letters. */
  readonly op: number;
  readonly sector: number;
  readonly sectors: number;
  readonly inserted: boolean;
}

export interface Disk {
  epoch: number;
  readonly major: number;
  readonly minor: number;
  device: number;
  tagsInUse: number;
  requeued: number;
  completed: number;
  bytesRead: number;
  bytesWritten: number;
  /** Allocated and not issued. */
  waiting: DiskIo[];
  inFlight: DiskIo[];
}

export interface TaskWork {
  epoch: number;
  /** Shape id of the running system call, -1 for none. */
  syscall: number;
  /** fd of io_uring_enter with the REGISTERED_RING bit above 31 bits; -1 for none. */
  enterKey: number;
  toSubmit: number;
  getEvents: boolean;
  ring: number;
  waiting: boolean;
  plug: number;
  reqRing: number;
  req: number;
  inferred: boolean;
  pipe: number;
  /** Slot and request of the command that it just handed to the driver; cmdDevice -1 for none. */
  cmdDevice: number;
  cmdQueue: number;
  cmdTag: number;
  /** Last request that it submitted. */
  subRing: number;
  subReq: number;
  /** Slot that it is about to deliver, from probes; tag -1 for none. */
  outDevice: number;
  outQueue: number;
  outTag: number;
  /** Slot whose request it just queued (block_rq_issue follows). */
  issueDevice: number;
  issueQueue: number;
  issueTag: number;
  /** Slot whose pages it puts into its pipe, and the byte reached. */
  spliceDevice: number;
  spliceQueue: number;
  spliceTag: number;
  spliceOffset: number;
  /** The last event was an add_to_pipe of this page; 0 otherwise. */
  added: number;
  /** Disk of the request that it just gave a driver tag: major, -1 unknown, and minor. */
  dispatchMajor: number;
  dispatchMinor: number;
  /** Number of the control command that it runs and index of its device; -1 for none. */
  ctrlOp: number;
  ctrlDevice: number;
}

/** A request given to the driver while it is not known which device serves its disk. */
export interface LooseRequest {
  readonly major: number;
  readonly minor: number;
  readonly qid: number;
  readonly tag: number;
  readonly sector: number;
  readonly sectors: number;
  readonly flags: number;
}

export interface ClientIo {
  readonly line: number;
  readonly op: number;
  readonly offset: number;
  readonly length: number;
}

export interface FuseIo {
  readonly connection: number;
  readonly unique: number;
  readonly opcode: number;
  readonly len: number;
}

export interface Totals {
  sqes: number;
  cqes: number;
  punts: number;
  copies: number;
  copiedBytes: number;
  splices: number;
  splicedBytes: number;
}

/** Everything that replay changes. */
export interface Work {
  event: number;
  epoch: number;
  ringCount: number;
  pipeCount: number;
  deviceCount: number;
  rings: Map<number, Ring>;
  /** Ring pointer by (task, enter key). */
  ringByFd: Map<number, number>;
  devices: Device[];
  /** Device index by the id of /dev/ublkcN. */
  deviceById: Map<number, number>;
  /** Device index by pid or tgid of the opener. */
  deviceByPid: Map<number, number>;
  disks: Map<number, Disk>;
  /** Never changed in place. */
  loose: readonly LooseRequest[];
  pipes: Map<number, Pipe>;
  pages: Map<number, Page>;
  tasks: (TaskWork | undefined)[];
  ios: Map<number, ClientIo>;
  commands: Map<number, number>;
  fuse: Map<number, FuseIo>;
  totals: Totals;
}
