import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { KERNELS, type Session, SIMULATED_KERNELS } from '../../session/ast';
import { didYouMean, formatDiagnostic, quote } from '../../session/diagnostics';
import { parseSession } from '../../session/parse';
import { Printer } from '../../trace/print';
import { matchRequests } from '../../trace/requests';
import type { Trace } from '../../trace/trace';
import type { Args } from '../args';
import { COMMON_OPTIONS, type Command, type Environment } from '../command';
import { CliError, codeOf, fileError, shownName, systemMessage, usageError } from '../errors';
import { loadText } from '../input';
import { openOutput, type Output, standardOutput } from '../output';
import { requestColumns } from '../request_columns';
import { saveFiles, type SimulatedFile } from '../save_files';
import { jsonArray, writeTable } from '../table';

/** What the command line asks of the simulator. */
interface SimulateOptions {
  /** Content of a real file that the session names; undefined when there is none. Paths are relative to the session. */
  readonly realFile: (path: string) => Uint8Array | undefined;
  /** Called now and then with the number of events so far. */
  readonly progress: (events: number) => void;
}

/** What the command line takes from the simulator. */
export interface SimulateResult {
  readonly trace: Trace;
  /** Exit code of the session as a script; not 0 when a command of it failed. */
  readonly exitCode: number;
  /** What the session's commands printed. */
  readonly output: string;
  /** The simulated files as they are at the end. */
  readonly files: Iterable<SimulatedFile>;
}

export type Simulate = (session: Session, options: SimulateOptions) => SimulateResult;

/** `run SESSION`: simulates a session and prints its trace. */
export function runCommand(simulate: Simulate): Command {
  return {
    name: 'run',
    positionals: ['SESSION'],
    says: 'simulate a session and print its trace',
    more: ['What the session prints goes to stderr. Exit code 1: a command of the session failed.'],
    options: [
      { name: 'output', short: 'o', value: 'TRACE', says: 'write the trace to this file' },
      { name: 'kernel', value: 'P', says: `kernel profile: ${SIMULATED_KERNELS.join(', ')}` },
      { name: 'seed', value: 'N', says: 'seed of every choice, 64 bits' },
      { name: 'requests', says: 'print the requests instead of the trace' },
      { name: 'count', says: 'print counts instead of the trace' },
      { name: 'save-files', value: 'DIR', says: 'write the simulated files into this folder' },
      ...COMMON_OPTIONS,
    ],
    run: (args, env) => run(simulate, args, env),
  };
}

async function run(simulate: Simulate, args: Args, env: Environment): Promise<number> {
  if (args.has('requests') && args.has('count'))
    throw usageError('run takes --requests or --count, not both');
  const session = await readSession(args, env);
  let result: SimulateResult;
  try {
    result = simulate(session, {
      realFile: (path) => realFile(session.file, path),
      progress: (events) => env.progress.update('simulating', 0, 0, `${events} events`),
    });
  } finally {
    env.progress.done();
  }
  if (result.output !== '') env.tell(result.output.replace(/\n$/, ''));
  const file = args.text('output');
  if (file !== undefined) await writeTrace(openOutput(file), result.trace);
  const folder = args.text('save-files');
  if (folder !== undefined) saveFiles(folder, result.files);
  if (file !== '-') await report(session, result, args, env);
  return result.exitCode === 0 ? 0 : 1;
}

/** Parses the session and tells its diagnostics; an error among them ends the program. */
async function readSession(args: Args, env: Environment): Promise<Session> {
  const kernel = args.text('kernel');
  if (kernel !== undefined && !SIMULATED_KERNELS.some((name) => name === kernel)) {
    const why = KERNELS.some((name) => name === kernel)
      ? 'is not simulated'
      : `is unknown${didYouMean(kernel, KERNELS)}`;
    throw usageError(`kernel ${quote(kernel)} ${why}; simulated: ${SIMULATED_KERNELS.join(', ')}`);
  }
  const seed = args.word64('seed');
  const file = args.positionals[0]!;
  const session = parseSession(await loadText(file), file, {
    ...(kernel === undefined ? {} : { kernel }),
    ...(seed === undefined ? {} : { seed }),
  });
  const lines = session.diagnostics
    .filter((diagnostic) => diagnostic.severity !== 'info')
    .map((diagnostic) => formatDiagnostic(shownName(file), diagnostic));
  if (session.diagnostics.some((diagnostic) => diagnostic.severity === 'error'))
    throw new CliError(lines.join('\n'));
  for (const line of lines) env.tell(line);
  return session;
}

/** What goes to stdout: requests, counts, a summary, or the trace where it went nowhere else. */
async function report(
  session: Session,
  { trace, exitCode }: SimulateResult,
  args: Args,
  env: Environment,
): Promise<void> {
  const json = args.has('json');
  const file = args.text('output');
  if (!args.has('requests') && !args.has('count') && !json) {
    if (file === undefined) await writeTrace(standardOutput(), trace);
    return;
  }
  const output = standardOutput();
  const requests = matchRequests(trace);
  const rows = function* () {
    for (let r = 0; r < requests.length; r++) yield requests.toJson(r);
  };
  if (args.has('requests')) {
    if (json) await jsonArray(output, rows());
    else await writeTable(output, env.paint, requestColumns(env.paint), rows);
  } else {
    const { kernel, server, seed } = session.settings;
    const counts = { events: trace.length, requests: requests.length };
    const summary = { kernel, server, seed: seed.toString(), ...counts, exit_code: exitCode };
    if (json) await output.write(`${JSON.stringify(summary)}\n`);
    else for (const [name, value] of Object.entries(counts)) await output.write(`${name} ${value}\n`);
  }
  await output.close();
}

async function writeTrace(output: Output, trace: Trace): Promise<void> {
  try {
    for (const part of new Printer(trace).parts()) await output.write(part);
  } catch (error) {
    output.abort();
    throw error;
  }
  await output.close();
}

function realFile(session: string, path: string): Uint8Array | undefined {
  const place = resolve(session === '-' ? '.' : dirname(session), path);
  try {
    return statSync(place).isFile() ? readFileSync(place) : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw fileError(place, systemMessage(error));
  }
}
