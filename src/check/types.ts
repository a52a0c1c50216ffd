/** Number of a rule, as in `INV-48`. */
export type RuleId = `INV-${string}`;

/** Who is to blame: K the kernel (or the recorder or simulator), S the server, P nobody, but it costs or is fragile. */
export type Severity = 'K' | 'S' | 'P';

/** One broken rule at one event. Event numbers count from 0, lines from 1. */
export interface Violation {
  readonly rule: RuleId;
  readonly severity: Severity;
  readonly event: number;
  readonly line: number;
  /** Where the rule speaks of a slot: what the trace tells of its place. */
  readonly device?: string;
  readonly queue?: number;
  readonly tag?: number;
  /** Requests seen on this slot so far, this one included; as in the table of requests. */
  readonly life?: number;
  /** One sentence with the numbers. */
  readonly message: string;
  /** Events that show it, in order, `event` among them. */
  readonly evidence: readonly number[];
  /** The event that brought it about, where it is another one. */
  readonly firstCause?: number;
}

/** What a check found. Every rule of the table is in `evaluated` or in `notEvaluated`. */
export interface CheckReport {
  /** In the order of their events. */
  readonly violations: readonly Violation[];
  /** Rules that had something to test, broken ones included. */
  readonly evaluated: readonly RuleId[];
  readonly notEvaluated: readonly { readonly rule: RuleId; readonly reason: string }[];
}
