import type { ServerName } from './ast';
import type { DiagnosticSink } from './diagnostics';
import { didYouMean, quote } from './diagnostics';
import type { Word } from './lexer';
import type { CommandSpec, OptionSpec } from './options';
import { Values } from './values';
import type { Given } from './values';

/** What a command's builder may look at. */
export interface ArgsContext {
  sink: DiagnosticSink;
  server: ServerName;
}

export interface Args {
  /** In the order given, for tools where order counts. */
  given: Given[];
  operands: Word[];
  values: Values;
  /** False when an option was refused. */
  ok: boolean;
}

/** The part of a word from character `from` on; its columns are exact where the word stands literally in the file. */
export function tail(word: Word, from: number): Word {
  const column = word.plain ? word.column + from : word.column;
  return { ...word, text: word.text.slice(from), column };
}

/** Splits the words after the command's name into options and operands as getopt_long does, and checks each option. */
export function parseArgs(spec: CommandSpec, words: readonly Word[], context: ArgsContext): Args {
  const given: Given[] = [];
  const operands: Word[] = [];
  const errors = context.sink.errors;
  let index = 0;
  const add = (option: OptionSpec | undefined, at: Word, shown: string, value: Word | undefined): void => {
    if (option === undefined) unknownOption(spec, at, shown, context);
    else if (usable(option, at, shown, spec, context)) given.push({ spec: option, at, value });
  };
  const longOption = (word: Word, dashes: number): void => {
    const equals = word.text.indexOf('=');
    const name = word.text.slice(dashes, equals < 0 ? undefined : equals);
    const option = findLong(spec, name);
    const shown = `${word.text.slice(0, dashes)}${name}`;
    const argument = option?.longArgument ?? option?.argument;
    let value = equals < 0 ? undefined : tail(word, equals + 1);
    if (
      option !== undefined &&
      value !== undefined &&
      argument === undefined &&
      option.optionalArgument !== true
    ) {
      context.sink.error(word, `${toolOf(spec)}: option '${shown}' doesn't allow an argument`);
      return;
    }
    if (value === undefined && argument !== undefined && option?.optionalArgument !== true) {
      value = words[index];
      if (
        value === undefined ||
        (spec.style === 'getopt' && value.text.startsWith('-') && option?.longArgument)
      ) {
        context.sink.error(word, `${toolOf(spec)}: option '${shown}' requires an argument`);
        return;
      }
      index++;
    }
    add(option, word, shown, value);
  };
  const shortOptions = (word: Word): void => {
    for (let i = 1; i < word.text.length; i++) {
      const letter = word.text[i]!;
      const option = spec.options.find((row) => row.short === letter);
      let value: Word | undefined;
      if (option?.argument !== undefined) {
        value = i + 1 < word.text.length ? tail(word, i + 1) : words[index++];
        if (value === undefined) {
          context.sink.error(word, `${toolOf(spec)}: option requires an argument -- '${letter}'`);
          return;
        }
        i = word.text.length;
      }
      add(option, word, `-${letter}`, value);
      if (option === undefined) return;
    }
  };
  while (index < words.length) {
    const word = words[index++]!;
    if (spec.style === 'operands') {
      const equals = word.text.indexOf('=');
      const option = equals < 0 ? undefined : findLong(spec, word.text.slice(0, equals));
      if (option === undefined) unknownOption(spec, word, word.text, context);
      else add(option, word, word.text.slice(0, equals), tail(word, equals + 1));
    } else if (word.text === '--') {
      operands.push(...words.slice(index));
      index = words.length;
    } else if (word.text.startsWith('--')) longOption(word, 2);
    else if (word.text.startsWith('-') && word.text.length > 1) {
      if (spec.style === 'fio') longOption(word, 1);
      else shortOptions(word);
    } else operands.push(word);
  }
  const values = new Values(context.sink, context.server, given);
  if (spec.style !== 'fio') values.warnRepeated();
  return { given, operands, values, ok: context.sink.errors === errors };
}

/** A long option by its name or, as getopt allows, by an unambiguous beginning of it. */
function findLong(spec: CommandSpec, name: string): OptionSpec | undefined {
  const exact = spec.options.find((row) => row.long?.includes(name));
  if (exact !== undefined || spec.style === 'operands' || name === '') return exact;
  const begin = spec.options.filter((row) => row.long?.some((long) => long.startsWith(name)));
  return begin.length === 1 ? begin[0] : undefined;
}

/** The name under which the tool itself reports. */
function toolOf(spec: CommandSpec): string {
  return spec.name.split(' ')[0]!;
}

function unknownOption(spec: CommandSpec, at: Word, shown: string, context: ArgsContext): void {
  const dashes = spec.style === 'operands' ? '' : '--';
  const names = spec.options.flatMap((row) => [
    ...(row.long ?? []).map((long) => dashes + long),
    ...(row.short === undefined ? [] : [`-${row.short}`]),
  ]);
  const bare = shown.split('=')[0]!;
  const hint =
    bare.startsWith('--') || spec.style !== 'getopt'
      ? didYouMean(bare.replace(/^-([^-])/, '--$1'), names)
      : '';
  const what = spec.style === 'operands' ? 'unrecognized operand' : 'unrecognized option';
  context.sink.error(at, `${toolOf(spec)}: ${what} ${quote(shown)}${hint}`);
}

/** Reports an option this server or the simulator lacks, or one without effect. */
function usable(
  option: OptionSpec,
  at: Word,
  shown: string,
  spec: CommandSpec,
  context: ArgsContext,
): boolean {
  const { servers } = option;
  if (servers !== undefined && !servers.includes(context.server)) {
    context.sink.error(
      at,
      `${spec.name} of ${context.server} has no option ${shown} (${servers.join(' and ')} have it)`,
    );
    return false;
  }
  if (option.simulated === false) {
    context.sink.error(at, `${spec.name} ${shown} is not simulated`);
    return false;
  }
  if (option.noEffect === true) context.sink.info(at, `${shown} has no effect in the simulation`);
  return true;
}
