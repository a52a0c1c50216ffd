import type { ServerName, Span } from './ast';
import type { DiagnosticSink } from './diagnostics';
import { didYouMean, quote } from './diagnostics';
import type { Word } from './lexer';
import type { OptionSpec } from './options';
import { readDuration, readErrno, readInteger, readSize, readU64 } from './sizes';
import type { Read } from './sizes';

/** An option as given: `at` is the option, `value` its value. */
export interface Given {
  spec: OptionSpec;
  at: Span;
  value: Word | undefined;
}

export const TIME_UNITS: readonly string[] = ['ns', 'us', 'ms', 's', 'm', 'h', 'd'];

/** The default of an option for a server, as text. */
export function defaultOf(spec: OptionSpec, server: ServerName): string | undefined {
  return spec.defaults?.[server] ?? spec.default;
}

/** Reads a value by its row of the table: the type, the range and the accepted names stand there. */
export function readNumber(spec: OptionSpec, text: string): Read<number> {
  if (spec.type === 'integer') return readInteger(text, spec.min ?? 0, spec.max ?? Number.MAX_SAFE_INTEGER);
  if (spec.type === 'duration') return readDuration(text, spec.unit ?? 's', TIME_UNITS);
  if (spec.type === 'errno') return readErrno(text);
  if (spec.type === 'bool')
    return text === '0' || text === '1'
      ? { ok: true, value: Number(text) }
      : { ok: false, reason: 'is neither 0 nor 1' };
  const size = readSize(text, spec.sizes ?? 'session');
  if (!size.ok) return size;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
  if (size.value >= min && size.value <= max) return size;
  const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`;
  return { ok: false, reason: `is out of range: ${range} bytes are accepted` };
}

/** Reads a comma-separated list of flags: names of `table` in upper or lower case, with _ or -, and 0x numbers of raw bits. */
export function readBits(
  text: string,
  table: Readonly<Record<string, number>>,
): { readonly bits: number; readonly unknown: readonly string[] } {
  let bits = 0;
  const unknown: string[] = [];
  for (const item of text.split(',', 64)) {
    const flag = item.toUpperCase().replaceAll('-', '_');
    if (/^0x[0-9a-f]{1,8}$/i.test(item)) bits |= Number(item);
    else if (Object.hasOwn(table, flag)) bits |= table[flag]!;
    else unknown.push(item);
  }
  return { bits: bits >>> 0, unknown };
}

/** The options of one command by name. Reading a bad value reports it and gives the default. */
export class Values {
  readonly #byName = new Map<string, Given>();

  constructor(
    readonly sink: DiagnosticSink,
    readonly server: ServerName,
    readonly given: readonly Given[],
  ) {
    for (const one of given) this.#byName.set(one.spec.name, one);
  }

  warnRepeated(): void {
    for (const one of this.given) {
      const last = this.#byName.get(one.spec.name);
      if (last !== one)
        this.sink.warning(one.at, `${one.spec.name} is given again later: this one has no effect`);
    }
  }

  get(name: string): Given | undefined {
    return this.#byName.get(name);
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Drops an option whose value was found bad by other means. */
  forget(name: string): void {
    this.#byName.delete(name);
  }

  text(name: string): string | undefined {
    const one = this.#byName.get(name);
    if (one?.value === undefined) return undefined;
    if (one.value.text === '' || one.value.special !== undefined) {
      this.sink.error(one.at, `${name} must not be empty`);
      return undefined;
    }
    return one.value.text;
  }

  /** A bool option that may stand without a value, which means 1. */
  flag(name: string): boolean {
    const one = this.#byName.get(name);
    if (one === undefined) return false;
    return one.value === undefined || this.#number(one, one.value) === 1;
  }

  number(name: string): number | undefined {
    const one = this.#byName.get(name);
    return one?.value === undefined ? undefined : this.#number(one, one.value);
  }

  /** As `number`, else the table's default. */
  numberOr(name: string, specs: readonly OptionSpec[]): number {
    const value = this.number(name);
    if (value !== undefined) return value;
    const spec = specs.find((row) => row.name === name);
    const text = spec && defaultOf(spec, this.server);
    const read = spec && text !== undefined ? readNumber(spec, text) : undefined;
    return read?.ok ? read.value : 0;
  }

  u64(name: string): bigint | undefined {
    const one = this.#byName.get(name);
    if (one?.value === undefined) return undefined;
    const read = readU64(one.value.text);
    if (read.ok) return read.value;
    this.#refuse(one, one.value, read.reason);
    return undefined;
  }

  /** The value if it is one of the table's. */
  oneOf(name: string): string | undefined {
    const one = this.#byName.get(name);
    if (one?.value === undefined) return undefined;
    return this.#known(one, one.value, one.value.text) ? one.value.text : undefined;
  }

  /** A comma-separated list of the table's values. */
  list(name: string): Set<string> {
    const one = this.#byName.get(name);
    const items = one?.value?.text.split(',', 64) ?? [];
    return new Set(items.filter((item) => this.#known(one!, one!.value!, item)));
  }

  /** Bits of a list of flags, see {@link readBits}. Undefined where the option is not given. */
  bits(name: string, table: Readonly<Record<string, number>>): number | undefined {
    const one = this.#byName.get(name);
    if (one?.value === undefined) return undefined;
    const { bits, unknown } = readBits(one.value.text, table);
    for (const item of unknown) this.#known(one, one.value, item);
    return bits;
  }

  #known(one: Given, at: Word, text: string): boolean {
    const { values = [], notSimulated = [] } = one.spec;
    if (values.includes(text)) return true;
    const simulated = `simulated: ${values.join(', ')}`;
    if (notSimulated.includes(text)) {
      this.sink.error(at, `${one.spec.name} ${quote(text)} is not simulated yet; ${simulated}`);
    } else
      this.sink.error(
        at,
        `${one.spec.name} ${quote(text)} is unknown${didYouMean(text, [...values, ...notSimulated])}; ${simulated}`,
      );
    return false;
  }

  #number(one: Given, value: Word): number | undefined {
    const read = readNumber(one.spec, value.text);
    if (read.ok) return read.value;
    const { clamps, max } = one.spec;
    const clamped =
      clamps && /^[1-9]/.test(value.text) ? ` (this server's tool silently takes ${max} instead)` : '';
    this.#refuse(one, value, read.reason + clamped);
    return undefined;
  }

  #refuse(one: Given, at: Span & { text: string }, reason: string): void {
    this.sink.error(at, `${one.spec.name} ${quote(at.text)} ${reason}`);
  }
}
