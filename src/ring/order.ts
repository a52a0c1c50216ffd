/**
 * Which CQEs come in a guaranteed order, and by which rule. Computed from the facts of one run (chains, drains, submit calls,
 * who completed what), never by trying schedules.
 */
import { IORING_SETUP } from '../uapi/io_uring_abi';
import { IORING_OP } from '../uapi/io_uring_ops';
import type { Cqe, Req } from '../kernel/uring/types';
import { REQ } from '../kernel/uring/types';
import type { RunResult } from './run';

/** Rules that order two CQEs, with what they say. */
export const ORDER_RULES = {
  'chain-order': 'in a chain the next request starts after the CQE of the one before',
  drain: 'a DRAIN waits for all earlier requests; from 6.18 on all later ones wait for it too',
  batch: 'what completes inline in one submit call posts in the order of the SQ, at the end of the call',
  'followers-later': 'followers start after the CQEs of their submit call were posted',
  rounds:
    'task work starts the second members of all chains in the order of their heads, then the third ones, and so on',
  'submit-order': 'it was posted before the later submit call began',
  rest: 'it was taken before the other one was submitted',
  hashed: 'hashed work on one inode runs one at a time, in the order it was queued',
  multishot: 'CQEs of one request come in order',
  once: 'a request posts one CQE',
  skip: 'a request with CQE_SKIP_SUCCESS posts no CQE when it succeeds',
  'no-cqe': 'no schedule posts a CQE of it',
  dependence:
    'every schedule completes it first: the other one needs what it does (data or room in a pipe, an inode, a worker, time)',
} as const;

/** Name of a rule. */
export type OrderRule = keyof typeof ORDER_RULES;

/** Rules that io_uring promises; the others are how this kernel does it, which another version may change. */
const PROMISED: ReadonlySet<OrderRule> = new Set(['chain-order', 'drain', 'rest', 'multishot']);

/** Two CQEs in the order of the first outcome. */
export interface OrderedPair {
  /** user_data, decimal. */
  readonly first: string;
  readonly second: string;
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
  const direct = cqes.map((a, i) =>
    cqes.map((b, j) => (j <= i ? undefined : directRule(run, byId, a, b, i))),
  );
  const promised = closure(direct, (rule) => PROMISED.has(rule));
  const rules = closure(direct, () => true);
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
  const pairs: OrderedPair[] = [];
  cqes.forEach((a, i) => {
    for (let j = i + 1; j < n; j++) {
      pairs.push({
        first: String(a.userData),
        second: String(cqes[j]!.userData),
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
            cqes.map(({ req }) => run.takenBefore[byId.get(req)!.batch]?.all ?? 0),
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

type Paths = (readonly OrderRule[] | undefined)[][];

/** What follows from the direct rules that `takes` accepts: for each pair the rules along a path. */
function closure(
  direct: readonly (readonly (OrderRule | undefined)[])[],
  takes: (rule: OrderRule) => boolean,
): Paths {
  const paths: Paths = direct.map((row) => row.map((rule) => (rule && takes(rule) ? [rule] : undefined)));
  const n = paths.length;
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < k; i++) {
      const head = paths[i]![k];
      if (head === undefined) continue;
      for (let j = k + 1; j < n; j++) {
        const tail = paths[k]![j];
        if (tail && paths[i]![j] === undefined) paths[i]![j] = [...new Set([...head, ...tail])];
      }
    }
  }
  return paths;
}

/**
 * Orders of the CQEs that keep every guaranteed pair, counted over sets of CQEs that came first; `earlier` tells how many, whichever
 * they are, were taken before the request of a CQE was submitted.
 */
function linearExtensions(rules: Paths, earlier: readonly number[]): number {
  const n = rules.length;
  const before = Array.from({ length: n }, (_, j) =>
    rules.reduce((mask, row, i) => (row[j] ? mask | (1 << i) : mask), 0),
  );
  const ways = new Float64Array(2 ** n);
  ways[0] = 1;
  for (let set = 0; set < ways.length; set++) {
    const here = ways[set]!;
    if (here === 0) continue;
    const came = bitCount(set);
    for (let j = 0; j < n; j++) {
      const bit = 1 << j;
      if (came < earlier[j]!) continue;
      if ((set & bit) === 0 && (before[j]! & set) === before[j]) ways[set | bit]! += here;
    }
  }
  return ways[ways.length - 1]!;
}

function bitCount(set: number): number {
  let count = 0;
  for (let left = set; left !== 0; left &= left - 1) count++;
  return count;
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
  if (index < (run.takenBefore[y.batch]?.sure ?? 0)) return 'rest';
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
