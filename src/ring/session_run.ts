/** Running a session that has nothing but a ring: its program runs, and what happens goes into the session's trace. */
import { opcodeName } from '../uapi/io_uring_ops';
import type { Sqe } from '../uapi/sqe';
import type { Command, Session } from '../session/ast';
import type { SqeCommand } from '../session/ast_ring';
import type { Recorder } from '../trace/recorder';
import type { OutcomeCqe, OutcomeStep } from './outcome';
import { Moments, RingFacts } from './ring_facts';
import { writeRingTrace } from './ring_trace';
import { type RunResult, runProgram } from './run';
import { placeOfStep, type SessionProgram, SessionRingError } from './session_program';
import { StepError } from './step_error';

/** Longest text of a command in a trace. */
const LONGEST_TEXT = 200;

/** What the run of a session's ring needs. */
export interface SessionRingRun {
  readonly rec: Recorder;
  /** Process of the application. */
  readonly pid: number;
  /** Record the bytes of SQEs and heads of the CQ. */
  readonly facts: boolean;
  /** Prints a line of a command. */
  readonly print: (line: string) => void;
  /** No more events are wanted. */
  readonly stop: () => boolean;
  /** Answers decisions; absent: the likeliest run. */
  readonly chooser?: (n: number) => number;
}

/** Where the request of a line's SQE begins. */
export interface SqeOfLine {
  readonly line: number;
  readonly endLine: number;
  /** First event of its request. */
  readonly event: number;
  readonly label: string;
}

/** What a run brought. */
export interface SessionRingResult {
  readonly hang: boolean;
  /** Status of the last command that failed, 0 when none did. */
  readonly status: number;
  readonly sqes: readonly SqeOfLine[];
  readonly steps: readonly OutcomeStep[];
  /** Contents of files and pipes at the end, by the path that the session uses, in pieces. */
  readonly contents: ReadonlyMap<string, { readonly size: number; readonly pieces: readonly Uint8Array[] }>;
}

/** Runs the program of a session and writes its trace. @throws SessionRingError */
export function runSessionRing(
  session: Session,
  compiled: SessionProgram,
  how: SessionRingRun,
): SessionRingResult {
  const { program, profile } = compiled;
  const moments = new Moments();
  let run: RunResult;
  try {
    run = runProgram(program, {
      profile,
      trace: true,
      ...(how.chooser ? { chooser: how.chooser } : {}),
      ...moments.options,
    });
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    throw new SessionRingError(error.message, placeOfStep(compiled, error));
  }
  const writer = new SessionFacts(session, compiled, run, moments, how);
  writer.declare();
  const firstEvent = new Map<Sqe, number>();
  writeRingTrace(
    program,
    profile,
    run,
    (event, sqe) => {
      if (!firstEvent.has(sqe)) firstEvent.set(sqe, event);
    },
    { rec: how.rec, pid: how.pid, stop: how.stop, before: (index, start) => writer.before(index, start) },
  );
  writer.end();
  return {
    hang: run.steps.some((step) => step.hang === true),
    status: writer.status,
    sqes: linesOf(compiled, firstEvent),
    steps: run.steps,
    contents: contentsOf(compiled, run),
  };
}

/** What commands do and print, as client facts between the events of the kernel. */
class SessionFacts {
  status = 0;
  private readonly facts: RingFacts | undefined;
  /** SQEs in the SQ. */
  private pending = 0;
  private readonly task: number;

  constructor(
    private readonly session: Session,
    private readonly compiled: SessionProgram,
    private readonly run: RunResult,
    private readonly moments: Moments,
    private readonly how: SessionRingRun,
  ) {
    this.task = how.rec.trace.taskId('ring', how.pid);
    if (how.facts) this.facts = new RingFacts(how.rec, this.task, compiled.program.entries);
  }

  /** Commands that set up the ring and what it works on. */
  declare(): void {
    for (const command of this.session.commands) {
      const { kind } = command;
      if (kind === 'mkfifo' || kind === 'ring' || kind === 'open' || kind === 'buffer') {
        this.begin(command);
        this.done(command, 0);
      }
    }
  }

  /** What stands before event number `index`; gives the time that it took. */
  before(index: number, start: number): number {
    return this.moments.before(this.how.rec, index, start, (moment) => {
      this.facts?.tell(moment);
      if (moment.kind === 'end') this.ended(moment.nr);
      else if (moment.kind === 'begin') this.begun(moment.nr);
    });
  }

  /** What comes behind the last event: a step that hangs, and SQEs that nobody submits. */
  end(): void {
    const { steps } = this.run;
    const last = steps.length - 1;
    const hung = steps[last];
    if (hung?.hang) {
      this.print(this.compiled.steps[last]!.command, hung, last);
      return;
    }
    for (const sqe of this.compiled.left) this.fill(sqe, undefined);
  }

  private begun(step: number): void {
    const { sqes, command } = this.compiled.steps[step]!;
    const made = this.compiled.program.steps[step]!;
    for (const [k, sqe] of sqes.entries()) this.fill(sqe, made.kind === 'submit' ? made.sqes[k] : undefined);
    this.begin(command);
  }

  private ended(step: number): void {
    const { command } = this.compiled.steps[step]!;
    const result = this.run.steps[step]!;
    this.print(command, result, step);
    const failed = (result.submitted ?? 0) < 0;
    this.done(command, failed ? 1 : 0);
  }

  private fill(command: SqeCommand, sqe: Sqe | undefined): void {
    this.begin(command);
    if (sqe !== undefined) this.facts?.fills(sqe);
    this.done(command, 0);
  }

  private begin(command: Command): void {
    const { rec } = this.how;
    rec.stamp.task = this.task;
    const text = command.text.replaceAll(/\s+/g, ' ').slice(0, LONGEST_TEXT);
    rec.emit.session_command(command.line, rec.trace.strings.id(text));
  }

  private done(command: Command, status: number): void {
    const { rec } = this.how;
    rec.stamp.task = this.task;
    rec.emit.session_command_done(command.line, status);
    if (status !== 0) this.status = status;
  }

  /** What a step gave. */
  private print(command: Command, { submitted, overflow, cqes = [] }: OutcomeStep, step: number): void {
    const { rec, print } = this.how;
    rec.stamp.task = this.task;
    if (command.kind === 'submit') {
      const made = this.compiled.program.steps[step]!;
      if (made.kind === 'submit') this.pending += made.sqes.length;
      const asked = command.toSubmit ?? this.pending;
      this.pending -= Math.max(0, submitted ?? 0);
      print(`submit: ${submitted} of ${asked} SQEs${overflow ? ', the CQ has overflown' : ''}`);
    }
    for (const cqe of cqes) print(cqeText(cqe));
  }
}

/** A CQE in a line. */
function cqeText({ user_data, res, flags }: OutcomeCqe): string {
  const more = flags === 0 ? '' : ` flags=0x${flags.toString(16)}`;
  return `cqe user_data=0x${BigInt(user_data).toString(16)} res=${res}${more}`;
}

function linesOf({ program, steps }: SessionProgram, firstEvent: ReadonlyMap<Sqe, number>): SqeOfLine[] {
  return steps.flatMap(({ sqes }, i) => {
    const made = program.steps[i]!;
    if (made.kind !== 'submit') return [];
    return sqes.flatMap((command, k) => {
      const sqe = made.sqes[k]!;
      const event = firstEvent.get(sqe);
      if (event === undefined) return [];
      const label = `SQE ${opcodeName(sqe.opcode)} · user_data ${sqe.userData}`;
      return [{ line: command.line, endLine: command.line, event, label }];
    });
  });
}

function contentsOf({ files }: SessionProgram, run: RunResult): SessionRingResult['contents'] {
  const kept: Uint8Array[][] = [];
  // what is hashed is kept instead
  const outcome = run.outcome((pieces) => `${kept.push([...pieces]) - 1}`);
  return new Map(
    files.flatMap(({ path, name, kind }) => {
      const found = kind === 'file' ? outcome.files[name] : undefined;
      return found === undefined
        ? []
        : [[path, { size: found.size, pieces: kept[Number(found.sha256)]! }] as const];
    }),
  );
}
