import type { DebugProtocol } from '@vscode/debugprotocol';
import { Breakpoints } from './dap_breakpoints';
import { capabilities } from './dap_capabilities';
import { Channel, type Handlers, Reply } from './dap_channel';
import {
  type DebugHost,
  GOTO_REQUEST,
  type LaunchArguments,
  type Opened,
  RequestError,
  STEP_REQUEST,
} from './dap_host';
import { inspectHandlers } from './dap_inspect';
import { Run } from './dap_run';
import { Sources } from './dap_sources';
import { checkThread, requestOfThread } from './dap_threads';
import { compileFilter, FilterError } from './filter';
import { eventsShown } from './filter_scan';
import type { Disposable } from './listeners';
import type { OpenTrace } from './model';
import { Numbers } from './numbered';
import { STEP_KINDS, type StepKind } from './steps';

export { GOTO_REQUEST, STEP_REQUEST, WHERE_REQUEST } from './dap_host';
export type { DebugHost, LaunchArguments, Opened, PseudoCode } from './dap_host';

/**
 * The debug adapter of one debug session over one trace. Feed it the client's messages by {@link handleMessage}; what it has to say
 * goes to {@link onDidSendMessage}. It knows neither VS Code nor files: its host opens programs.
 */
export class DebugSession {
  private readonly channel = new Channel();
  private readonly handlers: Handlers;
  private breakpoints: Breakpoints | undefined;
  private run: Run | undefined;
  private args: LaunchArguments = {};
  private cancelled = false;
  private ended = false;
  private launched = false;
  private progress = 0;
  private reports = false;
  private readonly numbers = { frames: new Numbers(), nodes: new Numbers() };

  constructor(private readonly host: DebugHost) {
    this.handlers = { ...this.own(), ...inspectHandlers(() => this.running()) };
  }

  /** Told every message to the client. */
  onDidSendMessage(listener: (message: DebugProtocol.ProtocolMessage) => void): Disposable {
    return this.channel.on(listener);
  }

  /** Takes a message of the client. The promise is settled when its answer is out. */
  handleMessage(message: DebugProtocol.ProtocolMessage): Promise<void> {
    return this.channel.handle(message, this.handlers);
  }

  /** Ends the session without telling the client. */
  dispose(): void {
    this.ended = true;
    this.cancelled = true;
    this.run?.dispose();
    this.run = undefined;
    this.channel.dispose();
  }

  private own(): Handlers {
    return {
      initialize: (args: DebugProtocol.InitializeRequestArguments) => {
        this.reports = args.supportsProgressReporting === true;
        return capabilities();
      },
      launch: (args: LaunchArguments) => this.launch(args),
      configurationDone: () => new Reply(undefined, () => this.begin()),
      restart: (args: { arguments?: LaunchArguments }) => this.restart(args.arguments ?? this.args),
      terminate: () => new Reply(undefined, () => this.terminate()),
      disconnect: () => new Reply(undefined, () => this.terminate()),
      cancel: (args: DebugProtocol.CancelArguments) => {
        // single requests are answered at once; what takes time is opening and running
        if (args.requestId !== undefined && args.progressId === undefined) return;
        this.cancelled = true;
        if (this.run?.busy === true) this.run.pause();
      },
      pause: () => new Reply(undefined, () => this.run?.pause()),
      continue: () => this.go(1),
      reverseContinue: () => this.go(-1),
      next: (args: { threadId: number }) => this.step('next', args.threadId),
      stepIn: (args: { threadId: number }) => this.step('in', args.threadId),
      stepOut: (args: { threadId: number }) => this.step('out', args.threadId),
      stepBack: (args: { threadId: number }) => this.step('back', args.threadId),
      [STEP_REQUEST]: (args: { kind?: string; threadId?: number }) => {
        const kind = STEP_KINDS.find((each) => each === args.kind);
        if (kind === undefined) throw new RequestError(`no step is called '${args.kind}'`);
        return this.step(kind, args.threadId);
      },
      [GOTO_REQUEST]: (args: { event?: number; request?: number }) => {
        const run = this.running();
        const { event } = args;
        if (event === undefined || !Number.isInteger(event) || event < 0 || event >= run.open.length) {
          throw new RequestError(`there is no event ${event}; the trace has ${run.open.length}`);
        }
        const own = run.open.requests.requestOf(event);
        const request = args.request ?? (own < 0 ? undefined : own);
        return new Reply(undefined, () => run.stop(event, request, { reason: 'goto' }));
      },
      setBreakpoints: (args: DebugProtocol.SetBreakpointsArguments) => ({
        breakpoints: this.marks().setLines(args),
      }),
      setFunctionBreakpoints: (args: DebugProtocol.SetFunctionBreakpointsArguments) => {
        const breakpoints = this.marks().setFunctions(args.breakpoints);
        return new Reply({ breakpoints }, () => void this.run?.warm());
      },
      setDataBreakpoints: (args: DebugProtocol.SetDataBreakpointsArguments) => {
        const breakpoints = this.marks().setData(args.breakpoints);
        return new Reply({ breakpoints }, () => void this.run?.warm());
      },
      setExceptionBreakpoints: (args: DebugProtocol.SetExceptionBreakpointsArguments) => ({
        breakpoints: this.marks().setExceptions(args),
      }),
    };
  }

  private async launch(args: LaunchArguments): Promise<Reply> {
    if (this.launched) throw new RequestError('a trace is open already; restart opens it again');
    this.launched = true;
    this.args = args;
    try {
      await this.install(await this.opened(args), args);
    } catch (error) {
      this.launched = false;
      throw error;
    }
    return new Reply(undefined, () => this.channel.event('initialized'));
  }

  private begin(): void {
    const { run, args } = this;
    if (run === undefined) return;
    run.introduce();
    if (run.steps.shows === 0)
      run.output('important', `filter: nothing in this trace passes ${args.filter}: there are no steps\n`);
    if (args.noDebug === true) {
      this.terminate();
      return;
    }
    this.enter(run, args);
  }

  private enter(run: Run, args: LaunchArguments): void {
    const { open } = run;
    if (open.length === 0) {
      run.output('important', `${open.name} has no events: there is nothing to step through\n`);
      const description = 'the trace has no events';
      run.stop(-1, undefined, { reason: 'entry', description, text: description });
      return;
    }
    const row = startRequest(open, args);
    const event = row === undefined ? 0 : open.requests.events(row)[0];
    if (run.shared && row === undefined && args.stopOnEntry !== false) {
      // the session that was here first keeps its place
      const description = 'where the other debug session of this trace stands';
      run.stop(open.cursor.event, open.cursor.request, { reason: 'entry', description, text: description });
    } else if (args.stopOnEntry === false) {
      run.place(event, row);
      void run.go(1, event - 1);
    } else {
      const description = row === undefined ? 'start of trace' : 'start of request';
      run.stop(event, row, { reason: 'entry', description, text: description });
    }
  }

  /** Opens the program again, as it is now, and goes to its start; breakpoints stay. */
  private async restart(args: LaunchArguments): Promise<Reply> {
    this.running();
    const opened = await this.opened(args);
    this.args = args;
    const old = this.run;
    const run = await this.install(opened, args);
    old?.dispose();
    return new Reply(undefined, () => {
      run.introduce();
      this.enter(run, args);
    });
  }

  private async install(opened: Opened, args: LaunchArguments): Promise<Run> {
    const sources = new Sources(opened, this.host);
    const { breakpoints = new Breakpoints(opened.open, sources) } = this;
    let run: Run;
    try {
      startRequest(opened.open, args);
      const shown = await this.shown(opened.open, args.filter?.trim() ?? '');
      if (this.ended) throw new RequestError('cancelled', false);
      run = new Run(opened, this.host, this.channel, breakpoints, shown, this.reports, this.numbers);
    } catch (error) {
      this.host.closed?.(opened);
      if (error instanceof FilterError) throw new RequestError(`filter: ${error.message}`);
      throw error;
    }
    if (this.breakpoints !== undefined) {
      for (const breakpoint of breakpoints.rebind(opened.open, sources))
        this.channel.event('breakpoint', { reason: 'changed', breakpoint });
    }
    this.breakpoints = breakpoints;
    this.run = run;
    return run;
  }

  /** The events that the filter of a launch shows. */
  private async shown(open: OpenTrace, filter: string): Promise<Uint32Array | undefined> {
    if (filter === '') return undefined;
    const work = { pause: this.host.pause, cancelled: () => this.ended || this.cancelled };
    const shown = await eventsShown(open, compileFilter(filter, open.trace), work);
    if (shown === undefined) throw new RequestError('cancelled', false);
    return shown;
  }

  private async opened(args: LaunchArguments): Promise<Opened> {
    if (typeof args.program !== 'string' || args.program === '') {
      throw new RequestError('"program" names no session or trace');
    }
    this.cancelled = false;
    const progressId = `open-${++this.progress}`;
    const title = `Opening ${args.program.split(/[\\/]/).pop()}`;
    if (this.reports) this.channel.event('progressStart', { progressId, title, cancellable: true });
    try {
      const opened = await this.host.open(args, {
        progress: (message, share) => {
          if (!this.reports) return;
          const percentage = share === undefined ? {} : { percentage: Math.round(share * 100) };
          this.channel.event('progressUpdate', { progressId, message, ...percentage });
        },
        cancelled: () => this.cancelled,
      });
      if (this.ended || this.cancelled) {
        this.host.closed?.(opened);
        throw new RequestError('cancelled', false);
      }
      return opened;
    } finally {
      if (this.reports) this.channel.event('progressEnd', { progressId });
    }
  }

  private terminate(): void {
    this.cancelled = true;
    if (this.ended) return;
    this.ended = true;
    this.run?.dispose();
    this.run = undefined;
    this.channel.event('terminated');
  }

  private go(step: 1 | -1): Reply {
    const run = this.running();
    return new Reply({ allThreadsContinued: true }, () => void run.go(step));
  }

  private step(kind: StepKind, thread: number | undefined): Reply {
    const run = this.running();
    checkThread(thread, run.open);
    const request = thread === undefined ? run.open.cursor.request : requestOfThread(thread, run.open);
    return new Reply(undefined, () => run.step(kind, request));
  }

  private running(): Run {
    if (this.run === undefined) throw new RequestError('no trace is open', false);
    return this.run;
  }

  private marks(): Breakpoints {
    if (this.breakpoints === undefined) throw new RequestError('no trace is open', false);
    return this.breakpoints;
  }
}

/** The request that a launch begins with. `request` is taken by the debug configuration, so `tag` is its other name. */
function startRequest(open: OpenTrace, args: LaunchArguments): number | undefined {
  const name =
    args.tag ?? (args.request !== undefined && args.request !== 'launch' ? args.request : undefined);
  if (name === undefined || name === '') return undefined;
  return Run.find(open, name);
}
