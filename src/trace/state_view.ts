import { UBLK_IO, ublkCmdName } from '../uapi/ublk_cmds';
import { PHASE_NAMES, REQUEST, REQUEST_NAMES, SLOT, SLOT_NAMES } from './state_codes';
import { rwbsOp } from './state_disk';
import type { Machine } from './state_machine';
import type {
  DeviceState,
  DiskState,
  PageState,
  PipeState,
  RingRequestState,
  RingState,
  SlotState,
  TaskState,
} from './state_types';
import {
  type Device,
  type Disk,
  type Page,
  type Pipe,
  type Req,
  type Ring,
  type Slot,
  type TaskWork,
  UNKNOWN,
} from './state_work';

const OPS: Readonly<Record<string, string>> = { R: 'READ', W: 'WRITE', D: 'DISCARD', F: 'FLUSH' };

function known(value: number): number | null {
  return value === UNKNOWN ? null : value;
}

/** `0x` text of a word kept as an integer. */
function hex(m: Machine, word: number): string {
  if (word >= 0) return `0x${word.toString(16)}`;
  return `0x${m.trace.wide.big(word >>> 0).toString(16)}`;
}

function hexOrNull(m: Machine, word: number): string | null {
  return word === UNKNOWN ? null : hex(m, word);
}

function text(m: Machine, id: number): string | null {
  return id < 0 ? null : m.trace.strings.text(id) || null;
}

function taskName(m: Machine, id: number): string | null {
  if (id < 0) return null;
  const { comm, pid } = m.trace.taskOf(id);
  return `${comm}-${pid}`;
}

function opName(m: Machine, rwbs: number): string | null {
  return rwbs < 0 ? null : (OPS[rwbsOp(m.trace.strings.text(rwbs))] ?? null);
}

/** Plain data of a ring. */
export function viewRing(m: Machine, ring: Ring): RingState {
  const { sqHead: head, sqPending: pending, cqTail: tail, cqReady: ready } = ring;
  return {
    id: ring.id,
    ptr: hex(m, ring.ptr),
    fd: known(ring.fd),
    owner: taskName(m, ring.owner),
    flags: hexOrNull(m, ring.flags),
    sq: {
      entries: known(ring.sqEntries),
      head: known(head),
      tail: head === UNKNOWN || pending === UNKNOWN ? null : (head + pending) >>> 0,
      pending: known(pending),
      sqes: ring.sqes.map((sqe) => ({
        index: sqe.index,
        userData: hex(m, sqe.userData),
        bytes: m.trace.strings.text(sqe.bytes),
      })),
    },
    cq: {
      entries: known(ring.cqEntries),
      head: tail === UNKNOWN || ready === UNKNOWN ? null : (tail - ready) >>> 0,
      tail: known(tail),
      ready: known(ready),
      cqes: ring.cqes.map((cqe) => ({ userData: hex(m, cqe.userData), res: cqe.res, flags: cqe.flags })),
      overflow: known(ring.overflow),
    },
    inFlight: ring.reqs.size,
    waiting: ring.waiting,
  };
}

/** Plain data of a request in flight. */
export function viewRequest(m: Machine, ring: Ring, req: Req): RingRequestState {
  return {
    ring: ring.id,
    req: hex(m, req.ptr),
    userData: hexOrNull(m, req.userData),
    opcode: text(m, req.opcode),
    state: PHASE_NAMES[req.phase],
    since: req.since < 0 ? null : req.since,
    skip: req.skip,
    link: hexOrNull(m, req.link),
    queue: text(m, req.queue),
  };
}

/** Plain data of a slot. */
export function viewSlot(m: Machine, device: number, queue: number, tag: number, slot: Slot): SlotState {
  const ring = slot.ring === UNKNOWN ? undefined : m.w.rings.get(slot.ring);
  const name = slot.op === UNKNOWN ? undefined : ublkCmdName(slot.op);
  return {
    device,
    queue,
    tag,
    state: slot.state === SLOT.unknown ? null : SLOT_NAMES[slot.state],
    inferred: slot.inferred,
    command: {
      ring: ring?.id ?? null,
      req: hexOrNull(m, slot.req),
      userData: hexOrNull(m, slot.userData),
      op:
        name === undefined
          ? null
          : slot.op === UBLK_IO.COMMIT_AND_FETCH_REQ
            ? 'COMMIT_AND_FETCH'
            : name.replace('_REQ', ''),
    },
    result: known(slot.result),
    request: slot.request === REQUEST.unknown ? null : REQUEST_NAMES[slot.request],
    deliveries: slot.deliveries,
    handled: known(slot.handled),
    filled: known(slot.filled),
    iod: {
      op: opName(m, slot.ioOp),
      flags: hexOrNull(m, slot.ioFlags),
      startSector: known(slot.sector),
      nrSectors: known(slot.sectors),
      addr: hexOrNull(m, slot.addr),
    },
  };
}

/** Plain data of a device. */
export function viewDevice(m: Machine, device: Device): DeviceState {
  let armed = 0;
  let inFlight = 0;
  for (const queue of device.queues) {
    for (const slot of queue?.slots ?? []) {
      if (slot?.state === SLOT.active) armed++;
      if (slot !== undefined && slot.request >= REQUEST.queued && slot.request <= REQUEST.committed)
        inFlight++;
    }
  }
  const disk = device.disk < 0 ? undefined : m.w.disks.get(device.disk);
  return {
    index: device.index,
    id: known(device.id),
    state: device.state === -2 ? 'STOPPING' : device.state === -3 ? 'LIVE' : text(m, device.state),
    queues: known(device.nrQueues),
    depth: known(device.depth),
    flags: hexOrNull(m, device.flags),
    disk: disk === undefined ? null : `${disk.major}:${disk.minor}`,
    armed,
    inFlight,
    tagsInUse: disk === undefined ? null : known(disk.tagsInUse),
  };
}

/** Plain data of a pipe. */
export function viewPipe(m: Machine, pipe: Pipe): PipeState {
  const indices = pipe.head !== UNKNOWN && pipe.tail !== UNKNOWN;
  return {
    id: pipe.id,
    ptr: hex(m, pipe.ptr),
    owner: taskName(m, pipe.owner),
    ringSize: known(pipe.ringSize),
    head: known(pipe.head),
    tail: known(pipe.tail),
    occupancy: indices ? pipe.head - pipe.tail : null,
    consumedByRead: pipe.byRead === UNKNOWN ? null : pipe.byRead !== 0,
    buffers: pipe.buffers.map((buffer) => ({
      page: hex(m, buffer.page),
      offset: buffer.offset,
      len: buffer.len,
    })),
  };
}

/** Plain data of a page. */
export function viewPage(m: Machine, page: Page): PageState {
  const pipe = page.pipe === UNKNOWN ? undefined : m.w.pipes.get(page.pipe);
  const slot = pipe === undefined || page.slot === UNKNOWN ? null : page.slot;
  return {
    ptr: hex(m, page.ptr),
    refs: known(page.refs),
    pipe: pipe?.id ?? null,
    slot:
      slot === null || pipe === undefined || pipe.ringSize === UNKNOWN ? slot : slot & (pipe.ringSize - 1),
    device: page.device < 0 ? null : page.device,
    queue: page.qid < 0 ? null : page.qid,
    tag: page.tag < 0 ? null : page.tag,
    requestOffset: known(page.offset),
    fill: text(m, page.fill),
  };
}

/** Plain data of a disk. */
export function viewDisk(m: Machine, disk: Disk): DiskState {
  return {
    major: disk.major,
    minor: disk.minor,
    device: disk.device < 0 ? null : disk.device,
    allocated: disk.waiting.length,
    inserted: disk.waiting.reduce((sum, io) => sum + (io.inserted ? 1 : 0), 0),
    inFlight: disk.inFlight.map((io) => ({
      op: opName(m, io.op) ?? m.trace.strings.text(io.op),
      sector: io.sector,
      sectors: io.sectors,
    })),
    requeued: disk.requeued,
    completed: disk.completed,
    bytesRead: disk.bytesRead,
    bytesWritten: disk.bytesWritten,
  };
}

/** Plain data of a task. */
export function viewTask(m: Machine, id: number, task: TaskWork): TaskState {
  const { comm, pid } = m.trace.taskOf(id);
  return {
    comm,
    pid,
    syscall: task.syscall < 0 ? null : m.trace.shapes.get(task.syscall).name.replace(/^sys_enter_/, ''),
    ring: task.ring === UNKNOWN ? null : (m.w.rings.get(task.ring)?.id ?? null),
    waiting: task.waiting,
    plug: known(task.plug),
    request: hexOrNull(m, task.req),
    requestInferred: task.req !== UNKNOWN && task.inferred,
    pipe: task.pipe === UNKNOWN ? null : (m.w.pipes.get(task.pipe)?.id ?? null),
  };
}
