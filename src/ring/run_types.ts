/** How to run a ring program, and what a run gives. */
import type { PagePool } from '../kernel/uring/page_pool';
import type { Uring, UringEvent } from '../kernel/uring/types';
import type { UringProfile } from '../kernel/uring/uring_profile';
import type { Chooser } from '../kernel/uring/world';
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

/** What a run gave. */
export interface RunResult {
  readonly steps: readonly OutcomeStep[];
  /** Final contents with their hashes. */
  outcome(hash?: HashContents): Outcome;
  readonly events: readonly UringEvent[];
  readonly ring: Uring;
  /** CQEs taken before a submit call, by its number: how many, and how many of them in every schedule the same ones. */
  readonly takenBefore: readonly { readonly all: number; readonly sure: number }[];
}
