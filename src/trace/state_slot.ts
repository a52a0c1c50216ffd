import { UBLK_IO } from '../uapi/ublk_cmds';
import { udOp, udTag } from '../uapi/user_data';
import { PHASE, REQUEST, SLOT } from './state_codes';
import type { Machine } from './state_machine';
import { type Req, type Ring, type Slot, type TaskWork, UNKNOWN } from './state_work';

const ENODEV = -19;
/** Bits of the high word of user_data that a ublk command leaves 0: ublksrv's tgt_data and marker, kublk's unused ones. */
const COMMAND_HI = 0x80ffffff;

/** Drops the page records of a slot's request. */
export function dropPages(m: Machine, slot: Slot, device: number, qid: number, tag: number): void {
  if (!slot.pages) return;
  slot.pages = false;
  for (const [ptr, page] of m.w.pages) {
    if (page.device === device && page.qid === qid && page.tag === tag) m.w.pages.delete(ptr);
  }
}

/** Device that a task works for: that of its last command, of the char device it opened, or the first one. */
export function deviceOfTask(m: Machine, id: number, task: TaskWork): number {
  if (task.cmdDevice >= 0) return task.cmdDevice;
  const { deviceByPid } = m.w;
  if (deviceByPid.size === 0) return 0;
  const { pid, tgid } = m.trace.taskOf(id);
  return deviceByPid.get(tgid) ?? deviceByPid.get(pid) ?? 0;
}

/** Queue of an event that only names a tag: that of the task's commands, or the first one. */
export function queueOfTask(task: TaskWork): number {
  return task.cmdQueue >= 0 ? task.cmdQueue : 0;
}

/** Device of a request on its way down, when its disk is not known: the one whose slot can take it. */
export function deviceForRequest(m: Machine, qid: number, tag: number): number {
  const { devices } = m.w;
  if (devices.length < 2) return 0;
  const free = devices.findIndex((device) => {
    const slot = device.queues[qid]?.slots[tag];
    return slot !== undefined && slot.state === SLOT.active && slot.request !== REQUEST.queued;
  });
  return free < 0 ? 0 : free;
}

function clearCommand(slot: Slot): void {
  slot.ring = UNKNOWN;
  slot.req = UNKNOWN;
  slot.userData = UNKNOWN;
  slot.op = UNKNOWN;
}

/** The driver refused the command: the slot is as it was before. */
export function refuse(slot: Slot): void {
  const commit = slot.op === UBLK_IO.COMMIT_AND_FETCH_REQ;
  slot.state = slot.undoState;
  slot.req = slot.undoReq;
  slot.userData = slot.undoUserData;
  slot.op = slot.undoOp;
  if (slot.req === UNKNOWN) slot.ring = UNKNOWN;
  if (commit && slot.request === REQUEST.committed) {
    slot.request =
      slot.state === SLOT.owned || slot.state === SLOT.needGetData ? REQUEST.delivered : REQUEST.unknown;
  }
}

/** The command went into the driver. COMMIT arms the slot before the request is completed. */
export function arm(slot: Slot, op: number, result: number): void {
  slot.undoState = slot.state;
  slot.undoReq = slot.req;
  slot.undoUserData = slot.userData;
  slot.undoOp = slot.op;
  slot.op = op;
  if (op === UBLK_IO.NEED_GET_DATA) {
    slot.state = SLOT.getDataQueued;
    return;
  }
  slot.state = SLOT.active;
  if (op === UBLK_IO.COMMIT_AND_FETCH_REQ) {
    slot.result = result;
    slot.request = REQUEST.committed;
  } else {
    slot.request = REQUEST.none;
  }
}

function answer(m: Machine, device: number, slot: Slot, res: number): void {
  if (res === 0 || res === 1) {
    // nothing is delivered unless the device is LIVE
    if (m.w.devices[device].state === -1) m.device(device).state = -3;
    if (slot.state !== SLOT.getDataQueued) slot.deliveries++;
    slot.state = res === 1 ? SLOT.needGetData : SLOT.owned;
    slot.request = REQUEST.delivered;
  } else if (res === ENODEV) {
    slot.state = SLOT.canceled;
  } else {
    refuse(slot);
    return;
  }
  clearCommand(slot);
}

/** A CQE was posted: when it answers the command of a slot, a request was delivered, or the command cancelled or refused. */
export function deliver(
  m: Machine,
  id: number,
  ring: Ring,
  req: Req | undefined,
  userData: number,
  res: number,
): void {
  if (req !== undefined && req.device >= 0) {
    const slot = m.slot(req.device, req.qid, req.tag);
    if (slot !== undefined && slot.req === req.ptr && slot.ring === ring.ptr)
      answer(m, req.device, slot, res);
    const known = m.w.tasks[id];
    if (known !== undefined && known.outTag >= 0) m.task(id).outTag = -1;
    return;
  }
  if (req !== undefined && req.opcode >= 0 && req.since >= 0 && m.probed) return;
  const word = userData >>> 0;
  const lo = m.trace.wide.lowOf(word);
  const hi = m.trace.wide.highOf(word);
  const op = commandOf(lo, hi);
  const isCommand = op !== 0;
  const task = m.w.tasks[id];
  let named = false;
  let device = ring.device;
  let qid = -1;
  let tag = udTag(lo);
  if (task !== undefined && task.outTag >= 0 && (!isCommand || tag === task.outTag)) {
    named = true;
    device = task.outDevice;
    qid = task.outQueue;
    tag = task.outTag;
    m.task(id).outTag = -1;
  } else if (!isCommand) {
    return;
  }
  if (!named) qid = m.probed ? (hi >>> 24) & 0x7f : queueOfRing(m, ring, hi);
  if (device < 0) device = task === undefined ? 0 : deviceOfTask(m, id, task);
  const slot = m.slot(device, qid, tag);
  if (slot === undefined) return;
  if (!named && slot.state === SLOT.unknown) slot.inferred = true;
  // a command that the trace never showed going in: only its kind, from user_data, is known
  if (slot.op === UNKNOWN && isCommand) slot.op = op;
  answer(m, device, slot, res);
  ring.device = device;
}

/** Number of the slot command that a server's user_data speaks of; 0 for other values. */
function commandOf(lo: number, hi: number): number {
  if ((hi & COMMAND_HI) !== 0 || lo >>> 24 !== 0) return 0;
  const op = udOp(lo);
  return op >= UBLK_IO.FETCH_REQ && op <= UBLK_IO.NEED_GET_DATA ? op : 0;
}

/**
 * Queue of a ring whose commands only user_data tells: kublk writes it there; ublksrv does not, so a second ring
 * that says 0 is taken for the next queue.
 */
function queueOfRing(m: Machine, ring: Ring, hi: number): number {
  if (ring.queue >= 0) return ring.queue;
  const used = new Set<number>();
  for (const other of m.w.rings.values()) if (other !== ring && other.queue >= 0) used.add(other.queue);
  let qid = (hi >>> 24) & 0x7f;
  while (used.has(qid)) qid++;
  ring.queue = qid;
  return qid;
}

/** A URING_CMD went in and the trace has no probe on commands: user_data tells which one, as servers lay it out. */
export function armByUserData(m: Machine, id: number, ring: Ring, req: Req): void {
  const word = req.userData >>> 0;
  const lo = m.trace.wide.lowOf(word);
  const hi = m.trace.wide.highOf(word);
  const op = commandOf(lo, hi);
  if (op === 0) return;
  const task = m.task(id);
  const device = ring.device >= 0 ? ring.device : deviceOfTask(m, id, task);
  const qid = queueOfRing(m, ring, hi);
  const tag = udTag(lo);
  const slot = m.slot(device, qid, tag);
  if (!slot) return;
  arm(slot, op, UNKNOWN);
  slot.inferred = true;
  slot.ring = ring.ptr;
  slot.req = req.ptr;
  slot.userData = req.userData;
  ring.device = device;
  task.cmdDevice = device;
  task.cmdQueue = qid;
  req.phase = PHASE.armed;
  req.device = device;
  req.qid = qid;
  req.tag = tag;
}

/** The request of a slot left the driver. Its descriptor stays as it is. */
export function endSlotRequest(m: Machine, device: number, qid: number, tag: number, request: number): void {
  const slot = m.slot(device, qid, tag);
  if (!slot) return;
  slot.request = request;
  dropPages(m, slot, device, qid, tag);
}

/** The disk turned out to be the one of this device. */
export function linkDisk(m: Machine, major: number, minor: number, device: number): void {
  const disk = m.disk(major, minor);
  if (disk.device >= 0) return;
  disk.device = device;
  m.device(device).disk = major * 0x100000 + minor;
}
