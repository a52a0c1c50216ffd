/** An io_uring as its program sets it up. */
import type { Sqe } from '../uapi/sqe';
import { linkTimeoutTask } from '../kernel/uring/cancel';
import { flushNow, postFailed } from '../kernel/uring/core';
import { FreePool } from '../kernel/uring/free_pool';
import { WorkerPool } from '../kernel/uring/io_wq';
import { OP_TABLE } from '../kernel/uring/op_table';
import { pollHashBits } from '../kernel/uring/poll_arm';
import type { Submitter, Uring, UringEvent } from '../kernel/uring/types';
import type { UringProfile } from '../kernel/uring/uring_profile';
import type { UserMemory } from '../kernel/uring/user_memory';
import type { World } from '../kernel/uring/world';
import { mayCancel } from './contention';
import type { RingProgram } from './program';
import { fixedTable, type ProgramFiles } from './setup';

/** What a ring works with. */
interface RingParts {
  readonly profile: UringProfile;
  readonly world: World;
  readonly memory: UserMemory;
  readonly files: ProgramFiles;
  readonly submitter: Submitter;
  /** Where tracepoints go, if anybody wants them. */
  readonly trace: UringEvent[] | undefined;
}

/** What a worker may surely be late, ns. */
const LATE = 30_000_000;

/** io_uring_setup with the files and buffers of a program registered. */
export function newRing(program: RingProgram, parts: RingParts): Uring {
  const { profile, world, memory, files, submitter, trace } = parts;
  // Found with the square of the number of requests, and of no interest where nobody looks for other orders.
  const contended = (sqe: Sqe): boolean => world.exploring && program.contended.has(sqe);
  // Who meets only what is done already does the rest in one step.
  const isDone = (sqe: Sqe): boolean =>
    ring.requests.some((req) => req.sqe === sqe && (req.done || req.freed));
  const splits = (sqe: Sqe): boolean => program.contended.get(sqe)?.some((other) => !isDone(other)) ?? false;
  const cancellable = (sqe: Sqe): boolean =>
    program.contended.get(sqe)?.some((other) => mayCancel(other, sqe) && !isDone(other)) ?? false;
  const ring: Uring = {
    profile,
    world,
    memory,
    ops: OP_TABLE,
    setup: program.setup,
    sqEntries: program.entries,
    cqEntries: program.cqEntries,
    fds: files.fds,
    fixedFiles: fixedTable(program, files),
    fixedBuffers: program.buffers
      .filter((buffer) => buffer.fixed)
      .map(({ addr, size }) => ({ addr, len: size })),
    submitter,
    wq: world.exploring
      ? new FreePool(
          world,
          program.entries,
          ({ sqe }) => splits(sqe),
          ({ sqe }) => cancellable(sqe),
          program.undisturbed && program.horizon < LATE,
        )
      : new WorkerPool(world, program.entries),
    contended,
    fsizeLimit: program.fsizeLimit,
    trace,
    sq: [],
    sqDropped: 0,
    cq: [],
    cqHead: 0,
    overflow: [],
    cqOverflowCount: 0,
    localWork: [],
    retryWork: [],
    round: [],
    lastCall: false,
    linkHead: undefined,
    linkLast: undefined,
    compl: [],
    drainActive: false,
    drainNext: false,
    drainDisabled: false,
    deferList: [],
    live: 0,
    drained: 0,
    taken: 0,
    timeouts: [],
    linkTimeouts: [],
    cqTimeouts: 0,
    lastTimeoutFlush: 0,
    offTimeoutUsed: false,
    polls: Array.from({ length: 2 ** pollHashBits(program.cqEntries) }, () => []),
    cancelSeq: 0,
    nextReq: 1,
    requests: [],
    batch: 0,
    submitting: false,
    plug: undefined,
    canceller: undefined,
    freeSlots: [],
    slotNames: [],
    postFailed,
    flushNow,
    linkTimeoutTask,
    cqWake: undefined,
    tell: undefined,
  };
  return ring;
}
