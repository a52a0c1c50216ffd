import { IORING_OP, opcodeByName } from '../uapi/io_uring_ops';
import { COMMON_FIELDS, OP_FIELDS } from '../uapi/sqe_fields';
import { parseArgs } from './args';
import type { Span } from './ast_base';
import type { BufferRange, FlagField, RawField, SqeCommand } from './ast_ring';
import { didYouMean, quote } from './diagnostics';
import type { DiagnosticSink } from './diagnostics';
import type { Word } from './lexer';
import { FLAG_OPTIONS, RAW_OPTIONS, SHORTHANDS, SQE_OPERANDS } from './option_ring';
import { COMMANDS } from './options';
import type { RingScope } from './ring_scope';
import { readDuration, readInteger, readSize, readU64 } from './sizes';
import type { ToolInput } from './tools';
import { readBits, TIME_UNITS } from './values';
import type { Values } from './values';

/** IOSQE flags that have an option of their own. */
const FLAGS: Readonly<Record<string, string>> = {
  link: 'IO_LINK',
  hardlink: 'IO_HARDLINK',
  drain: 'IO_DRAIN',
  async: 'ASYNC',
  'skip-success': 'CQE_SKIP_SUCCESS',
  'fixed-file': 'FIXED_FILE',
};
/** No offset: that of a pipe, or the position of the file. */
export const NO_OFFSET = 0xffffffffffffffffn;
const MAX_IOV = 8;
const FIXED_FILE = 1;
const FD_IN_FIXED = 0x80000000;
const IN = 1;
const OUT = 4;

/** `sqe OP ...`; `scope` has the names that the session has brought by now. Undefined after reporting an error. */
export function parseSqe(input: ToolInput, scope: RingScope): SqeCommand | undefined {
  const { words, sink } = input;
  const spec = COMMANDS.find((row) => row.name === 'sqe')!;
  const { values, operands, ok } = parseArgs(spec, words.slice(1), input);
  scope.started = true;
  if (!ok) return undefined;
  const [opWord, ...rest] = operands;
  if (opWord === undefined) {
    sink.error(words[0]!, `sqe: needs an operation: ${[...SQE_OPERANDS.keys()].join(', ')}`);
    return undefined;
  }
  const opcode = readOp(opWord, sink);
  if (opcode === undefined) return undefined;
  const errors = sink.errors;
  const command = new SqeReader(input, scope, values, opWord, opcode).read(rest);
  return sink.errors > errors ? undefined : command;
}

function readOp(word: Word, sink: DiagnosticSink): number | undefined {
  const names = [...SQE_OPERANDS.keys()];
  if (SQE_OPERANDS.has(word.text)) return IORING_OP[word.text as keyof typeof IORING_OP];
  const number = readInteger(word.text, 0, 255);
  if (number.ok) return number.value;
  const real = opcodeByName(word.text) !== undefined;
  const problem = real ? 'is not simulated' : `is no operation${didYouMean(word.text.toUpperCase(), names)}`;
  sink.error(
    word,
    `sqe: ${quote(word.text)} ${problem}; simulated: ${names.join(', ')}, and 0 to 255 for an opcode`,
  );
  return undefined;
}

type Draft = { -readonly [K in keyof SqeCommand]: SqeCommand[K] } & { at: Record<string, Span> };

/** Reads the operands and options of one SQE. */
class SqeReader {
  private readonly op: string | undefined;
  private readonly sink: DiagnosticSink;

  constructor(
    private readonly input: ToolInput,
    private readonly scope: RingScope,
    private readonly values: Values,
    private readonly opWord: Word,
    private readonly opcode: number,
  ) {
    this.op = SQE_OPERANDS.has(opWord.text) ? opWord.text : undefined;
    this.sink = input.sink;
  }

  read(words: readonly Word[]): SqeCommand {
    const { values, opWord } = this;
    const given = this.operands(words);
    this.checkOptions();
    const at: Record<string, Span> = { op: opWord };
    for (const one of values.given) at[one.spec.name] = one.value ?? one.at;
    for (const [name, word] of given) at[name] = word;
    const draft: Draft = {
      ...this.input.base,
      kind: 'sqe',
      opcode: this.opcode,
      op: this.op,
      flags: this.flags(),
      bits: this.bits(given.get('[EVENTS]')),
      userData: values.u64('user-data') ?? 0n,
      raw: this.raw(),
      direct: values.has('direct'),
      at,
    };
    this.own(draft, given);
    return draft;
  }

  /** Operands by their names in the table. */
  private operands(words: readonly Word[]): Map<string, Word> {
    const { sink, opWord } = this;
    const names = (this.op === undefined ? undefined : SQE_OPERANDS.get(this.op)) ?? [];
    const needed = names.filter((name) => !name.startsWith('[')).length;
    if (words.length < needed) sink.error(opWord, `sqe ${opWord.text}: needs ${names.join(' ')}`);
    if (words.length > names.length)
      sink.error(words[names.length]!, `sqe ${opWord.text}: unexpected ${quote(words[names.length]!.text)}`);
    const found = new Map<string, Word>();
    for (const [i, name] of names.entries()) {
      const word = words[i];
      // SPLICE has two offsets, the second one of where the bytes go
      if (word !== undefined) found.set(name, word);
    }
    return found;
  }

  private checkOptions(): void {
    for (const { spec, at } of this.values.given) {
      if (spec.ops !== undefined && !spec.ops.includes(this.op ?? ''))
        this.sink.error(at, `sqe: ${spec.name} belongs to ${spec.ops.join(', ')}`);
    }
  }

  private flags(): number {
    const bits = COMMON_FIELDS.flags!.bits!;
    let flags = this.values.bits('flags', bits) ?? 0;
    for (const [name, flag] of Object.entries(FLAGS)) if (this.values.has(name)) flags |= bits[flag]!;
    if (flags > 0xff) this.sink.error(this.values.get('flags')!.value!, 'sqe: flags has 8 bits');
    return flags & 0xff;
  }

  private bits(events: Word | undefined): Partial<Record<FlagField, number>> {
    const bits: Partial<Record<FlagField, number>> = {};
    const { values, op } = this;
    const table = (field: FlagField): Readonly<Record<string, number>> =>
      OP_FIELDS[op ?? '']?.[field]?.bits ?? {};
    const add = (field: FlagField, more: number | undefined): void => {
      if (more !== undefined) bits[field] = ((bits[field] ?? 0) | more) >>> 0;
    };
    for (const [name, field] of Object.entries(FLAG_OPTIONS)) add(field, values.bits(name, table(field)));
    for (const [name, [field, flag]] of Object.entries(SHORTHANDS))
      if (values.has(name)) add(field, table(field)[flag]);
    if (op === 'POLL_ADD' && events !== undefined) {
      const known = table('poll_events');
      const read = readBits(events.text, known);
      add('poll_events', read.bits);
      for (const name of read.unknown)
        this.sink.error(
          events,
          `sqe: poll event ${quote(name)} is unknown; there are ${Object.keys(known).join(', ')}`,
        );
    } else if (op === 'POLL_ADD' && !values.has('poll-events'))
      this.sink.error(this.opWord, 'sqe POLL_ADD: needs events, such as IN or OUT');
    return bits;
  }

  private raw(): Partial<Record<RawField, bigint>> {
    const raw: Partial<Record<RawField, bigint>> = {};
    for (const [name, [field, min, max]] of Object.entries(RAW_OPTIONS)) {
      const word = this.values.get(name)?.value;
      if (word === undefined) continue;
      const value = this.integer(word, name);
      if (value < min || value > max)
        this.sink.error(word, `sqe: ${name} ${quote(word.text)} is out of range: ${min} to ${max}`);
      raw[field] = value;
    }
    return raw;
  }

  /** A decimal number with or without sign, or a hexadecimal one. */
  private integer(word: Word, name: string): bigint {
    if (/^(-?\d{1,20}|0x[0-9a-f]{1,16})$/i.test(word.text)) return BigInt(word.text);
    this.sink.error(word, `sqe: ${name} ${quote(word.text)} is not a whole number`);
    return 0n;
  }

  /** What the operation itself takes. */
  private own(draft: Draft, given: ReadonlyMap<string, Word>): void {
    const { op, values } = this;
    const word = (name: string): Word | undefined => given.get(name);
    const place = (name: string, at: Word | undefined): void => {
      if (at !== undefined) draft.at[name] = at;
    };
    if (op === undefined) return;
    const file = word('FILE') ?? word('TO') ?? values.get('file')?.value;
    if (file !== undefined) {
      draft.file = this.scope.file(file, 'sqe', this.endOf(draft), this.sink);
      place('file', file);
    }
    const from = word('FROM');
    if (from !== undefined) {
      draft.fileIn = this.scope.file(from, 'sqe', 'r', this.sink);
      place('fileIn', from);
    }
    this.checkTable(draft);
    const offset = word('OFFSET');
    if (op === 'SPLICE') {
      draft.offIn = this.offset(offset);
      draft.off = word('[OFFSET]') === undefined ? NO_OFFSET : this.offset(word('[OFFSET]'));
      place('off', word('[OFFSET]'));
      place('offIn', offset);
    } else if (offset !== undefined || word('[OFFSET]') !== undefined) {
      draft.off = this.offset(offset ?? word('[OFFSET]'));
    }
    const length = word('LENGTH') ?? word('[LENGTH]') ?? values.get('len')?.value;
    if (length !== undefined) {
      draft.len = this.offset(length, 'length');
      place('len', length);
    }
    for (const [name, key] of [
      ['off', 'off'],
      ['off-in', 'offIn'],
    ] as const) {
      const raw = values.get(name)?.value;
      if (raw !== undefined) draft[key] = this.offset(raw);
    }
    if (/^(READ|WRITE)(_FIXED)?$/.test(op)) this.range(draft, length);
    if (op === 'READV' || op === 'WRITEV')
      this.vector(draft, [...given].find(([name]) => name.startsWith('[BUFFER'))?.[1]);
    if (op === 'TIMEOUT' || op === 'LINK_TIMEOUT') this.time(draft, word('[TIME]'));
    if (op === 'TIMEOUT') draft.count = values.number('count') ?? 0;
    if (op === 'TIMEOUT_REMOVE' || op === 'ASYNC_CANCEL') this.target(draft, word('[TARGET]'));
  }

  /** Files that are meant by their index must have one, unless a raw field stands for it. */
  private checkTable({ flags, bits, file, fileIn, raw, at }: Draft): void {
    for (const [fixed, each, field, place] of [
      [(flags & FIXED_FILE) !== 0, file, 'fd', at.file],
      [((bits.splice_flags ?? 0) & FD_IN_FIXED) !== 0, fileIn, 'splice_fd_in', at.fileIn],
    ] as const) {
      if (!fixed || each === undefined || 'fd' in each || raw[field] !== undefined) continue;
      if (this.scope.opened.get(each.path)?.fixed !== true)
        this.sink.error(
          place!,
          `sqe: ${quote(each.path)} is not in the table of files: open ${each.path} --fixed`,
        );
    }
  }

  /** The end that the bare name of a pipe stands for. */
  private endOf({ op, bits }: Draft): 'r' | 'w' | undefined {
    if (op?.startsWith('READ')) return 'r';
    if (op?.startsWith('WRITE') || op === 'SPLICE' || op === 'TEE') return 'w';
    if (op !== 'POLL_ADD') return undefined;
    const events = bits.poll_events ?? 0;
    if ((events & (IN | OUT)) === IN) return 'r';
    return (events & (IN | OUT)) === OUT ? 'w' : undefined;
  }

  private offset(word: Word | undefined, what = 'offset'): bigint {
    if (word === undefined) return 0n;
    if (word.text === '-' && what === 'offset') return NO_OFFSET;
    if (/^(0x[0-9a-f]{1,16}|\d{16,20})$/i.test(word.text)) {
      const raw = readU64(word.text);
      if (raw.ok) return raw.value;
    }
    const size = readSize(word.text, 'fio');
    if (size.ok) return BigInt(size.value);
    this.sink.error(word, `sqe: ${what} ${quote(word.text)} ${size.reason}`);
    return 0n;
  }

  /** The buffer of READ and WRITE. */
  private range(draft: Draft, length: Word | undefined): void {
    const { values, sink, scope, op } = this;
    const word = values.get('buffer')?.value;
    // a raw address stands for itself
    if (word === undefined && draft.raw.addr !== undefined) return;
    const part = word === undefined ? { buffer: '0', offset: 0 } : this.part(word, word.text);
    if (part === undefined) return;
    const at = word ?? this.opWord;
    const size = scope.bufferSize(part.buffer, at, sink);
    if (size === undefined) return;
    draft.range = part;
    if (op?.endsWith('_FIXED')) {
      if (scope.buffers.get(part.buffer)?.fixed !== true && draft.raw.buf_index === undefined)
        sink.error(at, `sqe ${op}: buffer ${quote(part.buffer)} is not registered: buffer NAME SIZE --fixed`);
    } else if (length !== undefined && BigInt(part.offset) + (draft.len ?? 0n) > BigInt(size))
      sink.error(
        length,
        `sqe: length ${quote(length.text)} is beyond ${size - part.offset}, what buffer ${part.buffer} has`,
      );
  }

  /** `NAME` or `NAME+OFFSET`. */
  private part(word: Word, text: string): { buffer: string; offset: number } | undefined {
    const plus = text.indexOf('+');
    const size = plus < 0 ? ({ ok: true, value: 0 } as const) : readSize(text.slice(plus + 1), 'fio');
    if (size.ok) return { buffer: plus < 0 ? text : text.slice(0, plus), offset: size.value };
    this.sink.error(word, `sqe: offset in buffer ${quote(text.slice(plus + 1))} ${size.reason}`);
    return undefined;
  }

  /** The pieces of READV and WRITEV. */
  private vector(draft: Draft, word: Word | undefined): void {
    if (word === undefined) return;
    const { sink, scope } = this;
    const pieces: BufferRange[] = [];
    const items = word.text.split(',', MAX_IOV + 1);
    if (items.length > MAX_IOV) sink.error(word, `sqe: at most ${MAX_IOV} pieces`);
    for (const item of items.slice(0, MAX_IOV)) {
      const colon = item.lastIndexOf(':');
      const length = colon < 0 ? undefined : readSize(item.slice(colon + 1), 'fio');
      if (length === undefined || !length.ok) {
        sink.error(word, `sqe: piece ${quote(item)} is not BUFFER[+OFFSET]:LENGTH`);
        continue;
      }
      const part = this.part(word, item.slice(0, colon));
      const size = part && scope.bufferSize(part.buffer, word, sink);
      if (part === undefined || size === undefined) continue;
      if (part.offset + length.value > size)
        sink.error(word, `sqe: piece ${quote(item)} goes beyond buffer ${part.buffer} (${size} bytes)`);
      pieces.push({ ...part, length: length.value });
    }
    draft.iov = pieces;
    draft.at.iov = word;
  }

  private time(draft: Draft, word: Word | undefined): void {
    const { values, sink, opWord } = this;
    if (word !== undefined && values.has('timeout'))
      sink.error(values.get('timeout')!.at, `sqe: the time is given already: ${quote(word.text)}`);
    if (word === undefined) {
      draft.ns = values.number('timeout') ?? 0;
      if (!values.has('timeout')) sink.error(opWord, `sqe ${opWord.text}: needs a time, such as 5ms`);
      return;
    }
    const read = readDuration(word.text, 'ns', TIME_UNITS);
    if (read.ok) draft.ns = read.value;
    else sink.error(word, `sqe: time ${quote(word.text)} ${read.reason}`);
  }

  private target(draft: Draft, word: Word | undefined): void {
    const { values, sink, opWord, op } = this;
    if (word !== undefined && values.has('target'))
      sink.error(values.get('target')!.at, `sqe: the target is given already: ${quote(word.text)}`);
    const read = word && readU64(word.text);
    if (read?.ok === false) sink.error(word!, `sqe: target ${quote(word!.text)} ${read.reason}`);
    const target = read?.ok ? read.value : values.u64('target');
    if (target !== undefined) draft.target = target;
    else if (op === 'TIMEOUT_REMOVE')
      sink.error(opWord, `sqe ${op}: needs TARGET, the user_data of a TIMEOUT`);
  }
}
