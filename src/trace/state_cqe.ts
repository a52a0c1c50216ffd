import type { Machine, Rules } from './state_machine';
import { dropAbandoned } from './state_exit';
import { bindRing } from './state_ring';
import { deliver } from './state_slot';
import { MAX_CQES } from './state_types';
import { type Cqe, type Ring, UNKNOWN } from './state_work';

const CQE_F_MORE = 2;

/** The overflow list was flushed into the ring: all of it, or what fits. */
function flushOverflow(ring: Ring, count: number): void {
  ring.overflow -= count;
  if (ring.cqTail !== UNKNOWN) ring.cqTail = (ring.cqTail + count) >>> 0;
  if (ring.cqReady !== UNKNOWN) ring.cqReady += count;
}

function postCqe(m: Machine, ring: Ring, cqe: Cqe): void {
  ring.cqes.push(cqe);
  if (!m.simulated && ring.cqes.length > MAX_CQES) ring.cqes.shift();
  m.w.totals.cqes++;
}

/** Takes a request out of flight; members before it that post no CQE on success have succeeded too. */
function endReq(ring: Ring, ptr: number): void {
  const req = ring.reqs.get(ptr);
  ring.lastDone = ptr;
  ring.lastSkip = req?.skip ?? false;
  if (req === undefined) return;
  ring.reqs.delete(ptr);
  if (req.skip) ring.skips--;
  let link = req.link;
  const { since } = req;
  while (ring.skips > 0 && link !== UNKNOWN) {
    const before: number = link;
    link = UNKNOWN;
    for (const other of ring.reqs.values()) {
      if (!other.skip || other.since > since || (other.ptr !== before && other.link !== before)) continue;
      if (other.ptr === before) link = other.link;
      ring.reqs.delete(other.ptr);
      ring.skips--;
    }
  }
}

/** Events of the completion side of rings. */
export const CQE_RULES: Rules = {
  io_uring_complete: {
    needs: ['ring', 'req', 'user_data', 'result', 'cflags'],
    bind(m, f) {
      const [ringAt, reqAt, udAt, resAt, flagsAt] = ['ring', 'req', 'user_data', 'result', 'cflags'].map(
        (name) => f.num(name),
      );
      return (i, at) => {
        const { words } = m;
        const ring = m.ring(words[at + ringAt] | 0);
        const ptr = words[at + reqAt] | 0;
        const userData = words[at + udAt] | 0;
        const res = m.num(words[at + resAt]);
        const flags = m.trace.wide.lowOf(words[at + flagsAt]);
        // a CQE enters the ring only when nothing waits on the overflow list
        if (ring.overflow > 0) flushOverflow(ring, ring.overflow);
        ring.overflow = 0;
        if (ring.cqTail !== UNKNOWN) ring.cqTail = (ring.cqTail + 1) >>> 0;
        if (ring.cqReady !== UNKNOWN) ring.cqReady++;
        postCqe(m, ring, { userData, res, flags });
        const id = m.trace.task[i];
        deliver(m, id, ring, m.req(ring, ptr), userData, res);
        if ((flags & CQE_F_MORE) === 0) endReq(ring, ptr);
        const task = m.w.tasks[id];
        if (task !== undefined && task.req === ptr) m.task(id).req = UNKNOWN;
        if (ring.abandoned) dropAbandoned(m, ring);
      };
    },
  },
  io_uring_cqe_overflow: {
    needs: ['ring', 'user_data', 'result', 'cflags'],
    bind(m, f) {
      const [ringAt, udAt, resAt, flagsAt] = ['ring', 'user_data', 'result', 'cflags'].map((name) =>
        f.num(name),
      );
      return (i, at) => {
        const ring = m.ring(m.words[at + ringAt] | 0);
        const userData = m.words[at + udAt] | 0;
        const res = m.num(m.words[at + resAt]);
        if (ring.overflow !== UNKNOWN) ring.overflow++;
        postCqe(m, ring, { userData, res, flags: m.trace.wide.lowOf(m.words[at + flagsAt]) });
        for (const req of ring.reqs.values()) {
          if (req.userData !== userData) continue;
          deliver(m, m.trace.task[i], ring, req, userData, res);
          endReq(ring, req.ptr);
          break;
        }
      };
    },
  },
  io_uring_cqring_wait: {
    needs: ['ring', 'min_events'],
    bind(m, f) {
      const [ringAt, minAt] = [f.num('ring'), f.num('min_events')];
      return (i, at) => {
        const id = m.trace.task[i];
        const ring = m.ring(m.words[at + ringAt] | 0);
        const task = m.task(id);
        bindRing(m, task, id, ring);
        task.waiting = true;
        ring.waiting = m.num(m.words[at + minAt]);
        if (ring.overflow > 0) flushOverflow(ring, ring.overflow);
        ring.overflow = 0;
        // the event comes only when too few CQEs are there: fewer than one means none
        if (ring.waiting === 1 && !m.simulated) {
          ring.cqReady = 0;
          ring.cqes = [];
        }
      };
    },
  },
  sys_exit_io_uring_enter: {
    needs: [],
    bind: (m) => (i) => {
      const task = m.task(m.trace.task[i]);
      const ring = task.ring === UNKNOWN ? undefined : m.knownRing(task.ring);
      task.syscall = -1;
      task.enterKey = -1;
      task.ring = UNKNOWN;
      task.waiting = false;
      if (!ring) return;
      ring.waiting = 0;
      if (m.simulated) {
        const room =
          ring.cqEntries === UNKNOWN || ring.cqReady === UNKNOWN
            ? 0
            : Math.max(0, ring.cqEntries - ring.cqReady);
        if (task.getEvents && ring.overflow > 0) flushOverflow(ring, Math.min(ring.overflow, room));
        return;
      }
      // from here on user space fills SQEs and reaps CQEs unseen
      ring.sqPending = UNKNOWN;
      ring.cqReady = UNKNOWN;
      if (task.getEvents && ring.overflow > 0) {
        ring.overflow = UNKNOWN;
        ring.cqTail = UNKNOWN;
      }
    },
  },
  io_uring_cq_advance: {
    needs: ['ring', 'count'],
    bind(m, f) {
      const [ringAt, countAt] = [f.num('ring'), f.num('count')];
      return (_, at) => {
        const ring = m.ring(m.words[at + ringAt] | 0);
        const count = m.num(m.words[at + countAt]);
        if (count <= 0) return;
        ring.cqes.splice(0, count);
        if (ring.cqReady !== UNKNOWN) ring.cqReady = Math.max(0, ring.cqReady - count);
      };
    },
  },
};
