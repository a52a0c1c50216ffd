import type { BlkdiscardCommand, Command, CommandBase, DdCommand, ServerName, SyncCommand } from './ast';
import { parseArgs } from './args';
import type { Args } from './args';
import { quote } from './diagnostics';
import type { DiagnosticSink } from './diagnostics';
import type { Word } from './lexer';
import { COMMANDS } from './options';
import type { CommandSpec } from './options';

/** What every command parser gets. */
export interface ToolInput {
  words: Word[];
  base: CommandBase;
  server: ServerName;
  sink: DiagnosticSink;
}

function argsOf(input: ToolInput): Args & { spec: CommandSpec } {
  const spec = COMMANDS.find((row) => row.name === input.words[0]!.text)!;
  return { ...parseArgs(spec, input.words.slice(1), input), spec };
}

/** `truncate -s SIZE FILE...`: one command per file. */
export function parseTruncate(input: ToolInput): Command[] {
  const { words, base, sink } = input;
  const { values, operands } = argsOf(input);
  const given = values.get('size');
  if (given?.value !== undefined && /^[-+<>/%]/.test(given.value.text)) {
    sink.error(given.value, 'truncate: sizes relative to the present one are not simulated');
    return [];
  }
  const size = values.number('size');
  if (given === undefined) sink.error(words[0]!, "truncate: you must specify the size: '-s SIZE'");
  if (operands.length === 0) sink.error(words[0]!, 'truncate: missing file operand');
  if (size === undefined) return [];
  return paths(operands, sink).map((path) => ({ ...base, kind: 'truncate', path, size }));
}

/** Operands as file names; a process number or an empty name is an error. */
function paths(operands: readonly Word[], sink: DiagnosticSink): string[] {
  const good = operands.filter((word) => word.text !== '' && word.special === undefined);
  for (const word of operands) if (!good.includes(word)) sink.error(word, 'this is not a file name');
  return good.map((word) => word.text);
}

/** `dd`. */
export function parseDd(input: ToolInput): DdCommand | undefined {
  const { words, base, sink } = input;
  const { values, spec } = argsOf(input);
  const source = values.text('if');
  const target = values.text('of');
  for (const name of ['if', 'of']) {
    if (!values.has(name))
      sink.error(
        words[0]!,
        `dd: without ${name}= it would use a pipe or the terminal, which is not simulated`,
      );
  }
  for (const name of ['count', 'skip', 'seek']) {
    const value = values.get(name)?.value;
    if (value?.text.endsWith('B'))
      sink.error(value, `dd: ${name} in bytes (B) is not simulated; give blocks`);
  }
  const both = values.numberOr('bs', spec.options);
  const blockSize = (name: string): number => {
    const own = values.number(name);
    if (own !== undefined && values.has('bs'))
      sink.warning(values.get(name)!.at, `dd: ${name}= has no effect beside bs=`);
    return values.has('bs') || own === undefined ? both : own;
  };
  const bs = blockSize('ibs');
  const obs = blockSize('obs');
  const blocks = (name: string, size: number): number => {
    const bytes = values.numberOr(name, spec.options) * size;
    if (!Number.isSafeInteger(bytes))
      sink.error(values.get(name)!.value!, `dd: ${name} times ${size} bytes is beyond 2^53`);
    return bytes;
  };
  const skip = blocks('skip', bs);
  const seek = blocks('seek', obs);
  const iflag = values.list('iflag');
  const oflag = values.list('oflag');
  const conv = values.list('conv');
  const count = values.number('count');
  values.oneOf('status');
  if (source === undefined || target === undefined) return undefined;
  return {
    ...base,
    kind: 'dd',
    input: source,
    output: target,
    bs,
    obs,
    count,
    skip,
    seek,
    iflag: { direct: iflag.has('direct'), fullblock: iflag.has('fullblock') },
    oflag: { direct: oflag.has('direct'), dsync: oflag.has('dsync'), sync: oflag.has('sync') },
    conv: { fsync: conv.has('fsync'), fdatasync: conv.has('fdatasync'), notrunc: conv.has('notrunc') },
  };
}

/** `blkdiscard`. */
export function parseBlkdiscard(input: ToolInput): BlkdiscardCommand | undefined {
  const { words, base, sink } = input;
  const { values, operands, spec } = argsOf(input);
  const [device] = paths(operands, sink);
  if (operands.length === 0) sink.error(words[0]!, 'blkdiscard: no device specified');
  if (operands.length > 1) sink.error(operands[1]!, 'blkdiscard: unexpected number of arguments');
  const modes = ['zeroout', 'secure'].filter((name) => values.has(name));
  if (modes.length > 1)
    sink.error(values.get('secure')!.at, 'blkdiscard: --secure and --zeroout exclude each other');
  const offset = values.numberOr('offset', spec.options);
  const length = values.number('length');
  const step = values.number('step');
  for (const name of ['offset', 'length', 'step']) {
    const value = values.number(name);
    if (value !== undefined && value % 512 !== 0) {
      sink.error(
        values.get(name)!.at,
        `blkdiscard: ${name} ${value} is not a multiple of the sector size (512)`,
      );
    }
  }
  if (device === undefined) return undefined;
  const mode = modes[0] === 'zeroout' ? 'zeroout' : modes[0] === 'secure' ? 'secure' : 'discard';
  return { ...base, kind: 'blkdiscard', device, offset, length, mode, step };
}

/** `sync`. */
export function parseSync(input: ToolInput): SyncCommand {
  const { base, sink } = input;
  const { values, operands } = argsOf(input);
  const data = values.get('data');
  if (data !== undefined && operands.length === 0)
    sink.error(data.at, 'sync: --data needs at least one argument');
  const files = paths(operands, sink);
  // busybox has fsync as a command of its own, which needs a file
  if (input.words[0]?.text === 'fsync' && files.length === 0) sink.error(base, 'fsync: needs a FILE');
  return {
    ...base,
    kind: 'sync',
    paths: files,
    mode: files.length === 0 ? 'sync' : data === undefined ? 'fsync' : 'fdatasync',
  };
}

/** Reports words a command has no use for. */
export function refuseWords(words: readonly Word[], tool: string, sink: DiagnosticSink): void {
  if (words.length > 0) sink.error(words[0]!, `${tool}: unexpected ${quote(words[0]!.text)}`);
}
