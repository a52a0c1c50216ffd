import { once } from 'node:events';
import { closeSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { codeOf, fileError, systemMessage } from './errors';

const BUFFER = 1 << 16;

/** Where a command's result goes. */
export interface Output {
  /** Writes text; wait for the promise before writing much more. */
  write(text: string): Promise<void>;
  /** Everything is written: makes the result visible. */
  close(): Promise<void>;
  /** Gives up: what was written so far must not be taken for a result. */
  abort(): void;
}

/** Standard output. A reader that went away (`| head`) ends the program quietly. */
export function standardOutput(): Output {
  let pending = '';
  const flush = async (): Promise<void> => {
    const text = pending;
    pending = '';
    if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
  };
  return {
    async write(text) {
      pending += text;
      if (pending.length > BUFFER) await flush();
    },
    close: flush,
    abort() {
      pending = '';
    },
  };
}

/** Ends the program without a word when the reader of stdout or stderr has gone. */
export function quietOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (codeOf(error) === 'EPIPE') process.exit(process.exitCode ?? 0);
      try {
        process.stderr.write(
          `${stream === process.stdout ? 'stdout' : 'stderr'}:1:1: ${systemMessage(error)}\n`,
        );
      } finally {
        process.exit(2);
      }
    });
  }
}

/**
 * `-` or undefined: stdout; else a file that appears under its name only when it is complete. Refuses to replace `input`, the
 * file that the command reads.
 */
export function openOutput(file: string | undefined, input: string): Output {
  if (file === undefined || file === '-') return standardOutput();
  if (sameFile(file, input)) throw fileError(file, 'the output would replace the file that is read');
  return fileOutput(file);
}

/** Whether two names lead to one regular file. */
function sameFile(a: string, b: string): boolean {
  if (b === '-') return false;
  try {
    const [one, other] = [statSync(a, { bigint: true }), statSync(b, { bigint: true })];
    return one.isFile() && one.dev === other.dev && one.ino === other.ino;
  } catch {
    // what is not there yet, or cannot be looked at, is told where it is opened
    return false;
  }
}

function fileOutput(file: string): Output {
  const target = realTarget(file);
  const beside = target.regular ? `${target.path}.${process.pid}.tmp` : target.path;
  const guard = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw fileError(file, systemMessage(error));
    }
  };
  const fd = guard(() => openSync(beside, 'w'));
  const discard = (): void => {
    if (target.regular) rmSync(beside, { force: true });
  };
  const interrupted = (): void => {
    discard();
    process.exit(130);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  const finish = (): void => {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    closeSync(fd);
  };
  let pending = '';
  const flush = (): void => {
    const bytes = Buffer.from(pending);
    pending = '';
    guard(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    });
  };
  return {
    async write(text) {
      pending += text;
      if (pending.length > BUFFER) flush();
    },
    async close() {
      flush();
      finish();
      try {
        if (target.regular) guard(() => renameSync(beside, target.path));
      } catch (error) {
        discard();
        throw error;
      }
    },
    abort() {
      finish();
      discard();
    },
  };
}

/** The file behind links, and whether it may be replaced by renaming (a device or a pipe may not). */
function realTarget(file: string): { path: string; regular: boolean } {
  try {
    const path = realpathSync(file);
    const info = statSync(path);
    if (info.isDirectory()) throw fileError(file, 'is a directory');
    return { path, regular: info.isFile() };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { path: file, regular: true };
    if (codeOf(error) === '') throw error;
    throw fileError(file, systemMessage(error));
  }
}
