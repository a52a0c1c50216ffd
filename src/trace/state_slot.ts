import { UBLK_IO } from '../uapi/ublk_cmds';
import { udOp, udTag } from '../uapi/user_data';
import { PHASE, REQUEST, SLOT } from './state_codes';
import type { Machine, Rules } from './state_machine';
import { type Req, type Ring, type Slot, type TaskWork, UNKNOWN } from './state_work';

const EIOCBQUEUED = -529;
const ENODEV = -19;
/** IO_URING_F_CANCEL in issue_flags: the call cancels, its SQE memory is stale. */
const ISSUE_CANCEL = 0x800;
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
function deviceForRequest(m: Machine, qid: number, tag: number): number {
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
function refuse(slot: Slot): void {
  const commit = slot.op === UBLK_IO.COMMIT_AND_FETCH_REQ;
  slot.state = slot.undoState;
  slot.req = slot.undoReq;
  slot.userData = slot.undoUserData;
  slot.op = slot.undoOp;
  if (slot.req === UNKNOWN) slot.ring = UNKNOWN;
  if (commit && slot.request === REQUEST.committed) {
    slot.request = slot.state === SLOT.owned || slot.state === SLOT.needGetData ? REQUEST.delivered : REQUEST.unknown;
  }
}

/** The command went into the driver. COMMIT arms the slot before the request is completed. */
function arm(slot: Slot, op: number, result: number): void {
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
export function deliver(m: Machine, id: number, ring: Ring, req: Req | undefined, userData: number, res: number): void {
  if (req !== undefined && req.device >= 0) {
    const slot = m.slot(req.device, req.qid, req.tag);
    if (slot !== undefined && slot.req === req.ptr && slot.ring === ring.ptr) answer(m, req.device, slot, res);
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

function out(m: Machine, id: number, device: number, qid: number, tag: number): void {
  const task = m.task(id);
  task.outDevice = device;
  task.outQueue = qid;
  task.outTag = tag;
}

/** Events by which a daemon shows which slot it delivers next. */
const delivering = (): Rules[string] => ({
  needs: ['tag'],
  bind(m, f) {
    const [qidAt, tagAt] = [f.num('qid'), f.num('tag')];
    return (i, at) => {
      const id = m.trace.task[i];
      const task = m.task(id);
      const qid = qidAt < 0 ? (task.outTag >= 0 ? task.outQueue : queueOfTask(task)) : m.num(m.words[at + qidAt]);
      out(m, id, deviceOfTask(m, id, task), qid, m.num(m.words[at + tagAt]));
    };
  },
});

const failing = (request: number, state: number): Rules[string] => ({
  needs: ['tag'],
  bind(m, f) {
    const tagAt = f.num('tag');
    return (i, at) => {
      const id = m.trace.task[i];
      const task = m.task(id);
      const slot = m.slot(deviceOfTask(m, id, task), queueOfTask(task), m.num(m.words[at + tagAt]));
      if (!slot) return;
      slot.request = request;
      if (state >= 0 && slot.state !== SLOT.active) slot.state = state;
    };
  },
});

const copy: Rules[string] = {
  needs: [],
  bind(m, f) {
    const lenAt = f.num('len');
    return (_, at) => {
      const { totals } = m.w;
      totals.copies++;
      if (lenAt < 0) totals.copiedBytes = UNKNOWN;
      else if (totals.copiedBytes !== UNKNOWN) totals.copiedBytes += m.num(m.words[at + lenAt]);
    };
  },
};

/** Events on slots, tags and descriptors of ublk queues. */
export const SLOT_RULES: Rules = {
  ublk_queue_rq: {
    needs: ['qid', 'tag', 'sector', 'len'],
    bind(m, f) {
      const [qidAt, tagAt, sectorAt, lenAt, flagsAt] = ['qid', 'tag', 'sector', 'len', 'flags'].map((name) => f.num(name));
      return (i, at) => {
        const { words } = m;
        const task = m.task(m.trace.task[i]);
        const qid = m.num(words[at + qidAt]);
        const tag = m.num(words[at + tagAt]);
        const known = task.dispatchMajor < 0 ? -1 : m.disk(task.dispatchMajor, task.dispatchMinor).device;
        const device = known >= 0 ? known : deviceForRequest(m, qid, tag);
        const slot = m.slot(device, qid, tag);
        if (!slot) return;
        dropPages(m, slot, device, qid, tag);
        slot.request = REQUEST.queued;
        slot.sector = m.num(words[at + sectorAt]);
        slot.sectors = Math.floor(m.num(words[at + lenAt]) / 512);
        slot.ioFlags = flagsAt < 0 ? UNKNOWN : words[at + flagsAt] | 0;
        slot.ioOp = -1;
        slot.handled = 0;
        slot.filled = m.simulated ? 0 : UNKNOWN;
        task.issueDevice = device;
        task.issueQueue = qid;
        task.issueTag = tag;
        if (task.dispatchMajor >= 0) linkDisk(m, task.dispatchMajor, task.dispatchMinor, device);
        task.dispatchMajor = -1;
      };
    },
  },
  ublk_ch_uring_cmd: {
    needs: ['op', 'q_id', 'tag', 'result', 'issue_flags'],
    bind(m, f) {
      const [opAt, qidAt, tagAt, resAt, flagsAt, addrAt] =
        ['op', 'q_id', 'tag', 'result', 'issue_flags', 'addr'].map((name) => f.num(name));
      return (i, at) => {
        const { words, trace } = m;
        const id = trace.task[i];
        const task = m.task(id);
        task.cmdTag = -1;
        const op = trace.wide.lowOf(words[at + opAt]) & 0xff;
        if (trace.wide.lowOf(words[at + flagsAt]) & ISSUE_CANCEL || op < UBLK_IO.FETCH_REQ || op > UBLK_IO.NEED_GET_DATA) return;
        const qid = m.num(words[at + qidAt]);
        const tag = m.num(words[at + tagAt]);
        const ring = m.knownRing(task.subRing);
        const device = ring !== undefined && ring.device >= 0 ? ring.device : deviceOfTask(m, id, task);
        const slot = m.slot(device, qid, tag);
        if (!slot) return;
        task.cmdDevice = device;
        task.cmdQueue = qid;
        task.cmdTag = tag;
        arm(slot, op, m.num(words[at + resAt]));
        slot.inferred = false;
        if (addrAt >= 0) slot.addr = words[at + addrAt] | 0;
        slot.ring = task.subRing;
        slot.req = task.subReq;
        const req = ring && m.req(ring, task.subReq);
        if (!ring || !req) return;
        ring.device = device;
        slot.userData = req.userData;
        req.phase = PHASE.armed;
        req.device = device;
        req.qid = qid;
        req.tag = tag;
      };
    },
  },
  ublk_ch_uring_cmd_ret: {
    needs: ['ret'],
    bind(m, f) {
      const retAt = f.num('ret');
      return (i, at) => {
        const task = m.task(m.trace.task[i]);
        if (task.cmdTag < 0) return;
        const ret = m.num(m.words[at + retAt]);
        const slot = ret < 0 && ret !== EIOCBQUEUED ? m.slot(task.cmdDevice, task.cmdQueue, task.cmdTag) : undefined;
        if (slot && slot.req === task.subReq) refuse(slot);
        task.cmdTag = -1;
      };
    },
  },
  ublk_rq_task_work: delivering(),
  ublk_dispatch_req: delivering(),
  ublk_start_io: delivering(),
  ublk_handled: {
    needs: ['tag', 'handled_after_add'],
    bind(m, f) {
      const [tagAt, handledAt] = [f.num('tag'), f.num('handled_after_add')];
      return (i, at) => {
        const task = m.task(m.trace.task[i]);
        const slot = m.slot(Math.max(task.spliceDevice, 0), Math.max(task.spliceQueue, 0), m.num(m.words[at + tagAt]));
        if (slot) slot.handled = m.num(m.words[at + handledAt]);
      };
    },
  },
  ublk_commit_completion: {
    needs: ['qid', 'tag', 'result'],
    bind(m, f) {
      const [qidAt, tagAt, resAt] = [f.num('qid'), f.num('tag'), f.num('result')];
      return (i, at) => {
        const id = m.trace.task[i];
        const device = deviceOfTask(m, id, m.task(id));
        const slot = m.slot(device, m.num(m.words[at + qidAt]), m.num(m.words[at + tagAt]));
        if (!slot) return;
        slot.state = SLOT.active;
        slot.request = REQUEST.committed;
        slot.result = m.num(m.words[at + resAt]);
      };
    },
  },
  ublk_cancel_cmd: {
    needs: ['qid', 'tag'],
    bind(m, f) {
      const [qidAt, tagAt] = [f.num('qid'), f.num('tag')];
      return (i, at) => {
        const id = m.trace.task[i];
        const slot = m.slot(deviceOfTask(m, id, m.task(id)), m.num(m.words[at + qidAt]), m.num(m.words[at + tagAt]));
        if (slot && (slot.state === SLOT.active || slot.state === SLOT.unknown)) slot.state = SLOT.canceled;
      };
    },
  },
  ublk_fail_req: failing(REQUEST.failed, -1),
  ublk_abort_rq: failing(REQUEST.failed, SLOT.aborted),
  ublk_copy_user_pages: copy,
  ublk_copy_user_pages_isra_0: copy,
  blk_mq_get_driver_tag: {
    needs: ['major', 'minor', 'qid', 'tag'],
    bind(m, f) {
      const [majorAt, minorAt, qidAt, tagAt] = ['major', 'minor', 'qid', 'tag'].map((name) => f.num(name));
      return (i, at) => {
        const task = m.task(m.trace.task[i]);
        const disk = m.disk(m.num(m.words[at + majorAt]), m.num(m.words[at + minorAt]));
        disk.tagsInUse = disk.tagsInUse === UNKNOWN ? (m.simulated ? 1 : UNKNOWN) : disk.tagsInUse + 1;
        task.dispatchMajor = disk.major;
        task.dispatchMinor = disk.minor;
        if (disk.device < 0) return;
        const slot = m.slot(disk.device, m.num(m.words[at + qidAt]), m.num(m.words[at + tagAt]));
        if (slot) slot.request = REQUEST.tagHeld;
      };
    },
  },
  blk_mq_put_driver_tag: {
    needs: ['major', 'minor', 'qid', 'tag'],
    bind(m, f) {
      const [majorAt, minorAt, qidAt, tagAt] = ['major', 'minor', 'qid', 'tag'].map((name) => f.num(name));
      return (_, at) => {
        const disk = m.disk(m.num(m.words[at + majorAt]), m.num(m.words[at + minorAt]));
        if (disk.tagsInUse > 0) disk.tagsInUse--;
        if (disk.device < 0) return;
        endSlotRequest(m, disk.device, m.num(m.words[at + qidAt]), m.num(m.words[at + tagAt]), REQUEST.none);
      };
    },
  },
  blk_mq_requeue_request: {
    needs: ['tag', 'sector'],
    bind(m, f) {
      const [tagAt, sectorAt] = [f.num('tag'), f.num('sector')];
      return (i, at) => {
        const task = m.task(m.trace.task[i]);
        const tag = m.num(m.words[at + tagAt]);
        const device = Math.max(task.cmdDevice, 0);
        const slot = m.peekSlot(device, queueOfTask(task), tag);
        if (slot === undefined || slot.sector > m.num(m.words[at + sectorAt])) return;
        endSlotRequest(m, device, queueOfTask(task), tag, REQUEST.requeued);
      };
    },
  },
  page_fill: {
    needs: ['dev_id', 'qid', 'tag', 'offset', 'length', 'source:s'],
    bind(m, f) {
      const [idAt, qidAt, tagAt, offAt, lenAt] = ['dev_id', 'qid', 'tag', 'offset', 'length'].map((name) => f.num(name));
      const sourceAt = f.text('source');
      return (_, at) => {
        const device = m.deviceOfId(m.num(m.words[at + idAt]));
        const qid = m.num(m.words[at + qidAt]);
        const tag = m.num(m.words[at + tagAt]);
        const slot = m.slot(device, qid, tag);
        if (!slot) return;
        const offset = m.num(m.words[at + offAt]);
        const length = m.num(m.words[at + lenAt]);
        slot.filled = slot.filled === UNKNOWN ? length : slot.filled + length;
        if (!slot.pages) return;
        for (const page of m.w.pages.values()) {
          if (page.device !== device || page.qid !== qid || page.tag !== tag) continue;
          if (page.offset < offset + length && page.offset + page.len > offset) m.page(page.ptr).fill = m.words[at + sourceAt];
        }
      };
    },
  },
};

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
