/** docs/conformance.md, made from the verdicts on all programs. */
import type { Comparison, ComparedOutcome, SeenOutcome } from '../ring/compare';
import { firstDifference } from '../ring/compare';
import { URING_RULES, type UringRule } from '../ring/rules';
import { agrees, type TraceVerdict } from './conformance_traces';

/** A program with what was predicted and what a kernel did. */
export interface Verdict {
  readonly name: string;
  readonly kernel: string;
  readonly first: ComparedOutcome;
  readonly seen: readonly SeenOutcome[];
  readonly comparison: Comparison;
  readonly rules: readonly UringRule[];
  /** Schedules seen, where the search for a real outcome was cut: it is not known whether the rules allow it. */
  readonly undecided?: number;
  /** What the kernel gave and is not allowed only lacks CQEs at the end: the machine may have been too slow. */
  readonly cutShort?: true;
  /** Recorded tracepoints are those of the likeliest run; absent where none were recorded. */
  readonly sameEvents?: boolean;
}

/** Why a program's first outcome or its tracepoints are not the recorded ones. */
export interface Reasons {
  readonly first: Readonly<Record<string, string>>;
  readonly trace: Readonly<Record<string, string>>;
}

/** Whether a kernel gave an outcome that the rules do not allow. */
export function isWrong({ comparison, undecided, cutShort }: Verdict): boolean {
  return !comparison.allowed && undecided === undefined && !cutShort;
}

/** The page, as Markdown. */
export function conformancePage(
  verdicts: readonly Verdict[],
  traces: readonly TraceVerdict[],
  reasons: Reasons,
): string {
  const { length: all } = verdicts;
  const exact = verdicts.filter(({ comparison }) => comparison.exact).length;
  const wrong = verdicts.filter(({ comparison }) => !comparison.allowed).length;
  const traced = verdicts.filter(({ sameEvents }) => sameEvents !== undefined);
  const sameEvents = traced.filter(({ sameEvents }) => sameEvents).length;
  const kernel = version(verdicts[0]?.kernel ?? '');
  return [
    '# Conformance with real kernels',
    '',
    'Made by `npm run conformance -- --write` from the programs in `test/fixtures/ring`; do not edit.',
    '',
    `${all} ring programs, each run many times on kernel ${kernel}:`,
    '',
    `- ${all - wrong} where every outcome that the kernel gave is allowed, ${wrong} where it is not;`,
    `- ${exact} where the first predicted outcome is the most frequent real one (${percent(exact, all)});`,
    `- ${sameEvents} of ${traced.length} whose recorded tracepoints, one sequence of one run, are those of the likeliest run: name, user_data, opcode, result, link target, hashed or normal queue (${percent(sameEvents, traced.length)}).`,
    '',
    '`npm run conformance -- --live` asks the kernel of your own machine (Linux, a C compiler).',
    '',
    '## Rules',
    '',
    'A program counts for a rule that its SQEs and its likeliest run exercise. It agrees where every real outcome is allowed.',
    '',
    `| rule | what it says | agrees with kernel ${kernel} |`,
    '| --- | --- | --- |',
    ...URING_RULES.map((rule) => row(rule, verdicts)),
    '',
    ...disagreements(verdicts, reasons),
    ...tracepoints(traces),
    '## Kernels',
    '',
    'The programs above were run on 6.18 only. Profiles 6.1 and 7.3 follow the sources and the recordings of tracepoints; of 6.12 there are no recordings of either kind, its profile follows the source alone.',
    '',
  ].join('\n');
}

function row(rule: UringRule, verdicts: readonly Verdict[]): string {
  const of = verdicts.filter(({ rules }) => rules.some(({ id }) => id === rule.id));
  const agree = of.filter(({ comparison }) => comparison.allowed).length;
  const rest = agree === of.length ? '' : ` of ${of.length}`;
  return `| ${rule.id} | ${rule.says} | ${agree}${rest} ${of.length === 1 ? 'program' : 'programs'} |`;
}

/** Everything that differs from the recorded runs of the programs, each with its reason. */
function disagreements(verdicts: readonly Verdict[], reasons: Reasons): string[] {
  const wrong = verdicts.filter(({ comparison }) => !comparison.allowed);
  const first = verdicts.filter(({ comparison }) => comparison.allowed && !comparison.exact);
  const events = verdicts.filter(({ sameEvents }) => sameEvents === false);
  const unknown = 'the reason was not found';
  return [
    '## Disagreements',
    '',
    'Outcomes that are not allowed:',
    '',
    ...list(wrong, ({ name, first, comparison, undecided }) => {
      const { outcome, count } = comparison.unexpected[0]!;
      const cut = undecided === undefined ? '' : `not found in ${undecided} schedules; `;
      return `${name} (${count} runs): ${cut}${firstDifference(first, outcome)}`;
    }),
    'Allowed, but another outcome was the most frequent one:',
    '',
    ...list(first, ({ name }) => `${name}: ${reasons.first[name] ?? unknown}`),
    'Tracepoints of the recorded run that are not those of the likeliest run:',
    '',
    ...list(events, ({ name, comparison }) => {
      const other = comparison.exact ? undefined : 'the recorded run had another outcome, see above';
      return `${name}: ${reasons.trace[name] ?? other ?? unknown}`;
    }),
  ];
}

function list(verdicts: readonly Verdict[], line: (verdict: Verdict) => string): string[] {
  return verdicts.length === 0 ? ['None.', ''] : [...verdicts.map((verdict) => `- ${line(verdict)}`), ''];
}

/** The section about recorded tracepoints. */
function tracepoints(traces: readonly TraceVerdict[]): string[] {
  const kernels = [...new Set(traces.map(({ kernel }) => kernel))];
  const counts = kernels.map((kernel) => {
    const of = traces.filter((verdict) => verdict.kernel === kernel);
    const equal = of.filter(({ events }) => events === 'equal').length;
    const outcome = of.filter(({ outcome }) => outcome === 'predicted').length;
    return `| ${kernel} | ${of.length} | ${equal} | ${outcome} | ${of.filter(agrees).length} |`;
  });
  const others = traces.filter((verdict) => !agrees(verdict));
  return [
    '## Tracepoints',
    '',
    'Recordings of io_uring programs on three kernels (`test/fixtures/iou`, made from `test/fixtures/oracle/*-iou-*` by `test/conformance/iou.test.ts`), one run each, 6.1 and 7.3 under emulation. Compared are all events of the ring in one sequence: name, user_data, opcode, result, link target, hashed or normal queue, error, and whether the submitter or a worker was in it. On 6.1 the opcode comes from the SQE (that trace prints none); on 6.18 workers were not recorded.',
    '',
    '| kernel | programs | same events | same CQEs | both |',
    '| --- | --- | --- | --- | --- |',
    ...counts,
    '',
    'What differs:',
    '',
    ...others.map(
      ({ program, kernel, events, outcome, reason }) =>
        `- ${program} on ${kernel} (events ${events}; CQEs ${outcome}): ${reason}`,
    ),
    '',
  ];
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '0 %' : `${((100 * part) / whole).toFixed(1)} %`;
}

function version(release: string): string {
  return /^\d+\.\d+/.exec(release)?.[0] ?? release;
}
