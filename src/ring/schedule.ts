/** A schedule for an order of CQEs that somebody asks for, or the rule that forbids it. */
import type { UringProfile } from '../kernel/uring/uring_profile';
import type { ExploreLimits } from './explore';
import { EXPLORE_LIMITS, explore, replay } from './explore';
import { ORDER_RULES, type OrderedPair, orderRelation } from './order';
import type { Outcome } from './outcome';
import type { RingProgram } from './program';
import { type RunResult, runProgram } from './run';

/** One step of a schedule: who does what to which request. */
export interface ScheduledEvent {
  readonly context: string;
  readonly event: string;
  readonly user_data: string;
}

/** The answer for an order. */
export type OrderAnswer =
  | { readonly kind: 'schedule'; readonly outcome: Outcome; readonly events: readonly ScheduledEvent[] }
  | { readonly kind: 'forbidden'; readonly pair: OrderedPair; readonly says: string }
  | { readonly kind: 'absent'; readonly schedules: number; readonly complete: boolean };

/** user_data of all CQEs of an outcome, in order. */
export function cqeOrder(outcome: Pick<Outcome, 'steps'>): string[] {
  return outcome.steps.flatMap((step) => step.cqes ?? []).map((cqe) => cqe.user_data);
}

function contains(order: readonly string[], wanted: readonly string[]): boolean {
  let at = 0;
  for (const value of order) if (value === wanted[at]) at++;
  return at === wanted.length;
}

/** Looks for a schedule in which the CQEs with these user_data come in this order. `clock` gives ms. */
export function scheduleFor(
  program: RingProgram,
  profile: UringProfile,
  wanted: readonly string[],
  clock: () => number,
  limits: ExploreLimits = EXPLORE_LIMITS,
): OrderAnswer {
  const first = runProgram(program, { profile, trace: true });
  if (contains(cqeOrder(first), wanted)) return found(first);
  const pair = forbiddenPair(orderRelation(first).pairs, wanted);
  if (pair) return { kind: 'forbidden', pair, says: pair.rules.map((rule) => ORDER_RULES[rule]).join('; ') };
  const accepts = (outcome: Outcome): boolean => contains(cqeOrder(outcome), wanted);
  const exploration = explore(
    program,
    profile,
    clock,
    { ...limits, outcomes: Number.POSITIVE_INFINITY },
    accepts,
  );
  const hit = exploration.found.find(({ outcome }) => accepts(outcome));
  if (hit) return found(replay(program, profile, hit.choices));
  return { kind: 'absent', schedules: exploration.schedules, complete: exploration.complete };
}

function found(run: RunResult): OrderAnswer {
  return {
    kind: 'schedule',
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
