import { eventSpec } from '../trace/schema';
import { matchRequests, type RequestTable } from '../trace/requests';
import type { Pass } from './pass';
import { RULES } from './rules';
import type { CheckReport, RuleId, Severity, Violation } from './types';

/** Where a violation is, as far as known. */
export interface Place {
  readonly queue?: number;
  readonly tag?: number;
  readonly device?: string;
  /** Events beside the one where it shows; negative ones are left out. */
  readonly evidence?: readonly number[];
  readonly firstCause?: number;
}

/** Collects what the rules find. */
export class Findings {
  private readonly found: { rule: RuleId; event: number; message: string; place: Place }[] = [];
  private readonly tested = new Set<RuleId>();
  private readonly severity: ReadonlyMap<RuleId, Severity> = new Map(RULES.map((r) => [r.id, r.severity]));

  constructor(private readonly pass: Pass) {}

  /** Tests a rule; `holds` false is a violation. Returns `holds`. */
  test(rule: RuleId, holds: boolean, event: number, message: () => string, place?: () => Place): boolean {
    this.tested.add(rule);
    if (!holds) this.found.push({ rule, event, message: message(), place: place?.() ?? {} });
    return holds;
  }

  /** The report, with lives taken from the table of requests. */
  report(requests: RequestTable | undefined): CheckReport {
    const { trace } = this.pass;
    const table = this.found.length > 0 ? (requests ?? matchRequests(trace)) : requests;
    const order = new Map(RULES.map((rule, index) => [rule.id, index]));
    const violations = this.found
      .map((entry) => this.violation(entry, table))
      .sort((a, b) => a.event - b.event || order.get(a.rule)! - order.get(b.rule)!);
    const evaluated: RuleId[] = [];
    const notEvaluated: { rule: RuleId; reason: string }[] = [];
    for (const rule of RULES) {
      if (this.tested.has(rule.id)) evaluated.push(rule.id);
      else notEvaluated.push({ rule: rule.id, reason: this.reason(rule.needs, rule.idle) });
    }
    return { violations, evaluated, notEvaluated };
  }

  private violation(
    { rule, event, message, place }: (typeof this.found)[number],
    table: RequestTable | undefined,
  ): Violation {
    const evidence = [...new Set([...(place.evidence ?? []), event])]
      .filter((e) => e >= 0)
      .sort((a, b) => a - b);
    const row = table && place.tag !== undefined ? rowOf(table, evidence, event, place) : -1;
    const queue = place.queue ?? (table && row >= 0 && table.queue[row] >= 0 ? table.queue[row] : undefined);
    const device = place.device ?? (table && row >= 0 ? table.devices[table.device[row]] : undefined);
    return {
      rule,
      severity: this.severity.get(rule) ?? 'K',
      event,
      line: this.pass.trace.lineOf(event),
      ...(device === undefined ? {} : { device }),
      ...(queue === undefined ? {} : { queue }),
      ...(place.tag === undefined ? {} : { tag: place.tag }),
      ...(table && row >= 0 ? { life: table.life[row] } : {}),
      message,
      evidence,
      ...(place.firstCause !== undefined && place.firstCause >= 0 && place.firstCause !== event
        ? { firstCause: place.firstCause }
        : {}),
    };
  }

  private reason(needs: readonly (readonly string[])[], idle: string): string {
    const missing = needs.find((group) => !this.pass.has(...group));
    if (!missing) return idle;
    const kinds = missing.map((name) => eventSpec(name)?.kind);
    const facts = missing.filter((_, k) => kinds[k] === 'fact');
    const real = missing.filter((_, k) => kinds[k] !== 'fact');
    if (real.length === 0) return `needs ${facts.join(' or ')}, which only a simulated trace has`;
    const word = kinds.includes('probe') ? 'probe' : 'event';
    return `needs the ${word} ${real.join(' or ')}`;
  }
}

/** The request of the tag that the events belong to; the event itself counts first, then the latest before it. */
function rowOf(table: RequestTable, evidence: readonly number[], event: number, place: Place): number {
  for (const e of [event, ...[...evidence].reverse()]) {
    const row = table.requestOf(e);
    if (row < 0 || table.tag[row] !== place.tag) continue;
    if (place.queue === undefined || table.queue[row] < 0 || table.queue[row] === place.queue) return row;
  }
  return -1;
}
