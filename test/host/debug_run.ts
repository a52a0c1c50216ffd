import * as assert from 'node:assert/strict';
import type { DebugProtocol } from '@vscode/debugprotocol';
import * as vscode from 'vscode';
import { until } from './support';

/** Type of the debugger under test. */
export const DEBUG_TYPE = 'ublk-trace';

type Stop = DebugProtocol.StoppedEvent['body'];

/** Time after which VS Code is helped to focus a stopped session, ms. */
const HELP_MS = 2000;

/**
 * Waits until VS Code has a frame of one of the sessions focused, other than `before`. It gives the focus to a stop only when nothing or the
 * same session is focused, and what is focused may be of a session that has ended: then it is led on as by the list of sessions.
 */
async function focusedFrame(what: string, sessions: readonly string[], before?: unknown): Promise<void> {
  let help = Date.now() + HELP_MS;
  await until(what, async () => {
    const item = vscode.debug.activeStackItem;
    const own = item !== undefined && sessions.includes(item.session.id);
    if (own && item instanceof vscode.DebugStackFrame && item !== before) return true;
    if (!own && Date.now() > help) {
      help = Date.now() + HELP_MS;
      await vscode.commands.executeCommand('workbench.action.debug.nextConsole');
    }
    return false;
  });
}

/** One debug session, watched on its protocol and steered by VS Code's own commands. */
export class DebugRun {
  readonly stops: Stop[] = [];
  readonly failures: string[] = [];
  /** All that the adapter has sent, in order. */
  readonly messages: DebugProtocol.ProtocolMessage[] = [];

  private constructor(readonly session: vscode.DebugSession) {}

  /** Starts debugging by whatever `begin` does, and waits for the first stop; `framed`: and for a frame there. */
  static async start(begin: () => Thenable<unknown>, framed = true): Promise<DebugRun> {
    const [run] = await DebugRun.startAll(1, begin, framed);
    return run!;
  }

  /** The same for several sessions. */
  static async startAll(count: number, begin: () => Thenable<unknown>, framed = true): Promise<DebugRun[]> {
    const runs: DebugRun[] = [];
    const tracker = vscode.debug.registerDebugAdapterTrackerFactory(DEBUG_TYPE, {
      createDebugAdapterTracker(session) {
        const run = new DebugRun(session);
        runs.push(run);
        return { onDidSendMessage: (message: DebugProtocol.ProtocolMessage) => run.see(message) };
      },
    });
    try {
      await begin();
      await until('a stop', () => runs.length === count && runs.every(({ stops }) => stops.length > 0));
      if (framed)
        await focusedFrame(
          'a focused frame',
          runs.map(({ session }) => session.id),
        );
    } finally {
      tracker.dispose();
    }
    return runs;
  }

  private see(message: DebugProtocol.ProtocolMessage): void {
    this.messages.push(message);
    if (message.type === 'event' && (message as DebugProtocol.Event).event === 'stopped')
      this.stops.push((message as DebugProtocol.StoppedEvent).body);
    if (message.type !== 'response') return;
    const { success, command, message: text } = message as DebugProtocol.Response;
    if (!success) this.failures.push(`${command}: ${text}`);
  }

  /** Bodies of the answers to a request, oldest first. */
  answers<T>(command: string): T[] {
    return this.messages.flatMap((message) => {
      const answer = message as DebugProtocol.Response;
      return answer.type === 'response' && answer.command === command ? [answer.body as T] : [];
    });
  }

  /** Bodies of the events of a name, oldest first. */
  events<T>(name: string): T[] {
    return this.messages.flatMap((message) => {
      const event = message as DebugProtocol.Event;
      return event.type === 'event' && event.event === name ? [event.body as T] : [];
    });
  }

  /** Sends a request of the protocol. */
  async ask<T>(command: string, args: object = {}): Promise<T> {
    return (await this.session.customRequest(command, args)) as T;
  }

  /** Sends a request that moves the debuggee, and waits for the stop. */
  async move(command: string, args: object = { threadId: 1 }): Promise<Stop> {
    const before = this.stops.length;
    await this.ask(command, args);
    await until(`a stop after ${command}`, () => this.stops.length > before);
    return this.stopped;
  }

  /** The last stop. */
  get stopped(): Stop {
    const last = this.stops.at(-1);
    assert.ok(last, 'it has never stopped');
    return last;
  }

  /** Runs one of VS Code's debug commands (such as stepOver), and waits until it has stopped and VS Code shows where. */
  async act(command: string): Promise<Stop> {
    const before = this.stops.length;
    const item = vscode.debug.activeStackItem;
    await vscode.commands.executeCommand(
      command.includes('.') ? command : `workbench.action.debug.${command}`,
    );
    await until(`a stop after ${command}`, () => this.stops.length > before);
    await focusedFrame(`a focused frame after ${command}`, [this.session.id], item);
    return this.stopped;
  }

  async threads(): Promise<DebugProtocol.Thread[]> {
    const answer: DebugProtocol.ThreadsResponse['body'] = await this.session.customRequest('threads');
    return answer.threads;
  }

  /** The call stack of the stopped thread, top first. */
  async frames(): Promise<DebugProtocol.StackFrame[]> {
    const args: DebugProtocol.StackTraceArguments = {
      threadId: this.stopped.threadId ?? 1,
      startFrame: 0,
      levels: 50,
    };
    const answer: DebugProtocol.StackTraceResponse['body'] = await this.session.customRequest(
      'stackTrace',
      args,
    );
    return answer.stackFrames;
  }

  /** Scopes of the top frame by name, in their order. */
  async scopes(): Promise<Map<string, DebugProtocol.Scope>> {
    const [top] = await this.frames();
    assert.ok(top, 'no frame');
    const answer: DebugProtocol.ScopesResponse['body'] = await this.session.customRequest('scopes', {
      frameId: top.id,
    });
    return new Map(answer.scopes.map((scope) => [scope.name, scope]));
  }

  async variables(reference: number): Promise<DebugProtocol.Variable[]> {
    const args: DebugProtocol.VariablesArguments = { variablesReference: reference };
    const answer: DebugProtocol.VariablesResponse['body'] = await this.session.customRequest(
      'variables',
      args,
    );
    return answer.variables;
  }

  /** The value that an expression has at the top frame. */
  async evaluate(expression: string): Promise<string> {
    const [top] = await this.frames();
    const args: DebugProtocol.EvaluateArguments = { expression, frameId: top!.id, context: 'watch' };
    const answer: DebugProtocol.EvaluateResponse['body'] = await this.session.customRequest('evaluate', args);
    return answer.result;
  }

  /** Ends the session, and waits until VS Code has forgotten it. */
  async stop(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      const listener = vscode.debug.onDidTerminateDebugSession((session) => {
        if (session.id !== this.session.id) return;
        listener.dispose();
        resolve();
      });
    });
    await vscode.debug.stopDebugging(this.session);
    await ended;
  }
}

/** Knows which debug sessions are running; vscode.debug.activeDebugSession sometimes outlives its session. */
export class RunningSessions {
  private readonly running = new Set<string>();
  private readonly listeners = [
    vscode.debug.onDidStartDebugSession(({ id }) => this.running.add(id)),
    vscode.debug.onDidTerminateDebugSession(({ id }) => this.running.delete(id)),
  ];

  get count(): number {
    return this.running.size;
  }

  /** Ends all sessions and removes all breakpoints, whatever a test has left. */
  async end(): Promise<void> {
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    await vscode.debug.stopDebugging();
    await until('the end of debugging', () => this.running.size === 0);
  }

  dispose(): void {
    for (const listener of this.listeners) listener.dispose();
  }
}
