import { Choices, type ChoiceOverride } from './kernel/choice';
import { Machine } from './kernel/machine';
import { OutOfMemory } from './kernel/memory';
import { kernelProfile } from './kernel/profile';
import type { OutcomeStep } from './ring/outcome';
import type { SessionFiles } from './ring/session_text';
import { type SessionProgram, sessionProgram, SessionRingError } from './ring/session_program';
import { runSessionRing, type SessionRingResult, type SqeOfLine } from './ring/session_run';
import type { ClientContext } from './server/client_jobs';
import { type ClientIo, ClientSyscalls } from './server/client_io';
import { NoSuchFile } from './server/ring_client';
import { Script } from './server/script';
import { SessionFaults } from './server/session_faults';
import { type Session, SIMULATED_KERNELS } from './session/ast';
import { ofRing } from './session/ring_check';
import { Recorder } from './trace/recorder';
import { Trace } from './trace/trace';

/** Events between two calls of the progress function, and the size of a flushed piece. */
const SLICE = 16384;

/** How a session is simulated. */
export interface SimulateOptions {
  /** Content of a real file that the session names (relative to it); undefined when there is none. */
  readonly realFile?: (path: string) => Uint8Array | undefined;
  readonly progress?: (events: number) => void;
  /** Gets the trace piece by piece, after which its events are dropped: memory stays bounded however long the run is. */
  readonly drain?: (trace: Trace) => void;
  /** Sees every I/O of every client. */
  readonly observe?: (io: ClientIo) => void;
  /** Answers choices instead of the seed. */
  readonly override?: ChoiceOverride;
  /** Record SQE bytes and CQ heads; on unless told otherwise. */
  readonly facts?: boolean;
  /** Of a session that runs as a ring program: answers its decisions one after the other, as an exploration found them. */
  readonly schedule?: readonly number[];
}

/** A simulated file at the end of a run. Bytes that no range covers are zero. */
export interface SimulatedFile {
  readonly path: string;
  readonly size: number;
  readonly ranges: Iterable<{ readonly offset: number; readonly bytes: Uint8Array }>;
}

/** What a run brought. */
export interface SimulateResult {
  readonly trace: Trace;
  /** Events recorded, also those that were drained. */
  readonly events: number;
  /** I/Os that clients did. */
  readonly clientIos: number;
  /** Virtual time at the end, ns. */
  readonly time: number;
  /** Exit code of the session as a script. */
  readonly exitCode: number;
  /** What the commands printed, a line each. */
  readonly output: string;
  readonly files: SimulatedFile[];
  /** Of a session that runs as a ring program: where the requests of its SQEs begin. */
  readonly sqes: readonly SqeOfLine[];
  /** Of such a session: what its calls returned; undefined of any other. */
  readonly steps: readonly OutcomeStep[] | undefined;
}

/** Raised for a session that cannot run; `line` and `column` are the place in the session file. */
export class SimulateError extends Error {
  constructor(
    message: string,
    readonly line: number,
    readonly column = 1,
  ) {
    super(message);
  }
}

/** Events whose text has changed since 6.1, with the form of today. */
const LATER_FORMS = {
  io_uring_task_work_run: 1,
  ublk_queue_rq: 1,
  ublk_ch_uring_cmd: 1,
  block_rq_insert: 1,
  block_rq_issue: 1,
  block_rq_merge: 1,
  block_rq_requeue: 1,
  block_rq_complete: 1,
} as const;

/** Simulates a session that parsed without errors. Same session, seed and profile: the same trace, byte for byte. */
export function simulate(session: Session, options: SimulateOptions = {}): SimulateResult {
  const simulation = new Simulation(session, options);
  let more = true;
  while (more) {
    more = simulation.advance(SLICE);
    options.progress?.(simulation.events);
    if (options.drain) {
      options.drain(simulation.trace);
      simulation.dropEvents();
    }
  }
  return simulation.result();
}

/** A run that is taken in slices, so that its caller can show progress, write the trace as it grows, or give up. */
export class Simulation {
  readonly trace = new Trace();
  /** Events recorded so far, also those that were dropped. */
  events = 0;
  private limit = 0;
  private stopped = false;
  private clientIos = 0;
  private outOfMemory = false;
  private readonly output: string[] = [];
  private readonly recorder: Recorder;
  private readonly machine: Machine;
  private readonly faults: SessionFaults;
  private readonly script: Script;
  /** The session runs as a ring program. */
  private readonly onRing: boolean;
  private ringResult: SessionRingResult | undefined;

  constructor(
    private readonly session: Session,
    private readonly options: SimulateOptions = {},
  ) {
    const { settings } = session;
    this.onRing = session.onRing || (session.ringOnly && options.schedule !== undefined);
    // what makes the files of a ring is the same on all kernels
    const profile = kernelProfile(SIMULATED_KERNELS.includes(settings.kernel) ? settings.kernel : '7.3');
    if (!profile) throw new SimulateError(`kernel ${settings.kernel} is not simulated`, 1);
    const { trace } = this;
    header(trace, session);
    this.recorder = new Recorder(
      trace,
      () => {
        if (++this.events >= settings.maxEvents) this.stopped = true;
      },
      undefined,
      profile.rules.laterTracepoints ? LATER_FORMS : {},
    );
    this.recorder.later.last = 1;
    this.recorder.later.ioprio = trace.strings.id('be,0,4');
    this.faults = new SessionFaults(session.faults);
    this.machine = new Machine(this.recorder, new Choices(settings.seed, options.override), {
      profile,
      cpus: settings.cpus,
      memory: settings.memory,
      blockSize: settings.blockSize,
      rawBacking: settings.backing === 'blkdev',
      partScan: settings.partScan,
      faults: this.faults.plan,
      initial: (path) => {
        const bytes = options.realFile?.(path);
        return bytes && { size: bytes.length, read: (offset, dst) => copyFrom(bytes, offset, dst) };
      },
      stop: () => this.stopped || this.events >= this.limit || this.script.finished,
    });
    const ctx = this.clientContext(options.observe);
    const commands = this.onRing ? beforeRing(session) : session.commands;
    this.script = new Script(
      this.machine,
      { ...session, commands },
      ctx,
      this.faults.server,
      options.facts ?? true,
      (index) => this.faults.arm(index),
    );
    const shell = this.machine.kernel.newTask('sh');
    this.machine.kernel.sched.start(shell, this.script.run(shell));
  }

  /** Runs until about so many more events are recorded. False when the run is over. */
  advance(events: number): boolean {
    this.limit = this.events + events;
    try {
      this.machine.kernel.sched.run();
    } catch (error) {
      if (error instanceof NoSuchFile) throw new SimulateError(error.message, error.at.line, error.at.column);
      if (!(error instanceof OutOfMemory)) throw error;
      this.output.push(`${this.session.file}:${this.script.line}:1: ${error.message}`);
      this.outOfMemory = true;
    }
    if (this.script.finished && !this.stopped && this.onRing && this.ringResult === undefined)
      this.ringResult = this.runRing();
    return !this.outOfMemory && !this.stopped && !this.script.finished && !this.machine.kernel.sched.idle;
  }

  /** Forgets the events so far; tables stay. */
  dropEvents(): void {
    this.trace.clearEvents();
    this.trace.notes.length = 0;
  }

  /** What the run brought, once {@link advance} has returned false. */
  result(): SimulateResult {
    const { output, script, faults } = this;
    let exitCode = this.outOfMemory ? 1 : this.ringResult?.status || script.status;
    if (this.stopped) {
      output.push(
        `stopped after ${this.session.settings.maxEvents} events (#: max-events sets another limit)`,
      );
      exitCode = 1;
    } else if ((!script.finished && !this.outOfMemory) || this.ringResult?.hang) {
      output.push('the session hangs: nothing is left that could wake its commands');
      exitCode = 1;
    }
    for (const fault of faults.unused()) output.push(`line ${fault.line}: fault never struck`);
    return {
      trace: this.trace,
      events: this.events,
      clientIos: this.clientIos,
      time: this.recorder.now,
      exitCode,
      output: output.map((line) => `${line}\n`).join(''),
      files: this.finalFiles(),
      sqes: this.ringResult?.sqes ?? [],
      steps: this.ringResult?.steps,
    };
  }

  /** Files as they are at the end. */
  private finalFiles(): SimulatedFile[] {
    const { machine } = this;
    const contents = this.ringResult?.contents ?? new Map();
    const made = [...machine.allFiles()]
      .filter(([path]) => !contents.has(path))
      .map(([path, file]) => ({
        path,
        size: file.size,
        ranges: { [Symbol.iterator]: () => machine.rangesOf(file) },
      }));
    const rings = [...contents].map(([path, { size, pieces }]) => ({
      path,
      size,
      ranges: { [Symbol.iterator]: () => placed(pieces) },
    }));
    return [...made, ...rings];
  }

  /**
   * The ring program that a session is which has nothing else, with the files that its commands make.
   * @throws SimulateError
   */
  compileRing(): SessionProgram {
    this.limit = Number.POSITIVE_INFINITY;
    this.machine.kernel.sched.run();
    return this.compiled();
  }

  private compiled(): SessionProgram {
    try {
      return sessionProgram(this.session, this.ringFiles());
    } catch (error) {
      if (!(error instanceof SessionRingError)) throw error;
      throw new SimulateError(error.message, error.at.line, error.at.column);
    }
  }

  /** The ring of a session that has nothing else, behind the commands that made its files. */
  private runRing(): SessionRingResult {
    const { session, machine, recorder, options } = this;
    const choices = options.schedule?.values();
    const compiled = this.compiled();
    try {
      return runSessionRing(session, compiled, {
        rec: recorder,
        pid: machine.kernel.newTask('ring').pid,
        facts: options.facts ?? true,
        print: (line) => this.print(line),
        stop: () => this.stopped,
        ...(choices ? { chooser: (n) => Math.min(n - 1, choices.next().value ?? 0) } : {}),
      });
    } catch (error) {
      if (!(error instanceof SessionRingError)) throw error;
      throw new SimulateError(error.message, error.at.line, error.at.column);
    }
  }

  /** What the commands before the ring have left. */
  private ringFiles(): SessionFiles {
    const { machine } = this;
    const file = (path: string) => machine.file(path, false);
    return {
      size: (path) => file(path)?.size,
      cached: (path) => {
        const found = file(path);
        return found !== undefined && machine.cacheOf(found).isCached(0, found.size);
      },
      bytes: (path) => {
        const found = file(path)!;
        const bytes = new Uint8Array(found.size);
        for (const range of machine.rangesOf(found))
          if (range.offset < bytes.length)
            bytes.set(range.bytes.subarray(0, bytes.length - range.offset), range.offset);
        return bytes;
      },
    };
  }

  private print(text: string): void {
    this.output.push(text);
    this.recorder.emit.command_output(this.trace.strings.id(text.replaceAll('\n', ' ')));
  }

  private clientContext(observe: SimulateOptions['observe']): ClientContext {
    const { machine } = this;
    const sys = new ClientSyscalls(machine, (io) => {
      this.clientIos++;
      observe?.(io);
    });
    return {
      machine,
      sys,
      device: (path) => {
        const name = path.replace(/^\/dev\//, '');
        const found = machine.disk(name);
        if (found) {
          found.openers++;
          found.cache.opened();
        }
        return found;
      },
      close: (task, device) => machine.closeDisk(task, device),
      print: (text) => this.print(text),
    };
  }
}

/** Commands that make the files of a ring; all of them stand before its first SQE. */
function beforeRing({ commands }: Session): Session['commands'] {
  return commands.filter((command) => !ofRing(command) && command.kind !== 'sleep');
}

function* placed(pieces: readonly Uint8Array[]): Generator<{ offset: number; bytes: Uint8Array }> {
  let offset = 0;
  for (const bytes of pieces) {
    yield { offset, bytes };
    offset += bytes.length;
  }
}

function header(trace: Trace, session: Session): void {
  const { settings } = session;
  trace.format.tsDigits = 9;
  const lines = [
    '# tracer: nop',
    '#',
    `# ublk-trace session: ${session.file}`,
    `# ublk-trace kernel: ${settings.kernel}`,
    `# ublk-trace server: ${settings.server}`,
    `# ublk-trace seed: ${settings.seed}`,
    '# simulated: costs come from a table and are not measurements',
    '#',
    '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
    '#              | |         |   |||||     |         |',
  ];
  for (const [index, line] of lines.entries()) trace.note('comment', line, index + 1);
}

function copyFrom(bytes: Uint8Array, offset: number, dst: Uint8Array): void {
  const n = Math.max(0, Math.min(dst.length, bytes.length - offset));
  dst.set(bytes.subarray(offset, offset + n));
}
