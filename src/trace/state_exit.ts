import { PHASE } from './state_codes';
import type { Machine, Rules } from './state_machine';
import { newTask } from './state_new';
import { type Ring, UNKNOWN } from './state_work';

/**
 * User space is gone from a ring. Commands that lie in a driver stay until the driver answers them, and the ring with them; nobody
 * reads its CQEs, and what else was in flight has no end that anybody sees.
 */
function abandon(m: Machine, ring: Ring): void {
  for (const req of [...ring.reqs.values()]) if (req.phase !== PHASE.armed) ring.reqs.delete(req.ptr);
  if (ring.reqs.size === 0) {
    m.w.rings.delete(ring.ptr);
    return;
  }
  ring.abandoned = true;
  ring.waiting = 0;
  ring.skips = 0;
  ring.overflow = 0;
  ring.sqPending = 0;
  ring.cqReady = UNKNOWN;
  ring.sqes = [];
  ring.cqes = [];
}

/** The task does nothing any more; its entry stays, as tasks are never forgotten. */
function end(m: Machine, id: number): void {
  if (m.w.tasks[id] !== undefined) m.w.tasks[id] = newTask(m.w.epoch);
}

/** A command of an abandoned ring was answered: with the last one the ring goes. */
export function dropAbandoned(m: Machine, ring: Ring): void {
  ring.cqes = [];
  if (ring.reqs.size === 0) m.w.rings.delete(ring.ptr);
}

/** Events with which servers end. */
export const EXIT_RULES: Rules = {
  sched_process_exit: {
    needs: ['pid'],
    bind(m, f) {
      const pidAt = f.num('pid');
      return (i, at) => {
        const { trace, w } = m;
        const id = trace.task[i];
        const pid = m.num(m.words[at + pidAt]);
        if (trace.taskOf(id).pid !== pid) return;
        const used = w.tasks[id]?.ring;
        end(m, id);
        for (let other = 0; other < w.tasks.length; other++) if (m.workerParent(other) === pid) end(m, other);
        for (const { ptr, owner } of [...w.rings.values()])
          if (owner === id || (owner < 0 && ptr === used)) abandon(m, m.ring(ptr));
      };
    },
  },
  // nobody serves the device; recordings rarely tell of the threads that ended before
  ublk_ch_release: {
    needs: [],
    bind: (m) => (i) => {
      const { devices, deviceByPid, rings, tasks } = m.w;
      const { pid, tgid } = m.trace.taskOf(m.trace.task[i]);
      const index = devices.length === 1 ? 0 : (deviceByPid.get(tgid) ?? deviceByPid.get(pid) ?? -1);
      if (index < 0) return;
      for (const { ptr, device } of [...rings.values()]) {
        if (device !== index) continue;
        for (let id = 0; id < tasks.length; id++) if (tasks[id]?.ring === ptr) end(m, id);
        abandon(m, m.ring(ptr));
      }
    },
  },
};
