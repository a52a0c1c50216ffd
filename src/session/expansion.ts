import { didYouMean, quote } from './diagnostics';

/** A process number that is known only when the session runs. */
export type Special =
  | { kind: 'daemon'; id?: number }
  /** `command` is the index of the background command, undefined when that command had an error. */
  | { kind: 'background-job'; command: number | undefined };

interface Value {
  text: string;
  special?: Special;
}

/** What `$` found: `length` characters of the file consumed. */
export interface Expansion extends Partial<Value> {
  length: number;
  error?: string;
}

/** The shell's variables and `$!`. */
export class Variables {
  readonly #values = new Map<string, Value>();
  #job: Special | undefined;

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }

  get(name: string): Value | undefined {
    return this.#values.get(name);
  }

  names(): Iterable<string> {
    return this.#values.keys();
  }

  /** Notes that `commands[command]` was started with `&`. */
  startedJob(command: number): void {
    this.#job = { kind: 'background-job', command };
  }

  /** Notes that a command that had an error ended in `&`. */
  brokenJob(): void {
    this.#job = { kind: 'background-job', command: undefined };
  }

  get lastJob(): Special | undefined {
    return this.#job;
  }
}

const NAME = /[A-Za-z_]\w{0,255}/y;
const LONGEST_SUBSTITUTION = 1000;

/** Reads the expansion that begins with the `$` at `at`. */
export function readDollar(text: string, at: number, variables: Variables): Expansion {
  const next = text[at + 1] ?? '';
  if (next === '!') {
    const special = variables.lastJob;
    if (special === undefined) return { length: 2, error: '$! is empty: no command before it ends in &' };
    return { length: 2, special };
  }
  if (next === '(') return readSubstitution(text, at);
  const braced = next === '{';
  NAME.lastIndex = at + (braced ? 2 : 1);
  const name = NAME.exec(text)?.[0];
  if (name === undefined) {
    if (braced || /[\d?$#@*-]/.test(next)) {
      return {
        length: 2,
        error: `the simulator has no ${quote(`$${next}`)}: $NAME, $! and $(pgrep -n ublk) are simulated`,
      };
    }
    return { length: 1, text: '$' };
  }
  const length = name.length + (braced ? 3 : 1);
  if (braced && text[at + 2 + name.length] !== '}') {
    return { length: length - 1, error: `only \${${name}} is simulated, without an operator` };
  }
  const value = variables.get(name);
  if (value !== undefined) return { ...value, length };
  return { length, error: `$${name} was never set in this session${didYouMean(name, variables.names())}` };
}

/** `$(pgrep -n ublk)` and the other ways to name a server's process. */
function readSubstitution(text: string, at: number): Expansion {
  const lineEnd = text.slice(at, at + LONGEST_SUBSTITUTION).indexOf('\n');
  const limit = lineEnd < 0 ? Math.min(text.length, at + LONGEST_SUBSTITUTION) : at + lineEnd;
  let depth = 0;
  let quoteChar = '';
  for (let i = at + 1; i < limit; i++) {
    const c = text[i]!;
    if (quoteChar !== '') {
      if (c === quoteChar) quoteChar = '';
    } else if (c === "'" || c === '"') quoteChar = c;
    else if (c === '(') depth++;
    else if (c === ')' && --depth === 0) {
      const special = readDaemon(text.slice(at + 2, i).trim());
      const length = i + 1 - at;
      if (special !== undefined) return { length, special };
      return { length, error: 'of $(...) only $(pgrep -n ublk) is simulated' };
    }
  }
  return { length: limit - at, error: 'this $( has no ) on its line' };
}

function readDaemon(command: string): Special | undefined {
  if (/^(pgrep( -[nx]+)*|pidof -s) ublk$/.test(command)) return { kind: 'daemon' };
  const listed = /^ublk list -n ?(\d{1,3}) \| sed -n '[^']*daemon pid[^']*'$/.exec(command);
  return listed === null ? undefined : { kind: 'daemon', id: Number(listed[1]) };
}
