import { COMMANDS, type CommandSpec, type OptionSpec } from '../../session/options';

/** A word of a session line; `start` and `end` count UTF-16 units from 0 in its line. */
export interface LineWord {
  readonly text: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

/** What surrounds a place in a session: the words of its command or `#:` line, and which of them is there. */
export interface Place {
  readonly kind: 'setting' | 'command' | 'comment';
  /** Words up to and beyond the place, without prefixes such as sudo. */
  readonly words: readonly LineWord[];
  /** Index of the word at the place; `words.length` where a new one would begin. */
  readonly at: number;
}

/** Finds the command or setting at a line and character (both from 0). */
export function placeAt(lines: readonly string[], line: number, character: number): Place {
  const text = lines[line] ?? '';
  const setting = /^\s*#:/.exec(text);
  if (setting !== null && character >= setting[0].length)
    return cut('setting', split(text, line, setting[0].length), line, character);
  let first = line;
  while (first > 0 && continues(lines[first - 1]!)) first--;
  const words: LineWord[] = [];
  for (let i = first; i < lines.length; i++) {
    const more = continues(lines[i]!);
    words.push(...split(more ? lines[i]!.replace(/\\\s*$/, ' ') : lines[i]!, i, 0));
    if (!more) break;
  }
  const comment = words.findIndex((word) => word.text.startsWith('#'));
  if (comment >= 0) {
    const { line: at, start } = words[comment]!;
    if (at < line || (at === line && start < character)) return { kind: 'comment', words: [], at: 0 };
    words.length = comment;
  }
  return cut('command', words, line, character);
}

/** Whether a tool's second word is a command of its own, as in `ublk add`. */
export function hasVerbs(tool: string): boolean {
  return COMMANDS.some((row) => row.name.startsWith(`${tool} `));
}

/** The option table's row of a command's words; undefined for an unknown command. */
export function commandOf(words: readonly LineWord[]): CommandSpec | undefined {
  const [tool, verb] = words;
  if (tool === undefined) return undefined;
  if (hasVerbs(tool.text)) return COMMANDS.find((row) => row.name === `${tool.text} ${verb?.text ?? ''}`);
  return COMMANDS.find((row) => row.name === tool.text);
}

/** Splits `--rw=read`, `if=file` or `-t` into option and value; undefined where the word names no option of the command. */
export function optionOf(
  spec: CommandSpec,
  word: string,
): { readonly option: OptionSpec; readonly name: string; readonly value: string | undefined } | undefined {
  const operand = spec.style === 'operands';
  const match = (operand ? /^([\w-]+)=(.*)$/ : /^(--?[A-Za-z][\w-]*)(?:=(.*))?$/).exec(word);
  if (match === null) return undefined;
  const [, name, value] = match as unknown as [string, string, string | undefined];
  const bare = name.replace(/^--?/, '');
  const long = operand || spec.style === 'fio' || name.startsWith('--');
  const found = spec.options.find((row) => (long ? row.long?.includes(bare) : row.short === bare[0]));
  if (found === undefined) return undefined;
  if (!long && bare.length > 1) return { option: found, name: `-${bare[0]}`, value: bare.slice(1) };
  return { option: found, name, value };
}

/** The option whose value the word is, as in `-t loop`; undefined where the word before takes none. */
export function optionBefore(spec: CommandSpec, before: string | undefined): OptionSpec | undefined {
  if (before === undefined || spec.style === 'operands') return undefined;
  const named = optionOf(spec, before);
  if (named === undefined || named.value !== undefined) return undefined;
  const { option, name } = named;
  if (option.optionalArgument || spec.style === 'fio') return undefined;
  const takes = name.startsWith('--') ? (option.longArgument ?? option.argument) : option.argument;
  return takes === undefined ? undefined : option;
}

function continues(line: string): boolean {
  return /(?:^|[^\\])(?:\\\\)*\\$/.test(line) && !/^\s*#/.test(line);
}

/** Words between blanks; quotes and `$(...)` keep blanks inside. Operators of the shell are words of their own. */
function split(text: string, line: number, from: number): LineWord[] {
  const words: LineWord[] = [];
  const pattern = /(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|\$\([^)]*\)?|2>&1|\\.|[^\s;&|"'\\])+|[;&|]+/g;
  pattern.lastIndex = from;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    words.push({ text: match[0], line, start: match.index, end: match.index + match[0].length });
  }
  return words;
}

/** Keeps the words of the simple command that holds the place, and takes `sudo` and `taskset` off its front. */
function cut(kind: Place['kind'], all: readonly LineWord[], line: number, character: number): Place {
  const before = (word: LineWord): boolean =>
    word.line < line || (word.line === line && word.end < character);
  let from = 0;
  let to = all.length;
  if (kind === 'command') {
    for (const [index, word] of all.entries()) {
      if (!/^[;&|]+$/.test(word.text)) continue;
      if (before(word) || (word.line === line && word.end === character)) from = index + 1;
      else {
        to = index;
        break;
      }
    }
  }
  let words = all.slice(from, to);
  if (kind === 'command') {
    if (words[0]?.text === 'sudo' && before(words[0])) words = words.slice(1);
    if (words[0]?.text === 'taskset') {
      const length = words[1]?.text === '-c' ? 3 : 2;
      if (words.length > length || (words.length === length && before(words[length - 1]!)))
        words = words.slice(length);
    }
  }
  let at = words.findIndex((word) => word.line === line && word.start <= character && character <= word.end);
  if (at < 0) {
    at = words.findIndex((word) => !before(word));
    if (at < 0) at = words.length;
    // A blank between two words: a new one would begin here.
    else return { kind, words: words.slice(0, at), at };
  }
  return { kind, words, at };
}
