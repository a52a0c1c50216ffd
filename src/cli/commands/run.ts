import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { KERNELS, type Session } from '../../session/ast';
import { didYouMean, formatDiagnostic, quote } from '../../session/diagnostics';
import { parseSession } from '../../session/parse';
import { SimulateError, Simulation, type SimulateResult } from '../../simulate';
import { Printer } from '../../trace/print';
import { matchRequests } from '../../trace/requests';
import type { Trace } from '../../trace/trace';
import type { Args } from '../args';
import { COMMON_OPTIONS, type Command, type Environment } from '../command';
import { CliError, codeOf, fileError, shownName, systemMessage, usageError } from '../errors';
import { loadText } from '../input';
import { openOutput, type Output, standardOutput } from '../output';
import { requestColumns } from '../request_columns';
import { saveFiles } from '../save_files';
import { jsonArray, writeTable } from '../table';

/** Events between two looks at progress and output. */
const SLICE = 16384;

/** `run SESSION`: simulates a session and prints its trace. */
export function runCommand(): Command {
  return {
    name: 'run',
    positionals: ['SESSION'],
    says: 'simulate a session and print its trace',
    more: ['What the session prints goes to stderr. Exit code 1: a command of the session failed.'],
    options: [
      { name: 'output', short: 'o', value: 'TRACE', says: 'write the trace to this file' },
      { name: 'kernel', value: 'P', says: `kernel profile: ${KERNELS.join(', ')}` },
      { name: 'seed', value: 'N', says: 'seed of every choice, 64 bits' },
      { name: 'requests', says: 'print the requests instead of the trace' },
      { name: 'count', says: 'print counts instead of the trace' },
      { name: 'save-files', value: 'DIR', says: 'write the simulated files into this folder' },
      ...COMMON_OPTIONS,
    ],
    run,
  };
}

async function run(args: Args, env: Environment): Promise<number> {
  if (args.has('requests') && args.has('count'))
    throw usageError('run takes --requests or --count, not both');
  const session = await readSession(args, env);
  const simulation = new Simulation(session, { realFile: (path) => realFile(session.file, path) });
  const keep = args.has('requests') || (args.has('json') && !args.has('count'));
  const file = args.text('output');
  const trace =
    file !== undefined || !(keep || args.has('count')) ? openOutput(file, session.file) : undefined;
  const counts = new Counter();
  try {
    await drive(simulation, keep, trace, args.has('count') ? counts : undefined, env);
  } catch (error) {
    trace?.abort();
    if (error instanceof SimulateError)
      throw fileError(session.file, error.message, error.line, error.column);
    throw error;
  } finally {
    env.progress.done();
  }
  await trace?.close();
  const result = simulation.result();
  if (result.output !== '') env.tell(result.output.replace(/\n$/, ''));
  const folder = args.text('save-files');
  if (folder !== undefined) saveFiles(folder, result.files);
  await report(session, result, counts, args, env);
  return result.exitCode === 0 ? 0 : 1;
}

/** Takes the run slice by slice; events that are written or counted are forgotten unless they are needed at the end. */
async function drive(
  simulation: Simulation,
  keep: boolean,
  output: Output | undefined,
  counts: Counter | undefined,
  env: Environment,
): Promise<void> {
  const printer = new Printer(simulation.trace);
  let written = 0;
  for (let more = true; more; ) {
    more = simulation.advance(SLICE);
    env.progress.update('simulating', 0, 0, `${simulation.events} events`);
    const { trace } = simulation;
    if (output) for (const part of printer.parts(written)) await output.write(part);
    counts?.add(trace, written);
    if (keep) {
      written = trace.length;
    } else {
      simulation.dropEvents();
    }
  }
}

/** Events by name, without keeping them. */
class Counter {
  readonly names = new Map<string, number>();

  add(trace: Trace, from: number): void {
    for (let i = from; i < trace.length; i++) {
      const name = trace.nameOf(i);
      this.names.set(name, (this.names.get(name) ?? 0) + 1);
    }
  }
}

/** Parses the session and tells its diagnostics; an error among them ends the program. */
async function readSession(args: Args, env: Environment): Promise<Session> {
  const kernel = args.text('kernel');
  if (kernel !== undefined && !KERNELS.some((name) => name === kernel)) {
    const why = `is unknown${didYouMean(kernel, KERNELS)}`;
    throw usageError(`kernel ${quote(kernel)} ${why}; simulated: ${KERNELS.join(', ')}`);
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

/** What goes to stdout besides the trace: requests, counts, or a summary. */
async function report(
  session: Session,
  result: SimulateResult,
  counts: Counter,
  args: Args,
  env: Environment,
): Promise<void> {
  const json = args.has('json');
  if (!args.has('requests') && !args.has('count') && !json) return;
  const output = standardOutput();
  if (args.has('requests')) {
    const requests = matchRequests(result.trace);
    const rows = function* () {
      for (let r = 0; r < requests.length; r++) yield requests.toJson(r);
    };
    if (json) await jsonArray(output, rows());
    else await writeTable(output, env.paint, requestColumns(env.paint), rows);
  } else {
    const { kernel, server, seed } = session.settings;
    const numbers = { events: result.events, client_ios: result.clientIos, virtual_time_ns: result.time };
    const events = Object.fromEntries([...counts.names].sort((a, b) => b[1] - a[1]));
    const summary = { kernel, server, seed: seed.toString(), ...numbers, exit_code: result.exitCode };
    if (json) {
      const more = args.has('count') ? { by_name: events } : { requests: matchRequests(result.trace).length };
      await output.write(`${JSON.stringify({ ...summary, ...more })}\n`);
    } else {
      for (const [name, value] of Object.entries({ ...numbers, ...events }))
        await output.write(`${name} ${value}\n`);
    }
  }
  await output.close();
}

/** Content of a file that a session names, relative to it; undefined where there is none. */
export function realFile(session: string, path: string): Uint8Array | undefined {
  const place = resolve(session === '-' ? '.' : dirname(session), path);
  try {
    return statSync(place).isFile() ? readFileSync(place) : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw fileError(place, systemMessage(error));
  }
}
