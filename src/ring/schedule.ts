/** A schedule for an order of CQEs that somebody asks for, or the rule that forbids it. */
import { IOSQE } from '../uapi/io_uring_abi';
import { IORING_OP } from '../uapi/io_uring_ops';
import type { UringProfile } from '../kernel/uring/uring_profile';
import { finish, type Sliced } from '../trace/slices';
import type { ExploreLimits } from './explore';
import { EXPLORE_LIMITS, MOST_STEPS, replay, SLICE } from './explore';
import { ORDER_RULES, type OrderedPair, type OrderRule, orderRelation } from './order';
import { type Outcome, rememberedHash } from './outcome';
import type { RingProgram } from './program';
import { type RunResult, runProgram } from './run';
import { StateSearch } from './state_search';
import { cqeOrder, readName, requestNames, sqesOf, WantedOrder } from './wanted_order';

export { cqeOrder } from './wanted_order';

/** One step of a schedule: who does what to which request. */
export interface ScheduledEvent {
  readonly context: string;
  readonly event: string;
  readonly user_data: string;
}

/** The answer for an order. */
export type OrderAnswer =
  | {
      readonly kind: 'schedule';
      readonly outcome: Outcome;
      readonly events: readonly ScheduledEvent[];
      /** Decisions that lead to it; undefined for the likeliest run. */
      readonly choices: readonly number[] | undefined;
    }
  | { readonly kind: 'forbidden'; readonly pair: OrderedPair; readonly says: string }
  | {
      readonly kind: 'absent';
      readonly schedules: number;
      readonly complete: boolean;
      readonly says?: string;
    };

/** Runs between two looks at the clock. */
const RUNS = 8;

/** What `says` tells where no pair is to blame. */
const NO_COMBINATION = 'each pair can come in this order, but no schedule gives all of them together';

/** Looks for a schedule in which the CQEs with these user_data come in this order. `clock` gives ms. */
export function scheduleFor(
  program: RingProgram,
  profile: UringProfile,
  wanted: readonly string[],
  clock: () => number,
  limits: ExploreLimits = EXPLORE_LIMITS,
): OrderAnswer {
  return finish(scheduling(program, profile, wanted, clock, limits));
}

/** The same in slices. */
export function* scheduling(
  program: RingProgram,
  profile: UringProfile,
  wanted: readonly string[],
  clock: () => number,
  limits: ExploreLimits = EXPLORE_LIMITS,
): Sliced<OrderAnswer> {
  const first = runProgram(program, { profile, trace: true });
  if (new WantedOrder(program, wanted).isIn(first)) return found(first, undefined);
  const { pairs } = orderRelation(first);
  const pair =
    tooOften(program, wanted) ?? forbiddenRequests(pairs, wanted) ?? forbiddenPair(program, pairs, wanted);
  if (pair) return { kind: 'forbidden', pair, says: pair.rules.map((rule) => ORDER_RULES[rule]).join('; ') };
  const start = clock();
  let slice = start;
  const most = limits.steps ?? MOST_STEPS;
  let steps = 0;
  function* look(order: readonly string[]): Sliced<StateSearch> {
    const search = new StateSearch(program, profile, rememberedHash(), new WantedOrder(program, order));
    while (search.schedules < limits.schedules && steps + search.steps < most) {
      if (!search.step() || search.hit) break;
      if (search.schedules % RUNS !== 0) continue;
      const now = clock();
      if (now - start > limits.time) break;
      if (now - slice <= SLICE) continue;
      yield Math.min(1, Math.max((steps + search.steps) / most, search.schedules / limits.schedules));
      slice = clock();
    }
    steps += search.steps;
    return search;
  }
  const search = yield* look(wanted);
  if (search.hit) return found(replay(program, profile, search.hit), search.hit);
  const { schedules } = search;
  if (!search.done) return { kind: 'absent', schedules, complete: false };
  for (const value of new Set(wanted)) {
    if (hasCqe(first, value)) continue;
    const one = yield* look([value]);
    if (!one.hit && one.done) return { kind: 'forbidden', ...neverComes(first, value) };
  }
  for (const [i, later] of wanted.entries()) {
    for (const earlier of wanted.slice(0, i)) {
      const two = yield* look([earlier, later]);
      if (two.hit || !two.done || earlier === later) continue;
      const forbidden = { first: later, second: earlier, rules: ['dependence'], guaranteed: false } as const;
      return { kind: 'forbidden', pair: forbidden, says: ORDER_RULES.dependence };
    }
  }
  return { kind: 'absent', schedules, complete: true, says: NO_COMBINATION };
}

function found(run: RunResult, choices: readonly number[] | undefined): OrderAnswer {
  return {
    kind: 'schedule',
    choices,
    outcome: run.outcome(),
    events: run.events.map(({ context, event, req }) => ({
      context,
      event,
      user_data: String(req.userData),
    })),
  };
}

/** A user_data that is asked for more often than requests with it can post CQEs. */
function tooOften(program: RingProgram, wanted: readonly string[]): OrderedPair | undefined {
  for (const name of new Set(wanted)) {
    const { value, nr } = readName(name)!;
    const same = sqesOf(program, value);
    if (same.some(({ opcode }) => opcode === IORING_OP.POLL_ADD || opcode === IORING_OP.TIMEOUT)) continue;
    const often = wanted.filter(
      (other) => other === name || (nr === undefined && readName(other)!.value === value),
    );
    if (often.length > (nr === undefined ? same.length : 1))
      return { first: name, second: name, rules: ['once'], guaranteed: true };
  }
  return undefined;
}

/** Whether a run has a CQE with a name. */
function hasCqe(run: RunResult, name: string): boolean {
  if (readName(name)!.nr === undefined) return cqeOrder(run).includes(name);
  const names = requestNames(run.ring.requests);
  return [...run.ring.cq, ...run.ring.overflow].some(({ req }) => names.get(req) === name);
}

/** Why a request posts no CQE in any schedule, by what the likeliest run left it as. */
function neverComes({ ring }: RunResult, value: string): { pair: OrderedPair; says: string } {
  const { value: userData, nr = 1 } = readName(value)!;
  const req = ring.requests.filter((other) => String(other.userData) === userData)[nr - 1];
  const answer = (first: string, rule: OrderRule, more = ''): { pair: OrderedPair; says: string } => ({
    pair: { first, second: value, rules: [rule], guaranteed: rule !== 'no-cqe' },
    says: `${ORDER_RULES[rule]}${more}`,
  });
  if (req === undefined) return answer(value, 'no-cqe');
  const posted = new Set([...ring.cq, ...ring.overflow].map((cqe) => cqe.req));
  const waiting = ring.requests.find(({ id }) => id < req.chain && !posted.has(id) && !skips(id));
  function skips(id: number): boolean {
    return (ring.requests[id - 1]!.sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0;
  }
  if (waiting && ring.deferList.some(({ id }) => id === req.chain))
    return answer(String(waiting.userData), 'drain', `; ${waiting.userData} never completes`);
  const before = ring.requests.find(({ id, chain }) => chain === req.chain && id < req.id && !posted.has(id));
  if (before && !skips(before.id))
    return answer(String(before.userData), 'chain-order', `; ${before.userData} never completes`);
  return answer(value, skips(req.id) ? 'skip' : 'no-cqe');
}

/** The same for requests that are named with their number. */
function forbiddenRequests(
  pairs: readonly OrderedPair[],
  wanted: readonly string[],
): OrderedPair | undefined {
  // one that posts several CQEs may have another one before
  const many = new Set(
    pairs.filter(({ firstName, secondName }) => firstName === secondName).map(({ firstName }) => firstName),
  );
  const broken = pairs.filter(({ firstName = '', secondName = '', rules }) => {
    if (rules.length === 0 || firstName === secondName) return false;
    if (many.has(firstName) || many.has(secondName)) return false;
    const at = wanted.indexOf(firstName);
    const numbered = firstName.includes('#') || secondName.includes('#');
    return numbered && at >= 0 && wanted.slice(0, at).includes(secondName);
  });
  const [shortest] = broken.sort((a, b) => a.rules.length - b.rules.length);
  return shortest && { ...shortest, first: shortest.firstName!, second: shortest.secondName! };
}

/**
 * A guaranteed pair that the wanted order turns round; those with the shortest reason first. Of a user_data that repeats, the
 * CQEs have to come in an order of their own: then a place in the wanted order bounds which of them it can be.
 */
function forbiddenPair(
  program: RingProgram,
  pairs: readonly OrderedPair[],
  wanted: readonly string[],
): OrderedPair | undefined {
  const sqes = new Map<string, Set<number>>();
  const loose = new Set<string>();
  for (const { first, second, firstSqe = 0, secondSqe = 0, rules } of pairs) {
    if (first === second && (rules.length === 0 || firstSqe === secondSqe)) loose.add(first);
    sqes.set(first, (sqes.get(first) ?? new Set()).add(firstSqe));
    sqes.set(second, (sqes.get(second) ?? new Set()).add(secondSqe));
  }
  // one that this run has no CQE of may have one in another
  for (const [value, seen] of sqes) {
    const { length } = sqesOf(program, value);
    if (length > 1 && length !== seen.size) loose.add(value);
  }
  for (const name of wanted) if (name.includes('#')) loose.add(readName(name)!.value);
  // CQEs of one value, as the pairs list them, are in their order
  const place = (value: string, sqe: number): number => [...sqes.get(value)!].indexOf(sqe);
  const places = (value: string): number[] => wanted.flatMap((each, i) => (each === value ? [i] : []));
  const broken = pairs.filter(({ first, second, firstSqe = 0, secondSqe = 0, rules }) => {
    if (rules.length === 0 || first === second || loose.has(first) || loose.has(second)) return false;
    const [mine, others] = [places(first), places(second)];
    const left = sqes.get(first)!.size - mine.length;
    // the last CQE that each place of `first` can be, the first one that each place of `second` can be
    return mine.some((at, k) => {
      if (k + left > place(first, firstSqe)) return false;
      return others.some((there, l) => there < at && l >= place(second, secondSqe));
    });
  });
  return broken.sort((a, b) => a.rules.length - b.rules.length)[0];
}
