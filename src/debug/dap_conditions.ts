import { compileFilter, type Filter, FilterError, filterProblem } from './filter';
import { logExpressions } from './log_message';
import type { OpenTrace } from './model';
import { isStatePath, pathProblem, pathsOfLeaf } from './state_schema';

/** Tests the ordinal of a hit, counted over the whole trace from 1: the same forwards and backwards. */
export type HitTest = (ordinal: number) => boolean;

/** Reads a hit condition: `3`, `>= 3`, `% 5`. @throws Error that a person can read */
export function hitTest(text: string): HitTest {
  const match = /^\s*(==|>=|<=|>|<|%)?\s*(\d+)\s*$/.exec(text);
  if (match === null) throw new Error(`hit count '${text}': write a number, or one behind == >= <= > < %`);
  const n = Number(match[2]);
  switch (match[1]) {
    case '>=':
      return (k) => k >= n;
    case '<=':
      return (k) => k <= n;
    case '>':
      return (k) => k > n;
    case '<':
      return (k) => k < n;
    case '%':
      if (n === 0) throw new Error(`hit count '${text}': every 0th hit is none`);
      return (k) => k % n === 0;
    default:
      return (k) => k === n;
  }
}

/** The part of a breakpoint that decides whether an event that reaches it counts. */
export interface Condition {
  readonly test: ((event: number) => boolean) | undefined;
  /** By text form: 0 where `test` is false for all of its events, see {@link Filter.forms}; undefined without a test. */
  readonly forms?: Uint8Array | undefined;
  readonly hit: HitTest | undefined;
  /** Log message with `{expression}` parts; undefined for one that stops. */
  readonly log: string | undefined;
  /** What is wrong with it, for the person who wrote it. */
  readonly problem: string | undefined;
}

/** @throws Error for an expression of a log message that can have no value at any event. */
function checkExpression(open: OpenTrace, expression: string): void {
  const text = expression.trim();
  const wrong = (problem: string): Error => new Error(`log message, {${expression}}: ${problem}`);
  if (text === '') throw wrong('nothing to evaluate');
  if (isStatePath(text)) {
    const problem = pathProblem(text);
    if (problem !== undefined) throw wrong(problem);
    return;
  }
  if (open.length > 0 && pathsOfLeaf(open.states.at(open.length - 1), text).paths.length === 1) return;
  const problem = filterProblem(text, open.trace);
  if (problem !== undefined) throw wrong(problem.message);
}

/** What a condition says of events. */
interface Filtering {
  readonly test: (event: number) => boolean;
  /** See {@link Condition.forms}. */
  readonly forms: Uint8Array;
}

/** Most conditions that are kept. */
const MOST = 64;

/** The conditions of one trace: equal texts are one test, which keeps what it found out of forms, tasks and requests. */
export class Conditions {
  private readonly known = new Map<string, Filtering>();

  constructor(private readonly open: OpenTrace) {}

  /**
   * Understands condition, hit condition and log message of a breakpoint; what is wrong becomes its `problem`. For a data breakpoint
   * `watched` is the path of its state variable, which a condition may call `value`.
   */
  of(
    from: { readonly condition?: string; readonly hitCondition?: string; readonly logMessage?: string },
    watched?: string,
  ): Condition {
    const log = from.logMessage === undefined || from.logMessage === '' ? undefined : from.logMessage;
    try {
      const text = from.condition?.trim() ?? '';
      const filtering = text === '' ? undefined : this.filtering(text, watched);
      const count = from.hitCondition?.trim() ?? '';
      for (const expression of log === undefined ? [] : logExpressions(log))
        checkExpression(this.open, expression);
      return {
        test: filtering?.test,
        forms: filtering?.forms,
        hit: count === '' ? undefined : hitTest(count),
        log,
        problem: undefined,
      };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const problem = error instanceof FilterError ? `condition, ${error.message}` : error.message;
      return { test: () => false, hit: undefined, log: undefined, problem };
    }
  }

  /** @throws FilterError */
  private filtering(text: string, watched: string | undefined): Filtering {
    const key = watched === undefined ? text : `${watched} ${text}`;
    let found = this.known.get(key);
    if (found === undefined) {
      const filter = compileFilter(text, this.open.trace, watched);
      found = { test: filter.events(this.open), forms: filter.forms(this.open) };
      if (this.known.size >= MOST) this.known.clear();
      this.known.set(key, found);
    }
    return found;
  }
}
