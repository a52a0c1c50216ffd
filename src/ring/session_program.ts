/** A session that has nothing but a ring, as a ring program. */
import { type UringProfile, uringProfile } from '../kernel/uring/uring_profile';
import type { Session, Span } from '../session/ast';
import { noFile } from '../session/ring_scope';
import { ProgramError } from './json_text';
import { initialBytes, type InitialBytes, type RingProgram } from './program';
import { readProgram } from './read_program';
import { type SessionFiles, type SessionText, sessionText } from './session_text';
import type { StepError } from './step_error';

/** A session as a program. */
export interface SessionProgram extends SessionText {
  readonly program: RingProgram;
  readonly profile: UringProfile;
}

/** A session that cannot be a program, with the place in its text. */
export class SessionRingError extends Error {
  override readonly name = 'SessionRingError';
  constructor(
    message: string,
    readonly at: Span,
  ) {
    super(message);
  }
}

/** Files of which nothing is known: each is there, and empty. */
const ANY_FILES: SessionFiles = {
  size: () => 0,
  cached: () => true,
  bytes: () => new Uint8Array(),
};

/** The profile of io_uring alone that goes with a session's kernel. */
export function ringProfile({ settings }: Session): UringProfile {
  // the patches of the RFC change what splice does with ublk devices, nothing else of io_uring
  return uringProfile(settings.kernel === '6.1+splice-zc' ? '6.1' : settings.kernel)!;
}

/** Turns a session into a program. @throws SessionRingError */
export function sessionProgram(session: Session, files: SessionFiles): SessionProgram {
  const text = sessionText(session, files);
  if (text.missing) throw new SessionRingError(noFile(text.missing.path), text.missing.at);
  let read: RingProgram;
  try {
    read = readProgram(text.text);
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    throw new SessionRingError(error.message, text.spans[error.place.line - 1]!);
  }
  const takes = !session.commands.some(({ kind }) => kind === 'reap');
  const program: RingProgram = {
    ...read,
    steps: takes
      ? read.steps.map((step, i) => {
          const by = text.steps[i]!.command;
          return step.kind === 'submit' && by.kind === 'submit' && !by.keep ? { ...step, takes: true } : step;
        })
      : read.steps,
    initial: initialOf(text, files),
  };
  return { ...text, program, profile: ringProfile(session) };
}

/** What of a session no program can have, as far as its text tells; undefined where it is fine. */
export function sessionMistake(session: Session): SessionRingError | undefined {
  try {
    sessionProgram(session, ANY_FILES);
    return undefined;
  } catch (error) {
    if (error instanceof SessionRingError) return error;
    throw error;
  }
}

/** The place in the session of what a run found wrong. */
export function placeOfStep({ steps }: SessionText, error: StepError): Span {
  const step = steps[error.step]!;
  return step.sqes[error.sqe] ?? step.command;
}

function initialOf({ files, zeros }: SessionText, host: SessionFiles): InitialBytes {
  const known = new Map<string, Uint8Array>();
  const made = new Map(files.flatMap((file) => (file.pattern ? [] : [[file.name, file] as const])));
  return {
    get(name, size) {
      const key = `${name} ${size}`;
      let bytes = known.get(key);
      if (bytes === undefined) {
        const file = made.get(name);
        if (file?.kind === 'file') bytes = host.bytes(file.path);
        else bytes = zeros.has(name) ? new Uint8Array(size) : initialBytes(patternName(name), size);
        known.set(key, bytes);
      }
      return bytes;
    },
  };

  /** The pattern comes from the name that the session uses. */
  function patternName(name: string): string {
    return files.find((file) => file.pattern && file.name === name)?.path ?? name;
  }
}
