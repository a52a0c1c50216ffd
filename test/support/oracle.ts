import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type ParseCounts, TextParser } from '../../src/trace/parse';
import { Trace } from '../../src/trace/trace';

const ROOT = join(__dirname, '..', 'fixtures', 'oracle');

/** One I/O that the client of a recording asked for and what it got. Times are on the clock of the trace. */
export interface ExpectedIo {
  readonly op: string;
  readonly offset: number;
  readonly length: number;
  /** Bytes or -errno. */
  readonly res: number;
  readonly t_submit_ns: number;
  readonly t_done_ns: number;
  readonly group?: number;
  readonly client?: string;
}

/** The facts of a recording that tests use; the file has more. */
export interface RecordingMeta {
  readonly scenario: string;
  readonly kernel: string;
  readonly kind: string;
  readonly events: number;
  readonly event_counts: Readonly<Record<string, number>>;
  readonly trace_format?: string;
  readonly command_line?: string;
  readonly tool?: string;
  readonly queue_depth?: number;
  readonly nr_queues?: number;
  readonly ublk_flags?: string;
  readonly ublk_flag_names?: readonly string[];
  readonly logical_block_size?: number;
  readonly dev_capacity_sectors?: number;
  readonly block_devices?: Readonly<Record<string, unknown>>;
  readonly queue_limits?: Readonly<Record<string, string>>;
  readonly expected_ios?: readonly ExpectedIo[];
  readonly [key: string]: unknown;
}

/** A recording of a real kernel under test/fixtures/oracle. */
export interface Recording {
  readonly name: string;
  readonly meta: RecordingMeta;
  /** trace.txt as text. */
  readonly text: string;
  /** report.txt (trace-cmd report) where there is one. */
  readonly report: string | undefined;
  /** run.json of io_uring scenarios: SQEs and CQEs, parsed. */
  readonly run: unknown;
  /** io.json of FUSE scenarios, parsed. */
  readonly io: unknown;
}

/** Names of all recordings, sorted. */
export function listRecordings(): string[] {
  return readdirSync(ROOT).sort();
}

/** Reads a recording by its folder name; throws when there is none. */
export function loadRecording(name: string): Recording {
  const folder = join(ROOT, name);
  const files = new Set(readdirSync(folder));
  const unzip = (file: string): string => gunzipSync(readFileSync(join(folder, file))).toString('utf8');
  const json = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  return {
    name,
    meta: json('meta.json') as RecordingMeta,
    text: unzip('trace.txt.gz'),
    report: files.has('report.txt.gz') ? unzip('report.txt.gz') : undefined,
    run: files.has('run.json.gz') ? JSON.parse(unzip('run.json.gz')) : undefined,
    io: files.has('io.json') ? json('io.json') : undefined,
  };
}

/** A text read into a trace, in pieces of `size` bytes. */
export function parseTrace(
  text: string,
  size = Infinity,
): { readonly trace: Trace; readonly counts: ParseCounts } {
  const trace = new Trace();
  const parser = new TextParser(trace);
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) parser.push(bytes.subarray(at, at + size));
  return { trace, counts: parser.end() };
}
