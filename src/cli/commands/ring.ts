import { DEFAULT_URING_PROFILE, URING_PROFILE_NAMES, uringProfile } from '../../kernel/uring/uring_profile';
import { placeAt, ProgramError } from '../../ring/json_text';
import type { RingProgram } from '../../ring/program';
import { readProgram } from '../../ring/read_program';
import { runProgram, SqFullError } from '../../ring/run';
import { didYouMean, quote } from '../../session/diagnostics';
import type { Args } from '../args';
import { COMMON_OPTIONS, type Command } from '../command';
import { type CliError, fileError, usageError } from '../errors';
import { loadText } from '../input';
import { standardOutput } from '../output';

/** `ring PROGRAM.json`: what io_uring answers to a ring program. */
export const ringCommand: Command = {
  name: 'ring',
  positionals: ['PROGRAM.json'],
  says: 'run a ring program: which CQEs come, with which results, in which orders',
  options: [
    {
      name: 'profile',
      value: 'NAME',
      says: `kernel: ${URING_PROFILE_NAMES.join(', ')} (default ${DEFAULT_URING_PROFILE})`,
    },
    ...COMMON_OPTIONS,
  ],
  async run(args: Args) {
    const file = args.positionals[0]!;
    const name = args.text('profile') ?? DEFAULT_URING_PROFILE;
    const profile = uringProfile(name);
    if (profile === undefined) {
      throw usageError(`no profile ${quote(name)}${didYouMean(name, URING_PROFILE_NAMES)}`);
    }
    const text = await loadText(file);
    const program = parse(file, text);
    const output = standardOutput();
    try {
      const outcome = runProgram(program, { profile }).outcome();
      await output.write(
        `${JSON.stringify({ program: program.name, kernel: profile.name, outcomes: [outcome] })}\n`,
      );
    } catch (error) {
      throw explain(file, text, program, error);
    }
    await output.close();
    return 0;
  },
};

function parse(file: string, text: string): RingProgram {
  try {
    return readProgram(text);
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    throw fileError(file, error.message, error.place.line, error.place.column);
  }
}

function explain(file: string, text: string, program: RingProgram, error: unknown): CliError | unknown {
  if (!(error instanceof SqFullError)) return error;
  const place = placeAt(text, program.sqeAt[error.step]?.[error.sqe] ?? 0);
  return fileError(file, error.message, place.line, place.column);
}
