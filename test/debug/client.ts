import type { DebugProtocol } from '@vscode/debugprotocol';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DebugSession, type DebugHost, type LaunchArguments, type Opened } from '../../src/debug/dap_session';
import { openSession, openTraceText } from '../../src/debug/open';
import { StackIndex } from '../../src/debug/stack';

const ROOT = join(__dirname, '..', '..');
const STACK = join(ROOT, 'media', 'stack');

/** The pseudo-code of the product. */
export function stackIndex(): StackIndex {
  const names = readdirSync(STACK).filter((name) => name.endsWith('.c'));
  return new StackIndex(names.map((name) => ({ name, text: readFileSync(join(STACK, name), 'utf8') })));
}

/**
 * A host over the files of this repository. Programs are named relative to its root; `texts` gives programs that are no files.
 * `stack` false leaves the pseudo-code out, so that transcripts do not change with its wording.
 */
export function testHost(options: { stack?: boolean; texts?: Readonly<Record<string, string>>; slow?: boolean } = {}): DebugHost {
  const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const index = options.stack === false ? undefined : stackIndex();
  return {
    pause,
    ...(index === undefined ? {} : { stack: index, stackPath: (file: string) => `/media/stack/${file}` }),
    open: async (args, work): Promise<Opened> => {
      const program = args.program ?? '';
      const given = options.texts?.[program];
      if (given !== undefined && program.endsWith('.ublk')) {
        return { open: await openSession(program, given, { pause, ...work }) };
      }
      if (program.endsWith('.ublk')) {
        const text = readFileSync(join(ROOT, program), 'utf8');
        return { open: await openSession(program, text, { pause, ...work }) };
      }
      const raw = given === undefined ? readFileSync(join(ROOT, program)) : new TextEncoder().encode(given);
      const bytes = program.endsWith('.gz') ? gunzipSync(raw) : raw;
      const open = await openTraceText(program, [bytes], { pause, ...work });
      return { open, traceDocument: program, traceBytes: bytes.length };
    },
  };
}

/** Body of a stopped event; ours always name a thread. */
export type Stop = DebugProtocol.StoppedEvent['body'] & { threadId: number };

/** A client in the same process: sends requests, keeps all messages, waits for events. */
export class Client {
  /** Everything sent and received, in order. */
  readonly messages: DebugProtocol.ProtocolMessage[] = [];
  readonly session: DebugSession;
  private seq = 1;
  private waiting: ((message: DebugProtocol.ProtocolMessage) => void)[] = [];
  private seen = 0;

  constructor(host: DebugHost) {
    this.session = new DebugSession(host);
    this.session.onDidSendMessage((message) => {
      // a message may not change once it was sent, as over a socket
      this.messages.push(structuredClone(message));
      for (const wake of this.waiting.splice(0)) wake(message);
    });
  }

  /** Sends a request; the response whatever it says. */
  async send(command: string, args?: object): Promise<DebugProtocol.Response> {
    const request: DebugProtocol.Request = { seq: this.seq++, type: 'request', command, ...(args ? { arguments: args } : {}) };
    this.messages.push(structuredClone(request));
    await this.session.handleMessage(request);
    const answer = this.messages.find((m) => m.type === 'response' && (m as DebugProtocol.Response).request_seq === request.seq);
    if (answer === undefined) throw new Error(`no answer to ${command}`);
    return answer as DebugProtocol.Response;
  }

  /** Sends a request that has to succeed; its body. */
  async ask<T = Record<string, unknown>>(command: string, args?: object): Promise<T> {
    const answer = await this.send(command, args);
    if (!answer.success) throw new Error(`${command}: ${answer.message}`);
    return answer.body as T;
  }

  /** The next event of this name that was not waited for yet. */
  async event(name: string): Promise<DebugProtocol.Event> {
    for (;;) {
      for (; this.seen < this.messages.length; this.seen++) {
        const message = this.messages[this.seen];
        if (message.type !== 'event' || (message as DebugProtocol.Event).event !== name) continue;
        this.seen++;
        return message as DebugProtocol.Event;
      }
      await new Promise<DebugProtocol.ProtocolMessage>((resolve) => this.waiting.push(resolve));
    }
  }

  /** initialize, launch, configurationDone; the first stop. */
  async start(args: LaunchArguments, before: () => Promise<void> = async () => {}): Promise<Stop> {
    await this.ask('initialize', { adapterID: 'ublk-trace' });
    await this.ask('launch', args);
    await before();
    await this.ask('configurationDone');
    return (await this.event('stopped')).body as Stop;
  }

  /** A request that moves, and the stop that follows. */
  async move(command: string, args: object = { threadId: 1 }): Promise<Stop> {
    await this.ask(command, args);
    return (await this.event('stopped')).body as Stop;
  }

  /** Event and focused request now. */
  async where(): Promise<{ event: number; request: number | undefined; threadId: number }> {
    return this.ask('ublk-where');
  }

  /** Names and values of a scope at the top of a thread, with children to a depth. */
  async scope(name: string, threadId: number, depth = 0): Promise<unknown> {
    const { stackFrames } = await this.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', { threadId });
    const { scopes } = await this.ask<{ scopes: DebugProtocol.Scope[] }>('scopes', { frameId: stackFrames[0].id });
    const scope = scopes.find((each) => each.name === name);
    if (scope === undefined) throw new Error(`no scope ${name}`);
    return this.tree(scope.variablesReference, depth);
  }

  private async tree(variablesReference: number, depth: number): Promise<unknown> {
    const { variables } = await this.ask<{ variables: DebugProtocol.Variable[] }>('variables', { variablesReference });
    const entries: [string, unknown][] = [];
    for (const { name, value, variablesReference: below } of variables) {
      entries.push([name, below > 0 && depth > 0 ? [value, await this.tree(below, depth - 1)] : value]);
    }
    return Object.fromEntries(entries);
  }
}
