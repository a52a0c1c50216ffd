/** Every outcome that the rules allow: runs a program with other decisions until no new state is met. */
import { Abandoned } from '../kernel/uring/world';
import { finish, type Sliced } from '../trace/slices';
import type { UringProfile } from '../kernel/uring/uring_profile';
import { orderRelation } from './order';
import { type HashContents, type Outcome, outcomeKey, rememberedHash } from './outcome';
import { onlyOrderVaries } from './only_order';
import type { RingProgram } from './program';
import { type RunResult, runProgram } from './run';

/** Bounds of an exploration. */
export interface ExploreLimits {
  /** Most runs. */
  readonly schedules: number;
  /** Most time, ms. */
  readonly time: number;
  /** Most outcomes kept. */
  readonly outcomes: number;
}

/** One outcome with the decisions that lead to it. */
export interface FoundOutcome {
  readonly outcome: Outcome;
  readonly choices: readonly number[];
}

/** What an exploration found. */
export interface Exploration {
  /** Likeliest first: by how many decisions went another way. */
  readonly found: readonly FoundOutcome[];
  /** Number of distinct outcomes, also those beyond the limit; where the exploration is not complete, of those seen. */
  readonly total: number;
  readonly schedules: number;
  /** Nothing is missing: every schedule was covered, or the rules of order tell how many outcomes there are. */
  readonly complete: boolean;
}

/** Default bounds. */
export const EXPLORE_LIMITS: ExploreLimits = { schedules: 200_000, time: 5_000, outcomes: 1000 };

/** Longest part of an exploration at a time, ms. */
const SLICE = 15;

/** When as many outcomes were found as are kept, this is the time from which on it is not worth counting more, ms. */
const COUNTING = 800;

/** Schedules still to run, those with the fewest unlikely decisions first. */
class Frontier {
  private readonly levels: number[][][] = [];
  private lowest = 0;

  push(choices: number[], level: number): void {
    const list = this.levels[level];
    if (list) list.push(choices);
    else this.levels[level] = [choices];
    if (level < this.lowest) this.lowest = level;
  }

  pop(): { choices: number[]; level: number } | undefined {
    for (; this.lowest < this.levels.length; this.lowest++) {
      const choices = this.levels[this.lowest]?.pop();
      if (choices) return { choices, level: this.lowest };
    }
    return undefined;
  }
}

/** Runs a program with given decisions, the likeliest one after them. */
export function replay(program: RingProgram, profile: UringProfile, choices: readonly number[]): RunResult {
  let at = 0;
  return runProgram(program, { profile, trace: true, chooser: () => choices[at++] ?? 0 });
}

/** Runs a program under every schedule that may matter. `clock` gives ms. */
export function explore(
  program: RingProgram,
  profile: UringProfile,
  clock: () => number,
  limits: ExploreLimits = EXPLORE_LIMITS,
  wanted?: (outcome: Outcome) => boolean,
): Exploration {
  return finish(exploring(program, profile, clock, limits, wanted));
}

/** The same in slices. Ends at the first outcome that `wanted` takes. */
export function* exploring(
  program: RingProgram,
  profile: UringProfile,
  clock: () => number,
  limits: ExploreLimits = EXPLORE_LIMITS,
  wanted: (outcome: Outcome) => boolean = () => false,
): Sliced<Exploration> {
  const frontier = new Frontier();
  const seen = new Set<number>();
  const found: FoundOutcome[] = [];
  const keys = new Set<string>();
  const hash = rememberedHash();
  const start = clock();
  let slice = start;
  let schedules = 0;
  let hit = false;
  const keep = (outcome: Outcome, choices: readonly number[]): void => {
    hit ||= wanted(outcome);
    const key = outcomeKey(outcome);
    if (keys.has(key)) return;
    keys.add(key);
    if (found.length < limits.outcomes) found.push({ outcome, choices });
  };
  const likeliest = runProgram(program, { profile });
  keep(likeliest.outcome(hash), []);
  const orders = onlyOrderVaries(program, likeliest) ? orderRelation(likeliest).orders : undefined;
  frontier.push([], 0);
  for (let next = frontier.pop(); next; next = frontier.pop()) {
    const now = clock();
    if (now - slice > SLICE) {
      yield Math.min(1, Math.max((now - start) / limits.time, schedules / limits.schedules));
      slice = clock();
    }
    if (orders !== undefined && found.length >= Math.min(orders, limits.outcomes)) {
      return { found, total: orders, schedules, complete: true };
    }
    const time = found.length < limits.outcomes ? limits.time : Math.min(limits.time, COUNTING);
    if (hit || schedules >= limits.schedules || now - start > time) {
      return { found, total: keys.size, schedules, complete: false };
    }
    schedules++;
    const result = runOnce(program, profile, next.choices, next.level, seen, frontier, hash);
    if (result === undefined) continue;
    keep(result.outcome(hash), next.choices);
  }
  return { found, total: keys.size, schedules, complete: true };
}

/** One run; undefined when it came to a state that was met before. */
function runOnce(
  program: RingProgram,
  profile: UringProfile,
  prefix: readonly number[],
  level: number,
  seen: Set<number>,
  frontier: Frontier,
  hash: HashContents,
): RunResult | undefined {
  let at = 0;
  const taken: number[] = [];
  const chooser = (n: number, _names: readonly string[], key: number): number => {
    const i = at++;
    if (i < prefix.length) {
      taken.push(prefix[i]!);
      return prefix[i]!;
    }
    if (seen.has(key)) throw new Abandoned();
    seen.add(key);
    for (let k = n - 1; k >= 1; k--) frontier.push([...taken, k], level + 1);
    taken.push(0);
    return 0;
  };
  try {
    return runProgram(program, { profile, chooser, hash });
  } catch (error) {
    if (error instanceof Abandoned) return undefined;
    throw error;
  }
}
