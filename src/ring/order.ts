/**
 * Which CQEs come in a guaranteed order, and by which rule. Computed from the facts of one run (chains, drains, submit calls,
 * who completed what), never by trying schedules.
 */
import { IORING_SETUP, IOSQE } from '../uapi/io_uring_abi';
import { IORING_OP } from '../uapi/io_uring_ops';
import type { Cqe, Req } from '../kernel/uring/types';
import { REQ } from '../kernel/uring/types';
import { closure, type Direct, type Paths, linearExtensions } from './order_closure';
import { ORDER_RULES, type OrderRule, PROMISED } from './order_rules';
import type { RunResult } from './run';
import { requestNames } from './wanted_order';

export { ORDER_RULES, type OrderRule };

/** Two CQEs in the order of the first outcome. */
export interface OrderedPair {
  /** user_data, decimal. */
  readonly first: string;
  readonly second: string;
  /** The same with the number of the SQE among those with its user_data, where there are several: `3#2`. */
  readonly firstName?: string;
  readonly secondName?: string;
  /** Numbers of their SQEs, from 1 in the order they were taken: what tells requests of one user_data apart. */
  readonly firstSqe?: number;
  readonly secondSqe?: number;
  /** Rules that hold this order, along a path where several are needed; empty: nothing does. */
  readonly rules: readonly OrderRule[];
  /** io_uring promises it; else the order is accidental, though this kernel may always give it. */
  readonly guaranteed: boolean;
}

/** The order relation of a run's CQEs. */
export interface OrderRelation {
  readonly pairs: readonly OrderedPair[];
  /** Number of orders that this kernel's rules leave open; undefined beyond 20 CQEs. */
  readonly orders: number | undefined;
}

const MAX_COUNTED = 20;

/**
 * Computes the relation for the CQEs of a run. `comes`, of an exploration that was complete, tells whether some schedule has two
 * CQEs in an order: a pair that no schedule turns round depends on something that these rules do not tell. `further`: user_data
 * of CQEs that only other schedules have.
 */
export function orderRelation(
  run: RunResult,
  comes?: (first: string, second: string) => boolean,
  further: readonly string[] = [],
): OrderRelation {
  const { ring } = run;
  const cqes = [...ring.cq, ...ring.overflow];
  const byId = new Map(ring.requests.map((req) => [req.id, req]));
  const n = cqes.length;
  const direct: Direct = cqes.map((a, i) =>
    cqes.map((b, j) => (j <= i ? undefined : directRule(run, byId, a, b, i))),
  );
  const promised = withReaped(run, byId, direct, (rule) => PROMISED.has(rule));
  const rules = withReaped(run, byId, direct, () => true);
  if (comes) {
    const names = cqes.map((cqe) => String(cqe.userData));
    const once = (name: string): boolean => names.indexOf(name) === names.lastIndexOf(name);
    names.forEach((a, i) => {
      names.slice(i + 1).forEach((b, k) => {
        if (!rules[i]![i + 1 + k] && once(a) && once(b) && !comes(b, a))
          rules[i]![i + 1 + k] = ['dependence'];
      });
    });
  }
  const names = requestNames(ring.requests);
  const pairs: OrderedPair[] = [];
  cqes.forEach((a, i) => {
    for (let j = i + 1; j < n; j++) {
      pairs.push({
        first: String(a.userData),
        second: String(cqes[j]!.userData),
        firstName: names.get(a.req)!,
        secondName: names.get(cqes[j]!.req)!,
        firstSqe: a.req,
        secondSqe: cqes[j]!.req,
        rules: promised[i]![j] ?? rules[i]![j] ?? [],
        guaranteed: promised[i]![j] !== undefined,
      });
    }
  });
  if (comes)
    pairs.push(...pairsOfFurther([...new Set(cqes.map((cqe) => String(cqe.userData)))], further, comes));
  return {
    pairs,
    orders:
      n <= MAX_COUNTED
        ? linearExtensions(
            rules,
            cqes.map(({ req }) => run.takenBefore.get(byId.get(req)!.sqe)?.least ?? 0),
          )
        : undefined,
  };
}

/** Pairs with CQEs that the run does not have, by what schedules show. */
function pairsOfFurther(
  known: readonly string[],
  further: readonly string[],
  comes: (first: string, second: string) => boolean,
): OrderedPair[] {
  const names = [...new Set([...known, ...further])];
  return further
    .flatMap((b) => names.slice(0, names.indexOf(b)).map((a) => [a, b] as const))
    .flatMap(([a, b]) => {
      const [straight, turned] = [comes(a, b), comes(b, a)];
      if (!straight && !turned) return [];
      const [first, second] = straight ? [a, b] : [b, a];
      return [{ first, second, rules: straight && turned ? [] : ['dependence' as const], guaranteed: false }];
    });
}

/**
 * The closure with what follows from taking a number of CQEs: one that must be among the first n, because too few others can come
 * before it, comes before those whose SQE was submitted after n were taken.
 */
function withReaped(
  run: RunResult,
  byId: ReadonlyMap<number, Req>,
  direct: Direct,
  takes: (rule: OrderRule) => boolean,
): Paths {
  const { ring, takenBefore } = run;
  const cqes = [...ring.cq, ...ring.overflow];
  const known = cqes.map(({ req }) => takenBefore.get(byId.get(req)!.sqe));
  const posted = new Set(cqes.map(({ req }) => req));
  const steps = ring.requests.map(({ sqe }) => takenBefore.get(sqe)?.step ?? 0);
  const all = direct.map((row) => [...row]);
  for (;;) {
    const paths = closure(all, takes);
    let more = false;
    for (const [j, later] of known.entries()) {
      if (later === undefined || later.least <= later.sure || run.repeats) continue;
      // requests without a CQE in this run may have one in another
      const silent = ring.requests.filter(({ id }, i) => !posted.has(id) && steps[i]! < later.step).length;
      for (let i = 0; i < j; i++) {
        if (paths[i]![j] || (known[i]?.step ?? 0) >= later.step) continue;
        const before = cqes.filter(
          (_, k) => k !== i && (known[k]?.step ?? 0) < later.step && !(k > i && paths[i]![k]),
        ).length;
        if (before + silent >= later.least) continue;
        all[i]![j] = 'rest';
        more = true;
      }
    }
    if (!more) return paths;
  }
}

/** Whether two SQEs come from different calls while a thread takes them: then it takes them together or apart. */
function joinsCalls({ ring, takenBefore }: RunResult, x: Req, y: Req): boolean {
  if ((ring.setup & IORING_SETUP.SQPOLL) === 0) return false;
  return takenBefore.get(x.sqe)?.step !== takenBefore.get(y.sqe)?.step;
}

/** Whether a call ends inside a chain while a thread takes the SQEs: how they are started is then open. */
function endsOpen({ ring, takenBefore }: RunResult): boolean {
  if ((ring.setup & IORING_SETUP.SQPOLL) === 0) return false;
  const { requests } = ring;
  return requests.some(({ sqe }, i) => {
    if ((sqe.flags & (IOSQE.IO_LINK | IOSQE.IO_HARDLINK)) === 0) return false;
    const next = requests[i + 1];
    return next === undefined || takenBefore.get(next.sqe)?.step !== takenBefore.get(sqe)?.step;
  });
}

/** A rule that puts CQE a before CQE b by itself. */
function directRule(
  run: RunResult,
  byId: ReadonlyMap<number, Req>,
  a: Cqe,
  b: Cqe,
  index: number,
): OrderRule | undefined {
  const x = byId.get(a.req)!;
  const y = byId.get(b.req)!;
  if (x === y) return 'multishot';
  if (index < (run.takenBefore.get(y.sqe)?.sure ?? 0)) return 'rest';
  if (joinsCalls(run, x, y) || (x.chain !== y.chain && endsOpen(run))) {
    const drain = (y.sqe.flags & IOSQE.IO_DRAIN) !== 0 && x.id < y.id && !x.malformed && !y.malformed;
    return drain ? 'drain' : undefined;
  }
  const timed = x.opcode === IORING_OP.LINK_TIMEOUT || y.opcode === IORING_OP.LINK_TIMEOUT;
  if (x.chain === y.chain) {
    if (!timed || (x.malformed && y.malformed)) return x.id < y.id ? 'chain-order' : undefined;
    return undefined;
  }
  if (drains(run, byId, x, y)) return 'drain';
  return contextRule(run, byId, x, y);
}

function drains(run: RunResult, byId: ReadonlyMap<number, Req>, x: Req, y: Req): boolean {
  if (x.malformed || y.malformed || x.id > y.id) return false;
  const headX = byId.get(x.chain)!;
  const headY = byId.get(y.chain)!;
  if ((headY.flags & REQ.DRAIN) !== 0) return true;
  // a drain that finds nothing to wait for holds back only the next request where sequence numbers are compared, and that one is a drain
  return (headX.flags & REQ.DRAIN) !== 0 && run.ring.profile.drainByLive;
}

/** Order by who completed them: inline batches, what follows them, hashed work. */
function contextRule(run: RunResult, byId: ReadonlyMap<number, Req>, x: Req, y: Req): OrderRule | undefined {
  const xHead = x.chain === x.id && isInline(x);
  if (xHead && x.batch < y.batch) return 'submit-order';
  if (x.batch === y.batch && xHead) {
    if (y.chain === y.id && isInline(y)) return x.id < y.id ? 'batch' : undefined;
    const head = byId.get(y.chain)!;
    if (y !== head && isInline(head)) return 'followers-later';
  }
  if (x.batch === y.batch && run.ring.profile.taskWorkFifo) {
    const a = roundOf(byId, x);
    const b = roundOf(byId, y);
    if (a !== undefined && b !== undefined && (a < b || (a === b && x.chain < y.chain))) return 'rounds';
  }
  if (x.batch < y.batch && endsWithItsCall(run, byId, x)) return 'submit-order';
  const hashed = x.work.hash >= 0 && x.work.hash === y.work.hash && x.queuedInline && y.queuedInline;
  if (hashed && x.cause === 'worker' && y.cause === 'worker' && x.id < y.id) return 'hashed';
  return undefined;
}

/** Completed by its submit call without leaving it. */
function isInline(req: Req): boolean {
  return req.cause === 'inline' && !req.queuedInline && ((req.flags & REQ.DRAIN) === 0 || req.malformed);
}

/** Round of task work in which a follower completes, when its whole chain up to it stays with the submitter. */
function roundOf(byId: ReadonlyMap<number, Req>, req: Req): number | undefined {
  if (req.id === req.chain) return undefined;
  for (let id = req.chain; id <= req.id; id++) {
    const member = byId.get(id)!;
    if (member.opcode === IORING_OP.LINK_TIMEOUT) return undefined;
    if (member.cause.startsWith('chain of')) return id - req.chain;
    if (!isInline(member)) return undefined;
  }
  return req.id - req.chain;
}

/** A follower that task work completes before the call returns to user space. */
function endsWithItsCall(run: RunResult, byId: ReadonlyMap<number, Req>, req: Req): boolean {
  const { setup } = run.ring;
  if ((setup & (IORING_SETUP.DEFER_TASKRUN | IORING_SETUP.SQPOLL)) !== 0) return false;
  for (let id = req.chain; id <= req.id; id++) {
    const member = byId.get(id)!;
    const cancelled = member.cause.startsWith('chain of') || member.cause === 'disarmed';
    if (!isInline(member) && !cancelled) return false;
  }
  return true;
}
