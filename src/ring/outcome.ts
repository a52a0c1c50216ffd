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

/** Hash of contents given in pieces, in hexadecimal. */
export type HashContents = (pieces: Iterable<Uint8Array>) => string;

/** SHA-256 that remembers what it has hashed, by a cheap digest of 64 bits. */
export function rememberedHash(): HashContents {
  const known = new Map<string, string>();
  return (pieces) => {
    const list = [...pieces];
    const key = cheapDigest(list);
    let sha = known.get(key);
    if (sha === undefined) {
      sha = sha256Hex(list);
      known.set(key, sha);
    }
    return sha;
  };
}

/** Two FNV-1a digests over 32-bit words. */
function cheapDigest(pieces: readonly Uint8Array[]): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  let total = 0;
  for (const piece of pieces) {
    const words = piece.byteOffset % 4 === 0 ? piece.length >> 2 : 0;
    const view = new Uint32Array(piece.buffer, words > 0 ? piece.byteOffset : 0, words);
    for (let i = 0; i < words; i++) {
      a = Math.imul(a ^ view[i]!, 0x01000193);
      b = Math.imul(b + view[i]!, 0x85ebca6b) ^ (b >>> 13);
    }
    for (let i = words * 4; i < piece.length; i++) {
      a = Math.imul(a ^ piece[i]!, 0x01000193);
      b = Math.imul(b + piece[i]!, 0x85ebca6b) ^ (b >>> 13);
    }
    total += piece.length;
  }
  return `${a}:${b}:${total}`;
}

/** Size and hash of contents given in pieces. */
export function contentsOf(
  pieces: Iterable<Uint8Array>,
  size: number,
  pos: number,
  hash: HashContents = sha256Hex,
): OutcomeContents {
  const sha256 = hash(pieces);
  return pos === 0 ? { size, sha256 } : { size, sha256, pos };
}

/** Text that is equal for equal outcomes. */
export function outcomeKey(outcome: Outcome): string {
  return JSON.stringify(outcome);
}
