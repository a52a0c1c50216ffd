import { ReadError, readTraceText } from '../../src/convert/read_trace';
import type { Session } from '../../src/session/ast';
import { parseSession } from '../../src/session/parse';
import { simulate } from '../../src/simulate';
import { formatDiagnostic } from '../../src/session/diagnostics';
import { chromeTrace } from '../../src/convert/chrome';
import { matchRequests } from '../../src/trace/requests';
import { stateAt } from '../../src/trace/state';
import { Printer } from '../../src/trace/print';
import { listRecordings, loadRecording } from './oracle';

/** What an input is fed to. */
type Target = 'trace' | 'session';

/** One input: a function of its seed and index alone, so that a failure can be made again. */
export interface FuzzInput {
  readonly target: Target;
  readonly mutations: readonly string[];
  readonly bytes: Uint8Array;
}

/** Numbers in [0, limit), the same for the same seed on every machine. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x100000000) * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

const SESSIONS = [
  `#: kernel 6.1+splice-zc
#: seed 42
truncate -s 64M disk.img
ublk add -t loop -f disk.img -z -q 1 -d 4
fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randread --bs=4k --iodepth=4 --number_ios=16
dd if=/dev/zero of=/dev/ublkb0 bs=64k count=1 oflag=direct &
blkdiscard -o 1M -l 64k /dev/ublkb0
wait
#: fault splice tag=1 short=2048
kill -9 $(pgrep -n ublk)
ublk del -n 0
`,
  `#!/bin/sh
F=disk.img
truncate -s 8M "$F"
ublk add -t loop -f $F -q 2 -d 16 -g 1; iogen /dev/ublkb0 out.json r:seq:4096:8:1 w:rand:4096:8:4 flush discard:8388608:65536 \\
  zero:9437184:65536
sync && sleep 0.5
ublk list -n 0
ublk del -a
`,
];

const NUMBERS = [
  '0',
  '-0',
  '-1',
  '00',
  '1e9',
  '0x',
  '65535',
  '65536',
  '2147483647',
  '2147483648',
  '-2147483649',
  '4294967295',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '9223372036854775808',
  '-9223372036854775809',
  '18446744073709551615',
  '18446744073709551616',
  '9'.repeat(40),
  '0xffffffffffffffff',
  '1'.repeat(3000),
  '0.0000000001',
] as const;

const TOKENS = [
  '\0',
  '\n',
  '\r\n',
  '\r',
  '\t',
  '{',
  '}',
  '{x:d}',
  '[000]',
  '[999999]',
  '(',
  ')',
  ': ',
  '=',
  ' -> ',
  '#',
  '#:',
  '"',
  "'",
  '\\',
  '\\\n',
  '$(',
  '$',
  '`',
  '$\u007bF}',
  '&',
  ';',
  '|',
  '<<EOF\n',
  '\u00e9',
  '\u202e',
  '\ud83d\ude00',
  '\ufeff',
  '-',
  '--',
  'sys_',
  'sys_enter_x',
  '__proto__=1 ',
  'constructor: ',
  'toString=2',
  '<...>-',
  '<idle>-0',
] as const;

const encoder = new TextEncoder();

interface Piece {
  /** One character per byte, so that any bytes pass through string functions unchanged. */
  text: string;
}

type Mutation = (piece: Piece, dice: Dice, other: () => string) => void;

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  flip(piece, dice) {
    const chars = [...piece.text];
    for (let n = 1 + dice.below(8); n > 0 && chars.length > 0; n--) {
      const at = dice.below(chars.length);
      chars[at] = String.fromCharCode(chars[at]!.charCodeAt(0) ^ (1 << dice.below(8)));
    }
    piece.text = chars.join('');
  },
  truncate(piece, dice) {
    piece.text = piece.text.slice(0, dice.below(piece.text.length + 1));
  },
  behead(piece, dice) {
    piece.text = piece.text.slice(dice.below(piece.text.length + 1));
  },
  repeatLine(piece, dice) {
    const lines = piece.text.split('\n');
    const at = dice.below(lines.length);
    lines.splice(at, 0, ...new Array<string>(1 + dice.below(40)).fill(lines[at]!));
    piece.text = lines.join('\n');
  },
  dropLine(piece, dice) {
    const lines = piece.text.split('\n');
    lines.splice(dice.below(lines.length), 1 + dice.below(3));
    piece.text = lines.join('\n');
  },
  swapLines(piece, dice) {
    const lines = piece.text.split('\n');
    const [a, b] = [dice.below(lines.length), dice.below(lines.length)];
    [lines[a], lines[b]] = [lines[b]!, lines[a]!];
    piece.text = lines.join('\n');
  },
  number(piece, dice) {
    const places = [...piece.text.matchAll(/-?(?:0x[0-9a-f]+|\d+)/g)];
    if (places.length === 0) return;
    const { index, 0: old } = dice.pick(places);
    piece.text = piece.text.slice(0, index) + dice.pick(NUMBERS) + piece.text.slice(index + old.length);
  },
  everyNumberLike(piece, dice) {
    const one = /\d+/.exec(piece.text.slice(dice.below(piece.text.length + 1)))?.[0];
    if (one !== undefined) piece.text = piece.text.replaceAll(one, dice.pick(NUMBERS).slice(0, 40));
  },
  token(piece, dice) {
    const at = dice.below(piece.text.length + 1);
    piece.text = piece.text.slice(0, at) + toLatin1(encoder.encode(dice.pick(TOKENS))) + piece.text.slice(at);
  },
  splice(piece, dice, other) {
    const text = other();
    const from = dice.below(text.length + 1);
    const at = dice.below(piece.text.length + 1);
    piece.text = piece.text.slice(0, at) + text.slice(from, from + dice.below(2000)) + piece.text.slice(at);
  },
  interleave(piece, dice, other) {
    const b = other().split('\n');
    piece.text = piece.text
      .split('\n')
      .flatMap((line) => (dice.below(2) === 0 && b.length > 0 ? [line, b.shift()!] : [line]))
      .join('\n');
  },
  longLine(piece, dice) {
    const at = dice.below(piece.text.length + 1);
    const unit = dice.pick(['x', ' ', '=', 'a=1 ', '[000] ', '(', '-', '9', '"', '\\', '$(']);
    piece.text =
      piece.text.slice(0, at) + unit.repeat(1 + dice.below(20_000 / unit.length)) + piece.text.slice(at);
  },
  noise(piece, dice) {
    const at = dice.below(piece.text.length + 1);
    const bytes = Array.from({ length: dice.below(64) }, () => String.fromCharCode(dice.below(256)));
    piece.text = piece.text.slice(0, at) + bytes.join('') + piece.text.slice(at);
  },
};

const NAMES = Object.keys(MUTATIONS);

/** Makes inputs from the recordings and sessions, and runs them. */
export class Fuzzer {
  readonly #recordings = listRecordings().map((name) => toLatin1(encoder.encode(loadRecording(name).text)));

  /** The input with this number of the run with this seed. */
  input(seed: number, index: number): FuzzInput {
    const dice = new Dice(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
    const target: Target = dice.below(3) === 0 ? 'session' : 'trace';
    const base = (): string => (target === 'session' ? dice.pick(SESSIONS) : this.#window(dice));
    const piece = { text: base() };
    const mutations = Array.from({ length: 1 + dice.below(4) }, () => dice.pick(NAMES));
    for (const name of mutations) MUTATIONS[name]!(piece, dice, base);
    return { target, mutations, bytes: Uint8Array.from(piece.text, (c) => c.charCodeAt(0) & 255) };
  }

  /** Some lines of some recording. */
  #window(dice: Dice): string {
    const text = dice.pick(this.#recordings);
    const from = dice.below(3) === 0 ? 0 : text.indexOf('\n', dice.below(text.length)) + 1;
    return text.slice(from, from + 200 + dice.below(8000));
  }
}

/** Feeds one input. Throws (anything but the tool's own error is a failure) when it does not end as an input must. */
export async function runInput(input: Pick<FuzzInput, 'target' | 'bytes'>): Promise<'read' | 'refused'> {
  return input.target === 'trace' ? runTrace(input.bytes) : runSession(input.bytes);
}

async function runTrace(bytes: Uint8Array): Promise<'read' | 'refused'> {
  try {
    const { trace, counts } = await readTraceText([bytes]);
    const lines = trace.length + trace.notes.length;
    if (lines !== counts.lines) throw new Error(`${counts.lines} lines read, ${lines} kept`);
    let printed = 0;
    for (const part of new Printer(trace).parts()) printed += part.length;
    if (printed > 4 * bytes.length + 200 * lines)
      throw new Error(`${printed} characters printed of ${bytes.length} bytes`);
    const requests = matchRequests(trace, { allDevices: true });
    if (requests.length > trace.length)
      throw new Error(`${requests.length} requests of ${trace.length} events`);
    const chrome = JSON.parse([...chromeTrace(trace, requests)].join('')) as { traceEvents: unknown[] };
    if (chrome.traceEvents.length < requests.length + trace.length)
      throw new Error('rows are missing in the Chrome export');
    JSON.stringify(stateAt(trace, trace.length - 1));
    return 'read';
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    checkMessage(error.message);
    if (error.line < 1 || error.column < 1) throw new Error(`bad place ${error.line}:${error.column}`);
    return 'refused';
  }
}

function runSession(bytes: Uint8Array): 'read' | 'refused' {
  const text = new TextDecoder().decode(bytes);
  const session = parseSession(text, 'fuzz.ublk');
  const lines = text.split('\n').length;
  for (const diagnostic of session.diagnostics) {
    checkMessage(formatDiagnostic('fuzz.ublk', diagnostic));
    if (diagnostic.line < 1 || diagnostic.line > lines + 1 || diagnostic.column < 1) {
      throw new Error(`bad place: ${formatDiagnostic('fuzz.ublk', diagnostic)}`);
    }
  }
  if (session.diagnostics.some((diagnostic) => diagnostic.severity === 'error')) return 'refused';
  simulateABit(session);
  return 'read';
}

/** A message is one line of bounded length. */
function checkMessage(message: string): void {
  if (message === '' || /[\n\r]/.test(message) || message.length > 1000) {
    throw new Error(`bad message: ${JSON.stringify(message.slice(0, 200))}`);
  }
}

function toLatin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

/** Events after which a fuzzed session is stopped, and the memory that its machine gets. */
const MAX_EVENTS = 5000;
const MEMORY = 64 << 20;

/** What parses must also run: to its end, or to the limit. */
function simulateABit(session: Session): void {
  const settings = {
    ...session.settings,
    maxEvents: Math.min(session.settings.maxEvents, MAX_EVENTS),
    memory: Math.min(session.settings.memory, MEMORY),
  };
  const { exitCode, output, files } = simulate({ ...session, settings });
  if (exitCode !== 0 && output === '') throw new Error('a session failed without a word');
  for (const file of files) if (file.size < 0) throw new Error(`file ${file.path} has size ${file.size}`);
}
