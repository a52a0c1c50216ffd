/** Judging one program: what is predicted against what a kernel did. */
import { nearestProfile, type UringProfile } from '../kernel/uring/uring_profile';
import {
  type ComparedOutcome,
  compareOutcomes,
  equalOutcomes,
  isCutShort,
  type SeenOutcome,
} from '../ring/compare';
import { type ExploreLimits, explore } from '../ring/explore';
import type { RingProgram } from '../ring/program';
import { rulesOf } from '../ring/rules';
import { runProgram } from '../ring/run';
import { cqeOrder, scheduleFor } from '../ring/schedule';
import type { Verdict } from './conformance_page';
import { NoNativeRing } from './native_ring';

/** Bounds of looking for an outcome that is not the first: enough for every given program. */
const LIMITS: ExploreLimits = { schedules: 20_000, time: 5000, outcomes: 1000 };

/** A program that the kernel of this machine could not be asked about, and why. */
export interface Failure {
  readonly name: string;
  readonly message: string;
}

/** A verdict on live runs: where the machine was too slow for the runner, CQEs are missing behind those that it saw. */
function undecidedWhereCut(verdict: Verdict, allowed: readonly ComparedOutcome[]): Verdict {
  const { comparison, undecided } = verdict;
  if (comparison.allowed || undecided !== undefined) return verdict;
  const cut = comparison.unexpected.every(({ outcome }) => allowed.some((one) => isCutShort(outcome, one)));
  return cut ? { ...verdict, cutShort: true } : verdict;
}

/** Compares; further allowed outcomes are looked for only where the first one is not the only real one. */
export function judge(
  program: RingProgram,
  seen: readonly SeenOutcome[],
  kernel: string,
  limits: ExploreLimits = LIMITS,
  live = false,
): Verdict {
  const whole = (verdict: Verdict, allowed: readonly ComparedOutcome[]): Verdict =>
    live ? undecidedWhereCut(verdict, allowed) : verdict;
  const profile = nearestProfile(kernel);
  const first = runProgram(program, { profile }).outcome();
  const head = { name: program.name, kernel, first, seen, rules: rulesOf(program, profile) };
  const comparison = compareOutcomes([first], seen);
  if (comparison.allowed) return { ...head, comparison };
  const clock = (): number => performance.now();
  const { found, complete, schedules } = explore(program, profile, clock, limits);
  const outcomes = [first, ...found.map(({ outcome }) => outcome)];
  const searched = compareOutcomes(outcomes, seen);
  if (searched.allowed || (complete && found.length < limits.outcomes))
    return whole({ ...head, comparison: searched }, outcomes);
  const direct = searched.unexpected.map((one) => lookFor(program, profile, one, limits));
  const all = compareOutcomes([...outcomes, ...direct.flatMap(({ outcome }) => outcome ?? [])], seen);
  const undecided = !all.allowed && direct.every(({ forbidden }) => !forbidden);
  return whole({ ...head, comparison: all, ...(undecided ? { undecided: schedules } : {}) }, outcomes);
}

/** Whether recorded tracepoints are those of the likeliest run, in one sequence. */
export function sameEvents(program: RingProgram, kernel: string, recorded: readonly object[]): boolean {
  const { events } = runProgram(program, { profile: nearestProfile(kernel), trace: true });
  const simulated = events.map(({ event, fields }) => JSON.stringify({ event, ...fields }));
  return simulated.join('\n') === recorded.map((event) => JSON.stringify(event)).join('\n');
}

/** Looks for the one order of CQEs that a kernel gave. */
function lookFor(
  program: RingProgram,
  profile: UringProfile,
  { outcome }: SeenOutcome,
  limits: ExploreLimits,
): { outcome?: SeenOutcome['outcome']; forbidden: boolean } {
  const answer = scheduleFor(program, profile, cqeOrder(outcome), () => performance.now(), limits);
  if (answer.kind === 'schedule') {
    return equalOutcomes(answer.outcome, outcome)
      ? { outcome: answer.outcome, forbidden: false }
      : { forbidden: false };
  }
  return { forbidden: answer.kind === 'forbidden' || answer.complete };
}

/** The verdicts on programs that a kernel runs; one that cannot be run leaves the others. @throws NoNativeRing */
export async function judgeLive(
  programs: readonly RingProgram[],
  kernel: string,
  run: (program: RingProgram) => Promise<readonly SeenOutcome[]>,
  tell: { verdict(verdict: Verdict): void; failure(failure: Failure): void },
): Promise<{ verdicts: Verdict[]; failures: Failure[] }> {
  const verdicts: Verdict[] = [];
  const failures: Failure[] = [];
  for (const program of programs) {
    try {
      const verdict = judge(program, await run(program), kernel, LIMITS, true);
      verdicts.push(verdict);
      tell.verdict(verdict);
    } catch (error) {
      if (error instanceof NoNativeRing) throw error;
      const failure = { name: program.name, message: error instanceof Error ? error.message : String(error) };
      failures.push(failure);
      tell.failure(failure);
    }
  }
  return { verdicts, failures };
}
