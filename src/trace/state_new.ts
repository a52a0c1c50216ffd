import { PHASE, REQUEST, SLOT } from './state_codes';
import {
  type Device,
  type Disk,
  type Req,
  type Ring,
  type Slot,
  type TaskWork,
  type Work,
  UNKNOWN,
} from './state_work';

/** The state before the first event. */
export function emptyWork(epoch: number): Work {
  return {
    event: -1,
    epoch,
    ringCount: 0,
    pipeCount: 0,
    deviceCount: 0,
    rings: new Map(),
    ringByFd: new Map(),
    devices: [],
    deviceById: new Map(),
    deviceByPid: new Map(),
    disks: new Map(),
    loose: [],
    pipes: new Map(),
    pages: new Map(),
    tasks: [],
    ios: new Map(),
    commands: new Map(),
    fuse: new Map(),
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

export function newReq(
  epoch: number,
  ptr: number,
  ring: number,
  userData: number,
  opcode: number,
  since: number,
): Req {
  return {
    epoch,
    ptr,
    ring,
    userData,
    opcode,
    phase: PHASE.submitted,
    since,
    skip: false,
    link: UNKNOWN,
    queue: -1,
    device: -1,
    qid: -1,
    tag: -1,
  };
}

export function newRing(epoch: number, id: number, ptr: number, owner: number): Ring {
  return {
    epoch,
    id,
    ptr,
    fd: UNKNOWN,
    owner,
    flags: UNKNOWN,
    sqEntries: UNKNOWN,
    cqEntries: UNKNOWN,
    sqHead: UNKNOWN,
    sqPending: UNKNOWN,
    cqTail: UNKNOWN,
    cqReady: UNKNOWN,
    overflow: UNKNOWN,
    waiting: 0,
    device: -1,
    queue: -1,
    skips: 0,
    lastDone: UNKNOWN,
    lastSkip: false,
    abandoned: false,
    sqes: [],
    cqes: [],
    reqs: new Map(),
  };
}

export function newSlot(epoch: number): Slot {
  return {
    epoch,
    state: SLOT.unknown,
    inferred: false,
    ring: UNKNOWN,
    req: UNKNOWN,
    userData: UNKNOWN,
    op: UNKNOWN,
    result: UNKNOWN,
    request: REQUEST.unknown,
    deliveries: 0,
    handled: UNKNOWN,
    filled: UNKNOWN,
    ioOp: -1,
    ioFlags: UNKNOWN,
    sector: UNKNOWN,
    sectors: UNKNOWN,
    addr: UNKNOWN,
    undoState: SLOT.unknown,
    undoReq: UNKNOWN,
    undoUserData: UNKNOWN,
    undoOp: UNKNOWN,
    pages: false,
  };
}

export function newDevice(epoch: number, index: number): Device {
  return {
    epoch,
    index,
    id: UNKNOWN,
    state: -1,
    nrQueues: UNKNOWN,
    depth: UNKNOWN,
    flags: UNKNOWN,
    disk: -1,
    queues: [],
    awaited: false,
  };
}

export function newDisk(epoch: number, major: number, minor: number): Disk {
  return {
    epoch,
    major,
    minor,
    device: -1,
    tagsInUse: UNKNOWN,
    requeued: 0,
    completed: 0,
    bytesRead: 0,
    bytesWritten: 0,
    waiting: [],
    inFlight: [],
  };
}

export function newTask(epoch: number): TaskWork {
  return {
    epoch,
    syscall: -1,
    enterKey: -1,
    toSubmit: UNKNOWN,
    getEvents: false,
    ring: UNKNOWN,
    waiting: false,
    plug: UNKNOWN,
    reqRing: UNKNOWN,
    req: UNKNOWN,
    inferred: false,
    pipe: UNKNOWN,
    cmdDevice: -1,
    cmdQueue: -1,
    cmdTag: -1,
    subRing: UNKNOWN,
    subReq: UNKNOWN,
    outDevice: -1,
    outQueue: -1,
    outTag: -1,
    issueDevice: -1,
    issueQueue: -1,
    issueTag: -1,
    spliceDevice: -1,
    spliceQueue: -1,
    spliceTag: -1,
    spliceOffset: 0,
    added: 0,
    dispatchMajor: -1,
    dispatchMinor: -1,
    ctrlOp: -1,
    ctrlDevice: -1,
  };
}
