import { Choices, type ChoiceOverride } from './kernel/choice';
import type { FaultEffect, FaultPlan, FaultSite } from './kernel/faults';
import { Machine } from './kernel/machine';
import { OutOfMemory } from './kernel/memory';
import { kernelProfile } from './kernel/profile';
import type { ClientContext } from './server/client_jobs';
import { type ClientIo, ClientSyscalls } from './server/client_io';
import { Script } from './server/script';
import type { ServerFaults } from './server/server_faults';
import type { Fault, Session } from './session/ast';
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
}

/** Raised for a session that cannot run; `line` is its line in the session file. */
export class SimulateError extends Error {
  constructor(
    message: string,
    readonly line: number,
  ) {
    super(message);
  }
}

/** Simulates a session that parsed without errors. Same session, seed and profile: the same trace, byte for byte. */
export function simulate(session: Session, options: SimulateOptions = {}): SimulateResult {
  const { settings } = session;
  const profile = kernelProfile(settings.kernel);
  if (!profile) throw new SimulateError(`kernel ${settings.kernel} is not simulated`, 1);
  const trace = new Trace();
  header(trace, session);
  let events = 0;
  let stopped = false;
  const recorder = new Recorder(trace, () => {
    events++;
    if (events % SLICE === 0) {
      options.progress?.(events);
      if (options.drain) {
        options.drain(trace);
        trace.clearEvents();
        trace.notes.length = 0;
      }
    }
    if (events >= settings.maxEvents) stopped = true;
  });
  const faults = new SessionFaults(session.faults);
  let finished = (): boolean => false;
  const machine = new Machine(recorder, new Choices(settings.seed, options.override), {
    profile,
    cpus: settings.cpus,
    memory: settings.memory,
    blockSize: settings.blockSize,
    rawBacking: settings.backing === 'blkdev',
    partScan: settings.partScan,
    faults: faults.plan,
    initial: (path) => {
      const bytes = options.realFile?.(path);
      return bytes && { size: bytes.length, read: (offset, dst) => copyFrom(bytes, offset, dst) };
    },
    stop: () => stopped || finished(),
  });
  const output: string[] = [];
  let clientIos = 0;
  const sys = new ClientSyscalls(machine, (io) => {
    clientIos++;
    options.observe?.(io);
  });
  const ctx: ClientContext = {
    machine,
    sys,
    device: (path) => {
      const name = path.replace(/^\/dev\//, '');
      const found = machine.disk(name);
      return found && { name, disk: found.disk, cache: found.cache };
    },
    print: (text) => {
      output.push(text);
      recorder.emit.command_output(trace.strings.id(text.replaceAll('\n', ' ')));
    },
  };
  const script = new Script(machine, session, ctx, faults.server, options.facts ?? true, (index) => faults.arm(index));
  finished = () => script.finished;
  const shell = machine.kernel.newTask('sh');
  machine.kernel.sched.start(shell, script.run(shell));
  let exitCode: number;
  try {
    machine.kernel.sched.run();
    exitCode = script.status;
  } catch (error) {
    if (!(error instanceof OutOfMemory)) throw error;
    output.push(error.message);
    exitCode = 1;
  }
  if (stopped) {
    output.push(`stopped after ${settings.maxEvents} events (#: max-events sets another limit)`);
    exitCode = 1;
  } else if (exitCode === 0 && !script.finished) {
    output.push('the session hangs: nothing is left that could wake its commands');
    exitCode = 1;
  }
  for (const fault of faults.unused()) output.push(`line ${fault.line}: fault never struck`);
  options.drain?.(trace);
  return {
    trace,
    events,
    clientIos,
    time: recorder.now,
    exitCode,
    output: output.map((line) => `${line}\n`).join(''),
    files: [...machine.allFiles()].map(([path, file]) => ({
      path,
      size: file.size,
      ranges: file.ranges(),
    })),
  };
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

/** The faults of a session, matched and used up as the run meets them. */
class SessionFaults {
  private readonly states: { fault: Fault; armed: boolean; seen: number; struck: number }[];

  constructor(faults: readonly Fault[]) {
    this.states = faults.map((fault) => ({ fault, armed: false, seen: 0, struck: 0 }));
  }

  /** Faults whose line the script has passed may strike from now on. */
  arm(index: number): void {
    for (const state of this.states) if (state.fault.armedAt <= index) state.armed = true;
  }

  unused(): Fault[] {
    return this.states.filter((state) => state.struck === 0).map((state) => state.fault);
  }

  readonly plan: FaultPlan = (site) => this.strike(site)?.effect;

  readonly server: ServerFaults = {
    mistake: (queue, tag, offset, length) => {
      const fault = this.strike({ kind: 'server', queue, tag, offset, length });
      return fault?.effect.mistake;
    },
    commitResult: (queue, tag, result) => {
      const effect: FaultEffect | undefined = this.strike({ kind: 'commit', queue, tag })?.effect;
      return effect?.error ?? effect?.short ?? result;
    },
  };

  private strike(site: FaultSite): Fault | undefined {
    for (const state of this.states) {
      const { fault } = state;
      if (!state.armed || fault.kind !== site.kind || !matches(fault, site)) continue;
      state.seen++;
      if (fault.nth !== undefined ? state.seen !== fault.nth : state.struck >= fault.count) continue;
      state.struck++;
      return fault;
    }
    return undefined;
  }
}

function matches(fault: Fault, site: FaultSite): boolean {
  if (fault.queue !== undefined && site.queue !== undefined && fault.queue !== site.queue) return false;
  if (fault.tag !== undefined && fault.tag !== site.tag) return false;
  if (fault.op !== undefined && fault.op !== site.op) return false;
  if (fault.offset !== undefined && site.offset !== undefined) {
    const end = fault.offset + (fault.length ?? 1);
    if (site.offset >= end || site.offset + Math.max(site.length ?? 0, 1) <= fault.offset) return false;
  }
  return true;
}
