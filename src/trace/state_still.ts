import type { Device, Disk, Ring, Totals, Work } from './state_work';
import type { Trace } from './trace';

/** What tells that a value did not change between two snapshots. */
export interface Still {
  /**
   * Parts that have to be the same in both: what the value is read from, because what is changed after a snapshot is copied first, or
   * a value that never comes back once it was left.
   */
  readonly stamp: (w: Work, trace: Trace) => readonly unknown[];
  /** No event of these names may lie between the two, where equal parts alone do not tell. */
  readonly without?: readonly string[];
  /** Nor one with this word, where the thing may have come and gone; every event that makes such a thing names it. */
  readonly naming?: (trace: Trace) => number;
}

/** Fields whose value tells by itself: it only grows, is set once, or comes back by events of these names only. */
export type Steady<T> = Readonly<
  Record<string, { readonly of: (of: T) => unknown; readonly by?: readonly string[] }>
>;

const STATE_EVENTS = ['ublk_dev_state', 'ublk_stop_dev', 'ublk_stop_work_fn', 'ublk_ch_release_work_fn'];

export const STEADY_DEVICE: Steady<Device> = {
  id: { of: (d) => d.id },
  state: { of: (d) => d.state, by: STATE_EVENTS },
  queues: { of: (d) => d.nrQueues, by: ['ublk_dev_state'] },
  depth: { of: (d) => d.depth, by: ['ublk_dev_state'] },
  flags: { of: (d) => d.flags, by: ['ublk_dev_state'] },
};

export const STEADY_RING: Steady<Ring> = {
  ptr: { of: (r) => r.ptr },
  fd: { of: (r) => r.fd },
  owner: { of: (r) => r.owner },
  flags: { of: (r) => r.flags },
  'sq.entries': { of: (r) => r.sqEntries },
  'cq.entries': { of: (r) => r.cqEntries },
  'cq.overflow': { of: (r) => r.overflow, by: ['io_uring_cqe_overflow'] },
};

export const STEADY_DISK: Steady<Disk> = {
  requeued: { of: (d) => d.requeued },
  completed: { of: (d) => d.completed },
};

export const STEADY_TOTALS: Steady<Totals> = {
  sqes: { of: (t) => t.sqes },
  cqes: { of: (t) => t.cqes },
  punts: { of: (t) => t.punts },
  copies: { of: (t) => t.copies },
  // what an event copied may be nothing, but it counts
  copiedBytes: { of: (t) => t.copies },
  splices: { of: (t) => t.splices },
  splicedBytes: { of: (t) => t.splices },
};

/** Guards against a ring or pipe that was made and closed between two snapshots. */
export function counts(w: Work): readonly number[] {
  return [w.ringCount, w.pipeCount];
}

/** By the value for steady fields, else by the thing and what belongs to it. */
export function still<T>(
  find: (w: Work) => T | undefined,
  steady: Steady<T>,
  parts: (w: Work) => readonly unknown[] = (w) => [find(w)],
): (field: string) => Still {
  return (field) => {
    const own = Object.hasOwn(steady, field) ? steady[field] : undefined;
    if (own === undefined) return { stamp: (w) => [...parts(w), ...counts(w)] };
    return {
      stamp: (w) => {
        const thing = find(w);
        return [thing && own.of(thing), ...counts(w)];
      },
      ...(own.by === undefined ? {} : { without: own.by }),
    };
  };
}
