import type { DebugProtocol } from '@vscode/debugprotocol';
import { RULES } from '../check/rules';
import type { Violation } from '../check/types';
import { formatResult } from '../uapi/errno';
import type { OpenTrace } from './model';

const GROUPS: readonly {
  readonly id: string;
  readonly label: string;
  readonly from: number;
  readonly to: number;
}[] = [
  { id: 'inv-rings', label: 'Invariants: rings', from: 1, to: 19 },
  { id: 'inv-tags', label: 'Invariants: requests and tags', from: 20, to: 26 },
  { id: 'inv-slots', label: 'Invariants: slots and commands', from: 27, to: 39 },
  { id: 'inv-data', label: 'Invariants: data', from: 40, to: 49 },
  { id: 'inv-splice', label: 'Invariants: splice, pipes and pages', from: 50, to: 69 },
  { id: 'inv-other', label: 'Invariants: others', from: 70, to: 999 },
];
/** Exception filter of CQEs with an error, and of CQEs that did not fit. */
export const FAILED_CQE = 'res';
export const CQ_OVERFLOW = 'cq-overflow';

/** Names of the events that fill a CQE. */
export const CQE_EVENTS: ReadonlySet<string> = new Set(['io_uring_complete', 'io_uring_cqe_overflow']);

/** Filters for the breakpoints view: one per group of invariants that has rules, failed CQEs, CQ overflow. */
export function exceptionFilters(): DebugProtocol.ExceptionBreakpointsFilter[] {
  const groups = GROUPS.filter((group) => RULES.some((rule) => groupOf(rule.id) === group.id));
  const condition = { supportsCondition: true, conditionDescription: 'for instance tag == 3 && op == READ' };
  return [
    ...groups.map(({ id, label }) => ({
      filter: id,
      label,
      description: RULES.filter((rule) => groupOf(rule.id) === id)
        .map((rule) => `${rule.id} ${rule.title}`)
        .join('\n'),
      default: true,
      ...condition,
    })),
    {
      filter: FAILED_CQE,
      label: 'res < 0',
      description: 'A CQE carries an error',
      default: false,
      ...condition,
    },
    {
      filter: CQ_OVERFLOW,
      label: 'CQ overflow',
      description: 'A CQE did not fit into the ring',
      default: false,
      ...condition,
    },
  ];
}

/** The filter that a rule belongs to. */
export function groupOf(rule: string): string {
  const number = Number(rule.slice(4));
  return GROUPS.find(({ from, to }) => number >= from && number <= to)?.id ?? 'inv-other';
}

/** What is exceptional about an event: broken rules, a failed or overflowing CQE. */
export interface Exceptional {
  readonly violations: readonly Violation[];
  readonly failed: boolean;
  readonly overflow: boolean;
}

/** In few words, and with its numbers. */
export function describeException(
  open: OpenTrace,
  event: number,
  what: Exceptional,
): { description: string; text: string } {
  const [first] = what.violations;
  if (first !== undefined) return { description: `invariant ${first.rule}`, text: first.message };
  if (what.overflow) return { description: 'CQ overflow', text: 'the CQE goes to the overflow list' };
  const result = formatResult(open.trace.num(event, 'result') ?? 0);
  return {
    description: 'res < 0',
    text: `res ${result}, user_data 0x${(open.trace.big(event, 'user_data') ?? 0n).toString(16)}`,
  };
}

/** Answer to exceptionInfo. */
export function exceptionInfo(
  open: OpenTrace,
  event: number,
  what: Exceptional,
): DebugProtocol.ExceptionInfoResponse['body'] {
  const [first] = what.violations;
  if (first === undefined) {
    const { description, text } = describeException(open, event, what);
    return {
      exceptionId: description,
      description: text,
      breakMode: 'always',
      details: { message: text, typeName: description },
    };
  }
  const rule = RULES.find(({ id }) => id === first.rule);
  // where no rule names the cause, what shows it begins with it
  const cause = first.firstCause ?? Math.min(first.event, ...first.evidence);
  const itself = cause === event ? 'this event itself' : `event ${cause}`;
  return {
    exceptionId: first.rule,
    description: `${rule?.title ?? first.rule}: ${first.message}`,
    breakMode: 'always',
    details: {
      message: first.message,
      typeName: first.rule,
      fullTypeName: `${first.rule} ${rule?.title ?? ''}: ${rule?.says ?? ''}`.trim(),
      stackTrace: first.evidence.map((e) => `event ${e}: ${open.printer.line(e).trim()}`).join('\n'),
      innerException: [
        {
          message: `first cause, ${itself}: ${open.printer.line(cause).trim()}`,
          typeName: open.trace.nameOf(cause),
        },
      ],
    },
  };
}
