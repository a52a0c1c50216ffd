import { createReadStream, type Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { type ReadCounts, ReadError, readTraceText } from '../convert/read_trace';
import { sniff } from '../convert/sniff';
import type { Trace } from '../trace/trace';
import { type CliError, codeOf, fileError, systemMessage } from './errors';
import type { Progress } from './terminal';

const CHUNK = 1 << 20;

/** A trace with what its text held besides events. */
export interface LoadedTrace {
  readonly file: string;
  readonly trace: Trace;
  readonly counts: ReadCounts;
}

/** Reads a trace file (`-`: stdin), unpacking gzip. Every failure is a {@link CliError}. */
export async function loadTrace(file: string, progress: Progress): Promise<LoadedTrace> {
  const size = await inputSize(file);
  const source = new Source(file);
  let lines = 0;
  try {
    const { trace, counts } = await readTraceText(source.text(), {
      between: (_bytes, events) => {
        lines = events;
        progress.update(`reading ${file}`, source.bytesRead, size, `${events} events`);
      },
    });
    return { file, trace, counts };
  } catch (error) {
    throw source.explain(error, lines);
  } finally {
    progress.done();
  }
}

/** Reads a whole text file (`-`: stdin) as UTF-8. Refuses what is not text. */
export async function loadText(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    await inputSize(file);
    bytes = file === '-' ? await allOf(process.stdin) : await readFile(file);
  } catch (error) {
    throw isCliError(error) ? error : fileError(file, systemMessage(error));
  }
  const kind = sniff(bytes);
  if (kind !== 'text' && kind !== 'empty') throw fileError(file, `this is not a text file (${kind})`);
  return new TextDecoder().decode(bytes);
}

/** Size in bytes, 0 where it has none to tell. Refuses directories and files that are not there. */
async function inputSize(file: string): Promise<number> {
  if (file === '-') return 0;
  let info: Stats;
  try {
    info = await stat(file);
  } catch (error) {
    throw fileError(file, systemMessage(error));
  }
  if (info.isDirectory()) throw fileError(file, 'is a directory');
  return info.isFile() ? info.size : 0;
}

/** The bytes of a file, unpacked where they are gzip, and what is known when that fails. */
class Source {
  /** Bytes of the file itself taken so far. */
  bytesRead = 0;
  private readonly gunzip = createGunzip({ chunkSize: CHUNK });
  private packed = false;

  constructor(private readonly file: string) {}

  async *text(): AsyncGenerator<Uint8Array> {
    const raw = this.raw();
    let head: Uint8Array = new Uint8Array(0);
    while (head.length < 2) {
      const next = await raw.next();
      if (next.done) break;
      head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    }
    if (sniff(head) !== 'gzip') {
      yield head;
      yield* raw;
      return;
    }
    this.packed = true;
    const feeding = this.feed(head, raw);
    // A failed read reaches the consumer as the stream's error, so the feeder's own rejection says nothing new.
    feeding.catch((error: unknown) => this.gunzip.destroy(error instanceof Error ? error : undefined));
    for await (const chunk of this.gunzip) yield chunk as Buffer;
  }

  /** The error to show for one that reading threw. */
  explain(error: unknown, events: number): CliError | unknown {
    if (error instanceof ReadError) return fileError(this.file, error.message, error.line, error.column);
    if (isCliError(error)) return error;
    const code = codeOf(error);
    if (this.packed && code === 'Z_BUF_ERROR') {
      return fileError(
        this.file,
        `gzip data ends early, at byte ${this.bytesRead} (${events} events before it)`,
      );
    }
    if (this.packed && code.startsWith('Z_')) {
      const at = this.gunzip.bytesWritten;
      return fileError(this.file, `gzip data is damaged near byte ${at} (${events} events before it)`);
    }
    return code === '' ? error : fileError(this.file, systemMessage(error));
  }

  private async *raw(): AsyncGenerator<Uint8Array> {
    const stream = this.file === '-' ? process.stdin : createReadStream(this.file, { highWaterMark: CHUNK });
    for await (const chunk of stream) {
      const bytes = chunk as Buffer;
      this.bytesRead += bytes.length;
      yield bytes;
    }
  }

  private async feed(head: Uint8Array, raw: AsyncGenerator<Uint8Array>): Promise<void> {
    let chunk: Uint8Array | undefined = head;
    while (chunk !== undefined) {
      if (!this.gunzip.write(chunk)) await new Promise((ready) => this.gunzip.once('drain', ready));
      const next: IteratorResult<Uint8Array> = await raw.next();
      chunk = next.done ? undefined : next.value;
    }
    this.gunzip.end();
  }
}

async function allOf(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(typeof part === 'string' ? Buffer.from(part) : part);
  return Buffer.concat(parts);
}

function isCliError(error: unknown): error is CliError {
  return error instanceof Error && error.name === 'CliError';
}
