import { ReadError, readTraceText } from '../convert/read_trace';
import { runProgram, StepError } from '../ring/run';
import { placeOfStep, type SessionProgram } from '../ring/session_program';
import type { Command, Session, SessionOverrides } from '../session/ast';
import { formatDiagnostic } from '../session/diagnostics';
import { parseSession } from '../session/parse';
import { SimulateError, Simulation } from '../simulate';
import { matchSlices } from '../trace/requests';
import type { Trace } from '../trace/trace';
import { OpenTrace, type TraceSource } from './model';
import { SharedWork, type Work } from './work';

/** Steps of the scheduler, events and bytes of one slice: a few milliseconds, also before the code is warm. */
const SIMULATE_SLICE = 512;
const PREPARE_SLICE = 4096;
const TEXT_SLICE = 32 << 10;

/** What the one who opens a trace lends to it. */
export interface OpenHost {
  /** Lets the host run something else; called every few milliseconds of work. */
  readonly pause: () => Promise<void>;
  /** Told what is being done and how far it is: `share` from 0 to 1, undefined where nobody knows. */
  readonly progress?: (what: string, share: number | undefined) => void;
  /** Looked at after each slice; true makes opening fail with {@link OpenCancelled}. */
  readonly cancelled?: () => boolean;
}

/** What a session needs besides. */
export interface SessionHost extends OpenHost {
  /** Content of a file that the session names, relative to it; undefined when there is none. */
  readonly readFile?: (path: string) => Promise<Uint8Array | undefined>;
  readonly overrides?: SessionOverrides;
  /** Of a session that is a ring program: the decisions of its run, numbers divided by dots; the likeliest run where it is left out. */
  readonly schedule?: string | undefined;
}

/** What text needs besides. */
export interface TextHost extends OpenHost {
  /** Comments alone are a trace without events, not an error. */
  readonly eventless?: boolean;
}

/** Opening was given up by its caller. */
export class OpenCancelled extends Error {
  override readonly name = 'OpenCancelled';
  constructor() {
    super('cancelled');
  }
}

/** The content cannot be opened; the message begins with `file:line:column`. */
export class OpenError extends Error {
  override readonly name = 'OpenError';
}

/**
 * Simulates a session in slices.
 * @throws OpenError with one line per error of the session, OpenCancelled.
 */
export async function openSession(path: string, text: string, host: SessionHost): Promise<OpenTrace> {
  const { session, files } = await readSession(path, text, host);
  let simulation: Simulation;
  try {
    const schedule = host.schedule === undefined ? {} : { schedule: scheduleChoices(host.schedule) };
    simulation = new Simulation(session, { realFile: (file) => files.get(file), ...schedule });
    while (simulation.advance(SIMULATE_SLICE)) {
      host.progress?.(`${simulation.events} events simulated`, undefined);
      await rest(host);
    }
  } catch (error) {
    if (error instanceof SimulateError)
      throw new OpenError(`${path}:${error.line}:${error.column}: ${error.message}`);
    throw error;
  }
  const { trace, output, exitCode, sqes, steps } = simulation.result();
  await rest(host);
  return prepared(trace, { kind: 'session', path, session, output, exitCode, sqes, steps }, host);
}

/**
 * The ring program that a session is which has nothing else.
 * @throws OpenError with one line per error of the session, or for a session that has more; OpenCancelled.
 */
export async function ringOfSession(path: string, text: string, host: SessionHost): Promise<SessionProgram> {
  const { session, files } = await readSession(path, text, host);
  if (!session.ringOnly)
    throw new OpenError(
      `${path}:1:1: this session is no ring program: it has more than files, pipes and a ring`,
    );
  try {
    const ring = new Simulation(session, { realFile: (file) => files.get(file), schedule: [] }).compileRing();
    checkSteps(ring, path);
    return ring;
  } catch (error) {
    if (error instanceof SimulateError)
      throw new OpenError(`${path}:${error.line}:${error.column}: ${error.message}`);
    throw error;
  }
}

/** What only a run can tell of a program: an opcode that is not simulated, an SQ without room. */
function checkSteps(ring: SessionProgram, path: string): void {
  try {
    runProgram(ring.program, { profile: ring.profile });
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    const { line, column } = placeOfStep(ring, error);
    throw new OpenError(`${path}:${line}:${column}: ${error.message}`);
  }
}

/** Decisions of a run from numbers divided by dots. */
export function scheduleChoices(text: string): number[] {
  return text === '' ? [] : text.split('.').map(Number);
}

/** Parses a session and reads the files that it names. */
async function readSession(
  path: string,
  text: string,
  host: SessionHost,
): Promise<{ session: Session; files: ReadonlyMap<string, Uint8Array> }> {
  const session = parseSession(text, path, host.overrides);
  const errors = session.diagnostics.filter((d) => d.severity === 'error');
  if (errors.length > 0) throw new OpenError(errors.map((d) => formatDiagnostic(path, d)).join('\n'));
  const files = new Map<string, Uint8Array>();
  for (const name of new Set(session.commands.flatMap(namedFiles))) {
    const bytes = await host.readFile?.(name);
    if (bytes !== undefined) files.set(name, bytes);
    stopIfCancelled(host);
  }
  return { session, files };
}

/**
 * Reads trace text in slices.
 * @throws OpenError for a content that is no trace, OpenCancelled.
 */
export async function openTraceText(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  host: TextHost,
  size?: number,
): Promise<OpenTrace> {
  try {
    const { trace, counts } = await readTraceText(small(chunks), {
      between: async (bytes, events) => {
        host.progress?.(`${events} events read`, size ? Math.min(1, bytes / size) : undefined);
        await rest(host);
      },
      eventless: host.eventless === true,
    });
    const { damaged, firstDamaged, unknown, lost, bytes } = counts;
    const header = trace.notes.find((note) => note.text.startsWith('# ublk-trace session: '));
    const session = header?.text.slice('# ublk-trace session: '.length);
    const source = { kind: 'text', path, session, damaged, firstDamaged, unknown, lost, bytes } as const;
    return await prepared(trace, source, host);
  } catch (error) {
    if (error instanceof ReadError)
      throw new OpenError(`${path}:${error.line}:${error.column}: ${error.message}`);
    throw error;
  }
}

/** Files whose real content a command of a session may begin with. */
function namedFiles(command: Command): string[] {
  const names = ((): readonly (string | undefined)[] => {
    switch (command.kind) {
      case 'ublk-add':
        return [command.file];
      case 'truncate':
      case 'qemu-img':
      case 'open':
        return [command.path];
      case 'sqe':
        return [command.file, command.fileIn].map((file) => (file && 'path' in file ? file.path : undefined));
      case 'dd':
        return [command.input, command.output];
      case 'fio':
        return command.jobs.map((job) => job.filename);
      default:
        return [];
    }
  })();
  return names.filter((name) => name !== undefined).filter((name) => !name.startsWith('/dev/'));
}

/** The same bytes in pieces that take no longer than a slice. */
async function* small(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += TEXT_SLICE) yield chunk.subarray(at, at + TEXT_SLICE);
  }
}

/** Finds the requests and makes the snapshots of all states, so that every later step is short. */
export async function prepared(trace: Trace, source: TraceSource, host: OpenHost): Promise<OpenTrace> {
  const work = (what: string): Work => ({
    pause: host.pause,
    progress: (share) => host.progress?.(what, share),
    ...(host.cancelled === undefined ? {} : { cancelled: host.cancelled }),
  });
  const requests = await new SharedWork(matchSlices(trace, { plainSqes: true })).wait(work('requests'));
  if (requests === undefined) throw new OpenCancelled();
  const open = new OpenTrace(trace, source, requests);
  await rest(host);
  if (!(await open.causes.prepare(work('causes')))) throw new OpenCancelled();
  for (let done = 0; !open.states.prepare(PREPARE_SLICE); done += PREPARE_SLICE) {
    host.progress?.('states', Math.min(1, done / Math.max(1, open.length)));
    await rest(host);
  }
  return open;
}

async function rest(host: OpenHost): Promise<void> {
  await host.pause();
  stopIfCancelled(host);
}

function stopIfCancelled(host: OpenHost): void {
  if (host.cancelled?.()) throw new OpenCancelled();
}
