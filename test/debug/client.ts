import type { DebugProtocol } from '@vscode/debugprotocol';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  type DebugHost,
  DebugSession,
  type LaunchArguments,
  type Opened,
  type PseudoCode,
  WHERE_REQUEST,
} from '../../src/debug/dap_session';
import { openSession, openTraceText } from '../../src/debug/open';
import { openRing } from '../../src/debug/open_ring';
import { StackIndex } from '../../src/debug/stack';
import { eventNames } from '../../src/trace/schema';

const ROOT = join(__dirname, '..', '..');
const STACK = join(ROOT, 'media', 'stack');

/** The pseudo-code of the product. */
export function stackIndex(): StackIndex {
  const names = readdirSync(STACK).filter((name) => name.endsWith('.c'));
  return new StackIndex(names.map((name) => ({ name, text: readFileSync(join(STACK, name), 'utf8') })));
}

/** Pseudo-code that never changes, for transcripts: every event stands on some line of one of four files. */
export const FIXED_STACK: PseudoCode = {
  locate: (name) => ({ file: fileOf(name), line: lineOf(name) }),
  eventsAt: (file, line) => eventNames().filter((name) => fileOf(name) === file && lineOf(name) === line),
  breakableLine: (file, line) => {
    const lines = eventNames()
      .filter((name) => fileOf(name) === file)
      .map(lineOf);
    const below = lines.filter((each) => each >= line);
    return below.length > 0 ? Math.min(...below) : undefined;
  },
};

function fileOf(name: string): string {
  if (name.startsWith('ublk_')) return 'ublk_drv.c';
  if (name.startsWith('bl')) return 'blk-mq.c';
  return name.startsWith('io_') ? 'io_uring.c' : 'other.c';
}

function lineOf(name: string): number {
  let sum = 0;
  for (const c of name) sum = (sum * 31 + c.charCodeAt(0)) % 9973;
  return 10 + sum;
}

/** Host of tests: programs are named relative to the root of this repository. */
export interface TestHostOptions {
  /** Pseudo-code; that of the product unless given. */
  readonly stack?: PseudoCode;
  /** Programs that are no files. */
  readonly texts?: Readonly<Record<string, string>>;
  /** Session of a trace file, as a host may find it. */
  readonly session?: string;
}

/** A host over the files of this repository. */
export function testHost(options: TestHostOptions = {}): DebugHost {
  const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const read = (program: string): Uint8Array => {
    const given = options.texts?.[program];
    if (given !== undefined) return new TextEncoder().encode(given);
    if (!existsSync(join(ROOT, program))) throw new Error(`${program}: there is no such file`);
    const bytes = readFileSync(join(ROOT, program));
    return program.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  };
  return {
    pause,
    stack: options.stack ?? stackIndex(),
    stackPath: (file) => `/media/stack/${file}`,
    open: async (args, work): Promise<Opened> => {
      const program = args.program ?? '';
      const bytes = read(program);
      if (program.endsWith('.ublk')) {
        return { open: await openSession(program, new TextDecoder().decode(bytes), { pause, ...work }) };
      }
      if (program.endsWith('.ring.json')) {
        const text = new TextDecoder().decode(bytes);
        return { open: await openRing(program, text, { pause, ...work }, args) };
      }
      const open = await openTraceText(program, [bytes], { pause, ...work });
      const whole = { open, traceDocument: program, traceBytes: bytes.length };
      return options.session === undefined ? whole : { ...whole, sessionDocument: options.session };
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
    const request: DebugProtocol.Request = {
      seq: this.seq++,
      type: 'request',
      command,
      ...(args ? { arguments: args } : {}),
    };
    this.messages.push(structuredClone(request));
    await this.session.handleMessage(request);
    const answer = this.messages.find(
      (m) => m.type === 'response' && (m as DebugProtocol.Response).request_seq === request.seq,
    );
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
    return this.ask(WHERE_REQUEST);
  }

  /** Names and values of a scope at the top of a thread, with children to a depth. */
  async scope(name: string, threadId: number, depth = 0): Promise<unknown> {
    const { stackFrames } = await this.ask<{ stackFrames: DebugProtocol.StackFrame[] }>('stackTrace', {
      threadId,
    });
    const { scopes } = await this.ask<{ scopes: DebugProtocol.Scope[] }>('scopes', {
      frameId: stackFrames[0].id,
    });
    const scope = scopes.find((each) => each.name === name);
    if (scope === undefined) throw new Error(`no scope ${name}`);
    return this.tree(scope.variablesReference, depth);
  }

  private async tree(variablesReference: number, depth: number): Promise<unknown> {
    const { variables } = await this.ask<{ variables: DebugProtocol.Variable[] }>('variables', {
      variablesReference,
    });
    const entries: [string, unknown][] = [];
    for (const { name, value, variablesReference: below } of variables) {
      entries.push([name, below > 0 && depth > 0 ? [value, await this.tree(below, depth - 1)] : value]);
    }
    return Object.fromEntries(entries);
  }
}
