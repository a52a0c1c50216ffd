import type { Ask, EventKind, Events, RequestName, Requests } from './protocol';
import { type Words, wordsFrom } from './words';

/** The channel to the host: `acquireVsCodeApi` and the window's messages, or a fake one in tests. */
export interface Port {
  post(message: Ask): void;
  /** Calls back with every message from the host; returns what stops that. */
  listen(receive: (message: unknown) => void): () => void;
}

/** Why a request got no answer; the message is fit to be shown. */
export class RequestError extends Error {
  readonly request: RequestName;
  constructor(request: RequestName, message: string) {
    super(message);
    this.request = request;
  }
}

interface Waiting {
  readonly name: RequestName;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: RequestError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** How long the host may take before the person is told, ms. Reading a large trace takes some seconds. */
const PATIENCE = 60_000;

/** Typed requests to the host with ids, error replies and a time limit, and the events that the host sends unasked. */
export class Client {
  /** In what words errors are told; English until the host's are known. */
  words: Words = wordsFrom({});
  private nextId = 1;
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners = new Map<EventKind, Set<(value: never) => void>>();
  private readonly stop: () => void;
  private readonly port: Port;
  private readonly patience: number;

  constructor(port: Port, patience = PATIENCE) {
    this.port = port;
    this.patience = patience;
    this.stop = port.listen((message) => this.receive(message));
  }

  /** Asks the host; rejects with a {@link RequestError} when it refuses or keeps silent. */
  ask<N extends RequestName>(name: N, ask: Requests[N]['ask']): Promise<Requests[N]['answer']> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        const { words: t } = this;
        const text = t("No answer to '{0}' within {1} s.", name, Math.round(this.patience / 1000));
        reject(new RequestError(name, text));
      }, this.patience);
      this.waiting.set(id, { name, resolve: resolve as (answer: unknown) => void, reject, timer });
      try {
        // The three belong together by the signature, which a mapped union cannot be told.
        this.port.post({ id, ask: name, with: ask } as Ask);
      } catch (error) {
        this.settle(id)?.reject(new RequestError(name, String(error)));
      }
    });
  }

  /** Calls back with every event of a kind; returns what stops that. */
  on<K extends EventKind>(kind: K, listener: (value: Events[K]) => void): () => void {
    const set = this.listeners.get(kind) ?? new Set();
    this.listeners.set(kind, set);
    set.add(listener as (value: never) => void);
    return () => set.delete(listener as (value: never) => void);
  }

  /** Number of requests without an answer yet. */
  get outstanding(): number {
    return this.waiting.size;
  }

  dispose(): void {
    const { words: t } = this;
    this.stop();
    for (const id of [...this.waiting.keys()]) {
      const waiting = this.settle(id);
      waiting?.reject(new RequestError(waiting.name, t('The view was closed.')));
    }
  }

  private settle(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    if (waiting === undefined) return undefined;
    this.waiting.delete(id);
    clearTimeout(waiting.timer);
    return waiting;
  }

  private receive(message: unknown): void {
    if (typeof message !== 'object' || message === null) return;
    if ('id' in message && typeof message.id === 'number') {
      const waiting = this.settle(message.id);
      // An answer that comes after its time limit has nobody left to take it.
      if (waiting === undefined) return;
      if ('error' in message) waiting.reject(new RequestError(waiting.name, String(message.error)));
      else waiting.resolve('answer' in message ? message.answer : undefined);
      return;
    }
    if ('event' in message && 'with' in message) {
      const value = message.with as never;
      for (const listener of this.listeners.get(message.event as EventKind) ?? []) listener(value);
    }
  }
}
