/** One SQE of a program: checked fields to the 64 bytes' fields. */
import { IORING_OP } from '../uapi/io_uring_ops';
import { makeSqe, type Sqe } from '../uapi/sqe';
import { didYouMean } from '../session/diagnostics';
import { COMMON_FIELDS, type FieldSpec, OP_FIELDS } from '../uapi/sqe_fields';
import type { JsonMember, JsonNode } from './json_text';
import type { ProgramBuffer } from './program';
import type { JsonReader } from './read_json';

const U8 = 0xff;
const U32 = 0xffffffff;
const MAX_IOV = 8;
const FIXED_FILE = 1;
const FD_IN_FIXED = 0x80000000;

/** What SQEs refer to. */
export interface SqeScope {
  readonly reader: JsonReader;
  readonly buffers: ReadonlyMap<string, ProgramBuffer>;
  readonly bufferIndex: ReadonlyMap<string, number>;
  readonly fds: ReadonlyMap<string, number>;
  readonly fixedIndex: ReadonlyMap<string, number>;
  /** Puts bytes into the application's memory; returns their address. */
  place(bytes: Uint8Array): number;
}

type Members = ReadonlyMap<string, JsonMember>;

/** Reads one SQE. @throws ProgramError */
export function readSqe(node: JsonNode, scope: SqeScope): Sqe {
  const reader: JsonReader = scope.reader;
  if (node.type !== 'object') reader.fail('an SQE must be an object', node.at);
  const opNode = node.members.find((member) => member.key === 'op')?.value;
  if (opNode === undefined) reader.fail('an SQE needs "op"', node.at);
  const { opcode, specs } = readOp(opNode, reader);
  const members = reader.object(
    node,
    opText(opNode),
    ['op', 'user_data', ...Object.keys(specs)],
    ['user_data'],
  );
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.required && !members.has(name))
      reader.fail(`${opText(opNode)} needs ${JSON.stringify(name)}`, node.at);
  }
  const sqe = makeSqe({
    opcode,
    fd: -1,
    userData: reader.word64Text(members.get('user_data')!.value, 'user_data'),
  });
  const fill = new Fields(scope, members, specs, sqe);
  sqe.flags = fill.bits('flags');
  if (sqe.flags > U8) reader.fail('flags has 8 bits', members.get('flags')!.value.at);
  fill.own();
  fill.raw();
  return sqe;
}

function opText(node: JsonNode): string {
  return node.type === 'string' ? node.value : 'this op';
}

function readOp(
  node: JsonNode,
  reader: JsonReader,
): { opcode: number; specs: Readonly<Record<string, FieldSpec>> } {
  if (node.type === 'number') {
    const opcode = reader.integer(node, 'op', 0, 255);
    const all: Record<string, FieldSpec> = { ...COMMON_FIELDS };
    for (const fields of Object.values(OP_FIELDS)) {
      for (const [name, spec] of Object.entries(fields)) all[name] = { ...spec, required: false };
    }
    return { opcode, specs: all };
  }
  const name = reader.string(node, 'op');
  const own = Object.hasOwn(OP_FIELDS, name) ? OP_FIELDS[name] : undefined;
  if (own === undefined) {
    reader.fail(`unknown op ${JSON.stringify(name)}${didYouMean(name, Object.keys(OP_FIELDS))}`, node.at);
  }
  return { opcode: IORING_OP[name as keyof typeof IORING_OP], specs: { ...COMMON_FIELDS, ...own } };
}

class Fields {
  constructor(
    private readonly scope: SqeScope,
    private readonly members: Members,
    private readonly specs: Readonly<Record<string, FieldSpec>>,
    private readonly sqe: Sqe,
  ) {}

  private node(name: string): JsonNode | undefined {
    return this.members.get(name)?.value;
  }

  bits(name: string): number {
    const node = this.node(name);
    const bits = this.specs[name]?.bits;
    return node && bits ? this.scope.reader.flags(node, name, bits, true) : 0;
  }

  private word(name: string, otherwise: bigint): bigint {
    const node = this.node(name);
    return node ? this.scope.reader.word64(node, name) : otherwise;
  }

  private u32(name: string, otherwise: number): number {
    const node = this.node(name);
    if (node === undefined) return otherwise;
    const value = BigInt.asIntN(64, this.scope.reader.word64(node, name));
    if (value < 0n) this.scope.reader.fail(`${name} must not be negative`, node.at);
    if (value > BigInt(U32)) this.scope.reader.fail(`${name} does not fit 32 bits`, node.at);
    return Number(value);
  }

  /** Fields that the op itself takes. */
  own(): void {
    const { sqe } = this;
    switch (sqe.opcode) {
      case IORING_OP.READ:
      case IORING_OP.WRITE:
      case IORING_OP.READ_FIXED:
      case IORING_OP.WRITE_FIXED:
        this.readWrite();
        return;
      case IORING_OP.READV:
      case IORING_OP.WRITEV:
        this.vectored();
        return;
      case IORING_OP.FSYNC:
        sqe.opFlags = this.bits('fsync_flags');
        this.fileRange();
        return;
      case IORING_OP.SYNC_FILE_RANGE:
        sqe.opFlags = this.bits('sync_range_flags');
        this.fileRange();
        return;
      case IORING_OP.FALLOCATE:
        sqe.fd = this.file('file', FIXED_FILE);
        sqe.off = this.word('off', 0n);
        sqe.addr = this.word('len', 0n);
        sqe.len = this.bits('mode');
        return;
      case IORING_OP.SPLICE:
        this.pipes(0xffffffffffffffffn);
        return;
      case IORING_OP.TEE:
        this.pipes(0n);
        return;
      case IORING_OP.POLL_ADD:
        sqe.fd = this.file('file', FIXED_FILE);
        sqe.opFlags = this.bits('poll_events');
        sqe.len = this.bits('poll_flags');
        return;
      case IORING_OP.TIMEOUT:
        sqe.off = BigInt(this.u32('count', 0));
        sqe.opFlags = this.bits('timeout_flags');
        this.time();
        return;
      case IORING_OP.LINK_TIMEOUT:
        this.time();
        return;
      case IORING_OP.TIMEOUT_REMOVE:
        sqe.addr = this.target();
        return;
      case IORING_OP.ASYNC_CANCEL:
        sqe.addr = this.target();
        sqe.opFlags = this.bits('cancel_flags');
        sqe.fd = this.file('file', FIXED_FILE);
        return;
      default:
        return;
    }
  }

  private target(): bigint {
    const node = this.node('target');
    return node ? this.scope.reader.word64Text(node, 'target') : 0n;
  }

  private fileRange(): void {
    this.sqe.fd = this.file('file', FIXED_FILE);
    this.sqe.off = this.word('off', 0n);
    this.sqe.len = this.u32('len', 0);
  }

  private pipes(noOffset: bigint): void {
    const { sqe } = this;
    sqe.opFlags = this.bits('splice_flags');
    sqe.fd = this.file('file', FIXED_FILE);
    sqe.off = this.word('off', noOffset);
    sqe.addr = this.word('off_in', noOffset);
    sqe.len = this.u32('len', 0);
    sqe.spliceFdIn = this.file('file_in', 0);
  }

  private readWrite(): void {
    const { sqe } = this;
    sqe.fd = this.file('file', FIXED_FILE);
    sqe.off = this.word('off', 0n);
    sqe.len = this.u32('len', 0);
    sqe.opFlags = this.bits('rw_flags');
    const node = this.node('buf');
    if (node === undefined) return;
    const fixed = sqe.opcode === IORING_OP.READ_FIXED || sqe.opcode === IORING_OP.WRITE_FIXED;
    const offset = this.u32('buf_off', 0);
    const buffer = this.buffer(node);
    if (fixed) {
      const index = this.scope.bufferIndex.get(buffer.name);
      if (index === undefined && !this.members.has('buf_index')) {
        this.scope.reader.fail(`buffer ${JSON.stringify(buffer.name)} is not a fixed buffer`, node.at);
      }
      sqe.bufIndex = index ?? 0;
    } else if (offset + sqe.len > buffer.size) {
      const at = this.node('len')?.at ?? node.at;
      this.scope.reader.fail(
        `the range goes beyond buffer ${JSON.stringify(buffer.name)} (${buffer.size} bytes)`,
        at,
      );
    }
    sqe.addr = BigInt(buffer.addr + offset);
  }

  private vectored(): void {
    const { sqe, scope } = this;
    sqe.fd = this.file('file', FIXED_FILE);
    sqe.off = this.word('off', 0n);
    sqe.opFlags = this.bits('rw_flags');
    const list = this.node('iov');
    const items = list ? scope.reader.items(list, 'iov') : [];
    if (list && (items.length === 0 || items.length > MAX_IOV)) {
      scope.reader.fail(`iov must have 1 to ${MAX_IOV} entries`, list.at);
    }
    const bytes = new Uint8Array(items.length * 16);
    const view = new DataView(bytes.buffer);
    items.forEach((item, i) => {
      const members = scope.reader.object(item, 'an iovec', ['buf', 'buf_off', 'len'], ['buf', 'len']);
      const buffer = this.buffer(members.get('buf')!.value);
      const offNode = members.get('buf_off')?.value;
      const offset = offNode ? scope.reader.integer(offNode, 'buf_off', 0, U32) : 0;
      const lenNode = members.get('len')!.value;
      const len = scope.reader.integer(lenNode, 'len', 0, U32);
      if (offset + len > buffer.size) {
        scope.reader.fail(
          `the range goes beyond buffer ${JSON.stringify(buffer.name)} (${buffer.size} bytes)`,
          lenNode.at,
        );
      }
      view.setBigUint64(i * 16, BigInt(buffer.addr + offset), true);
      view.setBigUint64(i * 16 + 8, BigInt(len), true);
    });
    if (items.length > 0) sqe.addr = BigInt(scope.place(bytes));
    sqe.len = this.u32('len', items.length);
  }

  private time(): void {
    const { sqe, scope } = this;
    const node = this.node('ns');
    const ns = node ? scope.reader.integer(node, 'ns', 0, Number.MAX_SAFE_INTEGER) : 0;
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setBigInt64(0, BigInt(Math.floor(ns / 1e9)), true);
    view.setBigInt64(8, BigInt(ns % 1e9), true);
    sqe.addr = BigInt(scope.place(bytes));
    sqe.len = 1;
  }

  private buffer(node: JsonNode): ProgramBuffer {
    const name = this.scope.reader.string(node, 'buf');
    const buffer = this.scope.buffers.get(name);
    if (buffer === undefined) {
      this.scope.reader.fail(
        `no buffer ${JSON.stringify(name)}${didYouMean(name, [...this.scope.buffers.keys()])}`,
        node.at,
      );
    }
    return buffer;
  }

  /** Descriptor of a file field, or its table index when the request's flags say so. */
  private file(field: string, fixedFlag: number): number {
    const node = this.node(field);
    if (node === undefined) return -1;
    const { fds, fixedIndex } = this.scope;
    const reader: JsonReader = this.scope.reader;
    const name = reader.string(node, field);
    const fd = fds.get(name);
    if (fd === undefined) {
      const pipe = fds.has(`${name}.r`)
        ? `; a pipe has the ends ${name}.r and ${name}.w`
        : didYouMean(name, [...fds.keys()]);
      reader.fail(`no file ${JSON.stringify(name)}${pipe}`, node.at);
    }
    const fixed =
      field === 'file_in' ? (this.sqe.opFlags & FD_IN_FIXED) !== 0 : (this.sqe.flags & fixedFlag) !== 0;
    if (!fixed) return fd;
    const index = fixedIndex.get(name);
    if (index !== undefined) return index;
    const raw = field === 'file_in' ? 'splice_fd_in' : 'fd';
    if (!this.members.has(raw))
      reader.fail(`file ${JSON.stringify(name)} is not in the file table ("fixed": true)`, node.at);
    return -1;
  }

  /** Raw fields, which replace what the names gave. */
  raw(): void {
    const { sqe } = this;
    const { reader } = this.scope;
    const number = (name: string, min: number, max: number, set: (value: number) => void): void => {
      const node = this.node(name);
      if (node) set(reader.integer(node, name, min, max));
    };
    number('fd', -0x80000000, 0x7fffffff, (value) => {
      sqe.fd = value;
    });
    number('splice_fd_in', -0x80000000, 0x7fffffff, (value) => {
      sqe.spliceFdIn = value;
    });
    number('ioprio', 0, 0xffff, (value) => {
      sqe.ioprio = value;
    });
    number('buf_index', 0, 0xffff, (value) => {
      sqe.bufIndex = value;
    });
    number('personality', 0, 0xffff, (value) => {
      sqe.personality = value;
    });
    if (this.members.has('addr')) sqe.addr = this.word('addr', 0n);
  }
}
