/** JSON with positions: every value knows where it stands, numbers keep their text, duplicate keys are errors. */

/** A place in a text; both count from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** Something wrong at a place of a program's text. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  constructor(
    message: string,
    readonly offset: number,
    readonly place: TextPlace,
  ) {
    super(message);
  }
}

/** One value of a JSON text. */
export type JsonNode =
  | {
      readonly type: 'object';
      readonly at: number;
      readonly end: number;
      readonly members: readonly JsonMember[];
    }
  | { readonly type: 'array'; readonly at: number; readonly end: number; readonly items: readonly JsonNode[] }
  | { readonly type: 'string'; readonly at: number; readonly end: number; readonly value: string }
  | {
      readonly type: 'number';
      readonly at: number;
      readonly end: number;
      readonly value: number;
      readonly text: string;
    }
  | { readonly type: 'boolean'; readonly at: number; readonly end: number; readonly value: boolean }
  | { readonly type: 'null'; readonly at: number; readonly end: number };

/** One member of an object. */
export interface JsonMember {
  readonly key: string;
  readonly keyAt: number;
  readonly value: JsonNode;
}

/** Line and column of an offset. */
export function placeAt(text: string, offset: number): TextPlace {
  let line = 1;
  let start = 0;
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) {
    line++;
    start = i + 1;
  }
  return { line, column: offset - start + 1 };
}

const MAX_DEPTH = 64;
const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_]\w*/y;

/** Parses a JSON text. @throws ProgramError */
export function parseJsonText(text: string): JsonNode {
  const parser = new Parser(text);
  return parser.document();
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {
    if (text.startsWith('\ufeff')) this.at = 1;
  }

  document(): JsonNode {
    this.space();
    if (this.at >= this.text.length) this.fail('the file is empty');
    const node = this.value(0);
    this.space();
    if (this.at < this.text.length) this.fail(`unexpected ${this.shown()} after the end of the program`);
    return node;
  }

  private value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) this.fail('nested too deeply');
    const c = this.text[this.at];
    if (c === '{') return this.object(depth);
    if (c === '[') return this.array(depth);
    if (c === '"') {
      const at = this.at;
      const value = this.string();
      return { type: 'string', at, end: this.at, value };
    }
    const number = this.match(NUMBER);
    if (number !== '') {
      return {
        type: 'number',
        at: this.at - number.length,
        end: this.at,
        value: Number(number),
        text: number,
      };
    }
    const at = this.at;
    const word = this.match(WORD);
    if (word === 'true' || word === 'false')
      return { type: 'boolean', at, end: this.at, value: word === 'true' };
    if (word === 'null') return { type: 'null', at, end: this.at };
    this.at = at;
    return this.fail(`expected a value, not ${this.shown()}`);
  }

  private object(depth: number): JsonNode {
    const at = this.at++;
    const members: JsonMember[] = [];
    const seen = new Set<string>();
    this.space();
    if (this.take('}')) return { type: 'object', at, end: this.at, members };
    for (;;) {
      this.space();
      if (this.text[this.at] !== '"') this.fail(`expected a key in quotes, not ${this.shown()}`);
      const keyAt = this.at;
      const key = this.string();
      if (seen.has(key)) {
        this.at = keyAt;
        this.fail(`duplicate key ${JSON.stringify(key)}`);
      }
      seen.add(key);
      this.space();
      if (!this.take(':')) this.fail(`expected ':' after the key, not ${this.shown()}`);
      this.space();
      members.push({ key, keyAt, value: this.value(depth + 1) });
      this.space();
      if (this.take(',')) continue;
      if (this.take('}')) return { type: 'object', at, end: this.at, members };
      this.fail(`expected ',' or '}', not ${this.shown()}`);
    }
  }

  private array(depth: number): JsonNode {
    const at = this.at++;
    const items: JsonNode[] = [];
    this.space();
    if (this.take(']')) return { type: 'array', at, end: this.at, items };
    for (;;) {
      this.space();
      items.push(this.value(depth + 1));
      this.space();
      if (this.take(',')) continue;
      if (this.take(']')) return { type: 'array', at, end: this.at, items };
      this.fail(`expected ',' or ']', not ${this.shown()}`);
    }
  }

  private string(): string {
    const start = this.at;
    for (let i = start + 1; i < this.text.length; i++) {
      const c = this.text[i]!;
      if (c === '\\') i++;
      else if (c === '"') {
        this.at = i + 1;
        try {
          return JSON.parse(this.text.slice(start, i + 1)) as string;
        } catch {
          this.at = start;
          this.fail('bad escape in a string');
        }
      } else if (c < ' ') {
        this.at = i;
        this.fail('a string must not contain a line break or another control character');
      }
    }
    return this.fail('the string does not end');
  }

  private space(): void {
    SPACE.lastIndex = this.at;
    SPACE.test(this.text);
    this.at = SPACE.lastIndex;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  private take(c: string): boolean {
    if (this.text[this.at] !== c) return false;
    this.at++;
    return true;
  }

  private shown(): string {
    const c = this.text[this.at];
    return c === undefined ? 'the end of the file' : JSON.stringify(c);
  }

  private fail(message: string): never {
    throw new ProgramError(message, this.at, placeAt(this.text, this.at));
  }
}
