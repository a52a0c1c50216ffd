/** A ring program as the text of a session. */
import { IORING_OP } from '../uapi/io_uring_ops';
import { COMMON_FIELDS, OP_FIELDS, SETUP_BITS } from '../uapi/sqe_fields';
import type { Sqe } from '../uapi/sqe';
import { SQE_OPERANDS } from '../session/option_ring';
import type { ProgramFile, ProgramStep, RingProgram } from './program';

const ALL_ONES = 0xffffffffffffffffn;
const FIXED_FILE = 1;
const FD_IN_FIXED = 0x80000000;
const SHORT_FLAGS: Readonly<Record<string, string>> = {
  FIXED_FILE: 'fixed-file',
  IO_DRAIN: 'drain',
  IO_LINK: 'link',
  IO_HARDLINK: 'hardlink',
  ASYNC: 'async',
  CQE_SKIP_SUCCESS: 'skip-success',
};
const NAMES: ReadonlyMap<number, string> = new Map(
  [...SQE_OPERANDS.keys()].map((name) => [IORING_OP[name as keyof typeof IORING_OP], name]),
);

/** Prints the session that does what a program does; its files are made with the same bytes. */
export function sessionOf(program: RingProgram, kernel: string): string {
  return `${new Printer(program).lines(kernel).join('\n')}\n`;
}

class Printer {
  private readonly byFd: ReadonlyMap<number, string>;
  private readonly byIndex: ReadonlyMap<number, string>;

  constructor(private readonly program: RingProgram) {
    const paths = new Map(program.files.map((file) => [file.name, pathOf(file)]));
    const shown = (name: string): string => paths.get(name) ?? name;
    this.byFd = new Map([...program.fds].map(([name, fd]) => [fd, shown(name)]));
    this.byIndex = new Map([...program.fixedIndex].map(([name, index]) => [index, shown(name)]));
  }

  lines(kernel: string): string[] {
    const { entries, cqEntries, setup, fsizeLimit, files, buffers, steps, description } = this.program;
    const ring = [`ring --entries ${entries}`];
    if (cqEntries !== entries * 2) ring.push(`--cq-entries ${cqEntries}`);
    const names = Object.keys(SETUP_BITS).filter((name) => (setup & SETUP_BITS[name]!) !== 0);
    if (names.length > 0) ring.push(`--setup ${names.join(',')}`);
    if (fsizeLimit !== Number.POSITIVE_INFINITY) ring.push(`--fsize ${fsizeLimit}`);
    return [
      ...(description === '' ? [] : [`# ${description.replaceAll(/\s+/g, ' ')}`]),
      `#: kernel ${kernel}`,
      ring.join(' '),
      ...files.flatMap(fileLines),
      ...buffers.map(({ name, size, fixed }) => `buffer ${name} ${size}${fixed ? ' --fixed' : ''}`),
      ...steps.flatMap((step) => this.step(step)),
    ];
  }

  private step(step: ProgramStep): string[] {
    switch (step.kind) {
      case 'submit': {
        const wait = step.wait === undefined ? '' : ` --wait ${step.wait}`;
        const some = step.toSubmit === undefined ? '' : ` --to-submit ${step.toSubmit}`;
        const keep = this.program.steps.some(({ kind }) => kind === 'reap') ? '' : ' --keep';
        return [...step.sqes.map((sqe) => this.sqe(sqe)), `submit${wait}${some}${keep}`];
      }
      case 'reap':
        return [`reap ${step.count}`];
      case 'sleep':
        return [`sleep ${(step.ns / 1e9).toFixed(9).replace(/\.?0+$/, '')}`];
      case 'close':
        return [`close ${this.byFd.get(this.program.fds.get(step.file)!)!}`];
    }
  }

  private sqe(sqe: Sqe): string {
    const name = NAMES.get(sqe.opcode);
    const words = ['sqe', name ?? `${sqe.opcode}`, ...this.own(sqe, name)];
    const { bits } = COMMON_FIELDS.flags!;
    let rest = sqe.flags;
    for (const [flag, bit] of Object.entries(bits!)) {
      if ((sqe.flags & bit) === 0) continue;
      words.push(`--${SHORT_FLAGS[flag]}`);
      rest &= ~bit;
    }
    if (rest !== 0) words.push(`--flags 0x${rest.toString(16)}`);
    if (sqe.ioprio !== 0) words.push(`--ioprio ${sqe.ioprio}`);
    if (sqe.personality !== 0) words.push(`--personality ${sqe.personality}`);
    words.push(`--user-data ${sqe.userData}`);
    return words.join(' ');
  }

  /** Operands and options of an operation. */
  private own(sqe: Sqe, name: string | undefined): string[] {
    const file = this.file(sqe.fd, (sqe.flags & FIXED_FILE) !== 0);
    const raw = [
      ...(sqe.spliceFdIn === 0 ? [] : [`--splice-fd-in ${sqe.spliceFdIn}`]),
      ...(sqe.bufIndex === 0 ? [] : [`--buf-index ${sqe.bufIndex}`]),
    ];
    const address = sqe.addr === 0n ? [] : [`--addr ${sqe.addr}`];
    const descriptor = sqe.fd === -1 ? [] : [`--fd ${sqe.fd}`];
    switch (name) {
      case 'READ':
      case 'WRITE':
      case 'READ_FIXED':
      case 'WRITE_FIXED':
        return [
          file,
          offset(sqe.off),
          `${sqe.len}`,
          ...this.buffer(sqe, name),
          ...flags(name, 'rw', sqe.opFlags),
        ];
      case 'READV':
      case 'WRITEV':
        return [file, offset(sqe.off), ...this.pieces(sqe), ...flags(name, 'rw', sqe.opFlags), ...raw];
      case 'FSYNC':
        return [
          file,
          offset(sqe.off),
          `${sqe.len}`,
          ...flags(name, 'fsync', sqe.opFlags),
          ...raw,
          ...address,
        ];
      case 'SYNC_FILE_RANGE':
        return [
          file,
          offset(sqe.off),
          `${sqe.len}`,
          ...flags(name, 'sync-range', sqe.opFlags),
          ...raw,
          ...address,
        ];
      case 'FALLOCATE':
        return [
          file,
          offset(sqe.off),
          number(sqe.addr),
          ...(sqe.len === 0 ? [] : [`--mode ${listOf(name, 'mode', sqe.len)}`]),
          ...raw,
        ];
      case 'SPLICE':
        return [
          this.from(sqe),
          offset(sqe.addr),
          `${sqe.len}`,
          file,
          offset(sqe.off),
          ...flags(name, 'splice', sqe.opFlags),
          ...bufIndex(sqe),
        ];
      case 'TEE': {
        const off = sqe.off === 0n ? [] : [`--off ${number(sqe.off)}`];
        const offIn = sqe.addr === 0n ? [] : [`--off-in ${number(sqe.addr)}`];
        return [
          this.from(sqe),
          `${sqe.len}`,
          file,
          ...off,
          ...offIn,
          ...flags(name, 'splice', sqe.opFlags),
          ...bufIndex(sqe),
        ];
      }
      case 'POLL_ADD':
        return [
          file,
          listOf(name, 'poll_events', sqe.opFlags),
          ...flags(name, 'poll', sqe.len),
          ...raw,
          ...address,
        ];
      case 'TIMEOUT':
        return [
          `${this.time(sqe)}ns`,
          ...(sqe.off === 0n ? [] : [`--count ${sqe.off}`]),
          ...flags(name, 'timeout', sqe.opFlags),
          ...descriptor,
          ...raw,
        ];
      case 'LINK_TIMEOUT':
        return [`${this.time(sqe)}ns`, ...descriptor, ...raw];
      case 'TIMEOUT_REMOVE':
        return [`${sqe.addr}`, ...descriptor, ...raw];
      case 'ASYNC_CANCEL': {
        const on = sqe.fd === -1 ? [] : [`--file ${file}`];
        return [`${sqe.addr}`, ...on, ...flags(name, 'cancel', sqe.opFlags), ...raw];
      }
      default:
        return [...descriptor, ...raw, ...address];
    }
  }

  private file(fd: number, fixed: boolean): string {
    return (fixed ? this.byIndex : this.byFd).get(fd) ?? `fd:${fd}`;
  }

  private from(sqe: Sqe): string {
    return this.file(sqe.spliceFdIn, (sqe.opFlags & FD_IN_FIXED) !== 0);
  }

  /** The buffer that an address lies in, as an option. */
  private buffer(sqe: Sqe, op: string): string[] {
    const at = Number(sqe.addr);
    const { buffers } = this.program;
    const fixed = op.endsWith('_FIXED');
    const found = buffers.find(({ addr, size }) => at >= addr && at <= addr + size);
    const splice = sqe.spliceFdIn === 0 ? [] : [`--splice-fd-in ${sqe.spliceFdIn}`];
    const index = buffers.filter((buffer) => buffer.fixed).indexOf(found!);
    const inside = found !== undefined && (fixed ? index >= 0 : at + sqe.len <= found.addr + found.size);
    const implied = fixed && inside ? index : 0;
    const rest = [...splice, ...(sqe.bufIndex === implied ? [] : [`--buf-index ${sqe.bufIndex}`])];
    if (!inside) return [`--addr ${sqe.addr}`, ...rest];
    const from = at - found.addr;
    return [`--buffer ${found.name}${from === 0 ? '' : `+${from}`}`, ...rest];
  }

  private memory(sqe: Sqe): DataView | undefined {
    const found = this.program.memory.find(({ addr }) => addr === Number(sqe.addr))?.bytes;
    return found && new DataView(found.buffer, found.byteOffset, found.byteLength);
  }

  private pieces(sqe: Sqe): string[] {
    const view = this.memory(sqe);
    if (view === undefined) return [`--len ${sqe.len}`, `--addr ${sqe.addr}`];
    const pieces: string[] = [];
    for (let at = 0; at < view.byteLength; at += 16) {
      const addr = Number(view.getBigUint64(at, true));
      const { name, addr: base } = this.program.buffers.findLast((buffer) => addr >= buffer.addr)!;
      pieces.push(`${name}+${addr - base}:${view.getBigUint64(at + 8, true)}`);
    }
    return [pieces.join(','), ...(sqe.len === pieces.length ? [] : [`--len ${sqe.len}`])];
  }

  private time(sqe: Sqe): bigint {
    const view = this.memory(sqe);
    return view === undefined ? 0n : view.getBigInt64(0, true) * 1_000_000_000n + view.getBigInt64(8, true);
  }
}

function pathOf({ kind, name }: ProgramFile): string {
  return kind === 'file' || kind === 'pipe' ? name : `/dev/${kind}`;
}

function fileLines(file: ProgramFile): string[] {
  const words = [`open ${pathOf(file)}`];
  if (file.kind === 'file' || file.kind === 'pipe') words.push(`--size ${file.size}`);
  if (file.fill > 0) words.push(`--fill ${file.fill}`);
  if (!file.cached) words.push('--uncached');
  if (file.fixed) words.push('--fixed');
  if (file.open.size > 0) words.push(`--flags ${[...file.open].join(',')}`);
  return file.kind === 'pipe' ? [`mkfifo ${file.name}`, words.join(' ')] : [words.join(' ')];
}

function number(value: bigint): string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? `${value}` : `0x${value.toString(16)}`;
}

function offset(value: bigint): string {
  return value === ALL_ONES ? '-' : number(value);
}

function bufIndex({ bufIndex }: Sqe): string[] {
  return bufIndex === 0 ? [] : [`--buf-index ${bufIndex}`];
}

/** Names of bits, and what is left as a number. */
function listOf(op: string, field: string, bits: number): string {
  const names: string[] = [];
  let rest = bits;
  for (const [name, bit] of Object.entries(OP_FIELDS[op]?.[field]?.bits ?? {})) {
    if ((bits & bit) === 0) continue;
    names.push(name);
    rest = (rest & ~bit) >>> 0;
  }
  if (rest !== 0 || names.length === 0) names.push(`0x${rest.toString(16)}`);
  return names.join(',');
}

function flags(op: string, field: string, bits: number): string[] {
  return bits === 0 ? [] : [`--${field}-flags ${listOf(op, `${field.replaceAll('-', '_')}_flags`, bits)}`];
}
