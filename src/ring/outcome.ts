/** The outcome of a run, in the shape of the format. */
import type { Cqe } from '../kernel/uring/types';
import { sha256Hex } from './sha256';

/** One CQE as printed. */
export interface OutcomeCqe {
  readonly user_data: string;
  readonly res: number;
  readonly flags: number;
}

/** What one step returned. */
export interface OutcomeStep {
  submitted?: number;
  overflow?: true;
  cqes?: OutcomeCqe[];
  hang?: true;
}

/** Final contents of a file or buffer. */
export interface OutcomeContents {
  readonly size: number;
  readonly sha256?: string;
  readonly pos?: number;
}

/** One outcome. */
export interface Outcome {
  readonly steps: readonly OutcomeStep[];
  readonly files: Readonly<Record<string, OutcomeContents>>;
  readonly buffers: Readonly<Record<string, OutcomeContents>>;
  readonly cq_overflow?: number;
  readonly sq_dropped?: number;
}

/** A CQE in the shape of the format. */
export function outcomeCqe(cqe: Cqe): OutcomeCqe {
  return { user_data: cqe.userData.toString(), res: cqe.res, flags: cqe.flags };
}

/** Size and hash of contents given in pieces. */
export function contentsOf(pieces: Iterable<Uint8Array>, size: number, pos: number): OutcomeContents {
  const sha256 = sha256Hex(pieces);
  return pos === 0 ? { size, sha256 } : { size, sha256, pos };
}

/** Text that is equal for equal outcomes. */
export function outcomeKey(outcome: Outcome): string {
  return JSON.stringify(outcome);
}
