import { UBLK_IO } from '../uapi/ublk_cmds';
import { PHASE, REQUEST, SLOT } from './state_codes';
import type { Machine, Rules } from './state_machine';
import {
  arm,
  deviceForRequest,
  deviceOfCommand,
  deviceOfTask,
  endSlotRequest,
  keepLoose,
  learnDisk,
  linkDisk,
  queueRequest,
  queueOfTask,
  refuse,
} from './state_slot';
import { UNKNOWN } from './state_work';

const EIOCBQUEUED = -529;
/** IO_URING_F_CANCEL in issue_flags: the call cancels, its SQE memory is stale. */
const ISSUE_CANCEL = 0x800;

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
      const qid =
        qidAt < 0 ? (task.outTag >= 0 ? task.outQueue : queueOfTask(task)) : m.num(m.words[at + qidAt]);
      const device = deviceOfTask(m, id, task);
      const tag = m.num(m.words[at + tagAt]);
      learnDisk(m, device, qid, tag);
      out(m, id, device, qid, tag);
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
export const UBLK_RULES: Rules = {
  ublk_queue_rq: {
    needs: ['qid', 'tag', 'sector', 'len'],
    bind(m, f) {
      const [qidAt, tagAt, sectorAt, lenAt, flagsAt] = ['qid', 'tag', 'sector', 'len', 'flags'].map((name) =>
        f.num(name),
      );
      return (i, at) => {
        const { words } = m;
        const task = m.task(m.trace.task[i]);
        const qid = m.num(words[at + qidAt]);
        const tag = m.num(words[at + tagAt]);
        // tags of a list of requests are taken first, then each goes to the driver
        const [major, minor] = [task.dispatchMajor, task.dispatchMinor];
        const known = major < 0 ? -1 : m.disk(major, minor).device;
        const held = known >= 0 && m.peekSlot(known, qid, tag)?.request === REQUEST.tagHeld;
        const device = held ? known : deviceForRequest(m, qid, tag);
        task.issueDevice = device;
        task.issueQueue = qid;
        task.issueTag = tag;
        const rq = {
          major,
          minor,
          qid,
          tag,
          sector: m.num(words[at + sectorAt]),
          sectors: Math.floor(m.num(words[at + lenAt]) / 512),
          flags: flagsAt < 0 ? UNKNOWN : words[at + flagsAt] | 0,
        };
        if (device < 0) {
          keepLoose(m, rq);
          return;
        }
        queueRequest(m, device, rq);
        if (major >= 0 && !held) linkDisk(m, major, minor, device);
      };
    },
  },
  ublk_ch_uring_cmd: {
    needs: ['op', 'q_id', 'tag', 'result', 'issue_flags'],
    bind(m, f) {
      const [opAt, qidAt, tagAt, resAt, flagsAt, addrAt] = [
        'op',
        'q_id',
        'tag',
        'result',
        'issue_flags',
        'addr',
      ].map((name) => f.num(name));
      return (i, at) => {
        const { words, trace } = m;
        const id = trace.task[i];
        const task = m.task(id);
        task.cmdTag = -1;
        const op = trace.wide.lowOf(words[at + opAt]) & 0xff;
        if (
          trace.wide.lowOf(words[at + flagsAt]) & ISSUE_CANCEL ||
          op < UBLK_IO.FETCH_REQ ||
          op > UBLK_IO.NEED_GET_DATA
        )
          return;
        const qid = m.num(words[at + qidAt]);
        const tag = m.num(words[at + tagAt]);
        const ring = m.knownRing(task.subRing);
        const device =
          ring !== undefined && ring.device >= 0 ? ring.device : deviceOfCommand(m, id, task, op, qid, tag);
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
        const slot =
          ret < 0 && ret !== EIOCBQUEUED ? m.slot(task.cmdDevice, task.cmdQueue, task.cmdTag) : undefined;
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
        const slot = m.slot(
          task.spliceDevice >= 0 ? task.spliceDevice : deviceOfTask(m, m.trace.task[i], task),
          Math.max(task.spliceQueue, 0),
          m.num(m.words[at + tagAt]),
        );
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
        const slot = m.slot(
          deviceOfTask(m, id, m.task(id)),
          m.num(m.words[at + qidAt]),
          m.num(m.words[at + tagAt]),
        );
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
        const device = deviceOfTask(m, m.trace.task[i], task);
        const slot = m.peekSlot(device, queueOfTask(task), tag);
        if (slot === undefined || slot.sector > m.num(m.words[at + sectorAt])) return;
        endSlotRequest(m, device, queueOfTask(task), tag, REQUEST.requeued);
      };
    },
  },
  page_fill: {
    needs: ['dev_id', 'qid', 'tag', 'offset', 'length', 'source:s'],
    bind(m, f) {
      const [idAt, qidAt, tagAt, offAt, lenAt] = ['dev_id', 'qid', 'tag', 'offset', 'length'].map((name) =>
        f.num(name),
      );
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
          if (page.offset < offset + length && page.offset + page.len > offset)
            m.page(page.ptr).fill = m.words[at + sourceAt];
        }
      };
    },
  },
};
