import type { Kernel } from './kernel';
import type { Hctx, IoTask, Request } from './request';

/** blk_start_plug: requests of this task are collected until {@link finishPlug}. False when a plug is open already. */
export function startPlug(task: IoTask): boolean {
  if (task.plug) return false;
  task.plug = [];
  return true;
}

/** blk_finish_plug */
export function finishPlug(kernel: Kernel, task: IoTask): void {
  flushPlug(kernel, task, false);
  task.plug = undefined;
}

/** blk_mq_flush_plug_list; `fromSchedule` when the task goes to sleep with a plug open. */
export function flushPlug(kernel: Kernel, task: IoTask, fromSchedule: boolean): void {
  const { plug } = task;
  if (!plug || plug.length === 0) return;
  const list = plug.splice(0);
  const elevator = list.some((rq) => rq.disk.elevator);
  const one = list.every((rq) => rq.hctx === list[0].hctx);
  if (one && !elevator && !fromSchedule) {
    if (kernel.profile.rules.tracesEveryUnplug) kernel.rec.emit.block_unplug(task.commId, list.length);
    // queue_rqs and the direct issue of a plug both pop the list from its head: newest first
    for (let i = list.length - 1; i >= 0; i--) list[i].disk.issueDirect(list[i], i === 0);
    return;
  }
  const groups = new Map<Hctx, Request[]>();
  for (const rq of list) {
    const group = groups.get(rq.hctx);
    if (group) group.push(rq);
    else groups.set(rq.hctx, [rq]);
  }
  for (const [hctx, rqs] of groups) {
    const { disk } = rqs[0];
    kernel.rec.emit.block_unplug(task.commId, rqs.length);
    for (const rq of rqs) disk.insert(rq, false, task);
    disk.runHctx(hctx, fromSchedule || !disk.elevator ? fromSchedule : false, task);
  }
}
