import { FilterError, type Token, tokens } from './filter_lexer';
import { literal, type Literal } from './filter_values';

/** A filter as a tree. */
export type FilterNode =
  | { readonly kind: 'and' | 'or'; readonly a: FilterNode; readonly b: FilterNode }
  | { readonly kind: 'not'; readonly a: FilterNode }
  | {
      readonly kind: 'test';
      readonly field: string;
      readonly op: string;
      readonly value: Literal;
      readonly column: number;
    }
  /** A field alone: true where it is known and not zero. */
  | { readonly kind: 'has'; readonly field: string; readonly column: number };

/** A comparison, or a field alone. */
export type Leaf = Extract<FilterNode, { kind: 'test' | 'has' }>;

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=', '~', '!~']);
const DEEPEST = 64;

/** Reads a filter into a tree. @throws FilterError */
export function parseFilter(text: string): FilterNode {
  const reader = new Reader(tokens(text));
  const node = reader.or(0);
  reader.end();
  return node;
}

class Reader {
  private at = 0;

  constructor(private readonly list: readonly Token[]) {}

  or(depth: number): FilterNode {
    let a = this.and(depth);
    while (this.take('||')) a = { kind: 'or', a, b: this.and(depth) };
    return a;
  }

  end(): void {
    const token = this.list[this.at];
    if (token.kind === 'end') return;
    const hint = token.text === ')' ? "')' without '('" : `expected && or || before '${token.text}'`;
    throw new FilterError(hint, token.column);
  }

  private and(depth: number): FilterNode {
    let a = this.not(depth);
    while (this.take('&&')) a = { kind: 'and', a, b: this.not(depth) };
    return a;
  }

  private not(depth: number): FilterNode {
    if (depth > DEEPEST) throw new FilterError('nested too deeply', this.list[this.at].column);
    if (this.take('!')) return { kind: 'not', a: this.not(depth + 1) };
    if (this.take('(')) {
      const open = this.list[this.at - 1];
      const a = this.or(depth + 1);
      if (!this.take(')')) throw new FilterError("'(' without ')'", open.column);
      return a;
    }
    return this.test();
  }

  private test(): FilterNode {
    const field = this.list[this.at];
    if (field.kind !== 'word') {
      const found = field.kind === 'end' ? 'the end' : `'${field.text}'`;
      throw new FilterError(`expected a field such as tag, op or name, not ${found}`, field.column);
    }
    this.at++;
    const sign = this.list[this.at];
    if (sign.kind !== 'sign' || !COMPARISONS.has(sign.text)) {
      return { kind: 'has', field: field.text, column: field.column };
    }
    this.at++;
    const value = this.list[this.at];
    if (value.kind !== 'word' && value.kind !== 'text') {
      throw new FilterError(`expected a value behind '${sign.text}'`, value.column);
    }
    this.at++;
    return {
      kind: 'test',
      field: field.text,
      op: sign.text,
      value: literal(value.text, value.kind === 'text', value.column),
      column: field.column,
    };
  }

  private take(sign: string): boolean {
    const token = this.list[this.at];
    if (token.kind !== 'sign' || token.text !== sign) return false;
    this.at++;
    return true;
  }
}
