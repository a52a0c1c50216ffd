import type { DebugProtocol } from '@vscode/debugprotocol';
import { didYouMean } from '../session/diagnostics';
import { EVENTS, eventNames } from '../trace/schema';
import { type Condition, Conditions } from './dap_conditions';
import { CQ_OVERFLOW, CQE_EVENTS, exceptionFilters, FAILED_CQE, groupOf } from './dap_exceptions';
import type { Sources } from './dap_sources';
import type { OpenTrace } from './model';
import { isStatePath, pathProblem, pathsOfLeaf } from './state_schema';

/** What a breakpoint waits for: certain events, events of certain names, or a change of a state variable. */
export interface Spec {
  readonly id: number;
  readonly kind: 'breakpoint' | 'function breakpoint' | 'data breakpoint' | 'exception';
  readonly label: string;
  readonly events?: readonly number[];
  readonly names?: ReadonlySet<string>;
  readonly path?: string;
  readonly condition: Condition;
}

/** Breakpoints on lines of one document. */
interface LineMarks {
  readonly args: DebugProtocol.SetBreakpointsArguments;
  readonly specs: Spec[];
  /** Lines of the session as it ran on which they were set, whatever was edited since; undefined for other lines. */
  readonly ran: readonly (number | undefined)[];
}

/** The breakpoints of a debug session. What the client asked for is kept, so that it can be bound to another trace. */
export class Breakpoints {
  private readonly lines = new Map<string, LineMarks>();
  private functions: { args: readonly DebugProtocol.FunctionBreakpoint[]; specs: Spec[] } = {
    args: [],
    specs: [],
  };
  private data: { args: readonly DebugProtocol.DataBreakpoint[]; specs: Spec[] } = { args: [], specs: [] };
  private exceptions: readonly { readonly filterId: string; readonly condition?: string }[] = [];
  private nextId = 1;
  private conditions: Conditions;

  constructor(
    private open: OpenTrace,
    private sources: Sources,
  ) {
    this.conditions = new Conditions(open);
  }

  /** Binds everything to another trace, or to the same one after an edit; returns the breakpoints as they are now. */
  rebind(open: OpenTrace, sources: Sources): DebugProtocol.Breakpoint[] {
    const marks = [...this.lines.values()].map((each) => this.moved(each));
    const same = open === this.open;
    if (!same) this.conditions = new Conditions(open);
    this.open = open;
    this.sources = sources;
    return [
      ...marks.flatMap(({ args, specs, ran }) => this.setLines(args, specs, same ? ran : [])),
      ...this.setFunctions(this.functions.args, this.functions.specs),
      ...this.setData(this.data.args, this.data.specs),
    ];
  }

  /** All that may stop or log, exceptions last. Broken invariants are computed here when a filter wants them. */
  specs(): Spec[] {
    return [
      ...[...this.lines.values()].flatMap(({ specs }) => specs),
      ...this.functions.specs,
      ...this.data.specs,
      ...this.exceptions.map((entry) => this.exception(entry.filterId, entry.condition)),
    ].filter((spec) => spec.condition.problem === undefined);
  }

  /** Paths of all watched state variables. */
  get paths(): string[] {
    return [...this.functions.specs, ...this.data.specs].flatMap(({ path }) =>
      path === undefined ? [] : [path],
    );
  }

  /** Whether running needs the invariants of the whole trace. */
  get wantsViolations(): boolean {
    return this.exceptions.some(({ filterId }) => filterId !== FAILED_CQE && filterId !== CQ_OVERFLOW);
  }

  /** Filters that are on. */
  get filters(): ReadonlySet<string> {
    return new Set(this.exceptions.map(({ filterId }) => filterId));
  }

  /** The same breakpoints on the lines where they are since the last edit. */
  private moved({ args, specs, ran }: LineMarks): LineMarks {
    const breakpoints = (args.breakpoints ?? []).map((wanted, k) => {
      const was = ran[k];
      const line = was === undefined ? undefined : this.sources.lineNow(was);
      return line === undefined ? wanted : { ...wanted, line };
    });
    return { args: { ...args, breakpoints }, specs, ran };
  }

  /** Breakpoints on lines of one document, in place of those it had. */
  setLines(
    args: DebugProtocol.SetBreakpointsArguments,
    old: readonly Spec[] = [],
    known: readonly (number | undefined)[] = [],
  ): DebugProtocol.Breakpoint[] {
    const specs: Spec[] = [];
    const ran: (number | undefined)[] = [];
    const answer = (args.breakpoints ?? []).map((wanted, k) => {
      const id = old[k]?.id ?? this.nextId++;
      ran[k] = known[k] ?? this.sources.ranLine(args.source, wanted.line);
      const gone = known[k] !== undefined && this.sources.lineNow(known[k]) === undefined;
      const target = gone
        ? this.sources.changedLine(wanted.line)
        : this.sources.target(args.source, wanted.line);
      const condition = this.conditions.of(wanted);
      const nothing =
        target === undefined || (target.events === undefined && (target.names?.length ?? 0) === 0);
      const label = `line ${target?.line ?? wanted.line}`;
      specs.push({
        id,
        kind: 'breakpoint',
        label,
        condition,
        ...(target?.events === undefined ? {} : { events: target.events }),
        ...(target?.names === undefined ? {} : { names: new Set(target.names) }),
      });
      const message =
        condition.problem ??
        target?.problem ??
        (target === undefined ? 'this document is none of the debugged trace' : undefined) ??
        (nothing ? 'nothing happens here or below in this trace' : undefined);
      return {
        id,
        verified: message === undefined,
        line: target?.line ?? wanted.line,
        source: args.source,
        ...(message === undefined ? {} : { message, reason: 'failed' as const }),
      };
    });
    const key = `${args.source.sourceReference ?? 0}:${args.source.path ?? ''}`;
    if (specs.length > 0) this.lines.set(key, { args, specs, ran });
    else this.lines.delete(key);
    return answer;
  }

  /** Breakpoints on events by name or kernel function; the path of a state variable is taken for a data breakpoint. */
  setFunctions(
    args: readonly DebugProtocol.FunctionBreakpoint[],
    old: readonly Spec[] = [],
  ): DebugProtocol.Breakpoint[] {
    const specs: Spec[] = [];
    const answer = args.map((wanted, k) => {
      const id = old[k]?.id ?? this.nextId++;
      const name = wanted.name.trim();
      if (isStatePath(name)) {
        const wrong = pathProblem(name);
        const condition = this.conditions.of(wanted, wrong === undefined ? name : undefined);
        specs.push({ id, kind: 'data breakpoint', label: name, path: name, condition });
        const problem = wrong ?? condition.problem;
        return {
          id,
          verified: problem === undefined,
          ...(problem === undefined ? {} : { message: problem, reason: 'failed' as const }),
        };
      }
      const names = this.namesOf(name);
      const meant = names.size === 0 && this.open.length > 0 ? this.pathOf(name) : undefined;
      const condition = this.conditions.of(wanted, meant?.path);
      if (meant?.path !== undefined) {
        const { path } = meant;
        specs.push({ id, kind: 'data breakpoint', label: path, path, condition });
        const { problem } = condition;
        const message = problem ?? `${name} is ${path} here`;
        return {
          id,
          verified: problem === undefined,
          message,
          ...(problem && { reason: 'failed' as const }),
        };
      }
      specs.push({ id, kind: 'function breakpoint', label: name, names, condition });
      const unknown =
        meant?.hint ?? `no event is called '${wanted.name}'${didYouMean(wanted.name, eventNames())}`;
      const message = condition.problem ?? (names.size === 0 ? unknown : undefined);
      return {
        id,
        verified: message === undefined,
        ...(message === undefined ? {} : { message, reason: 'failed' as const }),
      };
    });
    this.functions = { args, specs };
    return answer;
  }

  /** Breakpoints on state variables by their paths. */
  setData(
    args: readonly DebugProtocol.DataBreakpoint[],
    old: readonly Spec[] = [],
  ): DebugProtocol.Breakpoint[] {
    const specs: Spec[] = [];
    const answer = args.map((wanted, k) => {
      const id = old[k]?.id ?? this.nextId++;
      const path = wanted.dataId;
      const problem = pathProblem(path);
      const condition = this.conditions.of(wanted, problem === undefined ? path : undefined);
      const message = problem ?? condition.problem;
      if (message === undefined) specs.push({ id, kind: 'data breakpoint', label: path, path, condition });
      else specs.push({ id, kind: 'data breakpoint', label: path, events: [], condition });
      return {
        id,
        verified: message === undefined,
        ...(message === undefined ? {} : { message, reason: 'failed' as const }),
      };
    });
    this.data = { args, specs };
    return answer;
  }

  /** Switches exception filters. Answers one breakpoint per filter, in the order given. */
  setExceptions(args: DebugProtocol.SetExceptionBreakpointsArguments): DebugProtocol.Breakpoint[] {
    this.exceptions = [...args.filters.map((filterId) => ({ filterId })), ...(args.filterOptions ?? [])];
    const known = exceptionFilters().map(({ filter }) => filter);
    return this.exceptions.map(({ filterId, condition }) => {
      const unknown = known.includes(filterId)
        ? undefined
        : `no filter is called '${filterId}'${didYouMean(filterId, known)}`;
      const { problem = unknown } = this.conditions.of(condition === undefined ? {} : { condition });
      return problem === undefined
        ? { verified: true }
        : { verified: false, message: problem, reason: 'failed' as const };
    });
  }

  private exception(filterId: string, condition: string | undefined): Spec {
    const own = this.conditions.of(condition === undefined ? {} : { condition });
    const base = { id: 0, kind: 'exception', label: filterId } as const;
    if (filterId === CQ_OVERFLOW)
      return { ...base, names: new Set(['io_uring_cqe_overflow']), condition: own };
    if (filterId === FAILED_CQE) {
      const { trace } = this.open;
      const test = (event: number): boolean =>
        (trace.num(event, 'result') ?? 0) < 0 && (own.test?.(event) ?? true);
      return { ...base, names: CQE_EVENTS, condition: { ...own, test } };
    }
    const events = this.open.violations.filter((v) => groupOf(v.rule) === filterId).map((v) => v.event);
    return { ...base, events: [...new Set(events)].sort((a, b) => a - b), condition: own };
  }

  /** The one state variable that a field alone stands for, or how to write which one is meant. */
  private pathOf(leaf: string): { readonly path?: string; readonly hint?: string } | undefined {
    const { paths, like } = pathsOfLeaf(this.open.states.at(this.open.length - 1), leaf);
    if (paths.length === 1) return { path: paths[0] };
    return like === undefined ? undefined : { hint: `which ${leaf}? write ${paths[0] ?? like}` };
  }

  /** Events of a name, or those that stand for a kernel function of that name. */
  private namesOf(name: string): Set<string> {
    const names = new Set<string>();
    const { shapes } = this.open.trace;
    for (let id = 0; id < shapes.size; id++) {
      const shape = shapes.get(id);
      if (shape.name === name) names.add(name);
    }
    if (names.size > 0) return names;
    for (const event of eventNames()) {
      if (EVENTS[event].fn.split(', ').includes(name)) names.add(event);
    }
    return names;
  }
}
