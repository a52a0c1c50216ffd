import {
  DEFAULT_URING_PROFILE,
  URING_PROFILE_NAMES,
  type UringProfile,
  uringProfile,
} from '../../kernel/uring/uring_profile';
import { EXPLORE_LIMITS, type Exploration, explore } from '../../ring/explore';
import { placeAt, ProgramError } from '../../ring/json_text';
import type { RingProgram } from '../../ring/program';
import { readProgram } from '../../ring/read_program';
import { runProgram, SqFullError } from '../../ring/run';
import { writeRingTrace } from '../../ring/ring_trace';
import { didYouMean, quote } from '../../session/diagnostics';
import { Printer } from '../../trace/print';
import type { Args } from '../args';
import { COMMON_OPTIONS, type Command } from '../command';
import { fileError, usageError } from '../errors';
import { loadText } from '../input';
import { openOutput, standardOutput } from '../output';

/** `ring PROGRAM.json`: what io_uring answers to a ring program. */
export const ringCommand: Command = {
  name: 'ring',
  positionals: ['PROGRAM.json'],
  says: 'run a ring program: which CQEs come, with which results, in which orders',
  more: [
    'Prints JSON: {"outcomes": [...]}, the likeliest outcome first.',
    `--all stops after ${EXPLORE_LIMITS.time / 1000} seconds and then says how many schedules it has seen.`,
    'Of the profiles, 6.12 was never compared with recordings.',
  ],
  options: [
    {
      name: 'profile',
      value: 'NAME',
      says: `kernel: ${URING_PROFILE_NAMES.join(', ')} (default ${DEFAULT_URING_PROFILE})`,
    },
    { name: 'all', says: `every outcome that the rules allow, at most ${EXPLORE_LIMITS.outcomes}` },
    { name: 'output', short: 'o', value: 'FILE', says: 'write the trace of the first outcome' },
    ...COMMON_OPTIONS,
  ],
  async run(args: Args) {
    const file = args.positionals[0]!;
    const profile = profileOf(args.text('profile') ?? DEFAULT_URING_PROFILE);
    const text = await loadText(file);
    const program = placed(file, text, undefined, () => readProgram(text));
    const trace = args.text('output');
    const first = placed(file, text, program, () =>
      runProgram(program, { profile, trace: trace !== undefined }),
    );
    if (trace !== undefined) await writeTrace(trace, program, profile, first);
    const head = { program: program.name, kernel: profile.name };
    const answer = args.has('all')
      ? {
          ...head,
          ...allOf(placed(file, text, program, () => explore(program, profile, () => performance.now()))),
        }
      : { ...head, outcomes: [first.outcome()] };
    const output = standardOutput();
    await output.write(`${JSON.stringify(answer)}\n`);
    await output.close();
    return 0;
  },
};

function profileOf(name: string): UringProfile {
  const profile = uringProfile(name);
  if (profile) return profile;
  throw usageError(`no profile ${quote(name)}${didYouMean(name, URING_PROFILE_NAMES)}`);
}

/** Runs `action`; what it finds wrong with the program is told with its place in the file. */
function placed<T>(file: string, text: string, program: RingProgram | undefined, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof ProgramError) {
      throw fileError(file, error.message, error.place.line, error.place.column);
    }
    if (!(error instanceof SqFullError)) throw error;
    const place = placeAt(text, program?.sqeAt[error.step]?.[error.sqe] ?? 0);
    throw fileError(file, error.message, place.line, place.column);
  }
}

function allOf(exploration: Exploration): object {
  const { found, total, schedules, complete } = exploration;
  return {
    outcomes: found.map(({ outcome }) => outcome),
    total,
    ...(complete ? {} : { incomplete: `${schedules} schedules seen` }),
  };
}

async function writeTrace(
  file: string,
  program: RingProgram,
  profile: UringProfile,
  run: ReturnType<typeof runProgram>,
): Promise<void> {
  const trace = writeRingTrace(program, profile, run);
  const printer = new Printer(trace);
  const output = openOutput(file);
  for (const part of printer.parts(0)) await output.write(part);
  await output.close();
}
