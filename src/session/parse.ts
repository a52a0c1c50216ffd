import type { Command, CommandBase, Fault, Session, SessionOverrides, Settings } from './ast';
import { didYouMean, DiagnosticSink, quote } from './diagnostics';
import { Variables } from './expansion';
import { readFault, warnIdleFaults } from './faults';
import { parseFio } from './fio';
import { parseQemuImg } from './qemu_img';
import { parseIogen } from './iogen';
import { parseKill, parseSleep, parseWait } from './jobs';
import { Lexer } from './lexer';
import type { LexerHost, ShellCommand, Word } from './lexer';
import { COMMANDS, NO_EFFECT_COMMANDS } from './options';
import { directiveWords, readSettings } from './settings';
import { parseBlkdiscard, parseDd, parseSync, parseTruncate } from './tools';
import { parseSqe } from './ring';
import { checkRing, warnLeft } from './ring_check';
import {
  parseBuffer,
  parseClose,
  parseMkfifo,
  parseOpen,
  parseReap,
  parseRing,
  parseSubmit,
} from './ring_commands';
import { RingScope } from './ring_scope';
import { parseUblk } from './ublk';

const TOOLS: readonly string[] = [...new Set(COMMANDS.map((row) => row.name.split(' ')[0]!))];
const CONTROL = new Set(
  'if then else elif fi for while until do done case esac function select { } ! [ [[ test'.split(' '),
);

/**
 * Parses a `.ublk` session: a POSIX shell script of simple commands, with `#:` lines for the simulator. Never throws;
 * what is wrong stands in `diagnostics`, and a session with an error among them must not be run.
 */
export function parseSession(text: string, file: string, overrides: SessionOverrides = {}): Session {
  const sink = new DiagnosticSink();
  const clean = normalize(text, sink);
  const { settings, kernelAt } = readSettings(clean, overrides, sink);
  const reader = new SessionReader(settings, sink);
  new Lexer(clean, sink, reader).run();
  warnIdleFaults(reader.faults, reader.commands, settings, sink);
  const { commands, faults } = reader;
  const ring = checkRing(commands, faults, settings, kernelAt, sink);
  if (sink.errors === 0) warnLeft(commands, sink);
  return { file, commands, settings, faults, diagnostics: sink.finish(), ...ring };
}

/** The text with LF line ends; nothing of a binary file. */
function normalize(text: string, sink: DiagnosticSink): string {
  const at = { line: 1, column: 1, endColumn: 1 };
  if (text.includes('\u0000')) {
    sink.error(at, 'this is a binary file, not a session');
    return '';
  }
  if (text.startsWith('\ufeff'))
    sink.error(
      { ...at, endColumn: 2 },
      'the file begins with a byte order mark, which a shell takes for text',
    );
  if (!text.includes('\r\n')) return text;
  sink.warning(at, 'lines end in CR LF: a real shell takes the CR for a part of the last word');
  return text.replaceAll('\r\n', '\n');
}

/** Turns shell commands into commands of the language, in order. */
class SessionReader implements LexerHost {
  readonly commands: Command[] = [];
  readonly faults: Fault[] = [];
  readonly variables = new Variables();
  private readonly ring = new RingScope();

  constructor(
    readonly settings: Settings,
    readonly sink: DiagnosticSink,
  ) {}

  directive(text: string, line: number, column: number): void {
    const words = directiveWords(text, line, column);
    if (words[0]?.text !== 'fault') return;
    const fault = readFault(words, this.commands.length, this.sink);
    if (fault !== undefined) this.faults.push(fault);
  }

  command(shell: ShellCommand): void {
    const { line, column, endColumn, text, background } = shell;
    if (this.#assign(shell)) return;
    const base: CommandBase = { line, column, endColumn, text, background };
    const words = this.#prefixes(shell.words, base);
    if (words === undefined) {
      if (background) this.variables.brokenJob();
      return;
    }
    const errors = this.sink.errors;
    const parsed = words.length === 0 ? [] : this.#parse(words, base);
    const good = this.sink.errors === errors ? parsed : [];
    for (const command of good) this.commands.push(command);
    if (!background) return;
    if (good.length > 0) this.variables.startedJob(this.commands.length - 1);
    else this.variables.brokenJob();
  }

  /** `NAME=value` on a line of its own: the lexer has set the variable. */
  #assign({ words, background }: ShellCommand): boolean {
    if (!/^[A-Za-z_]\w*=/.test(words[0]!.text) || !isAssignment(words[0]!)) return false;
    const command = words.find((word) => !isAssignment(word));
    if (command !== undefined) {
      this.sink.error(
        words[0]!,
        `a variable for one command only is not simulated: set ${quote(words[0]!.text.split('=')[0]!)} on a line before`,
      );
      if (background) this.variables.brokenJob();
      return true;
    }
    if (background) this.sink.error(words[0]!, 'a variable set in the background is lost at once');
    return true;
  }

  /** Takes `sudo` and `taskset` off the front; undefined after an error. */
  #prefixes(words: Word[], base: CommandBase): Word[] | undefined {
    let rest = words;
    if (rest[0]?.text === 'sudo') {
      this.sink.info(rest[0], 'sudo has no effect in the simulation: everything runs as root');
      rest = rest.slice(1);
    }
    if (rest[0]?.text !== 'taskset') return rest;
    const list = rest[1]?.text === '-c';
    const mask = rest[list ? 2 : 1];
    const cpus = mask === undefined ? undefined : list ? readCpuList(mask.text) : readCpuMask(mask.text);
    if (cpus === undefined || cpus.some((cpu) => cpu >= this.settings.cpus)) {
      const { cpus: have } = this.settings;
      this.sink.error(
        mask ?? rest[0],
        `taskset MASK or taskset -c LIST, of CPUs 0 to ${have - 1} (#: cpus ${have})`,
      );
      return undefined;
    }
    base.cpus = cpus;
    return rest.slice(list ? 3 : 2);
  }

  #parse(words: Word[], base: CommandBase): Command[] {
    const { sink, settings } = this;
    const input = { words, base, server: settings.server, sink };
    const one = (command: Command | undefined): Command[] => (command === undefined ? [] : [command]);
    const name = words[0]!.text;
    switch (name) {
      case 'ublk':
        return one(parseUblk(words, base, settings, sink));
      case 'fio':
        return one(parseFio(words, base, settings.server, sink));
      case 'dd':
        return one(parseDd(input));
      case 'qemu-img':
        return one(parseQemuImg(input));
      case 'blkdiscard':
        return one(parseBlkdiscard(input));
      case 'truncate':
        return parseTruncate(input);
      case 'sync':
      case 'fsync':
        return one(parseSync(input));
      case 'mkfifo':
        return one(parseMkfifo(input, this.ring));
      case 'ring':
        return one(parseRing(input, this.ring));
      case 'open':
        return one(parseOpen(input, this.ring));
      case 'buffer':
        return one(parseBuffer(input, this.ring));
      case 'sqe':
        return one(parseSqe(input, this.ring));
      case 'submit':
        return one(parseSubmit(input, this.ring));
      case 'reap':
        return one(parseReap(input, this.ring));
      case 'close':
        return one(parseClose(input, this.ring));
      case 'wait':
        return one(parseWait(input, this.variables.lastJob));
      case 'kill':
        return one(parseKill(input));
      case 'sleep':
        return one(parseSleep(input));
      case 'iogen':
        return one(parseIogen(input));
      default:
        this.#unknown(words[0]!);
        return [];
    }
  }

  #unknown(word: Word): void {
    const name = word.text;
    if (Object.hasOwn(NO_EFFECT_COMMANDS, name)) {
      this.sink.info(word, `${name} has no effect in the simulation: ${NO_EFFECT_COMMANDS[name]}`);
    } else if (word.special !== undefined) this.sink.error(word, 'a process number is not a command');
    else if (CONTROL.has(name))
      this.sink.error(
        word,
        `${quote(name)}: shell control flow is not simulated, one simple command per line is`,
      );
    else
      this.sink.error(
        word,
        `${quote(name)} is not simulated${didYouMean(name, TOOLS)}; commands: ${TOOLS.join(', ')}`,
      );
  }
}

/** Whether a word is `NAME=value` with the name unquoted. */
function isAssignment(word: Word): boolean {
  const name = /^[A-Za-z_]\w*=/.exec(word.text)?.[0];
  return name !== undefined;
}

function readCpuMask(text: string): number[] | undefined {
  if (!/^(0x)?[0-9a-f]{1,16}$/i.test(text)) return undefined;
  const mask = BigInt(`0x${text.replace(/^0x/i, '')}`);
  const cpus = Array.from({ length: 64 }, (_, cpu) => cpu).filter((cpu) => (mask >> BigInt(cpu)) & 1n);
  return cpus.length === 0 ? undefined : cpus;
}

function readCpuList(text: string): number[] | undefined {
  const cpus = new Set<number>();
  for (const part of text.split(',', 65)) {
    const match = /^(\d{1,2})(?:-(\d{1,2}))?$/.exec(part);
    if (match === null) return undefined;
    for (let cpu = Number(match[1]); cpu <= Number(match[2] ?? match[1]); cpu++) cpus.add(cpu);
  }
  return cpus.size === 0 ? undefined : [...cpus].sort((a, b) => a - b);
}
