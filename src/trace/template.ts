/**
 * Text templates: one string gives the fields of an event, how they are printed and how they are read.
 * `{name:fmt}` is a field, everything else is literal text. Formats:
 *
 * | fmt | text | value |
 * | --- | --- | --- |
 * | d | decimal, signed | 64-bit |
 * | u | decimal, unsigned (read back as a signed number: the sector 2^64-1 of a flush is -1) | 64-bit |
 * | x | hexadecimal without prefix | 64-bit |
 * | p | `%p`: 16 hexadecimal digits | 64-bit |
 * | h | system call argument of 6.1: hexadecimal without prefix | 64-bit |
 * | H | system call argument of 6.12 and later: `0x` from 10 up | 64-bit |
 * | z | trace-cmd's zero-padded hexadecimal (read only) | 64-bit |
 * | s | text up to the next literal | interned string |
 */
export type Format = 'd' | 'u' | 'x' | 'p' | 'h' | 'H' | 'z' | 's';

/** Names of the fields of a template, in order, as a type. */
export type FieldNames<T extends string> = T extends `${string}{${infer F}:${string}}${infer Rest}`
  ? [F, ...FieldNames<Rest>]
  : [];

/** A compiled template: literals[0] field[0] literals[1] field[1] ... literals[n]. */
export interface Template {
  readonly source: string;
  readonly names: readonly string[];
  readonly formats: readonly Format[];
  readonly literals: readonly string[];
  readonly literalBytes: readonly Uint8Array[];
}

const FORMATS = 'duxphHzs';
const encoder = new TextEncoder();

/** Compiles a template; throws on an unknown format or an unclosed brace (a programming error in the schema). */
export function compileTemplate(source: string): Template {
  const names: string[] = [];
  const formats: Format[] = [];
  const literals: string[] = [];
  let literal = '';
  for (let i = 0; i < source.length; i++) {
    if (source[i] !== '{') {
      literal += source[i];
      continue;
    }
    const end = source.indexOf('}', i);
    const colon = source.indexOf(':', i);
    const format = source.slice(colon + 1, end);
    if (end < 0 || colon < 0 || colon > end || format.length !== 1 || !FORMATS.includes(format)) {
      throw new Error(`bad template: ${source}`);
    }
    names.push(source.slice(i + 1, colon));
    formats.push(format as Format);
    literals.push(literal);
    literal = '';
    i = end;
  }
  literals.push(literal);
  return { source, names, formats, literals, literalBytes: literals.map((text) => encoder.encode(text)) };
}
