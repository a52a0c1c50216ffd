import { checkTrace } from '../../check/check';
import { RULES } from '../../check/rules';
import type { CheckReport, Severity, Violation } from '../../check/types';
import { Printer } from '../../trace/print';
import type { Args } from '../args';
import { COMMON_OPTIONS, type Command, type Environment, tellDamage } from '../command';
import { shownName } from '../errors';
import { type LoadedTrace, loadTrace } from '../input';
import { type Output, standardOutput } from '../output';
import type { Paint } from '../terminal';

const BLAME: Readonly<Record<Severity, string>> = {
  K: 'kernel, recorder or simulator',
  S: 'server',
  P: 'hint',
};

/** `check TRACE`: broken invariants, with the events that show them. Exit code 1 when there is one. */
export const checkCommand: Command = {
  name: 'check',
  positionals: ['TRACE'],
  says: 'find broken rules',
  more: [
    'Exit code 1: a rule is broken. The letter tells whose rule it is:',
    ...Object.entries(BLAME).map(([letter, who]) => `  ${letter}  ${who}`),
    'Rules:',
    ...RULES.map((rule) => `  ${rule.id} ${rule.severity}  ${rule.title}`),
  ],
  options: [...COMMON_OPTIONS],
  async run(args: Args, env: Environment) {
    const loaded = await loadTrace(args.positionals[0]!, env.progress);
    tellDamage(loaded, env);
    const report = checkTrace(loaded.trace);
    const output = standardOutput();
    if (args.has('json')) await output.write(`${JSON.stringify(report)}\n`);
    else await writeReport(output, report, loaded, env.paint);
    await output.close();
    return report.violations.length > 0 ? 1 : 0;
  },
};

async function writeReport(
  output: Output,
  report: CheckReport,
  loaded: LoadedTrace,
  paint: Paint,
): Promise<void> {
  const file = shownName(loaded.file);
  const printer = new Printer(loaded.trace);
  for (const violation of report.violations) {
    const { rule, severity, message, line } = violation;
    const letter = severity === 'P' ? paint.yellow(severity) : paint.red(severity);
    await output.write(
      `${file}:${line}:1: ${paint.bold(rule)} ${letter} ${message}${placeText(violation)}\n`,
    );
    for (const e of violation.evidence) {
      const mark = e === violation.event ? '>' : ' ';
      await output.write(`${paint.dim(`  ${mark} ${loaded.trace.lineOf(e)}: ${printer.line(e).trim()}`)}\n`);
    }
  }
  const broken = new Set(report.violations.map((v) => v.rule));
  const holds = report.evaluated.filter((rule) => !broken.has(rule)).length;
  const parts = [`${holds} rules hold`];
  if (broken.size > 0) parts.unshift(paint.red(`${[...broken].join(', ')} broken`));
  const open = report.notEvaluated.length;
  await output.write(`${parts.join(', ')}, ${open} not evaluated${open > 0 ? ':' : ''}\n`);
  const reasons = new Map<string, string[]>();
  for (const { rule, reason } of report.notEvaluated)
    reasons.set(reason, [...(reasons.get(reason) ?? []), rule]);
  for (const [reason, rules] of reasons)
    await output.write(`${paint.dim(`  ${rules.join(', ')}: ${reason}`)}\n`);
}

function placeText({ device, queue, tag, life }: Violation): string {
  if (tag === undefined) return '';
  const slot = `${queue ?? '?'}:${tag}${life === undefined ? '' : `#${life}`}`;
  return ` [${device === undefined ? '' : `${device} `}${slot}]`;
}
