import { FALLOC_FL, IORING_FSYNC_DATASYNC, IOSQE, RWF } from '../uapi/io_uring_abi';
import { IORING_OP, opcodeByName } from '../uapi/io_uring_ops';
import { SPLICE_F } from '../uapi/splice';
import type { MkfifoCommand, RingFile, SqeCommand, SubmitCommand } from './ast';
import { parseArgs } from './args';
import { didYouMean, quote } from './diagnostics';
import type { DiagnosticSink } from './diagnostics';
import type { Word } from './lexer';
import { COMMANDS } from './options';
import { readInteger, readSize } from './sizes';
import type { ToolInput } from './tools';
import type { Values } from './values';

/** Operations of the simulated kernel, with what their operands are. */
const OPS: Readonly<Record<string, { readonly opcode: number; readonly operands: readonly string[] }>> = {
  NOP: { opcode: IORING_OP.NOP, operands: [] },
  READ: { opcode: IORING_OP.READ, operands: ['FILE', 'OFFSET', 'LENGTH'] },
  WRITE: { opcode: IORING_OP.WRITE, operands: ['FILE', 'OFFSET', 'LENGTH'] },
  FSYNC: { opcode: IORING_OP.FSYNC, operands: ['FILE'] },
  SYNC_FILE_RANGE: { opcode: IORING_OP.SYNC_FILE_RANGE, operands: ['FILE', 'OFFSET', 'LENGTH'] },
  FALLOCATE: { opcode: IORING_OP.FALLOCATE, operands: ['FILE', 'OFFSET', 'LENGTH'] },
  SPLICE: { opcode: IORING_OP.SPLICE, operands: ['FROM', 'OFFSET', 'LENGTH', 'TO', '[OFFSET]'] },
};
/** Operations that ring programs have and sessions lack. */
const IN_PROGRAMS: ReadonlySet<string> = new Set([
  'TEE',
  'POLL_ADD',
  'TIMEOUT',
  'LINK_TIMEOUT',
  'TIMEOUT_REMOVE',
  'ASYNC_CANCEL',
  'READV',
  'WRITEV',
  'READ_FIXED',
  'WRITE_FIXED',
]);
const FLAGS = {
  link: IOSQE.IO_LINK,
  hardlink: IOSQE.IO_HARDLINK,
  drain: IOSQE.IO_DRAIN,
  async: IOSQE.ASYNC,
  'skip-success': IOSQE.CQE_SKIP_SUCCESS,
} as const;
const MODES: Readonly<Record<string, number>> = {
  'keep-size': FALLOC_FL.KEEP_SIZE,
  'punch-hole': FALLOC_FL.PUNCH_HOLE,
  'zero-range': FALLOC_FL.ZERO_RANGE,
};
/** Options that mean something to one operation only. */
const OWN: Readonly<Record<string, string>> = {
  dsync: 'WRITE',
  datasync: 'FSYNC',
  mode: 'FALLOCATE',
  nonblock: 'SPLICE',
};
/** Operations that `sqe` takes by name, with their operands. */
export const SQE_OPERANDS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(OPS).map(([name, { operands }]) => [name, operands]),
);
/** First opcode that no kernel has. */
const FIRST_UNKNOWN = 128;
/** Longest I/O of the program, and size of its buffers. */
export const RING_BUFFER = 1 << 20;

/** `mkfifo PATH`. */
export function parseMkfifo({ words, base, sink }: ToolInput): MkfifoCommand | undefined {
  const [tool, path, ...rest] = words;
  if (path === undefined) sink.error(tool!, 'mkfifo: missing operand');
  else if (path.special !== undefined || path.text === '' || path.text.startsWith('-'))
    sink.error(path, 'mkfifo: this is not a file name');
  else if (rest.length > 0) sink.error(rest[0]!, `mkfifo: unexpected ${quote(rest[0]!.text)}`);
  else return { ...base, kind: 'mkfifo', path: path.text };
  return undefined;
}

/** `submit [--wait N]`. */
export function parseSubmit({ words, base, server, sink }: ToolInput): SubmitCommand {
  const spec = COMMANDS.find((row) => row.name === 'submit')!;
  const { values, operands } = parseArgs(spec, words.slice(1), { sink, server });
  if (operands.length > 0) sink.error(operands[0]!, `submit: unexpected ${quote(operands[0]!.text)}`);
  return { ...base, kind: 'submit', wait: values.numberOr('wait', spec.options) };
}

/** `sqe OP ...`; `pipes` are those that the session has made by now. Undefined after reporting an error. */
export function parseSqe(
  { words, base, server, sink }: ToolInput,
  pipes: ReadonlySet<string>,
): SqeCommand | undefined {
  const spec = COMMANDS.find((row) => row.name === 'sqe')!;
  const { values, operands, ok } = parseArgs(spec, words.slice(1), { sink, server });
  if (!ok) return undefined;
  const [opWord, ...rest] = operands;
  if (opWord === undefined) {
    sink.error(words[0]!, `sqe: needs an operation: ${Object.keys(OPS).join(', ')}`);
    return undefined;
  }
  const opcode = readOp(opWord, sink);
  if (opcode === undefined) return undefined;
  const names = Object.hasOwn(OPS, opWord.text) ? OPS[opWord.text]!.operands : [];
  const errors = sink.errors;
  const needed = names.filter((name) => !name.startsWith('[')).length;
  if (rest.length < needed) sink.error(opWord, `sqe ${opWord.text}: needs ${names.join(' ')}`);
  if (rest.length > names.length)
    sink.error(rest[names.length]!, `sqe ${opWord.text}: unexpected ${quote(rest[names.length]!.text)}`);
  for (const [name, op] of Object.entries(OWN)) {
    if (values.has(name) && op !== opWord.text)
      sink.error(values.get(name)!.at, `sqe: ${name} belongs to ${op}`);
  }
  if (sink.errors > errors) return undefined;
  const [file, offset, length, out, outOffset] = rest;
  const splice = opcode === IORING_OP.SPLICE;
  const result: SqeCommand = {
    ...base,
    kind: 'sqe',
    opcode,
    offset: readOffset(offset, splice, sink),
    length: readLength(length, sink),
    outOffset: readOffset(outOffset, splice, sink),
    flags: flagsOf(values),
    opFlags: opFlagsOf(values),
    userData: values.u64('user-data') ?? 0n,
    buffer: values.numberOr('buffer', spec.options),
    direct: values.has('direct'),
  };
  if (file !== undefined) result.file = readFile(file, opWord.text, pipes, sink);
  if (out !== undefined) result.out = readFile(out, opWord.text, pipes, sink);
  return result;
}

function readOp(word: Word, sink: DiagnosticSink): number | undefined {
  const names = Object.keys(OPS);
  if (Object.hasOwn(OPS, word.text)) return OPS[word.text]!.opcode;
  const number = readInteger(word.text, FIRST_UNKNOWN, 255);
  if (number.ok) return number.value;
  const real = opcodeByName(word.text) !== undefined;
  const problem = real
    ? `is not simulated in a session${IN_PROGRAMS.has(word.text) ? ', but in ring programs (ublk-trace ring)' : ''}`
    : `is no operation${didYouMean(word.text.toUpperCase(), names)}`;
  sink.error(
    word,
    `sqe: ${quote(word.text)} ${problem}; simulated: ${names.join(', ')}, and ${FIRST_UNKNOWN} to 255 for one that no kernel knows`,
  );
  return undefined;
}

function readFile(word: Word, op: string, pipes: ReadonlySet<string>, sink: DiagnosticSink): RingFile {
  const fd = /^fd:(\d{1,9})$/.exec(word.text);
  if (fd !== null) return { fd: Number(fd[1]) };
  if (word.special !== undefined || word.text === '') sink.error(word, 'this is not a file name');
  else if (word.text.startsWith('/dev/'))
    sink.error(word, 'sqe: only files and pipes of the session are simulated, no devices');
  else if (op !== 'SPLICE' && pipes.has(word.text))
    sink.error(
      word,
      `sqe: ${op} of a pipe is not simulated in a session, but in ring programs (ublk-trace ring); SPLICE is`,
    );
  return { path: word.text };
}

function readOffset(word: Word | undefined, pipe: boolean, sink: DiagnosticSink): number {
  if (word === undefined || (pipe && word.text === '-')) return pipe ? -1 : 0;
  const size = readSize(word.text, 'fio');
  if (size.ok) return size.value;
  sink.error(word, `sqe: offset ${quote(word.text)} ${size.reason}`);
  return 0;
}

function readLength(word: Word | undefined, sink: DiagnosticSink): number {
  if (word === undefined) return 0;
  const size = readSize(word.text, 'fio');
  if (!size.ok) sink.error(word, `sqe: length ${quote(word.text)} ${size.reason}`);
  else if (size.value <= RING_BUFFER) return size.value;
  else sink.error(word, `sqe: length ${quote(word.text)} is beyond ${RING_BUFFER}, the size of the buffers`);
  return 0;
}

function flagsOf(values: Values): number {
  let flags = 0;
  for (const [name, bit] of Object.entries(FLAGS)) if (values.has(name)) flags |= bit;
  return flags;
}

function opFlagsOf(values: Values): number {
  let flags = 0;
  if (values.has('dsync')) flags |= RWF.DSYNC;
  if (values.has('datasync')) flags |= IORING_FSYNC_DATASYNC;
  if (values.has('nonblock')) flags |= SPLICE_F.NONBLOCK;
  for (const mode of values.list('mode')) flags |= MODES[mode] ?? 0;
  return flags;
}
