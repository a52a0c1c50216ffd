/** Running a ring program on the simulated kernel. */
import { IORING_SETUP } from '../uapi/io_uring_abi';
import type { Sqe } from '../uapi/sqe';
import { opcodeName } from '../uapi/io_uring_ops';
import type { Digest } from '../kernel/uring/digest';
import { flushCompletions } from '../kernel/uring/core';
import { enter, leave, submitSqes } from '../kernel/uring/enter';
import { isModelled } from '../kernel/uring/init_req';
import { putFile } from '../kernel/uring/open_files';
import { drainsUnseen } from '../kernel/uring/in_turn';
import { TIME } from '../kernel/uring/run_times';
import { ringKey } from '../kernel/uring/state_key';
import { hasLocalWork, hasTaskWork, runTaskWork } from '../kernel/uring/task_work_list';
import type { Submitter, Uring, UringEvent } from '../kernel/uring/types';
import { UserMemory } from '../kernel/uring/user_memory';
import { cqReady, hasOverflow, mayOverflow } from '../kernel/uring/cq_room';
import { type Actor, type Context, PARK, World } from '../kernel/uring/world';
import {
  contentsOf,
  type HashContents,
  type Outcome,
  type OutcomeContents,
  type OutcomeStep,
  outcomeCqe,
} from './outcome';
import { newRing } from './new_ring';
import { sha256Hex } from './sha256';
import type { ProgramStep, RingProgram } from './program';
import { buildFiles, type ProgramFiles } from './setup';
import type { RunOptions, RunResult, TakenBefore } from './run_types';
import { StepError } from './step_error';
import { addsSqes, submitsNext, waitsNext } from './step_unseen';

export { type RunOptions, type RunResult, StepError };

/** A step that waits longer than this hangs, ns. */
const HANG = 2_000_000_000;
/** CQEs of one step, from which on a timer that repeats for ever makes it hang. */
const ENDLESS = 100;
/** Time without a completion after which the application takes it that nothing more comes, ns. */
const QUIET = 50_000_000;

/** Runs a program once. @throws StepError, or what the chooser throws */
export function runProgram(program: RingProgram, options: RunOptions): RunResult {
  const run = new ProgramRun(program, options);
  run.run();
  return run;
}

class ProgramRun implements RunResult {
  readonly steps: OutcomeStep[] = [];
  readonly events: UringEvent[] = [];
  readonly ring: Uring;
  readonly takenBefore = new Map<Sqe, TakenBefore>();
  /** CQEs taken when the ring was last at rest. */
  private restedAt = 0;
  /** The same with what was asked for by number since then. */
  private reaped = 0;
  private readonly world: World;
  private readonly files: ProgramFiles;
  readonly repeats: boolean;
  private readonly lastSubmit: number;
  private readonly app: Actor;
  private sqThread: Actor | undefined;
  private finished = false;
  /** While the application sleeps outside the kernel: ends the sleep early for task work. */
  private sleeping = false;
  private step = 0;
  private readonly hash: HashContents;
  private taken: OutcomeStep['cqes'] & object = [];
  private deadline = Number.POSITIVE_INFINITY;
  /** While all CQEs are taken: from which one on. */
  private reapsFrom: number | undefined;

  constructor(
    private readonly program: RingProgram,
    private readonly options: RunOptions,
  ) {
    this.hash = options.hash ?? sha256Hex;
    this.world = new World(options.chooser, options.pace);
    this.repeats = program.repeats;
    this.lastSubmit = program.steps.findLastIndex(addsSqes);
    this.world.horizon = program.horizon;
    this.world.careful = options.careful ?? false;
    const memory = new UserMemory(options.pool);
    this.files = buildFiles(program, memory);
    const submitter: Submitter = { name: 'app', actor: undefined, taskWork: [], notify: () => this.notify() };
    const trace = options.trace ? this.events : undefined;
    const { world, files } = this;
    this.ring = newRing(program, { profile: options.profile, world, memory, files, submitter, trace });
    this.world.owner = this;
    options.started?.(this);
    this.app = this.world.spawn('app', this.application(), 0);
    submitter.actor = this.app;
    if ((program.setup & IORING_SETUP.SQPOLL) !== 0) {
      this.sqThread = this.world.spawn('iou-sqp', this.sqpoll(), TIME.sqpoll, TIME.sqpollLate);
    }
  }

  run(): void {
    this.world.run(
      () => this.finished || this.endless(),
      () => this.deadline,
    );
    if (!this.finished && !this.world.gaveUp) this.endHung();
  }

  /** The step that runs can never end. */
  private endHung(): void {
    const step = this.program.steps[this.step]!;
    const left = this.ring.cq.slice(this.ring.cqHead).map(outcomeCqe);
    if (step.kind === 'submit') {
      this.steps.push({ submitted: this.submitted, ...this.overflowFlag(), cqes: left, hang: true });
      return;
    }
    const cqes = [...this.taken, ...left];
    this.steps.push({ cqes: this.endless() ? cqes.slice(0, ENDLESS) : cqes, hang: true });
  }

  /** Taking all CQEs never ends: a timer that repeats for ever has given many. */
  private endless(): boolean {
    const { ring, reapsFrom } = this;
    return (
      reapsFrom !== undefined &&
      ring.cq.length - reapsFrom >= ENDLESS &&
      ring.timeouts.some(({ timeout }) => timeout!.multishot && timeout!.off === 0)
    );
  }

  private submitted = 0;
  /** SQEs of an SQPOLL ring that no call has counted. */
  private unannounced = 0;

  private overflowFlag(): { overflow?: true } {
    return hasOverflow(this.ring) ? { overflow: true } : {};
  }

  outcome(hash: HashContents = this.hash): Outcome {
    const files: Record<string, OutcomeContents> = {};
    for (const file of this.program.files) {
      const contents = this.files.contents(file, hash);
      if (contents) files[file.name] = contents;
    }
    const buffers: Record<string, OutcomeContents> = {};
    for (const { name, size, addr } of this.program.buffers) {
      buffers[name] = contentsOf([this.ring.memory.bytesAt(addr)], size, 0, hash);
    }
    const { cqOverflowCount, sqDropped } = this.ring;
    return {
      steps: this.steps,
      files,
      buffers,
      ...(cqOverflowCount > 0 ? { cq_overflow: cqOverflowCount } : {}),
      ...(sqDropped > 0 ? { sq_dropped: sqDropped } : {}),
    };
  }

  /** Task work was added: the submitter is interrupted where the ring lets it be. */
  private notify(): void {
    if (this.sqThread) {
      this.world.wake(this.sqThread, TIME.taskWake);
      return;
    }
    if (this.sleeping) this.world.hurry(this.app, TIME.taskWake);
    else if (this.ring.cqWake) this.world.wake(this.app, TIME.taskWake, TIME.wakeTask);
  }

  private *application(): Context {
    const { steps } = this.program;
    for (; this.step < steps.length; this.step++) {
      this.world.mark(1);
      if (this.staysUnseen()) this.world.alone = this.world.current;
      yield TIME.gap;
      if ((this.ring.setup & IORING_SETUP.COOP_TASKRUN) === 0) yield* this.interrupts();
      this.taken = [];
      this.world.mark(2);
      this.options.stepped?.(this.step, false, this.world.time);
      yield* this.oneStep(steps[this.step]!);
      this.options.stepped?.(this.step, true, this.world.time);
    }
    this.finished = true;
  }

  /** Task work interrupts the application, as often as some comes before its next call. */
  private *interrupts(): Context {
    const { ring, world } = this;
    while (hasTaskWork(ring)) {
      yield* leave(ring);
      if (!world.exploring || this.sqThread) return;
      if (waitsNext(this.ring, this.program.steps[this.step]!)) world.alone = world.current;
      yield 0;
    }
  }

  /** Whether nobody sees what the application does up to its next call. */
  private staysUnseen(): boolean {
    const step = this.program.steps[this.step]!;
    return waitsNext(this.ring, step) || submitsNext(this.ring, step);
  }

  /** The application where it only drains completions that bring nothing more until all is done, or a worker that nobody sees. */
  first(): Actor | undefined {
    const { ring, program } = this;
    const drains = this.step === program.steps.length - 1 && this.reapsFrom !== undefined;
    if (drains && this.app.pending && drainsUnseen(ring)) return this.app;
    return ring.wq.unseen?.(ring);
  }

  private *oneStep(step: ProgramStep): Context {
    switch (step.kind) {
      case 'submit':
        return yield* this.submit(step);
      case 'reap':
        return step.count === 'all' ? yield* this.reapAll() : yield* this.reap(step.count);
      case 'sleep':
        return yield* this.sleep(step.ns);
      case 'close':
        this.close(step.file);
        yield TIME.syscall;
        yield* leave(this.ring);
    }
  }

  private *submit(step: ProgramStep & { kind: 'submit' }): Context {
    const { ring } = this;
    this.fill(step.sqes);
    const toSubmit = step.toSubmit ?? this.announced(step.sqes.length);
    if (this.sqThread) this.unannounced = Math.max(0, this.unannounced + step.sqes.length - toSubmit);
    const before = ring.taken;
    const known = { step: this.step, least: this.reaped, sure: this.restedAt };
    for (const sqe of this.sqThread ? step.sqes : ring.sq) this.takenBefore.set(sqe, known);
    ring.lastCall = !this.program.repeats && this.step >= this.lastSubmit;
    this.deadline = step.wait === undefined ? Number.POSITIVE_INFINITY : this.world.time + HANG;
    this.submitted = toSubmit;
    const counting = enter(ring, toSubmit, step.wait);
    for (;;) {
      const next = counting.next();
      if ((ring.setup & IORING_SETUP.SQPOLL) === 0) this.submitted = ring.taken - before;
      if (next.done) {
        this.submitted = next.value;
        break;
      }
      yield next.value;
    }
    this.deadline = Number.POSITIVE_INFINITY;
    const interruptible = (ring.setup & (IORING_SETUP.COOP_TASKRUN | IORING_SETUP.DEFER_TASKRUN)) === 0;
    // Task work may interrupt the application before it reads the flags.
    if (this.world.exploring && mayOverflow(ring) && interruptible) yield* leave(ring);
    if (step.takes) this.take(Number.POSITIVE_INFINITY);
    const taken = step.takes ? { cqes: this.taken } : {};
    this.steps.push({ submitted: this.submitted, ...this.overflowFlag(), ...taken });
  }

  /** Everything in the SQ; a thread that polls it was told of all that was there before. */
  private announced(added: number): number {
    return this.sqThread ? added + this.unannounced : this.ring.sq.length;
  }

  private fill(sqes: readonly Sqe[]): void {
    const { ring } = this;
    sqes.forEach((sqe, i) => {
      if (ring.sq.length >= ring.sqEntries) {
        throw new StepError('the SQ is full: earlier SQEs were not taken', this.step, i);
      }
      if (!isModelled(ring, sqe)) {
        const bare = ring.ops[sqe.opcode] ? ' with such fields' : '';
        throw new StepError(
          `opcode ${sqe.opcode} (${opcodeName(sqe.opcode)}) is not simulated${bare}`,
          this.step,
          i,
        );
      }
      ring.sq.push(sqe);
    });
  }

  private take(most: number): void {
    const { ring } = this;
    const n = Math.min(most, cqReady(ring));
    for (let i = 0; i < n; i++) this.taken.push(outcomeCqe(ring.cq[ring.cqHead + i]!));
    ring.cqHead += n;
    if (n > 0) ring.tell?.('take', n);
  }

  private *reap(count: number): Context {
    this.deadline = this.world.time + HANG;
    this.take(count);
    while (this.taken.length < count) {
      this.world.mark(3);
      yield* enter(this.ring, 0, count - this.taken.length);
      this.take(count - this.taken.length);
    }
    this.deadline = Number.POSITIVE_INFINITY;
    this.reaped += count;
    this.steps.push({ cqes: this.taken });
  }

  /** Takes CQEs until nothing that still runs can bring another one. */
  private *reapAll(): Context {
    const { ring } = this;
    this.reapsFrom = ring.cqHead;
    for (;;) {
      this.world.mark(4);
      // When it takes them is seen by nobody where the CQ has room for all.
      const takes = !this.world.exploring || mayOverflow(ring);
      if (takes) this.take(Number.POSITIVE_INFINITY);
      if (hasOverflow(ring) || hasLocalWork(ring)) {
        yield* enter(ring, 0, 0);
        continue;
      }
      if (hasTaskWork(ring) && this.sqThread === undefined) {
        yield* leave(ring);
        continue;
      }
      if (takes && cqReady(ring) > 0) continue;
      if (this.world.idleBut(this.app)) break;
      yield* this.waitForMore();
    }
    this.take(Number.POSITIVE_INFINITY);
    this.reapsFrom = undefined;
    this.restedAt = ring.cqHead;
    this.reaped = ring.cqHead;
    this.steps.push({ cqes: this.taken });
    // It took a while to be sure of that: workers that are idle have slept for long.
    if (!this.world.exploring) yield QUIET;
  }

  /** Adds everything but the contexts to the digest of a state; of the finished steps how many CQEs each of them took. */
  stateKey(digest: Digest): void {
    digest.add(this.step);
    for (const { submitted, overflow, cqes, hang } of this.steps) {
      digest.add(submitted ?? -1000);
      digest.add((overflow ? 1 : 0) + (hang ? 2 : 0));
      digest.add(cqes?.length ?? -1);
    }
    digest.add(this.taken.length);
    digest.add(this.submitted);
    digest.add(this.sleeping);
    digest.add(this.unannounced);
    if (this.deadline !== Number.POSITIVE_INFINITY) digest.add(this.deadline - this.world.time);
    ringKey(digest, this.ring);
    this.files.stateKey(digest);
  }

  /** Sleeps in the kernel until something happened, or nothing can any more. */
  private *waitForMore(): Context {
    const { ring } = this;
    const patient = this.world.exploring && !mayOverflow(ring);
    ring.cqWake = () => {
      if (!patient || hasLocalWork(ring)) this.world.wake(this.app, TIME.taskWake, TIME.wakeTask);
    };
    this.world.lastToWake = this.app;
    ring.tell?.('sleep', 1);
    this.world.mark(6);
    yield PARK;
    this.world.lastToWake = undefined;
    ring.cqWake = undefined;
    if (this.sqThread === undefined) yield* runTaskWork(ring, flushCompletions);
    ring.tell?.('exit', 0);
  }

  private *sleep(ns: number): Context {
    const { ring, world } = this;
    const until = world.time + ns;
    while (world.time < until) {
      this.sleeping = true;
      const left = until - world.time;
      world.mark(5, left);
      yield { likely: left, least: left, most: left + 1_000_000, timed: true };
      this.sleeping = false;
      yield* leave(ring);
    }
    this.steps.push({});
  }

  private close(name: string): void {
    const fd = this.program.fds.get(name)!;
    const file = this.files.fds.get(fd);
    this.steps.push({});
    if (file === undefined) return;
    this.files.fds.delete(fd);
    putFile(file);
  }

  /** The thread of an SQPOLL ring: takes whatever is in the SQ, runs its task work. */
  private *sqpoll(): Context {
    const { ring } = this;
    for (;;) {
      while (ring.sq.length > 0 || hasTaskWork(ring)) {
        if (ring.sq.length > 0) yield* submitSqes(ring, ring.sq.length);
        yield* runTaskWork(ring, flushCompletions);
        this.world.mark(7);
        yield TIME.sqpoll;
      }
      this.world.mark(8);
      yield PARK;
    }
  }
}
