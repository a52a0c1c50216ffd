import type { Session } from '../session/ast';
import { Simulation } from '../simulate';
import { TextParser } from '../trace/parse';
import { StateReducer } from '../trace/state';
import { Trace } from '../trace/trace';
import { RegexReader } from './regex_reader';

/** A work that stands still between two of its steps. */
export type Standing = Iterator<unknown>;

/** Most places at which one work stands. */
const MOST = 24;
/** Bytes of one step of reading, and events of one step of a simulation. */
const PIECE = 1 << 18;
const SLICE = 1 << 14;

/**
 * A small work as often as it has steps, each time stopped at another one, to be held while works of its kind are timed. V8 throws
 * machine code away when a collection finds no object of a class that it was made for. Between two runs there is none, so without
 * these every run would compile all of its code anew, as no program does that has a trace open.
 */
export function stopped(work: () => Standing): Standing[] {
  const standing: Standing[] = [];
  for (let steps = 1; steps <= MOST; steps++) {
    const one = work();
    standing.push(one);
    for (let k = 0; k < steps; k++) if (one.next().done === true) return standing;
  }
  return standing;
}

/** Reads a text by our parser. */
export function* reading(bytes: Uint8Array): Generator<void> {
  const parser = new TextParser(new Trace());
  for (let at = 0; at < bytes.length; at += PIECE) {
    parser.push(bytes.subarray(at, at + PIECE));
    yield;
  }
  parser.end();
}

/** Reads a text by the peer. */
export function* readingByRegex(bytes: Uint8Array): Generator<void> {
  const reader = new RegexReader();
  const events = reader.read(Buffer.from(bytes).toString());
  yield;
  events.push(...reader.read(''));
}

/** Runs a session. */
export function* simulating(session: Session): Generator<void> {
  const simulation = new Simulation(session);
  while (simulation.advance(SLICE)) yield;
}

/** Replays a trace. */
export function* replaying(trace: Trace): Generator<void> {
  const reducer = new StateReducer(trace);
  for (let e = SLICE; e < trace.length; e += SLICE) {
    reducer.run(e);
    yield;
  }
}
