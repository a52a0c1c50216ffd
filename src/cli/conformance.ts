/** `npm run conformance`: how close predictions are to what a kernel does, recorded or on this machine. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DEFAULT_URING_PROFILE, nearestProfile } from '../kernel/uring/uring_profile';
import { type ComparedOutcome, cqeOrder, firstDifference } from '../ring/compare';
import { ProgramError } from '../ring/json_text';
import type { RingProgram } from '../ring/program';
import { readProgram } from '../ring/read_program';
import { readArgs } from './args';
import { judge, judgeLive, sameEvents } from './conformance_judge';
import { conformancePage, isWrong, type Reasons, type Verdict } from './conformance_page';
import { agrees, compareTraces, type TraceVerdict } from './conformance_traces';
import { CliError, fileError, systemMessage } from './errors';
import { NativeRing, NoNativeRing } from './native_ring';

const SPEC = {
  name: 'conformance',
  positionals: [],
  options: [
    { name: 'live', says: "run on this machine's kernel instead of reading NAME.expect.json" },
    { name: 'runs', value: 'N', says: 'live runs of each program (default 10)' },
    { name: 'write', says: 'write docs/conformance.md' },
  ],
} as const;

const FIXTURES = join('test', 'fixtures', 'ring');
/** Why predictions differ from the most frequent outcome or from the recorded tracepoints, by program. */
const REASONS = join('test', 'fixtures', 'ring-reasons.json');
const TRACES = join('test', 'fixtures', 'iou');
const PAGE = join('docs', 'conformance.md');
const RUNS = 10;

/** How it is used, from SPEC. */
function usage(): string {
  const rows = SPEC.options.map((option) => [
    `--${option.name}${'value' in option ? ` ${option.value}` : ''}`,
    option.says,
  ]);
  rows.push(['--help', 'print this']);
  return [
    'usage: npm run conformance -- [OPTION...] [PROGRAM.json...]',
    '',
    `Compares predictions of ring programs (default: those in ${FIXTURES}) with what a kernel gave.`,
    '',
    ...rows.map(([option, says]) => `  ${option!.padEnd(10)} ${says}`),
  ].join('\n');
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    say(usage());
    return 0;
  }
  const files = argv.filter((arg, i) => !arg.startsWith('-') && argv[i - 1] !== '--runs');
  const args = readArgs(
    SPEC,
    argv.filter((arg) => !files.includes(arg)),
  );
  const runs = args.count('runs', 1) ?? RUNS;
  const programs = (files.length > 0 ? files : fixtures()).map((file) => ({ file, program: load(file) }));
  if (!args.has('live'))
    return report(
      programs.map((each) => recorded(each)),
      args.has('write'),
      false,
    );
  let native: NativeRing;
  try {
    native = NativeRing.build();
  } catch (error) {
    return skipped(error);
  }
  try {
    if (native.remark !== '') say(`note: ${native.remark}`);
    const { name } = nearestProfile(native.kernel);
    if (!native.kernel.startsWith(`${name}.`))
      say(`note: kernel ${native.kernel} is compared with profile ${name}`);
    const { verdicts, failures } = await judgeLive(
      programs.map(({ program }) => program),
      native.kernel,
      (program) => native.run(program, runs),
      {
        verdict: (verdict) => tell(verdict, programs.length <= 5),
        failure: ({ name, message }) => say(`${name}: could not be run: ${message}`),
      },
    );
    const code = report(verdicts, false, true);
    if (failures.length === 0) return code;
    say(`${failures.length} of ${programs.length} programs could not be run`);
    return 1;
  } catch (error) {
    return skipped(error);
  } finally {
    native.dispose();
  }
}

/** Where the machine cannot run programs that is said, and is no failure. */
function skipped(error: unknown): number {
  if (!(error instanceof NoNativeRing)) throw error;
  say(`skipped: ${error.message}`);
  return 0;
}

function readReasons(): Reasons {
  return JSON.parse(readFileSync(REASONS, 'utf8')) as Reasons;
}

function fixtures(): string[] {
  const dir = [process.cwd(), join(__dirname, '..')].map((root) => join(root, FIXTURES)).find(existsSync);
  if (dir === undefined) throw new CliError('conformance: name the programs to run');
  return readdirSync(dir)
    .filter((name) => name.endsWith('.json') && !name.endsWith('.expect.json'))
    .map((name) => join(dir, name));
}

function load(file: string): RingProgram {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw fileError(file, systemMessage(error));
  }
  try {
    return readProgram(text);
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    throw fileError(file, error.message, error.place.line, error.place.column);
  }
}

function recorded({ file, program }: { file: string; program: RingProgram }): Verdict {
  const path = join(dirname(file), `${basename(file, '.json')}.expect.json`);
  let given: {
    kernel?: string;
    outcomes: (ComparedOutcome & { count?: number })[];
    trace?: { events: readonly object[] };
  };
  try {
    given = JSON.parse(readFileSync(path, 'utf8')) as typeof given;
  } catch (error) {
    throw fileError(path, systemMessage(error));
  }
  const seen = given.outcomes.map(({ count = 1, ...outcome }) => ({ count, outcome }));
  const kernel = given.kernel ?? DEFAULT_URING_PROFILE;
  const verdict = judge(program, seen, kernel);
  return given.trace ? { ...verdict, sameEvents: sameEvents(program, kernel, given.trace.events) } : verdict;
}

/** One line for each program, and more where it is alone. */
function tell(verdict: Verdict, fully: boolean): void {
  const { name, first, seen, comparison, undecided } = verdict;
  const runs = seen.reduce((sum, { count }) => sum + count, 0);
  const agree = Math.round(comparison.share * runs);
  say(`${name}: ${wordOf(verdict)}, ${agree} of ${runs} runs as predicted`);
  if (fully) {
    say(`  predicted       ${cqeOrder(first)}`);
    for (const { count, outcome } of seen)
      say(`  real ${String(count).padStart(4)} times ${cqeOrder(outcome)}`);
  }
  for (const { outcome, count } of comparison.unexpected)
    say(
      `  ${undecided === undefined ? 'not predicted' : 'not found'}, ${count} times: ${firstDifference(first, outcome)}`,
    );
}

function wordOf(verdict: Verdict): string {
  const { comparison, undecided, cutShort } = verdict;
  if (isWrong(verdict)) return 'WRONG';
  if (cutShort)
    return 'undecided: CQEs are missing behind those that came (the machine may have been too slow)';
  if (undecided !== undefined) return `not found in ${undecided} schedules (the search is incomplete)`;
  return comparison.exact ? 'agrees' : 'another order';
}

function report(verdicts: readonly Verdict[], write: boolean, told: boolean): number {
  const all = verdicts.length;
  const wrong = verdicts.filter(isWrong);
  const undecided = verdicts.filter((verdict) => verdict.undecided !== undefined).length;
  const cut = verdicts.filter(({ cutShort }) => cutShort).length;
  const exact = verdicts.filter(({ comparison }) => comparison.exact).length;
  if (!told) for (const verdict of verdicts) if (!verdict.comparison.exact) tell(verdict, false);
  const kernels = [...new Set(verdicts.map(({ kernel }) => kernel))].join(', ');
  say(
    `${all} programs on ${kernels}: ${exact} predicted exactly, ${wrong.length} with an outcome that is not allowed${undecided === 0 ? '' : `, ${undecided} with one that was not found in the time given`}${cut === 0 ? '' : `, ${cut} undecided`}`,
  );
  if (write) {
    const traces = compareTraces(TRACES);
    tellTraces(traces);
    writeFileSync(PAGE, conformancePage(verdicts, traces, readReasons()));
    say(`written: ${PAGE}`);
  }
  return wrong.length === 0 ? 0 : 1;
}

function tellTraces(traces: readonly TraceVerdict[]): void {
  const agreeing = traces.filter(agrees).length;
  say(
    `${traces.length} recordings of tracepoints: ${agreeing} as simulated, the others with reasons on the page`,
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof CliError ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
