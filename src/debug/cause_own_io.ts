import type { Trace } from '../trace/trace';
import type { CauseDisks } from './cause_disks';
import { BELOW } from './cause_names';
import { type CauseRoles, REACH, type Role } from './cause_roles';

/** What lets go of a tag. */
const ENDED = [['block_rq_complete', 'block_rq_error', 'blk_mq_end_request']];

/** Steps of I/O that no client asked for: what a server, a file system or a flush does at a disk on its own account. */
export class OwnDiskIo {
  constructor(
    private readonly trace: Trace,
    private readonly roles: CauseRoles,
    private readonly disks: CauseDisks,
  ) {}

  /** The step before event e; -1 where the trace does not tell. */
  before(e: number, { name }: Role): number {
    if (name === 'blk_mq_put_driver_tag') return this.endBefore(e);
    if (!Object.hasOwn(BELOW, name)) return -1;
    return this.nearest(e, BELOW[name], this.disks.named(e) < 0 ? this.endNear(e) : e);
  }

  /** The end of the write after which a kernel worker sends the flush of event e; -1 for other events. */
  flushed(e: number, { name }: Role): number {
    const { trace } = this;
    const byWorker = trace.taskOf(trace.task[e]).comm.startsWith('kworker/');
    return name === 'block_bio_queue' && byWorker ? this.endBefore(e) : -1;
  }

  /** The end of I/O at the same disk before event e. */
  private endBefore(e: number): number {
    return this.nearest(e, ENDED, e, () => true);
  }

  /** The nearest event before e of the first group that has one at the disk and the sectors of event `about`; -1 for none. */
  private nearest(
    e: number,
    groups: readonly (readonly string[])[],
    about: number,
    fits = (near: number): boolean => this.disks.overlap(near, about),
  ): number {
    const { trace, disks } = this;
    const disk = disks.named(about);
    if (disk < 0) return -1;
    for (const group of groups) {
      const wanted = this.roles.shapesOf(group);
      for (let i = e - 1; i >= Math.max(0, e - REACH); i--) {
        if (wanted[trace.shape[i]] === 0) continue;
        const near = disks.named(i) < 0 ? this.endNear(i) : i;
        if (disks.named(near) === disk && fits(near)) return i;
      }
    }
    return -1;
  }

  /** The block event behind an end that names no disk; the end itself where none follows. */
  private endNear(e: number): number {
    const { trace, disks } = this;
    for (let i = e + 1; i < trace.length && i < e + 8; i++)
      if (trace.task[i] === trace.task[e] && trace.cpu[i] === trace.cpu[e] && disks.ends(i)) return i;
    return e;
  }
}
