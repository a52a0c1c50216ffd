import { parseArgs } from 'node:util';
import { didYouMean, quote } from '../session/diagnostics';
import { usageError } from './errors';

/** One option of a command. Without `value` it is a switch. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** How help names the value. */
  readonly value?: string;
  readonly says: string;
}

/** What a command takes. */
export interface ArgsSpec {
  readonly name: string;
  /** Names of its positional arguments, all required. */
  readonly positionals: readonly string[];
  readonly options: readonly OptionSpec[];
}

/** The arguments of one call, checked against the command's spec. */
export class Args {
  constructor(
    readonly positionals: readonly string[],
    private readonly values: ReadonlyMap<string, string>,
  ) {}

  /** True when the switch was given. */
  has(name: string): boolean {
    return this.values.has(name);
  }

  /** Value of an option; undefined when it was not given. */
  text(name: string): string | undefined {
    return this.values.get(name);
  }

  /** Value of an option as a whole number from `min` on; undefined when it was not given. */
  count(name: string, min = 0): number | undefined {
    const text = this.values.get(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < min) {
      throw usageError(`--${name} needs a whole number from ${min} on, not ${quote(text)}`);
    }
    return value;
  }

  /** Value of an option as an unsigned 64-bit number, decimal or 0x; undefined when it was not given. */
  word64(name: string): bigint | undefined {
    const text = this.values.get(name);
    if (text === undefined) return undefined;
    const value = /^(\d{1,20}|0x[0-9a-f]{1,16})$/i.test(text) ? BigInt(text) : -1n;
    if (value < 0n || value > 0xffffffffffffffffn) {
      throw usageError(`--${name} needs a number from 0 to 2^64-1, not ${quote(text)}`);
    }
    return value;
  }
}

/**
 * Reads the arguments behind a command's name. Values stay text: a seed has 64 bits and `6.10` is no number.
 * Throws a usage error for what the command does not take, for a missing value, and for an option given twice.
 */
export function readArgs(spec: ArgsSpec, argv: readonly string[]): Args {
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      spec.options.map((option) => [
        option.name,
        {
          type: option.value === undefined ? 'boolean' : 'string',
          ...(option.short ? { short: option.short } : {}),
        } as const,
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const positionals: string[] = [];
  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = spec.options.find((candidate) => candidate.name === token.name);
    if (option === undefined) throw unknownOption(spec, token.rawName);
    if (values.has(option.name)) throw usageError(`${spec.name}: ${token.rawName} is given twice`);
    values.set(
      option.name,
      checkedValue(spec, option, token.rawName, token.value, token.inlineValue === true),
    );
  }
  const missing = spec.positionals[positionals.length];
  if (missing !== undefined && !values.has('help'))
    throw usageError(`${spec.name} needs ${missing}; see ublk-trace ${spec.name} --help`);
  if (positionals.length > spec.positionals.length) {
    throw usageError(
      `${spec.name} does not take a further argument ${quote(positionals[spec.positionals.length]!)}`,
    );
  }
  return new Args(positionals, values);
}

function checkedValue(
  spec: ArgsSpec,
  option: OptionSpec,
  raw: string,
  value: string | undefined,
  inline: boolean,
): string {
  if (option.value === undefined) {
    if (value !== undefined) throw usageError(`${spec.name}: ${raw} takes no value`);
    return '';
  }
  // A value that looks like an option is one whose value was forgotten; `--name=-value` says it plainly.
  if (value === undefined || value === '' || (!inline && value.length > 1 && value.startsWith('-'))) {
    throw usageError(`${spec.name}: ${raw} needs a value (${option.value})`);
  }
  return value;
}

function unknownOption(spec: ArgsSpec, raw: string): Error {
  const known = spec.options.map((option) => `--${option.name}`);
  return usageError(`${spec.name} has no option ${quote(raw)}${didYouMean(raw, known)}`);
}
