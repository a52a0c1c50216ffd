/** A filter that cannot be understood. `column` counts from 1. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
  constructor(
    readonly reason: string,
    readonly column: number,
  ) {
    super(`column ${column}: ${reason}`);
  }
}

/** A piece of a filter. */
export interface Token {
  readonly kind: 'word' | 'text' | 'sign' | 'end';
  readonly text: string;
  /** Column of its first character, from 1, and behind its last. */
  readonly column: number;
  readonly endColumn: number;
}

const LONGEST = 4096;
const SIGNS = ['&&', '||', '==', '!=', '<=', '>=', '!~', '<', '>', '~', '!', '(', ')'];
const WORD = /[^\s()!=<>~&|"']+/y;

/** Splits a filter into tokens; the last one is `end`. @throws FilterError */
export function tokens(text: string): Token[] {
  if (text.length > LONGEST) throw new FilterError(`a filter has at most ${LONGEST} characters`, LONGEST + 1);
  const found: Token[] = [];
  let at = 0;
  const push = (kind: Token['kind'], value: string, length: number): void => {
    found.push({ kind, text: value, column: at + 1, endColumn: at + 1 + length });
    at += length;
  };
  while (at < text.length) {
    const c = text[at];
    if (/\s/.test(c)) {
      at++;
      continue;
    }
    if (c === '"' || c === "'") {
      const end = text.indexOf(c, at + 1);
      if (end < 0) throw new FilterError(`the text that begins with ${c} has no end`, at + 1);
      push('text', text.slice(at + 1, end), end + 1 - at);
      continue;
    }
    const sign = SIGNS.find((s) => text.startsWith(s, at));
    if (sign !== undefined) {
      push('sign', sign, sign.length);
      continue;
    }
    if (c === '=') throw new FilterError("'=' compares nothing; write '=='", at + 1);
    if (c === '&' || c === '|') throw new FilterError(`write '${c}${c}'`, at + 1);
    WORD.lastIndex = at;
    const word = WORD.exec(text)?.[0] ?? c;
    push('word', word, word.length);
  }
  push('end', '', 0);
  return found;
}
