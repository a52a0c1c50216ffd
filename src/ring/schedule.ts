/** A schedule for an order of CQEs that somebody asks for, or the rule that forbids it. */
import type { UringProfile } from '../kernel/uring/uring_profile';
import { finish, type Sliced } from '../trace/slices';
import type { ExploreLimits } from './explore';
import { EXPLORE_LIMITS, replay, SLICE } from './explore';
import { ORDER_RULES, type OrderedPair, orderRelation } from './order';
import { type Outcome, rememberedHash } from './outcome';
import type { RingProgram } from './program';
import { type RunResult, runProgram } from './run';
import { StateSearch } from './state_search';
import { WantedOrder } from './wanted_order';

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
  const pair = forbiddenPair(orderRelation(first).pairs, wanted);
  if (pair) return { kind: 'forbidden', pair, says: pair.rules.map((rule) => ORDER_RULES[rule]).join('; ') };
  const start = clock();
  let slice = start;
  function* look(order: readonly string[]): Sliced<StateSearch> {
    const search = new StateSearch(program, profile, rememberedHash(), new WantedOrder(program, order));
    for (
      let now = clock();
      search.schedules < limits.schedules && now - start <= limits.time;
      now = clock()
    ) {
      if (!search.step() || search.hit) break;
      if (now - slice <= SLICE) continue;
      yield Math.min(1, Math.max((now - start) / limits.time, search.schedules / limits.schedules));
      slice = clock();
    }
    return search;
  }
  const search = yield* look(wanted);
  if (search.hit) return found(replay(program, profile, search.hit), search.hit);
  const { schedules } = search;
  if (!search.done) return { kind: 'absent', schedules, complete: false };
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

/** A guaranteed pair that the wanted order turns round; those with the shortest reason first. */
function forbiddenPair(pairs: readonly OrderedPair[], wanted: readonly string[]): OrderedPair | undefined {
  const once = (value: string): boolean => wanted.indexOf(value) === wanted.lastIndexOf(value);
  const broken = pairs.filter(({ first, second, rules }) => {
    const a = wanted.indexOf(first);
    const b = wanted.indexOf(second);
    return rules.length > 0 && a >= 0 && b >= 0 && once(first) && once(second) && a > b;
  });
  return broken.sort((a, b) => a.rules.length - b.rules.length)[0];
}
