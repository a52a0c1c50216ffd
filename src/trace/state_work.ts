import { PHASE, REQUEST, SLOT } from './state_codes';

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
  pipes: Map<number, Pipe>;
  pages: Map<number, Page>;
  tasks: (TaskWork | undefined)[];
  ios: Map<number, ClientIo>;
  commands: Map<number, number>;
  fuse: Map<number, FuseIo>;
  totals: Totals;
}

/** The state before the first event. */
export function emptyWork(epoch: number): Work {
  return {
    event: -1, epoch, ringCount: 0, pipeCount: 0, deviceCount: 0,
    rings: new Map(), ringByFd: new Map(), devices: [], deviceById: new Map(), deviceByPid: new Map(), disks: new Map(),
    pipes: new Map(), pages: new Map(), tasks: [], ios: new Map(), commands: new Map(), fuse: new Map(),
    totals: { sqes: 0, cqes: 0, punts: 0, copies: 0, copiedBytes: 0, splices: 0, splicedBytes: 0 },
  };
}

/** A copy that shares entities; both sides must go on with other epochs than the entities have. */
export function copyWork(work: Work, epoch: number): Work {
  return {
    ...work,
    epoch,
    rings: new Map(work.rings),
    ringByFd: new Map(work.ringByFd),
    devices: work.devices.slice(),
    deviceById: new Map(work.deviceById),
    deviceByPid: new Map(work.deviceByPid),
    disks: new Map(work.disks),
    pipes: new Map(work.pipes),
    pages: new Map(work.pages),
    tasks: work.tasks.slice(),
    ios: new Map(work.ios),
    commands: new Map(work.commands),
    fuse: new Map(work.fuse),
    totals: { ...work.totals },
  };
}

export function newReq(epoch: number, ptr: number, ring: number, userData: number, opcode: number, since: number): Req {
  return {
    epoch, ptr, ring, userData, opcode, phase: PHASE.submitted, since, skip: false, link: UNKNOWN, queue: -1, device: -1, qid: -1,
    tag: -1,
  };
}

export function newRing(epoch: number, id: number, ptr: number, owner: number): Ring {
  return {
    epoch, id, ptr, fd: UNKNOWN, owner, flags: UNKNOWN, sqEntries: UNKNOWN, cqEntries: UNKNOWN, sqHead: UNKNOWN,
    sqPending: UNKNOWN, cqTail: UNKNOWN, cqReady: UNKNOWN, overflow: UNKNOWN, waiting: 0, device: -1, queue: -1, skips: 0,
    lastDone: UNKNOWN, lastSkip: false, sqes: [], cqes: [], reqs: new Map(),
  };
}

export function newSlot(epoch: number): Slot {
  return {
    epoch, state: SLOT.unknown, inferred: false, ring: UNKNOWN, req: UNKNOWN, userData: UNKNOWN, op: UNKNOWN, result: UNKNOWN,
    request: REQUEST.unknown, deliveries: 0, handled: UNKNOWN, filled: UNKNOWN, ioOp: -1, ioFlags: UNKNOWN, sector: UNKNOWN,
    sectors: UNKNOWN, addr: UNKNOWN, undoState: SLOT.unknown, undoReq: UNKNOWN, undoUserData: UNKNOWN, undoOp: UNKNOWN, pages: false,
  };
}

export function newDevice(epoch: number, index: number): Device {
  return { epoch, index, id: UNKNOWN, state: -1, nrQueues: UNKNOWN, depth: UNKNOWN, flags: UNKNOWN, disk: -1, queues: [] };
}

export function newDisk(epoch: number, major: number, minor: number): Disk {
  return {
    epoch, major, minor, device: -1, tagsInUse: UNKNOWN, requeued: 0, completed: 0, bytesRead: 0, bytesWritten: 0,
    waiting: [], inFlight: [],
  };
}

export function newTask(epoch: number): TaskWork {
  return {
    epoch, syscall: -1, enterKey: -1, toSubmit: UNKNOWN, getEvents: false, ring: UNKNOWN, waiting: false, plug: UNKNOWN,
    reqRing: UNKNOWN, req: UNKNOWN, inferred: false, pipe: UNKNOWN, cmdDevice: -1, cmdQueue: -1, cmdTag: -1, subRing: UNKNOWN,
    subReq: UNKNOWN, outDevice: -1, outQueue: -1, outTag: -1, issueDevice: -1, issueQueue: -1, issueTag: -1, spliceDevice: -1,
    spliceQueue: -1, spliceTag: -1, spliceOffset: 0, added: 0, dispatchMajor: -1, dispatchMinor: -1,
  };
}
