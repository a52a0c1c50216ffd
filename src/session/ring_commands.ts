import { SETUP_BITS } from '../uapi/sqe_fields';
import { type Args, parseArgs } from './args';
import type { Span } from './ast_base';
import type {
  BufferCommand,
  CloseCommand,
  MkfifoCommand,
  OpenCommand,
  ReapCommand,
  RingCommand,
  SubmitCommand,
} from './ast_ring';
import { quote } from './diagnostics';
import type { DiagnosticSink } from './diagnostics';
import type { Word } from './lexer';
import type { CommandSpec } from './option_types';
import { COMMANDS } from './options';
import { RING_DEVICES, type RingScope } from './ring_scope';
import { readInteger, readSize } from './sizes';
import type { ToolInput } from './tools';
import { refuseWords } from './tools';

const MAX_PIPE = 1 << 20;
const MAX_FILE = 1 << 28;
const MAX_BUFFER = 1 << 26;
const MAX_NAMED = 16;
const U32 = 0xffffffff;

function argsOf({ words, sink, server }: ToolInput): Args & { spec: CommandSpec } {
  const spec = COMMANDS.find((row) => row.name === words[0]!.text)!;
  return { ...parseArgs(spec, words.slice(1), { sink, server }), spec };
}

function placesOf({ given }: Args): Record<string, Span> {
  return Object.fromEntries(given.map(({ spec, value, at }) => [spec.name, value ?? at]));
}

/** What sets up the ring stands before the first SQE. */
function early({ words, sink }: ToolInput, scope: RingScope): void {
  if (scope.started)
    sink.error(words[0]!, `${words[0]!.text}: stands before the first sqe, submit, reap and close`);
}

/** `mkfifo PATH`. */
export function parseMkfifo({ words, base, sink }: ToolInput, scope: RingScope): MkfifoCommand | undefined {
  const [tool, path, ...rest] = words;
  if (path === undefined) sink.error(tool!, 'mkfifo: missing operand');
  else if (path.special !== undefined || path.text === '' || path.text.startsWith('-'))
    sink.error(path, 'mkfifo: this is not a file name');
  else if (rest.length > 0) refuseWords(rest, 'mkfifo', sink);
  else {
    scope.pipes.add(path.text);
    return { ...base, kind: 'mkfifo', path: path.text };
  }
  return undefined;
}

/** `ring [--entries N] ...`. */
export function parseRing(input: ToolInput, scope: RingScope): RingCommand {
  const { words, base, sink } = input;
  const args = argsOf(input);
  const { values, operands, spec } = args;
  refuseWords(operands, 'ring', sink);
  early(input, scope);
  if (scope.ring !== undefined)
    sink.error(words[0]!, `ring: the ring is set up in line ${scope.ring.line} already`);
  const command: RingCommand = {
    ...base,
    kind: 'ring',
    entries: values.numberOr('entries', spec.options),
    cqEntries: values.number('cq-entries'),
    setup: flagNames(values.get('setup')?.value, Object.keys(SETUP_BITS), 'setup', sink),
    fsize: values.number('fsize'),
    at: placesOf(args),
  };
  scope.ring = command;
  return command;
}

/** Names of flags in upper case, each once. */
function flagNames(
  word: Word | undefined,
  known: readonly string[],
  what: string,
  sink: DiagnosticSink,
): string[] {
  if (word === undefined) return [];
  const names = word.text.split(',', 64).map((name) => name.toUpperCase().replaceAll('-', '_'));
  for (const [i, name] of names.entries()) {
    if (!known.includes(name))
      sink.error(word, `${what} has no ${quote(name)}; it can have ${known.join(', ')}`);
    else if (names.indexOf(name) < i) sink.error(word, `${what}: ${name} is given twice`);
  }
  return names;
}

/** `open PATH [--flags LIST] [--fixed] ...`. */
export function parseOpen(input: ToolInput, scope: RingScope): OpenCommand | undefined {
  const { words, base, sink } = input;
  const args = argsOf(input);
  const { values, operands } = args;
  const [path, ...rest] = operands;
  refuseWords(rest, 'open', sink);
  early(input, scope);
  if (path === undefined) {
    sink.error(words[0]!, 'open: needs PATH');
    return undefined;
  }
  const file = scope.file(path, 'open', 'r', sink);
  if ('fd' in file) sink.error(path, 'open: this is not a file name');
  const pipe = scope.pipes.has(path.text);
  if (!pipe && 'end' in file) sink.error(path, 'open: name the pipe, not one of its ends');
  const before = scope.opened.get(path.text);
  if (before !== undefined)
    sink.error(path, `open: ${quote(path.text)} is opened in line ${before.line} already`);
  const device = RING_DEVICES.includes(path.text);
  for (const [name, fits] of [
    ['size', !device],
    ['fill', pipe],
    ['uncached', !pipe && !device],
  ] as const) {
    if (values.has(name) && !fits)
      sink.error(
        values.get(name)!.at,
        `open: --${name} is nothing for ${device ? 'a device' : pipe ? 'a pipe' : 'a file'}`,
      );
  }
  const size = values.number('size');
  const most = pipe ? MAX_PIPE : MAX_FILE;
  if (size !== undefined && size > most)
    sink.error(values.get('size')!.value!, `open: size ${size} is beyond ${most}`);
  const fill = values.number('fill');
  const holds = pipe ? Math.max(1, 2 ** Math.ceil(Math.log2(Math.max(1, (size ?? 65536) / 4096)))) * 4096 : 0;
  if (fill !== undefined && pipe && fill > holds)
    sink.error(values.get('fill')!.value!, `open: fill ${fill} is more than the pipe takes (${holds})`);
  const flags = values.get('flags')?.value;
  const known = pipe ? ['NONBLOCK'] : ['RDONLY', 'WRONLY', 'DIRECT', 'APPEND', 'NONBLOCK', 'DSYNC', 'SYNC'];
  const names = flagNames(flags, known, pipe ? 'open of a pipe' : 'open', sink);
  if (names.includes('RDONLY') && names.includes('WRONLY'))
    sink.error(flags!, 'open: RDONLY and WRONLY exclude each other');
  const command: OpenCommand = {
    ...base,
    kind: 'open',
    path: path.text,
    flags: names,
    fixed: values.has('fixed'),
    size,
    fill,
    uncached: values.has('uncached'),
    at: { ...placesOf(args), path },
  };
  scope.opened.set(path.text, command);
  return command;
}

/** `buffer NAME SIZE [--fixed]`. */
export function parseBuffer(input: ToolInput, scope: RingScope): BufferCommand | undefined {
  const { words, base, sink } = input;
  const args = argsOf(input);
  const [name, sizeWord, ...rest] = args.operands;
  refuseWords(rest, 'buffer', sink);
  early(input, scope);
  if (name === undefined || sizeWord === undefined) {
    sink.error(words[0]!, 'buffer: needs NAME SIZE');
    return undefined;
  }
  if (!/^[A-Za-z]\w*$/.test(name.text))
    sink.error(name, `buffer: ${quote(name.text)} is not a name: a letter, then letters, digits and _`);
  const before = scope.buffers.get(name.text);
  if (before !== undefined)
    sink.error(name, `buffer: ${quote(name.text)} is made in line ${before.line} already`);
  if (scope.buffers.size >= MAX_NAMED) sink.error(name, `buffer: at most ${MAX_NAMED} buffers`);
  const size = readSize(sizeWord.text, 'fio');
  if (!size.ok) sink.error(sizeWord, `buffer: size ${quote(sizeWord.text)} ${size.reason}`);
  else if (size.value < 1 || size.value > MAX_BUFFER)
    sink.error(
      sizeWord,
      `buffer: size ${quote(sizeWord.text)} is out of range: 1 to ${MAX_BUFFER} bytes are accepted`,
    );
  const command: BufferCommand = {
    ...base,
    kind: 'buffer',
    name: name.text,
    size: size.ok ? size.value : 1,
    fixed: args.values.has('fixed'),
    at: { name, size: sizeWord },
  };
  scope.buffers.set(name.text, command);
  return command;
}

/** `submit [--wait N] [--to-submit N]`. */
export function parseSubmit(input: ToolInput, scope: RingScope): SubmitCommand {
  const { base, sink } = input;
  const args = argsOf(input);
  refuseWords(args.operands, 'submit', sink);
  scope.started = true;
  return {
    ...base,
    kind: 'submit',
    wait: args.values.number('wait'),
    toSubmit: args.values.number('to-submit'),
    keep: args.values.has('keep'),
    at: placesOf(args),
  };
}

/** `reap N` or `reap all`. */
export function parseReap({ words, base, sink }: ToolInput, scope: RingScope): ReapCommand | undefined {
  const [tool, count, ...rest] = words;
  refuseWords(rest, 'reap', sink);
  scope.started = true;
  if (count === undefined) {
    sink.error(tool!, 'reap: needs a number of CQEs, or all');
    return undefined;
  }
  if (count.text === 'all') return { ...base, kind: 'reap', count: 'all' };
  const read = readInteger(count.text, 1, U32);
  if (read.ok) return { ...base, kind: 'reap', count: read.value };
  sink.error(count, `reap: ${quote(count.text)} ${read.reason}; all takes every CQE`);
  return undefined;
}

/** `close FILE`. */
export function parseClose({ words, base, sink }: ToolInput, scope: RingScope): CloseCommand | undefined {
  const [tool, file, ...rest] = words;
  refuseWords(rest, 'close', sink);
  scope.started = true;
  if (file === undefined) {
    sink.error(tool!, 'close: needs FILE');
    return undefined;
  }
  const named = scope.file(file, 'close', undefined, sink);
  if ('fd' in named) {
    sink.error(file, 'close: name the file');
    return undefined;
  }
  const path = named.end === undefined ? named.path : `${named.path}.${named.end}`;
  return { ...base, kind: 'close', path, at: { path: file } };
}
