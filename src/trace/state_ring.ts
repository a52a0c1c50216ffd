import { PHASE } from './state_codes';
import type { Fields, Handler, Machine, Rules } from './state_machine';
import { armByUserData } from './state_slot';
import { newReq, newRing } from './state_new';
import { type Ring, type TaskWork, UNKNOWN } from './state_work';

const CQE_SKIP = 0x40;
const ENTER_GETEVENTS = 1;
const ENTER_REGISTERED_RING = 16;
const REGISTERED = 0x10000;

function fdKey(task: number, key: number): number {
  return task * 0x20000 + key;
}

/** Ties the io_uring_enter that the task is in to the ring that its events name. */
export function bindRing(m: Machine, task: TaskWork, id: number, ring: Ring): void {
  if (task.ring === ring.ptr || task.enterKey < 0) return;
  task.ring = ring.ptr;
  m.w.ringByFd.set(fdKey(id, task.enterKey), ring.ptr);
  if (ring.owner < 0) ring.owner = id;
  if (!m.simulated) ring.sqPending = task.toSubmit;
}

function submit(m: Machine, f: Fields, phase: number): Handler {
  const command = m.trace.strings.id('URING_CMD');
  const [ringAt, reqAt, udAt, flagsAt, opAt] = [
    f.num('ring'),
    f.num('req'),
    f.num('user_data'),
    f.num('flags'),
    f.text('opcode'),
  ];
  return (i, at) => {
    const { words } = m;
    const ring = m.ring(words[at + ringAt] | 0);
    const id = m.trace.task[i];
    const task = m.task(id);
    const ptr = words[at + reqAt] | 0;
    const userData = words[at + udAt] | 0;
    bindRing(m, task, id, ring);
    if (ring.sqHead !== UNKNOWN) ring.sqHead = (ring.sqHead + 1) >>> 0;
    if (ring.sqPending > 0) ring.sqPending--;
    const sqe = ring.sqes[0];
    if (sqe !== undefined && sqe.userData === userData) {
      ring.sqes.shift();
      ring.sqHead = (sqe.index + 1) >>> 0;
      if (m.simulated) ring.sqPending = ring.sqes.length;
    }
    if (ring.skips > 0 && ring.reqs.get(ptr)?.skip) ring.skips--;
    const req = newReq(m.w.epoch, ptr, ring.ptr, userData, words[at + opAt], i);
    req.phase = phase;
    if (m.trace.wide.lowOf(words[at + flagsAt]) & CQE_SKIP) {
      req.skip = true;
      ring.skips++;
    }
    ring.reqs.delete(ptr);
    ring.reqs.set(ptr, req);
    task.subRing = ring.ptr;
    task.subReq = ptr;
    m.w.totals.sqes++;
    if (!m.probed && req.opcode === command && phase === PHASE.submitted) armByUserData(m, id, ring, req);
  };
}

function phase(value: number): Rules[string] {
  return {
    needs: ['ring', 'req'],
    bind(m, f) {
      const [ringAt, reqAt, udAt, opAt] = [f.num('ring'), f.num('req'), f.num('user_data'), f.text('opcode')];
      return (i, at) => {
        const { words } = m;
        const ring = m.ring(words[at + ringAt] | 0);
        const ptr = words[at + reqAt] | 0;
        const req = m.metReq(
          ring,
          ptr,
          udAt < 0 ? UNKNOWN : words[at + udAt] | 0,
          opAt < 0 ? -1 : words[at + opAt],
        );
        req.phase = value;
        const task = m.w.tasks[m.trace.task[i]];
        if (value === PHASE.pollArmed && task !== undefined && task.req === ptr)
          m.task(m.trace.task[i]).req = UNKNOWN;
      };
    },
  };
}

/** The worker runs this request. */
function workerRuns(m: Machine, id: number, ring: Ring, ptr: number, inferred: boolean): void {
  const task = m.task(id);
  if (task.req !== UNKNOWN && task.inferred && (task.req !== ptr || task.reqRing !== ring.ptr)) {
    const other = m.knownRing(task.reqRing);
    const wrong = other && m.req(other, task.req);
    if (wrong && wrong.phase === PHASE.wqRunning) wrong.phase = PHASE.wqQueued;
  }
  task.reqRing = ring.ptr;
  task.req = ptr;
  task.inferred = inferred;
  const req = m.req(ring, ptr);
  if (req) req.phase = PHASE.wqRunning;
}

/** Events of rings, submission and io-wq. */
export const RING_RULES: Rules = {
  io_uring_create: {
    needs: ['ring', 'fd', 'sq_entries', 'cq_entries', 'flags'],
    bind(m, f) {
      const [ringAt, fdAt, sqAt, cqAt, flagsAt] = ['ring', 'fd', 'sq_entries', 'cq_entries', 'flags'].map(
        (name) => f.num(name),
      );
      return (i, at) => {
        const { words, w } = m;
        const ptr = words[at + ringAt] | 0;
        const id = m.trace.task[i];
        const fd = m.num(words[at + fdAt]);
        const key = fdKey(id, fd & 0xffff);
        const old = w.ringByFd.get(key);
        // the descriptor is free again, so the ring that had it is gone
        if (old !== undefined) w.rings.delete(old);
        const ring = newRing(w.epoch, w.ringCount++, ptr, id);
        ring.fd = fd;
        ring.flags = words[at + flagsAt] | 0;
        ring.sqEntries = m.num(words[at + sqAt]);
        ring.cqEntries = m.num(words[at + cqAt]);
        ring.sqHead = 0;
        ring.sqPending = m.simulated ? 0 : UNKNOWN;
        ring.cqTail = 0;
        ring.cqReady = 0;
        ring.overflow = 0;
        w.rings.delete(ptr);
        w.rings.set(ptr, ring);
        w.ringByFd.set(key, ptr);
      };
    },
  },
  io_uring_submit_sqe: {
    needs: ['ring', 'req', 'user_data', 'flags', 'opcode:s'],
    bind: (m, f) => submit(m, f, PHASE.submitted),
  },
  io_uring_submit_req: {
    needs: ['ring', 'req', 'user_data', 'flags', 'opcode:s'],
    bind: (m, f) => submit(m, f, PHASE.submitted),
  },
  io_uring_req_failed: {
    needs: ['ring', 'req', 'user_data', 'flags', 'opcode:s'],
    bind: (m, f) => submit(m, f, PHASE.failed),
  },
  io_uring_defer: phase(PHASE.deferred),
  io_uring_poll_arm: phase(PHASE.pollArmed),
  io_uring_task_add: phase(PHASE.woken),
  io_uring_queue_async_work: {
    needs: ['ring', 'req', 'queue:s'],
    bind(m, f) {
      const toQueue = phase(PHASE.wqQueued).bind(m, f);
      const [ringAt, reqAt, queueAt] = [f.num('ring'), f.num('req'), f.text('queue')];
      return (i, at) => {
        toQueue(i, at);
        const req = m.req(m.ring(m.words[at + ringAt] | 0), m.words[at + reqAt] | 0);
        if (req) req.queue = m.words[at + queueAt];
        m.w.totals.punts++;
      };
    },
  },
  io_uring_link: {
    needs: ['ring', 'req', 'target'],
    bind(m, f) {
      const [ringAt, reqAt, targetAt] = [f.num('ring'), f.num('req'), f.num('target')];
      return (_, at) => {
        const req = m.metReq(m.ring(m.words[at + ringAt] | 0), m.words[at + reqAt] | 0, UNKNOWN, -1);
        if (req.phase !== PHASE.failed) req.phase = PHASE.linked;
        req.link = m.words[at + targetAt] | 0;
      };
    },
  },
  io_uring_fail_link: {
    needs: ['ring', 'req', 'link'],
    bind(m, f) {
      const [ringAt, reqAt, linkAt] = [f.num('ring'), f.num('req'), f.num('link')];
      return (_, at) => {
        const ring = m.ring(m.words[at + ringAt] | 0);
        const failing = m.words[at + reqAt] | 0;
        const cancelled = m.req(ring, m.words[at + linkAt] | 0);
        if (!cancelled) return;
        const skip = ring.reqs.get(failing)?.skip ?? (ring.lastDone === failing && ring.lastSkip);
        if (!skip) {
          cancelled.phase = PHASE.cancelled;
          return;
        }
        ring.reqs.delete(cancelled.ptr);
        if (cancelled.skip) ring.skips--;
      };
    },
  },
  io_uring_file_get: {
    needs: ['ring', 'req'],
    bind(m, f) {
      const [ringAt, reqAt] = [f.num('ring'), f.num('req')];
      return (i, at) => {
        const id = m.trace.task[i];
        if (m.workerParent(id) >= 0)
          workerRuns(m, id, m.ring(m.words[at + ringAt] | 0), m.words[at + reqAt] | 0, false);
      };
    },
  },
  io_wq_submit_work: {
    needs: [],
    bind: (m) => (i) => {
      const id = m.trace.task[i];
      const parent = m.workerParent(id);
      if (parent < 0) return;
      m.task(id).req = UNKNOWN;
      // the event does not name the request: the longest queued one of this pool is the best guess, marked as such
      let found: { ring: number; req: number; since: number } | undefined;
      for (const ring of m.w.rings.values()) {
        if (ring.owner < 0 || m.trace.taskOf(ring.owner).pid !== parent) continue;
        for (const req of ring.reqs.values()) {
          if (req.phase === PHASE.wqQueued && (!found || req.since < found.since)) {
            found = { ring: ring.ptr, req: req.ptr, since: req.since };
          }
        }
      }
      if (found) workerRuns(m, id, m.ring(found.ring), found.req, true);
    },
  },
  sys_enter_io_uring_enter: {
    needs: ['fd', 'to_submit', 'flags'],
    bind(m, f) {
      const [fdAt, submitAt, flagsAt] = [f.num('fd'), f.num('to_submit'), f.num('flags')];
      const shape = f.shape.id;
      return (i, at) => {
        const id = m.trace.task[i];
        const task = m.task(id);
        const flags = m.trace.wide.lowOf(m.words[at + flagsAt]);
        task.syscall = shape;
        task.enterKey =
          (m.trace.wide.lowOf(m.words[at + fdAt]) & 0xffff) +
          (flags & ENTER_REGISTERED_RING ? REGISTERED : 0);
        task.toSubmit = m.num(m.words[at + submitAt]);
        task.getEvents = (flags & ENTER_GETEVENTS) !== 0;
        task.ring = UNKNOWN;
        const ptr = m.w.ringByFd.get(fdKey(id, task.enterKey));
        const ring = ptr === undefined ? undefined : m.knownRing(ptr);
        if (ring) bindRing(m, task, id, ring);
      };
    },
  },
  io_uring_get_sqe: {
    needs: ['ring', 'index', 'user_data', 'bytes:s'],
    bind(m, f) {
      const [ringAt, indexAt, udAt, bytesAt] = [
        f.num('ring'),
        f.num('index'),
        f.num('user_data'),
        f.text('bytes'),
      ];
      return (i, at) => {
        const ring = m.ring(m.words[at + ringAt] | 0);
        const index = m.num(m.words[at + indexAt]);
        ring.sqes.push({ index, userData: m.words[at + udAt] | 0, bytes: m.words[at + bytesAt] });
        if (ring.sqes.length > 65536) ring.sqes.shift();
        if (ring.sqPending !== UNKNOWN) ring.sqPending++;
        if (ring.owner < 0) ring.owner = m.trace.task[i];
      };
    },
  },
};
