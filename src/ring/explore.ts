/** Every outcome that the rules allow: runs a program with other decisions until no new state is met. */
import { finish, type Sliced } from '../trace/slices';
import type { UringProfile } from '../kernel/uring/uring_profile';
import { OrderWords, TooMany, type Word } from './order_words';
import { type Outcome, outcomeKey, rememberedHash } from './outcome';
import type { RingProgram } from './program';
import { type RunResult, runProgram } from './run';
import { StateSearch } from './state_search';

/** Bounds of an exploration. */
export interface ExploreLimits {
  /** Most runs. */
  readonly schedules: number;
  /** Most steps of contexts, of all runs together: what programs of many SQEs are bound by; absent: 10 million. */
  readonly steps?: number;
  /** Most time, ms: a far guard, so that the same program gives the same answer twice. */
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
  /** Nothing is missing: every state that the program can come to was met. */
  readonly complete: boolean;
  /** Whether some schedule has the CQEs with these user_data in this order; absent where the exploration is not complete. */
  readonly comes?: (first: string, second: string) => boolean;
}

/** Default bounds. */
export const EXPLORE_LIMITS: ExploreLimits = { schedules: 40_000, time: 60_000, outcomes: 1000 };

/** Longest part of an exploration at a time, ms. */
export const SLICE = 15;

/** Most steps where nothing else is said. */
export const MOST_STEPS = 10_000_000;

/** Steps between two looks at the clock. */
const CLOCK = 400;

/** Most sets of states that counting may make. */
const MOST_NODES = 300_000;

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
): Exploration {
  return finish(exploring(program, profile, clock, limits));
}

/** The same in slices. */
export function* exploring(
  program: RingProgram,
  profile: UringProfile,
  clock: () => number,
  limits: ExploreLimits = EXPLORE_LIMITS,
): Sliced<Exploration> {
  const hash = rememberedHash();
  const search = new StateSearch(program, profile, hash);
  const { steps = MOST_STEPS } = limits;
  const start = clock();
  let slice = start;
  let complete = true;
  let look = 0;
  while (search.step()) {
    const over = search.schedules >= limits.schedules || search.steps >= steps;
    if (search.steps < look && !over) continue;
    look = search.steps + CLOCK;
    const now = clock();
    if (over || now - start > limits.time) {
      complete = search.done;
      break;
    }
    if (now - slice > SLICE) {
      yield Math.min(1, Math.max(search.steps / steps, search.schedules / limits.schedules));
      slice = clock();
    }
  }
  const { schedules } = search;
  const first = runProgram(program, { profile }).outcome(hash);
  const { found, known } = listed(program, profile, search, first, limits.outcomes);
  let total = found.length;
  const words = new OrderWords(search.graph, MOST_NODES);
  try {
    total = words.count() + (known ? 0 : 1);
  } catch (error) {
    if (!(error instanceof TooMany)) throw error;
    complete = false;
  }
  if (!complete) return { found, total, schedules, complete };
  return { found, total, schedules, complete, comes: (a, b) => search.comes(words, a, b) };
}

/** The outcomes, the likeliest first; and whether that one was among those of the search. */
function listed(
  program: RingProgram,
  profile: UringProfile,
  search: StateSearch,
  first: Outcome,
  most: number,
): { found: FoundOutcome[]; known: boolean } {
  const found: FoundOutcome[] = [{ outcome: first, choices: [] }];
  const key = outcomeKey(first);
  let known = false;
  for (const word of new OrderWords(search.graph, MOST_NODES).words()) {
    if (found.length >= most && known) break;
    const outcome = search.outcomeOf(word);
    if (!known && outcomeKey(outcome) === key) {
      known = true;
      continue;
    }
    if (found.length < most) found.push(new Found(program, profile, outcome, word));
  }
  return { found, known };
}

/** An outcome whose decisions are counted when asked for. */
class Found implements FoundOutcome {
  private known: readonly number[] | undefined;

  constructor(
    private readonly program: RingProgram,
    private readonly profile: UringProfile,
    readonly outcome: Outcome,
    private readonly word: Word,
  ) {}

  get choices(): readonly number[] {
    this.known ??= choicesOf(this.program, this.profile, this.word.names);
    return this.known;
  }
}

/** Decisions as numbers, of those given as names of contexts. */
export function choicesOf(
  program: RingProgram,
  profile: UringProfile,
  names: readonly string[],
): readonly number[] {
  const choices: number[] = [];
  let at = 0;
  runProgram(program, {
    profile,
    chooser: (_n, choice) => {
      const name = names[at++];
      const k = name === undefined ? 0 : choice.names().indexOf(name);
      choices.push(k);
      return k;
    },
  });
  return choices;
}
