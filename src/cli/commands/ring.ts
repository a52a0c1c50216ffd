import { createHash } from 'node:crypto';
import { basename } from 'node:path';
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
import { exploredRelation } from '../../ring/explored_relation';
import type { OrderedPair } from '../../ring/order';
import { type RunResult, runProgram, StepError } from '../../ring/run';
import { intoWithFacts, Moments } from '../../ring/ring_facts';
import { writeRingTrace } from '../../ring/ring_trace';
import { cqeOrder, scheduleFor } from '../../ring/schedule';
import { sessionOf } from '../../ring/to_session';
import { nameOf, readName, unknownName } from '../../ring/wanted_order';
import { OpenError, ringOfSession } from '../../debug/open';
import { didYouMean, quote } from '../../session/diagnostics';
import { Printer } from '../../trace/print';
import type { Args } from '../args';
import { COMMON_OPTIONS, type Command } from '../command';
import { CliError, fileError, shownName, usageError } from '../errors';
import { loadText } from '../input';
import { realFile } from './run';
import { openOutput, type Output, standardOutput } from '../output';

/** `ring PROGRAM.json`: what io_uring answers to a ring program. */
export const ringCommand: Command = {
  name: 'ring',
  positionals: ['PROGRAM.json'],
  says: 'run a ring program: which CQEs come, with which results, in which orders',
  more: [
    'A session (.ublk) that has nothing but files, pipes and a ring is a program, too; its kernel is the one it names.',
    'Prints JSON: {"outcomes": [...]}, the likeliest outcome first.',
    `Where there are too many states, --all stops after ${EXPLORE_LIMITS.schedules} schedules`,
    'and then says how many schedules it has seen ("incomplete").',
    'With --all also, for each pair of CQEs, the rule that guarantees its order, or that it is',
    'accidental ("kernel": what keeps it so in this version nevertheless).',
    'Exit code 1: --order asks for an order that cannot come.',
    '--session prints the program as a session: the same by sqe and submit lines.',
    'Of the profiles, 6.12 was never compared with recordings.',
  ],
  options: [
    {
      name: 'kernel',
      value: 'P',
      says: `kernel profile: ${URING_PROFILE_NAMES.join(', ')} (default ${DEFAULT_URING_PROFILE})`,
    },
    { name: 'all', says: `every outcome that the rules allow, at most ${EXPLORE_LIMITS.outcomes}` },
    {
      name: 'order',
      value: 'A,B,...',
      says: 'a schedule in which the CQEs with these user_data come in this order (3#2: of the second SQE with user_data 3), or the rule that forbids it',
    },
    { name: 'session', says: 'print the program as a session (.ublk)' },
    { name: 'output', short: 'o', value: 'FILE', says: 'write the trace of the first outcome' },
    {
      name: 'facts',
      says: 'with -o: also what no tracepoint of a kernel tells, the bytes of SQEs and where CQEs are taken',
    },
    ...COMMON_OPTIONS,
  ],
  async run(args: Args) {
    const file = args.positionals[0]!;
    const text = await loadText(file);
    const { program, profile } = file.endsWith('.ublk')
      ? await ofSession(file, text, args.text('kernel'))
      : {
          profile: profileOf(args.text('kernel') ?? DEFAULT_URING_PROFILE),
          program: placed(file, text, undefined, () => readProgram(text)),
        };
    if (args.has('session')) {
      const output = standardOutput();
      await output.write(sessionOf(program, profile.name));
      await output.close();
      return 0;
    }
    const trace = args.text('output');
    const facts = args.has('facts') ? new Moments() : undefined;
    if (facts && trace === undefined) throw usageError('--facts goes with -o FILE');
    const first = placed(file, text, program, () =>
      runProgram(program, { profile, trace: trace !== undefined, hash: sha256, ...facts?.options }),
    );
    if (trace !== undefined) await writeTrace(openOutput(trace, file), program, profile, first, facts);
    const head = { program: program.name, kernel: profile.name };
    const order = args.text('order');
    if (order !== undefined) return writeOrder(file, text, program, profile, readOrder(order, program));
    const answer = args.has('all')
      ? {
          ...head,
          ...allOf(
            placed(file, text, program, () => explore(program, profile, () => performance.now())),
            first,
          ),
        }
      : { ...head, outcomes: [first.outcome()] };
    const output = standardOutput();
    await output.write(`${JSON.stringify(answer)}\n`);
    await output.close();
    return 0;
  },
};

/** SHA-256 as Node has it, which is faster than our own for large files. */
function sha256(pieces: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

/** A session that has nothing but a ring, as a program. */
async function ofSession(
  file: string,
  text: string,
  kernel: string | undefined,
): Promise<{ readonly program: RingProgram; readonly profile: UringProfile }> {
  try {
    const { program, profile } = await ringOfSession(shownName(file), text, {
      pause: async () => undefined,
      readFile: async (path) => realFile(file, path),
      overrides: kernel === undefined ? {} : { kernel },
    });
    return { program: { ...program, name: basename(file, '.ublk') }, profile };
  } catch (error) {
    if (error instanceof OpenError) throw new CliError(error.message);
    throw error;
  }
}

function profileOf(name: string): UringProfile {
  const profile = uringProfile(name);
  if (profile) return profile;
  const guess = didYouMean(name, URING_PROFILE_NAMES);
  throw usageError(
    `kernel ${quote(name)} is unknown${guess}; ring programs run on ${URING_PROFILE_NAMES.join(', ')}`,
  );
}

/** Runs `action`; what it finds wrong with the program is told with its place in the file. */
function placed<T>(file: string, text: string, program: RingProgram | undefined, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof ProgramError) {
      throw fileError(file, error.message, error.place.line, error.place.column);
    }
    if (!(error instanceof StepError)) throw error;
    const place = placeAt(text, program?.sqeAt[error.step]?.[error.sqe] ?? 0);
    throw fileError(file, error.message, place.line, place.column);
  }
}

function allOf(exploration: Exploration, first: RunResult): object {
  const { found, total, schedules, complete } = exploration;
  const known = new Set(cqeOrder(first));
  const { pairs, orders } = exploredRelation(first, exploration);
  const repeated = new Set(
    [...known].filter((name) => cqeOrder(first).filter((other) => other === name).length > 1),
  );
  return {
    outcomes: found.map(({ outcome }) => outcome),
    total,
    ...(complete ? {} : { incomplete: `${schedules} schedules seen` }),
    order: {
      ...(orders === undefined ? {} : { orders }),
      pairs: pairs.map((pair) => pairOf(pair, repeated)),
    },
  };
}

async function writeTrace(
  output: Output,
  program: RingProgram,
  profile: UringProfile,
  run: RunResult,
  facts: Moments | undefined,
): Promise<void> {
  const into = facts && intoWithFacts(program, facts);
  const trace = writeRingTrace(program, profile, run, undefined, into);
  const printer = new Printer(trace);
  for (const part of printer.parts(0)) await output.write(part);
  await output.close();
}

/** The user_data of --order, decimal; each must be that of an SQE. */
function readOrder(text: string, program: RingProgram): string[] {
  return text.split(',').map((word) => {
    const value = word.trim();
    const wanted = readName(value);
    if (wanted === undefined) {
      throw usageError(
        `--order needs user_data separated by commas, such as 3,1,0x2 or 3#2 for the second SQE with user_data 3, not ${quote(value)}`,
      );
    }
    const name = nameOf(wanted);
    const wrong = unknownName(program, name);
    if (wrong !== undefined) throw usageError(`--order: ${wrong}`);
    return name;
  });
}

async function writeOrder(
  file: string,
  text: string,
  program: RingProgram,
  profile: UringProfile,
  wanted: readonly string[],
): Promise<number> {
  const answer = placed(file, text, program, () =>
    scheduleFor(program, profile, wanted, () => performance.now()),
  );
  const head = { program: program.name, kernel: profile.name, order: wanted };
  const output = standardOutput();
  switch (answer.kind) {
    case 'schedule':
      await output.write(
        `${JSON.stringify({ ...head, outcomes: [answer.outcome], schedule: answer.events })}\n`,
      );
      break;
    case 'forbidden': {
      const { first, second, rules } = answer.pair;
      await output.write(
        `${JSON.stringify({ ...head, forbidden: { first, second, rules, says: answer.says } })}\n`,
      );
      break;
    }
    case 'absent': {
      const seen = `${answer.schedules} schedules seen`;
      const says = answer.says === undefined ? {} : { says: answer.says };
      await output.write(
        `${JSON.stringify({ ...head, ...(answer.complete ? { absent: seen, ...says } : { incomplete: seen }) })}\n`,
      );
    }
  }
  await output.close();
  return answer.kind === 'schedule' ? 0 : 1;
}

/** A pair as it is printed: names as in --order, with the numbers of SQEs where a user_data repeats. */
function pairOf(pair: OrderedPair, repeated: ReadonlySet<string>): object {
  const { first, second, rules, guaranteed } = pair;
  const names = {
    first: pair.firstName ?? first,
    ...(repeated.has(first) ? { first_sqe: pair.firstSqe } : {}),
    second: pair.secondName ?? second,
    ...(repeated.has(second) ? { second_sqe: pair.secondSqe } : {}),
  };
  if (guaranteed) return { ...names, guaranteed: rules };
  return rules.length > 0 ? { ...names, accidental: true, kernel: rules } : { ...names, accidental: true };
}
