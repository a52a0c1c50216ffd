import { UBLK_IO } from '../uapi/ublk_cmds';
import { udOp, udTag } from '../uapi/user_data';
import { PHASE, REQUEST, SLOT } from './state_codes';
import { diskKey, type Machine } from './state_machine';
import {
  type Device,
  type Disk,
  type LooseRequest,
  type Req,
  type Ring,
  type Slot,
  type TaskWork,
  UNKNOWN,
} from './state_work';

const ENODEV = -19;
/** Most requests that wait for their device to be known. */
const MAX_LOOSE = 4096;
/** Bits of the high word of user_data that a ublk command leaves 0: ublksrv's tgt_data and marker, kublk's unused ones. */
const COMMAND_HI = 0x80ffffff;

/** Drops the page records of a slot's request. */
function dropPages(m: Machine, slot: Slot, device: number, qid: number, tag: number): void {
  if (!slot.pages) return;
  slot.pages = false;
  for (const [ptr, page] of m.w.pages) {
    if (page.device === device && page.qid === qid && page.tag === tag) m.w.pages.delete(ptr);
  }
}

/**
 * Device that a task works for: that of its last command, of the char device it opened or was started for, or the only one; -1 where
 * the trace has several and does not say.
 */
export function deviceOfTask(m: Machine, id: number, task: TaskWork): number {
  if (task.cmdDevice >= 0) return task.cmdDevice;
  const { deviceByPid, devices } = m.w;
  const several = devices.length > 1 ? -1 : 0;
  if (deviceByPid.size === 0) return several;
  const { pid, tgid } = m.trace.taskOf(id);
  return deviceByPid.get(tgid) ?? deviceByPid.get(pid) ?? several;
}

/**
 * Device of a command. A thread that fetches for the first time serves a device that waits for its server and whose slot is not armed:
 * the driver refuses other fetches.
 */
export function deviceOfCommand(
  m: Machine,
  id: number,
  task: TaskWork,
  op: number,
  qid: number,
  tag: number,
): number {
  const known = deviceOfTask(m, id, task);
  if (known >= 0 || op !== UBLK_IO.FETCH_REQ) return known;
  return only(
    m.w.devices,
    (device) =>
      device.awaited &&
      (device.nrQueues < 0 || qid < device.nrQueues) &&
      (device.depth < 0 || tag < device.depth) &&
      !busy(device.queues[qid]?.slots[tag]),
  );
}

/** The slot has a command of a server, or its server works on a request. */
function busy(slot: Slot | undefined): boolean {
  return slot !== undefined && slot.req !== UNKNOWN && slot.state === SLOT.active;
}

/** Index of the only device that passes; -1 where none or several do. */
function only(devices: readonly Device[], test: (device: Device) => boolean): number {
  const fits = devices.filter(test);
  return fits.length === 1 ? fits[0].index : -1;
}

/** Queue of an event that only names a tag: that of the task's commands, or the first one. */
export function queueOfTask(task: TaskWork): number {
  return task.cmdQueue >= 0 ? task.cmdQueue : 0;
}

/**
 * Device of a request on its way down, when its disk is not known: the only one, or the only one without a disk that can take it; -1
 * where several can.
 */
export function deviceForRequest(m: Machine, qid: number, tag: number): number {
  const { devices } = m.w;
  if (devices.length < 2) return 0;
  return only(devices, (device) => {
    if (device.disk >= 0 || device.awaited) return false;
    const slot = device.queues[qid]?.slots[tag];
    if (slot === undefined || slot.state === SLOT.unknown) return true;
    return slot.state === SLOT.active && slot.request !== REQUEST.queued;
  });
}

/** The slot takes a request that the block layer gave to the driver. */
export function queueRequest(m: Machine, device: number, rq: LooseRequest): void {
  const slot = m.slot(device, rq.qid, rq.tag);
  if (!slot) return;
  dropPages(m, slot, device, rq.qid, rq.tag);
  slot.request = REQUEST.queued;
  slot.sector = rq.sector;
  slot.sectors = rq.sectors;
  slot.ioFlags = rq.flags;
  slot.ioOp = -1;
  slot.handled = 0;
  slot.filled = m.simulated ? 0 : UNKNOWN;
}

/** A request waits for its device to be known. */
export function keepLoose(m: Machine, rq: LooseRequest): void {
  const rest = m.w.loose.filter(
    (other) =>
      other.major !== rq.major || other.minor !== rq.minor || other.qid !== rq.qid || other.tag !== rq.tag,
  );
  m.w.loose = [...rest.slice(-MAX_LOOSE), rq];
}

/** block_rq_issue follows in the same task and names the disk of a request whose device is not known. */
export function nameLoose(m: Machine, disk: Disk, qid: number, tag: number, sector: number): void {
  const { loose } = m.w;
  const k = loose.findIndex((rq) => rq.qid === qid && rq.tag === tag && rq.sector === sector);
  if (k < 0) return;
  const rq = { ...loose[k], major: disk.major, minor: disk.minor };
  m.w.loose = loose.filter((_, index) => index !== k);
  if (disk.device < 0) keepLoose(m, rq);
  else queueRequest(m, disk.device, rq);
}

/** A request ended before its device was known. */
export function dropLoose(m: Machine, major: number, minor: number, sector: number): void {
  const { loose } = m.w;
  if (loose.length === 0) return;
  const k = loose.findIndex((rq) => rq.major === major && rq.minor === minor && rq.sector === sector);
  if (k >= 0) m.w.loose = loose.filter((_, index) => index !== k);
}

/** A device delivers a tag: the only request with this tag whose device was not known tells the disk of the device. */
export function learnDisk(m: Machine, device: number, qid: number, tag: number): void {
  const { loose } = m.w;
  if (loose.length === 0 || device < 0 || (m.w.devices[device]?.disk ?? -1) >= 0) return;
  const fits = loose.filter((rq) => rq.qid === qid && rq.tag === tag);
  if (fits.length === 1) linkDisk(m, fits[0].major, fits[0].minor, device);
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
  if ((m.w.tasks[id]?.ctrlOp ?? -1) >= 0) m.task(id).ctrlOp = -1;
  if (req !== undefined && req.device >= 0) {
    const slot = m.slot(req.device, req.qid, req.tag);
    if (slot !== undefined && slot.req === req.ptr && slot.ring === ring.ptr) {
      if (res === 0) learnDisk(m, req.device, req.qid, req.tag);
      answer(m, req.device, slot, res);
    }
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
  if (device < 0) device = deviceOfTask(m, id, task ?? m.task(id));
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
  const qid = queueOfRing(m, ring, hi);
  const tag = udTag(lo);
  const device = ring.device >= 0 ? ring.device : deviceOfCommand(m, id, task, op, qid, tag);
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

/** The disk turned out to be the one of this device; `sure` also where another device had that number before. */
export function linkDisk(m: Machine, major: number, minor: number, device: number, sure = false): void {
  const key = diskKey(major, minor);
  if (m.disk(major, minor).device === device && m.w.devices[device]?.disk === key) return;
  const disk = m.disk(major, minor);
  if (disk.device >= 0 && !sure) return;
  if (disk.device >= 0 && m.w.devices[disk.device].disk === key) m.device(disk.device).disk = -1;
  disk.device = device;
  m.device(device).disk = key;
  const { loose } = m.w;
  if (loose.length === 0) return;
  m.w.loose = loose.filter((rq) => rq.major !== major || rq.minor !== minor);
  for (const rq of loose) if (rq.major === major && rq.minor === minor) queueRequest(m, device, rq);
}
