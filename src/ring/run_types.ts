/** How to run a ring program, and what a run gives. */
import type { PagePool } from '../kernel/uring/page_pool';
import type { Uring, UringEvent } from '../kernel/uring/types';
import type { UringProfile } from '../kernel/uring/uring_profile';
import type { Chooser } from '../kernel/uring/world';
import type { Sqe } from '../uapi/sqe';
import type { HashContents, Outcome, OutcomeStep } from './outcome';

/** How to run. */
export interface RunOptions {
  readonly profile: UringProfile;
  /** Answers every decision; absent: the likeliest. */
  readonly chooser?: Chooser;
  /** Hashes contents; an exploration remembers what it hashed. */
  readonly hash?: HashContents;
  /** Called with the run before its first step. */
  readonly started?: (run: RunResult) => void;
  /** Called where a step begins and where it ends, with its number and the virtual time, ns. */
  readonly stepped?: (step: number, ended: boolean, time: number) => void;
  /** Tries somebody before every step of an exploration, also before those that nobody sees. */
  readonly careful?: boolean;
  /** Collect tracepoints. */
  readonly trace?: boolean;
  /** Factor of every time but that of timers, asked anew each time; absent: 1. */
  readonly pace?: () => number;
  /** Memory of earlier runs that nobody looks at any more. */
  readonly pool?: PagePool;
}

/** CQEs that were taken before an SQE was submitted. */
export interface TakenBefore {
  /** Number of its step. */
  readonly step: number;
  /** At least so many in every schedule, whichever they are. */
  readonly least: number;
  /** The first so many are the same ones in every schedule: nothing was left that could complete. */
  readonly sure: number;
}

/** What a run gave. */
export interface RunResult {
  readonly steps: readonly OutcomeStep[];
  /** Final contents with their hashes. */
  outcome(hash?: HashContents): Outcome;
  readonly events: readonly UringEvent[];
  readonly ring: Uring;
  /** Some request may post more than one CQE. */
  readonly repeats: boolean;
  /** What was taken before each SQE was submitted. */
  readonly takenBefore: ReadonlyMap<Sqe, TakenBefore>;
}
