/** A ring program: one ring, files, pipes, buffers, and the calls the application makes. */
import type { Sqe } from '../uapi/sqe';
import type { FileKind } from '../kernel/uring/open_files';

/** One file of a program. */
export interface ProgramFile {
  readonly name: string;
  readonly kind: FileKind;
  /** Bytes of a file; capacity of a pipe. */
  readonly size: number;
  readonly fill: number;
  readonly cached: boolean;
  readonly fixed: boolean;
  readonly open: ReadonlySet<string>;
}

/** One buffer of a program. */
export interface ProgramBuffer {
  readonly name: string;
  readonly size: number;
  readonly fixed: boolean;
  /** Address in the application. */
  readonly addr: number;
}

/** Memory that requests point to besides buffers: arrays of iovecs, times. */
export interface ProgramMemory {
  readonly addr: number;
  readonly bytes: Uint8Array;
}

/** One step of a program. */
export type ProgramStep =
  | {
      readonly kind: 'submit';
      readonly sqes: readonly Sqe[];
      readonly toSubmit: number | undefined;
      readonly wait: number | undefined;
      /** The CQEs that are there behind the call are taken: a session without `reap` lines does that. */
      readonly takes?: true;
    }
  | { readonly kind: 'reap'; readonly count: number | 'all' }
  | { readonly kind: 'sleep'; readonly ns: number }
  | { readonly kind: 'close'; readonly file: string };

/** A checked program, ready to run. */
export interface RingProgram {
  readonly name: string;
  readonly description: string;
  readonly entries: number;
  readonly cqEntries: number;
  readonly setup: number;
  readonly fsizeLimit: number;
  readonly files: readonly ProgramFile[];
  readonly buffers: readonly ProgramBuffer[];
  readonly memory: readonly ProgramMemory[];
  readonly steps: readonly ProgramStep[];
  /** Descriptor by file name (`p.r` and `p.w` for a pipe). */
  readonly fds: ReadonlyMap<string, number>;
  /** Index in the file table by name. */
  readonly fixedIndex: ReadonlyMap<string, number>;
  /** Requests that share a file, pipe or memory with others that may run at the same time, and those others. */
  readonly contended: ReadonlyMap<Sqe, readonly Sqe[]>;
  /** The most that timers and sleeps take all together, ns; Infinity where a timer repeats or its time is not known. */
  readonly horizon: number;
  /** No request asks which other ones run, and no file is closed. */
  readonly undisturbed: boolean;
  /** Some request may post more than one CQE. */
  readonly repeats: boolean;
  /** Initial bytes of files, pipes and buffers: shared by all runs, never written. */
  readonly initial: InitialBytes;
  /** Position in the text of every SQE, step by step. */
  readonly sqeAt: readonly (readonly number[])[];
}

/** Initial bytes of a program's names, made once. */
export interface InitialBytes {
  get(name: string, size: number): Uint8Array;
}

/** A memory of initial bytes. */
export function initialBytesMemo(): InitialBytes {
  const known = new Map<string, Uint8Array>();
  return {
    get(name, size) {
      const key = `${name} ${size}`;
      const found = known.get(key);
      if (found) return found;
      const bytes = initialBytes(name, size);
      known.set(key, bytes);
      return bytes;
    },
  };
}

/** After so many bytes initial contents repeat. */
const PERIOD = 251;

/** Initial contents of a name: byte i is (i mod 251 + sum of the name's bytes) mod 256. */
export function initialBytes(name: string, size: number): Uint8Array {
  let sum = 0;
  for (const byte of new TextEncoder().encode(name)) sum += byte;
  const bytes = new Uint8Array(size);
  const period = Math.min(PERIOD, size);
  for (let i = 0; i < period; i++) bytes[i] = i + sum;
  // whole periods are copied, twice as many each time
  for (let filled = period; filled < size; filled *= 2) bytes.copyWithin(filled, 0, filled);
  return bytes;
}
