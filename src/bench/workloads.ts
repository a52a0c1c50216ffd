import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Session } from '../session/ast';
import { parseSession } from '../session/parse';
import { simulate } from '../simulate';
import { TextParser } from '../trace/parse';
import { Printer } from '../trace/print';
import { Trace } from '../trace/trace';

/** How large the works are. */
export interface Sizes {
  /** I/Os of the null device. */
  readonly nullIos: number;
  /** I/Os of ublk-loop with zero copy. */
  readonly loopIos: number;
  /** Events of the trace that is read, matched and replayed. */
  readonly events: number;
  /** Events of the concatenated recordings. */
  readonly recorded: number;
  /** Places that are sought. */
  readonly seeks: number;
}

/** Sizes of the usual run. */
export const USUAL: Sizes = {
  nullIos: 100_000,
  loopIos: 20_000,
  events: 1_000_000,
  recorded: 400_000,
  seeks: 400,
};

/** Sizes that only show that everything runs. */
export const QUICK: Sizes = { nullIos: 2_000, loopIos: 500, events: 30_000, recorded: 20_000, seeks: 40 };

/** Random reads of a null device, 128 in flight. */
export function nullSession(ios: number, depth = 128): Session {
  return session(`#: kernel 6.1
#: seed 1
#: max-events 100000000
ublk add -t null -q 1 -d ${depth}
fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randread --bs=4k --iodepth=${depth} --number_ios=${ios}
`);
}

/** Random reads and writes of ublk-loop with zero copy, 8 in flight. */
export function loopSession(ios: number, zeroCopy = true): Session {
  return session(`#: kernel ${zeroCopy ? '6.1+splice-zc' : '6.1'}
#: seed 2
#: max-events 100000000
truncate -s 64M disk.img
ublk add -t loop -f disk.img ${zeroCopy ? '-z ' : ''}-q 1 -d 8
fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randrw --bs=4k --iodepth=8 --number_ios=${ios}
`);
}

function session(text: string): Session {
  const parsed = parseSession(text, 'bench.ublk');
  const bad = parsed.diagnostics.find((diagnostic) => diagnostic.severity === 'error');
  if (bad) throw new Error(`bench.ublk:${bad.line}: ${bad.message}`);
  return parsed;
}

/** Text of one simulated trace of about so many events: ublk-loop copying, so that every part of the stack speaks. */
export function simulatedText(events: number): { bytes: Uint8Array; events: number } {
  const [few, more] = [400, 800].map((ios) => simulate(loopSession(ios, false)).events);
  const ios = Math.max(1, Math.round(400 + ((events - few!) / (more! - few!)) * 400));
  const { trace } = simulate(loopSession(ios, false));
  const parts: Buffer[] = [];
  for (const part of new Printer(trace).parts()) parts.push(Buffer.from(part));
  return { bytes: Buffer.concat(parts), events: trace.length };
}

/** Texts of the recordings of real kernels, one after the other and again, until there are so many events; undefined outside a checkout. */
export function recordedText(events: number): { bytes: Uint8Array; events: number } | undefined {
  const root = join(__dirname, '..', 'test', 'fixtures', 'oracle');
  if (!existsSync(root)) return undefined;
  const texts: Uint8Array[] = [];
  for (const name of readdirSync(root).sort()) {
    const file = join(root, name, 'trace.txt.gz');
    if (existsSync(file)) texts.push(gunzipSync(readFileSync(file)));
  }
  if (texts.length === 0) return undefined;
  const one = Buffer.concat(texts);
  const count = readTrace(one).length;
  const times = Math.max(1, Math.ceil(events / count));
  return { bytes: Buffer.concat(Array.from({ length: times }, () => one)), events: count * times };
}

/** Reads a text in pieces of 1 MiB, as the command line does. */
export function readTrace(bytes: Uint8Array, times = 1): Trace {
  const trace = new Trace();
  const parser = new TextParser(trace);
  for (let k = 0; k < times; k++) {
    for (let at = 0; at < bytes.length; at += 1 << 20) parser.push(bytes.subarray(at, at + (1 << 20)));
  }
  parser.end();
  return trace;
}

/** The same places in every run. */
export function randomPlaces(count: number, limit: number): number[] {
  let x = 0x9e3779b9;
  return Array.from({ length: count }, () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % limit;
  });
}
