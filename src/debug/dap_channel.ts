import type { DebugProtocol } from '@vscode/debugprotocol';
import { GOTO_REQUEST, RequestError, STEP_REQUEST } from './dap_host';
import { type Disposable, Listeners } from './listeners';

/** Answers of requests by command. A handler returns the body or a {@link Reply}, or throws {@link RequestError}. */
export type Handlers = Readonly<Record<string, (args: never) => unknown>>;

/** Arguments without which a request says nothing. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  evaluate: ['expression'],
  completions: ['text', 'column'],
  readMemory: ['memoryReference', 'count'],
  setBreakpoints: ['source'],
  setFunctionBreakpoints: ['breakpoints'],
  setDataBreakpoints: ['breakpoints'],
  setExceptionBreakpoints: ['filters'],
  dataBreakpointInfo: ['name'],
  breakpointLocations: ['source', 'line'],
  gotoTargets: ['source', 'line'],
  goto: ['targetId'],
  [GOTO_REQUEST]: ['event'],
  [STEP_REQUEST]: ['kind'],
};

/** An answer after which something is to be sent. */
export class Reply {
  constructor(
    readonly body: unknown,
    /** Runs once the answer is out. */
    readonly after: () => void,
  ) {}
}

/** Turns messages into calls and their outcome into messages; numbers what it sends. */
export class Channel {
  private seq = 1;
  private readonly sent = new Listeners<DebugProtocol.ProtocolMessage>();

  /** Told every message to the client. */
  on(listener: (message: DebugProtocol.ProtocolMessage) => void): Disposable {
    return this.sent.on(listener);
  }

  /** Sends an event. */
  event(event: string, body?: object): void {
    const message: DebugProtocol.Event = { seq: this.seq++, type: 'event', event };
    if (body !== undefined) message.body = body;
    this.sent.fire(message);
  }

  /** Calls the handler of a request and sends its answer. Anything that is no request is ignored. */
  async handle(message: DebugProtocol.ProtocolMessage, handlers: Handlers): Promise<void> {
    if (message.type !== 'request') return;
    const request = message as DebugProtocol.Request;
    try {
      const handler = Object.hasOwn(handlers, request.command) ? handlers[request.command] : undefined;
      if (handler === undefined) throw new RequestError(`${request.command} is not supported`, false);
      const missing = NEEDED[request.command]?.find((name) => request.arguments?.[name] === undefined);
      if (missing !== undefined) throw new RequestError(`${request.command} needs "${missing}"`, false);
      const returned = handler((request.arguments ?? {}) as never);
      const result: unknown = returned instanceof Promise ? await returned : returned;
      this.respond(request, result instanceof Reply ? result.body : result);
      if (result instanceof Reply) result.after();
    } catch (error) {
      this.refuse(request, error);
    }
  }

  dispose(): void {
    this.sent.clear();
  }

  private respond(request: DebugProtocol.Request, body: unknown): void {
    const response: DebugProtocol.Response = {
      seq: this.seq++,
      type: 'response',
      request_seq: request.seq,
      command: request.command,
      success: true,
    };
    if (body !== undefined) response.body = body;
    this.sent.fire(response);
  }

  private refuse(request: DebugProtocol.Request, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const show = !(error instanceof RequestError) || error.show;
    const response: DebugProtocol.ErrorResponse = {
      seq: this.seq++,
      type: 'response',
      request_seq: request.seq,
      command: request.command,
      success: false,
      message: text,
      // braces of a format stand for variables
      body: { error: { id: 1, format: '{text}', variables: { text }, showUser: show } },
    };
    this.sent.fire(response);
  }
}
