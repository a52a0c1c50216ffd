import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { ClientIo } from '../../src/server/client_io';
import { parseSession } from '../../src/session/parse';
import { type SimulateOptions, type SimulateResult, simulate } from '../../src/simulate';
import { Printer } from '../../src/trace/print';
import type { Trace } from '../../src/trace/trace';

/** A client I/O with a copy of its data. */
export type SeenIo = Omit<ClientIo, 'data'> & { readonly data: Uint8Array | undefined };

/** A run, with every I/O that a client finished, in the order they finished. */
export interface Run extends SimulateResult {
  readonly ios: SeenIo[];
}

/** Parses and simulates a session; a session with an error fails the test. */
export function run(text: string, options: SimulateOptions = {}, keepData = true): Run {
  const session = parseSession(text, 'test.ublk');
  expect(session.diagnostics.filter((diagnostic) => diagnostic.severity === 'error')).toEqual([]);
  const ios: SeenIo[] = [];
  const result = simulate(session, {
    ...options,
    observe: (io) => {
      ios.push({ ...io, data: keepData && io.data ? io.data.slice() : undefined });
      options.observe?.(io);
    },
  });
  return { ...result, ios };
}

/** Error messages that parsing a session gives. */
export function errorsOf(text: string): string[] {
  return parseSession(text, 'test.ublk')
    .diagnostics.filter((diagnostic) => diagnostic.severity === 'error')
    .map((diagnostic) => diagnostic.message);
}

export function traceText(trace: Trace): string {
  return new Printer(trace).text();
}

export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Numbers of the events of a name. */
export function eventsOf(trace: Trace, name: string): number[] {
  const found: number[] = [];
  for (let i = 0; i < trace.length; i++) if (trace.nameOf(i) === name) found.push(i);
  return found;
}

/** Bytes of a file at the end of a run. */
export function fileBytes(result: SimulateResult, path: string): Uint8Array {
  const file = result.files.find((candidate) => candidate.path === path);
  if (!file) throw new Error(`no file ${path}`);
  const bytes = new Uint8Array(file.size);
  for (const range of file.ranges) bytes.set(range.bytes, range.offset);
  return bytes;
}

/** Bytes that depend on the seed and the place only. */
export function madeUp(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let x = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < size; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}
