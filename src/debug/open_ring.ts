import { DEFAULT_URING_PROFILE, URING_PROFILE_NAMES, uringProfile } from '../kernel/uring/uring_profile';
import type { UringProfile } from '../kernel/uring/uring_profile';
import { placeAt, ProgramError } from '../ring/json_text';
import type { RingProgram } from '../ring/program';
import { readProgram } from '../ring/read_program';
import { intoWithFacts, Moments } from '../ring/ring_facts';
import { writeRingTrace } from '../ring/ring_trace';
import { type RunResult, runProgram, StepError } from '../ring/run';
import { didYouMean } from '../session/diagnostics';
import type { Sqe } from '../uapi/sqe';
import type { OpenTrace } from './model';
import { OpenError, type OpenHost, prepared, scheduleChoices } from './open';
import { sqeLines } from './ring_lines';

/** Which run of a ring program to open. */
export interface RingRun {
  /** Kernel profile; the default one where it is left out. */
  readonly kernel?: string;
  /** Decisions of the run, numbers divided by dots; the likeliest run where it is left out. */
  readonly schedule?: string;
}

/** A mistake of a ring program with its place, counted from 1. */
export interface RingMistake {
  readonly line: number;
  readonly column: number;
  /** Offset in the text, from 0. */
  readonly offset: number;
  readonly message: string;
}

/** Reads a ring program; where it cannot be read or run, says what is wrong instead. */
export function checkRing(
  text: string,
  profile: UringProfile = uringProfile(DEFAULT_URING_PROFILE)!,
): { readonly program?: RingProgram; readonly mistake?: RingMistake } {
  let program: RingProgram | undefined;
  try {
    program = readProgram(text);
    runProgram(program, { profile });
    return { program };
  } catch (error) {
    return { mistake: mistakeOf(text, program, error) };
  }
}

/**
 * Runs a ring program and opens its trace.
 * @throws OpenError, OpenCancelled
 */
export async function openRing(path: string, text: string, host: OpenHost, how: RingRun): Promise<OpenTrace> {
  const name = how.kernel ?? DEFAULT_URING_PROFILE;
  const profile = uringProfile(name);
  if (profile === undefined)
    throw new OpenError(
      `${path}:1:1: ring programs run on ${URING_PROFILE_NAMES.join(', ')}, not on ${JSON.stringify(name)}${didYouMean(name, URING_PROFILE_NAMES)}`,
    );
  let program: RingProgram | undefined;
  let run: RunResult;
  const moments = new Moments();
  try {
    program = readProgram(text);
    run = runProgram(program, { profile, trace: true, ...moments.options, ...chooserOf(how.schedule) });
  } catch (error) {
    const { line, column, message } = mistakeOf(text, program, error);
    throw new OpenError(`${path}:${line}:${column}: ${message}`);
  }
  const firstEvent = new Map<Sqe, number>();
  const fills = new Map<Sqe, number>();
  const filled = (event: number, sqe: Sqe): void => {
    fills.set(sqe, event);
  };
  const note = (event: number, sqe: Sqe): void => {
    if (!firstEvent.has(sqe)) firstEvent.set(sqe, event);
  };
  const trace = writeRingTrace(program, profile, run, note, intoWithFacts(program, moments, filled));
  const sqes = sqeLines(text, program, firstEvent, fills);
  await host.pause();
  return prepared(
    trace,
    { kind: 'ring', path, kernel: profile.name, name: program.name, steps: run.steps, sqes },
    host,
  );
}

/** The decisions of a schedule as text, for {@link RingRun.schedule}. */
export function scheduleText(choices: readonly number[]): string {
  return choices.join('.');
}

function chooserOf(schedule: string | undefined): { chooser?: (n: number) => number } {
  if (schedule === undefined) return {};
  const choices = scheduleChoices(schedule);
  let at = 0;
  return { chooser: (n) => Math.min(n - 1, choices[at++] ?? 0) };
}

function mistakeOf(text: string, program: RingProgram | undefined, error: unknown): RingMistake {
  if (error instanceof ProgramError) return { ...error.place, offset: error.offset, message: error.message };
  if (!(error instanceof StepError)) throw error;
  const offset = program?.sqeAt[error.step]?.[error.sqe] ?? 0;
  return { ...placeAt(text, offset), offset, message: error.message };
}
