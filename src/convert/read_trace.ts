import { type ParseCounts, TextParser } from '../trace/parse';
import { Trace } from '../trace/trace';
import { bomLength, sniff, SNIFF_BYTES, unreadable } from './sniff';

/** Most bytes read between two calls of the hook. */
const SLICE = 1 << 20;
const LONGEST_QUOTE = 60;

/** A content that cannot be read as a trace: where, and why. */
export class ReadError extends Error {
  override readonly name = 'ReadError';
  constructor(
    message: string,
    /** Line in the text, from 1. */
    readonly line = 1,
    /** Column, from 1. */
    readonly column = 1,
  ) {
    super(message);
  }
}

/** What was read. */
export interface ReadCounts extends ParseCounts {
  /** Bytes of text, before any line was split off. */
  readonly bytes: number;
  readonly events: number;
  /** Line of the first damaged one; 0 when there is none. */
  readonly firstDamaged: number;
}

export interface ReadOptions {
  /**
   * Called after each slice of at most 1 MiB with the totals so far. Return a promise to let others run;
   * throw to stop reading (the error reaches the caller of {@link readTraceText}).
   */
  readonly between?: (bytes: number, events: number) => void | Promise<void>;
  /** Comments alone are a trace without events, not an error. */
  readonly eventless?: boolean;
}

/**
 * Reads trace text from pieces of bytes into columns. Fails with {@link ReadError} when the content is no text, is empty,
 * or holds no event (but see {@link ReadOptions.eventless}). Lines that are no events become notes of the trace and are counted.
 */
export async function readTraceText(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: ReadOptions = {},
): Promise<{ trace: Trace; counts: ReadCounts }> {
  const trace = new Trace();
  const parser = new TextParser(trace);
  let head: Uint8Array | undefined = new Uint8Array(0);
  let bytes = 0;
  const take = async (piece: Uint8Array): Promise<void> => {
    for (let at = 0; at < piece.length; at += SLICE) {
      const slice = piece.subarray(at, at + SLICE);
      parser.push(slice);
      bytes += slice.length;
      await options.between?.(bytes, trace.length);
    }
  };
  for await (const chunk of chunks) {
    if (head === undefined) {
      await take(chunk);
      continue;
    }
    head = joined(head, chunk);
    if (head.length < SNIFF_BYTES) continue;
    await take(openText(head));
    head = undefined;
  }
  if (head !== undefined) await take(openText(head));
  const counts = { ...parser.end(), bytes, events: trace.length, firstDamaged: firstDamaged(trace) };
  refuseNoEvents(trace, counts, options.eventless === true);
  return { trace, counts };
}

/** The text behind a byte order mark; throws where the first bytes are of no text. */
function openText(head: Uint8Array): Uint8Array {
  const kind = sniff(head);
  const why = unreadable(kind) ?? (kind === 'gzip' ? 'gzip data within gzip data' : undefined);
  if (why !== undefined) throw new ReadError(why);
  return head.subarray(bomLength(head));
}

function refuseNoEvents(trace: Trace, counts: ReadCounts, eventless: boolean): void {
  if (counts.events > 0) return;
  const bad = trace.notes.find((note) => note.kind === 'damaged');
  if (bad === undefined) {
    if (eventless) return;
    const what = counts.lines === 1 ? '1 line, a comment' : `${counts.lines} lines, all comments`;
    throw new ReadError(`no events (${what})`, Math.max(1, counts.lines));
  }
  const rest = counts.damaged === 1 ? '' : `; damaged lines: ${counts.damaged}`;
  throw new ReadError(
    `not a line of trace text: ${quoted(bad.text)} (and no line is an event${rest})`,
    bad.line,
  );
}

function firstDamaged(trace: Trace): number {
  return trace.notes.find((note) => note.kind === 'damaged')?.line ?? 0;
}

/** Text from a file, fit to stand in a one-line message. */
function quoted(text: string): string {
  const cut = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}...` : text;
  return `'${cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')}'`;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
