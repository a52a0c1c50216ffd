import type { Disposable } from './listeners';
import type { OpenTrace } from './model';

/** Arguments of `launch`; the debug configuration's. */
export interface LaunchArguments {
  /** Session or trace: a path or URI. */
  readonly program?: string;
  /** Stop at the first event; otherwise run to the first breakpoint. On unless false. */
  readonly stopOnEntry?: boolean;
  /** Request to begin with: `queue:tag` or `queue:tag#life`. */
  readonly request?: string;
  /** Same as `request`, which a debug configuration uses for `launch`. */
  readonly tag?: string;
  /** Only events that this filter shows are stepped through in the thread of the whole trace. */
  readonly filter?: string;
  readonly kernel?: string;
  readonly server?: string;
  readonly seed?: string | number;
  readonly noDebug?: boolean;
  readonly [other: string]: unknown;
}

/** An opened program. */
export interface Opened {
  readonly open: OpenTrace;
  /**
   * Path or URI of a document with the whole trace text. Left out (or the text beyond 20 MB), the session hands out excerpts of
   * the text itself.
   */
  readonly traceDocument?: string;
  /** Documents for parts of a text beyond 20 MB: 4096 events each, with the notes above its first event. */
  readonly excerpts?: {
    readonly path: (part: number) => string;
    /** Part of such a document; undefined for other paths. */
    readonly partOf: (path: string) => number | undefined;
  };
  /** Size of that text, bytes. */
  readonly traceBytes?: number;
  /** Path or URI of the session file, also of a saved trace where the host found it. */
  readonly sessionDocument?: string;
  /** The session file as it ran, where the host knows. Lines of the trace are lines of this text. */
  readonly sessionText?: {
    readonly text: string;
    /** Whether the session file says something else by now. */
    readonly edited: () => boolean;
    /** What it says now, where the host knows. */
    readonly now?: () => string | undefined;
    /** Told when one of the two answers changes. */
    readonly onDidEdit?: (listener: () => void) => Disposable;
  };
}

/** Where pseudo-code stands; {@link StackIndex} of stack.ts is one. */
export interface PseudoCode {
  locate(
    eventName: string,
  ): { readonly file: string; readonly line: number; readonly function?: string } | undefined;
  eventsAt(file: string, line: number): readonly string[];
  breakableLine(file: string, line: number): number | undefined;
}

/** What the place that runs a debug session lends to it. */
export interface DebugHost {
  /**
   * Opens the program of a launch. Throws an Error whose message a person can read, for a session error `file:line:column: ...`.
   * `cancelled` is true once the user gave up.
   */
  readonly open: (
    args: LaunchArguments,
    work: {
      readonly progress: (what: string, share: number | undefined) => void;
      readonly cancelled: () => boolean;
    },
  ) => Promise<Opened>;
  /** Lets the host run something else. */
  readonly pause: () => Promise<void>;
  /** The annotated pseudo-code and how its files are named to the client. */
  readonly stack?: PseudoCode;
  readonly stackPath?: (file: string) => string;
  /** Opened programs are shared: true when the trace should not be disposed with the session (the default). */
  readonly closed?: (opened: Opened) => void;
}

/** A request that cannot be answered; `show` puts the message before the user's eyes. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  constructor(
    message: string,
    readonly show = true,
  ) {
    super(message);
  }
}

/** Custom request: one step, `{ kind: StepKind, threadId?: number }`. */
export const STEP_REQUEST = 'ublk-step';
/** Custom request: go to an event, `{ event: number, request?: number }` (`request` is a row of the request table). */
export const GOTO_REQUEST = 'ublk-goto';
/** Custom request: where the session stands, `{ event, request, threadId, program }`. */
export const WHERE_REQUEST = 'ublk-where';
