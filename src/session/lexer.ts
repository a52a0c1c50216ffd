import type { Span } from './ast';
import type { DiagnosticSink } from './diagnostics';
import { quote } from './diagnostics';
import { readDollar } from './expansion';
import type { Special, Variables } from './expansion';

/** One word of a command, quotes removed and variables replaced. */
export interface Word extends Span {
  text: string;
  /** Set when the whole word is `$!`, `$(pgrep -n ublk)` or a variable that holds one of these. */
  special?: Special;
  /** True when the text stands in the file exactly so: a column inside it can be computed. */
  plain: boolean;
}

/** A simple command as the shell would run it. */
export interface ShellCommand extends Span {
  words: Word[];
  text: string;
  background: boolean;
}

type Piece = Pick<Word, 'text' | 'special' | 'plain'>;

/** A word being read; `some`: it exists even if empty, as '' does. */
interface Draft extends Piece {
  done: Piece[];
  some: boolean;
  assignment: boolean;
}

/** Receives what the lexer finds, in order. Variables are read while lexing, so a command must be handled at once. */
export interface LexerHost {
  command(command: ShellCommand): void;
  /** A `#:` comment that stands on a line of its own; `text` is what follows the colon, at `column`. */
  directive(text: string, line: number, column: number): void;
  variables: Variables;
}

export const MAX_WORDS = 65536;
export const MAX_WORD = 1 << 20;
const BLANK = /[ \t]/;
const OPERATORS = '&;|<>()`';
const WORD_END = new Set([' ', '\t', '\n', '&', ';', '|', '<', '>', '(', ')', '`', '']);
/** A run of characters that mean themselves. */
const LITERAL = /[^\s&;|<>()`'"\\$*?[]+/y;
const QUOTED = /[^"\\$\n`]+/y;

/** Splits POSIX shell text into simple commands. What the language leaves out is an error, never skipped silently. */
export class Lexer {
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #words: Word[] = [];
  #start = 0;
  #startSpan: Span | undefined;
  #broken = false;
  #textEnd = 0;
  #endFrom = 0;
  #endOfLine = -1;

  constructor(
    readonly text: string,
    readonly sink: DiagnosticSink,
    readonly host: LexerHost,
  ) {}

  run(): void {
    while (this.#at < this.text.length) {
      this.#step();
      if (this.sink.full) {
        this.sink.error(this.#here(0), 'too many errors: reading stops here');
        return;
      }
    }
    this.#end(false);
  }

  #step(): void {
    const c = this.text[this.#at]!;
    if (c === '\n') {
      this.#end(false);
      this.#newline();
    } else if (BLANK.test(c)) this.#at++;
    else if (c === '\\' && this.text[this.#at + 1] === '\n') {
      this.#at++;
      this.#newline();
    } else if (c === '#') this.#comment();
    else if (OPERATORS.includes(c)) this.#operator(c);
    else this.#word();
  }

  #newline(): void {
    this.#at++;
    this.#line++;
    this.#lineStart = this.#at;
  }

  /** Where the line of `from` ends; looked up once per line, for lines may be long. */
  #lineEnd(from: number): number {
    if (from < this.#endFrom || from > this.#endOfLine) {
      const end = this.text.indexOf('\n', from);
      this.#endFrom = from;
      this.#endOfLine = end < 0 ? this.text.length : end;
    }
    return this.#endOfLine;
  }

  #column(): number {
    return this.#at - this.#lineStart + 1;
  }

  #here(length: number): Span {
    const column = this.#column();
    return { line: this.#line, column, endColumn: column + length };
  }

  #comment(): void {
    const end = this.#lineEnd(this.#at);
    if (this.text[this.#at + 1] === ':') {
      if (this.#words.length > 0 || this.#broken) {
        this.sink.error(this.#here(2), 'a #: line must stand alone, not behind a command');
      } else {
        this.host.directive(this.text.slice(this.#at + 2, end), this.#line, this.#column() + 2);
      }
    }
    this.#at = end;
  }

  #operator(c: string): void {
    const two = this.text.slice(this.#at, this.#at + 2);
    if (c === '&' && two !== '&&') {
      if (this.#words.length === 0 && !this.#broken) this.#fail(1, "nothing stands before '&'");
      this.#end(true);
      this.#at++;
    } else if (c === ';' && two !== ';;') {
      this.#end(false);
      this.#at++;
    } else if (c === '<' || c === '>') this.#redirection();
    else {
      const what = two === '&&' || two === '||' || two === ';;' ? two : c;
      const hint = c === '`' ? ': write $(pgrep -n ublk)' : ': one simple command per line, & and wait';
      this.#fail(what.length, `the simulator has no ${quote(what)}${hint}`);
      this.#at = this.#lineEnd(this.#at);
    }
  }

  /** Output to /dev/null and 2>&1 change nothing here; any other redirection is refused. */
  #redirection(): void {
    const match = /(?:>>|>\||>&|<<|<&|<>|<|>)[ \t]*([\w./-]*)/y;
    match.lastIndex = this.#at;
    const found = match.exec(this.text)!;
    const harmless = /^>>?[ \t]*\/dev\/null$/.test(found[0]) || /^>&[ \t]*[12-]$/.test(found[0]);
    if (!harmless) this.#fail(found[0].length, 'redirection is not simulated, except > /dev/null and 2>&1');
    this.#at += found[0].length;
    this.#textEnd = this.#at;
  }

  /** Reports an error of the command being read; the command is then left out. */
  #fail(length: number, message: string): void {
    this.#failAt(this.#here(Math.min(length, this.#lineEnd(this.#at) - this.#at)), message);
  }

  #failAt(at: Span, message: string): void {
    if (!this.#broken) this.sink.error(at, message);
    this.#broken = true;
  }

  #end(background: boolean): void {
    const words = this.#words;
    if (words.length > 0 && !this.#broken) {
      const last = words[words.length - 1]!;
      const first = this.#startSpan!;
      const endColumn =
        last.line === first.line
          ? last.endColumn
          : this.#lineEnd(this.#start) - (this.#start - first.column + 1) + 1;
      const text = this.text.slice(this.#start, this.#textEnd).replaceAll('\\\n', '').trimEnd();
      this.host.command({ words, text, background, line: first.line, column: first.column, endColumn });
    } else if (this.#broken && background) this.host.variables.brokenJob();
    this.#words = [];
    this.#broken = false;
  }

  #word(): void {
    const start = this.#at;
    const startLine = this.#line;
    const lineStart = this.#lineStart;
    if (this.#words.length === 0) {
      this.#start = start;
      this.#startSpan = this.#here(1);
    }
    const match = /[A-Za-z_]\w{0,255}=/y;
    match.lastIndex = start;
    const assignment = match.test(this.text) && this.#words.every((word) => /^[A-Za-z_]\w*=/.test(word.text));
    const pieces = this.#pieces(assignment);
    const end = this.#line === startLine ? this.#at : this.#lineEnd(start);
    const span = { line: startLine, column: start - lineStart + 1, endColumn: end - lineStart + 1 };
    // `2>&1`: the digit belongs to the redirection.
    if (/^\d$/.test(this.text.slice(start, this.#at)) && this.text[this.#at] === '>') return;
    if (end - start > MAX_WORD)
      this.#failAt(
        { ...span, endColumn: span.column + 1 },
        `this word is longer than ${MAX_WORD} characters`,
      );
    this.#textEnd = this.#at;
    for (const piece of pieces) this.#words.push({ ...piece, ...span });
    if (assignment && !this.#broken) this.#assign(this.#words[this.#words.length - 1]!);
    if (this.#words.length > MAX_WORDS) {
      this.#failAt(span, `more than ${MAX_WORDS} words in one command`);
      this.#words.length = 1;
      this.#at = this.#lineEnd(this.#at);
    }
  }

  /** Sets the variable at once: the rest of the line may use it. */
  #assign(word: Word): void {
    const equals = word.text.indexOf('=');
    const { special } = word;
    const value = { text: word.text.slice(equals + 1), ...(special && { special }) };
    this.host.variables.set(word.text.slice(0, equals), value);
  }

  /** Reads one word; unquoted variables with blanks in them make several. */
  #pieces(assignment: boolean): Piece[] {
    const draft: Draft = { done: [], text: '', plain: true, some: false, assignment };
    for (;;) {
      const c = this.text[this.#at] ?? '';
      if (WORD_END.has(c)) break;
      LITERAL.lastIndex = this.#at;
      const literal = LITERAL.exec(this.text);
      if (literal !== null) {
        draft.text += literal[0];
        this.#at += literal[0].length;
      } else if (c === '\\') {
        draft.plain = false;
        this.#at++;
        if (this.text[this.#at] === '\n') this.#newline();
        else if (this.#at < this.text.length) draft.text += this.text[this.#at++];
      } else if (c === "'") this.#singleQuoted(draft);
      else if (c === '"') this.#doubleQuoted(draft);
      else if (c === '$') this.#expand(draft, false);
      else {
        const pattern = '*?['.includes(c);
        if (!pattern) this.#fail(1, 'this character does not belong in a shell script');
        else if (!assignment) this.#fail(1, `file name patterns are not simulated: quote the ${quote(c)}`);
        draft.text += c;
        this.#at++;
      }
    }
    const { done, text, plain, some, special } = draft;
    if (text !== '' || some || special !== undefined) done.push({ text, plain, ...(special && { special }) });
    return done;
  }

  #singleQuoted(draft: Draft): void {
    draft.plain = false;
    draft.some = true;
    const end = this.#lineEnd(this.#at);
    const close = this.text.indexOf("'", this.#at + 1);
    if (close < 0 || close > end) {
      this.#fail(end - this.#at, 'this quote is not closed on its line');
      this.#at = end;
      return;
    }
    draft.text += this.text.slice(this.#at + 1, close);
    this.#at = close + 1;
  }

  #doubleQuoted(draft: Draft): void {
    const open = this.#here(1);
    draft.plain = false;
    draft.some = true;
    this.#at++;
    for (;;) {
      QUOTED.lastIndex = this.#at;
      const literal = QUOTED.exec(this.text);
      const c = this.text[this.#at] ?? '\n';
      if (literal !== null) {
        draft.text += literal[0];
        this.#at += literal[0].length;
      } else if (c === '"') {
        this.#at++;
        return;
      } else if (c === '\n') {
        this.#failAt(open, 'this quote is not closed on its line');
        return;
      } else if (c === '$') this.#expand(draft, true);
      else if (c === '\\') {
        const next = this.text[this.#at + 1] ?? '';
        this.#at++;
        if (next === '\n') this.#newline();
        else if (next !== '' && '$`"\\'.includes(next)) draft.text += this.text[this.#at++];
        else draft.text += '\\';
      } else {
        this.#fail(1, 'the simulator has no `command`: write $(pgrep -n ublk)');
        this.#at++;
      }
    }
  }

  #expand(draft: Draft, quoted: boolean): void {
    const found = readDollar(this.text, this.#at, this.host.variables);
    const span = this.#here(found.length);
    this.#at += found.length;
    draft.plain = false;
    if (found.error !== undefined) this.#failAt(span, found.error);
    if (found.special !== undefined) {
      const first =
        draft.special === undefined && (draft.text === '' || (draft.assignment && draft.text.endsWith('=')));
      if (!first) this.#failAt(span, 'a process number cannot be part of a longer word here');
      draft.special = found.special;
    }
    const parts = quoted || draft.assignment ? [found.text ?? ''] : (found.text ?? '').split(/[ \t\n]+/);
    for (const part of parts.slice(0, -1)) {
      const text = draft.text + part;
      if (text !== '' || draft.some) draft.done.push({ text, plain: false });
      draft.text = '';
      draft.some = false;
    }
    draft.text += parts[parts.length - 1]!;
    if (draft.text.length > MAX_WORD) {
      this.#failAt(span, `this word grows beyond ${MAX_WORD} characters`);
      draft.text = '';
    }
  }
}
