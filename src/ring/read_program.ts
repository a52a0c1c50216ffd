/** Reading a ring program: text to a checked program. */
import { didYouMean } from '../session/diagnostics';
import type { Sqe } from '../uapi/sqe';
import { FILE_KINDS, OPEN_FLAGS, SETUP_BITS } from '../uapi/sqe_fields';
import { type JsonNode, parseJsonText } from './json_text';
import {
  initialBytesMemo,
  type ProgramBuffer,
  type ProgramFile,
  type ProgramMemory,
  type ProgramStep,
  type RingProgram,
} from './program';
import { JsonReader } from './read_json';
import { contendedSqes } from './contention';
import { undisturbed } from './contention';
import { horizonOf, repeats } from './horizon';
import { readSqe, type SqeScope } from './read_sqe';

const MAX_ENTRIES = 4096;
const MAX_CQ_ENTRIES = 8192;
const MAX_NAMED = 16;
const MAX_FILE = 1 << 28;
const MAX_BUFFER = 1 << 26;
const MAX_PIPE = 1 << 20;
const PAGE = 4096;
const U32 = 0xffffffff;
/** Where buffers, and what requests point to, lie in the application. */
const BUFFERS_AT = 0x1000000000;
const SMALL_AT = 0x3000000000;
const FIRST_FD = 10;

/** Parses and checks a program. @throws ProgramError at the first mistake. */
export function readProgram(text: string): RingProgram {
  const reader = new JsonReader(text);
  const root = reader.object(
    parseJsonText(text),
    'a ring program',
    ['name', 'description', 'ring', 'limits', 'files', 'buffers', 'steps'],
    ['name', 'ring', 'steps'],
  );
  const nameNode = root.get('name')!.value;
  const name = reader.string(nameNode, 'name');
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) {
    reader.fail('name must start with a letter or digit and hold letters, digits, _ and -', nameNode.at);
  }
  const describedBy = root.get('description');
  const ring = readRing(reader, root.get('ring')!.value);
  const files = (root.has('files') ? reader.named(root.get('files')!.value, 'files', MAX_NAMED) : []).map(
    ({ key, value }) => readFile(reader, key, value),
  );
  const buffers = (
    root.has('buffers') ? reader.named(root.get('buffers')!.value, 'buffers', MAX_NAMED) : []
  ).map(({ key, value }, i) => readBuffer(reader, key, value, i));
  const names = fileNames(files);
  const memory: ProgramMemory[] = [];
  const scope: SqeScope = {
    reader,
    buffers: new Map(buffers.map((buffer) => [buffer.name, buffer])),
    bufferIndex: new Map(buffers.filter((buffer) => buffer.fixed).map((buffer, i) => [buffer.name, i])),
    ...names,
    place: (bytes) => {
      const addr = SMALL_AT + memory.length * PAGE;
      memory.push({ addr, bytes });
      return addr;
    },
  };
  const sqeAt: number[][] = [];
  const steps = reader
    .items(root.get('steps')!.value, 'steps')
    .map((node) => readStep(node, scope, ring.entries, sqeAt));
  const parts = { files, steps, memory, ...names };
  return {
    name,
    description: describedBy ? reader.string(describedBy.value, 'description') : '',
    ...ring,
    fsizeLimit: readLimits(reader, root.get('limits')?.value),
    files,
    buffers,
    memory,
    steps,
    ...names,
    contended: contendedSqes(parts),
    horizon: horizonOf(parts),
    repeats: repeats(parts),
    undisturbed: undisturbed(parts),
    initial: initialBytesMemo(),
    sqeAt,
  };
}

function powerOfTwo(n: number): number {
  let power = 1;
  while (power < n) power *= 2;
  return power;
}

function readRing(reader: JsonReader, node: JsonNode): Pick<RingProgram, 'entries' | 'cqEntries' | 'setup'> {
  const members = reader.object(node, 'ring', ['entries', 'cq_entries', 'setup'], ['entries']);
  const entries = powerOfTwo(reader.integer(members.get('entries')!.value, 'entries', 1, MAX_ENTRIES));
  const setupNode = members.get('setup')?.value;
  const setup = setupNode ? reader.flags(setupNode, 'setup', SETUP_BITS, false) : 0;
  const cqNode = members.get('cq_entries')?.value;
  const cqEntries = cqNode
    ? powerOfTwo(reader.integer(cqNode, 'cq_entries', 1, MAX_CQ_ENTRIES))
    : entries * 2;
  if (cqNode && cqEntries < entries) {
    reader.fail('io_uring_setup refuses this ring (-EINVAL): fewer CQ entries than SQ entries', cqNode.at);
  }
  const refused = refusedSetup(setup);
  if (refused !== '') reader.fail(`io_uring_setup refuses this ring (-EINVAL): ${refused}`, setupNode!.at);
  return { entries, cqEntries, setup };
}

function refusedSetup(setup: number): string {
  const { SQPOLL, COOP_TASKRUN, TASKRUN_FLAG, DEFER_TASKRUN, SINGLE_ISSUER } = SETUP_BITS;
  const has = (bit: number | undefined): boolean => (setup & (bit ?? 0)) !== 0;
  if (has(SQPOLL) && (has(COOP_TASKRUN) || has(TASKRUN_FLAG) || has(DEFER_TASKRUN))) {
    return 'SQPOLL does not go with COOP_TASKRUN, TASKRUN_FLAG or DEFER_TASKRUN';
  }
  if (has(TASKRUN_FLAG) && !has(COOP_TASKRUN) && !has(DEFER_TASKRUN)) {
    return 'TASKRUN_FLAG needs COOP_TASKRUN or DEFER_TASKRUN';
  }
  if (has(DEFER_TASKRUN) && !has(SINGLE_ISSUER)) return 'DEFER_TASKRUN needs SINGLE_ISSUER';
  return '';
}

function readLimits(reader: JsonReader, node: JsonNode | undefined): number {
  if (node === undefined) return Number.POSITIVE_INFINITY;
  const fsize = reader.object(node, 'limits', ['fsize'], []).get('fsize')?.value;
  return fsize ? reader.integer(fsize, 'fsize', 0, Number.MAX_SAFE_INTEGER) : Number.POSITIVE_INFINITY;
}

function readFile(reader: JsonReader, name: string, node: JsonNode): ProgramFile {
  const all = reader.object(
    node,
    `file ${name}`,
    ['kind', 'size', 'fill', 'cached', 'fixed', 'open'],
    ['kind'],
  );
  const kindNode = all.get('kind')!.value;
  const kindText = reader.string(kindNode, 'kind');
  const kind = FILE_KINDS.find((candidate) => candidate === kindText);
  if (kind === undefined) {
    reader.fail(
      `unknown kind ${JSON.stringify(kindText)}${didYouMean(kindText, [...FILE_KINDS])}`,
      kindNode.at,
    );
  }
  const own = { file: ['size', 'cached'], pipe: ['size', 'fill'], null: [], zero: [], full: [] }[kind];
  reader.object(node, `a ${kind}`, ['kind', 'fixed', 'open', ...own], []);
  const number = (key: string, otherwise: number, max: number): number => {
    const value = all.get(key)?.value;
    return value ? reader.integer(value, key, 0, max) : otherwise;
  };
  const flag = (key: string, otherwise: boolean): boolean => {
    const value = all.get(key)?.value;
    return value ? reader.boolean(value, key) : otherwise;
  };
  const size = kind === 'pipe' ? pipeSize(reader, all.get('size')?.value) : number('size', 0, MAX_FILE);
  const fill = number('fill', 0, MAX_PIPE);
  if (fill > size && kind === 'pipe')
    reader.fail('fill is more than the pipe takes', all.get('fill')!.value.at);
  const openNode = all.get('open')?.value;
  const open = openFlags(reader, openNode, kind);
  return { name, kind, size, fill, cached: flag('cached', true), fixed: flag('fixed', false), open };
}

function pipeSize(reader: JsonReader, node: JsonNode | undefined): number {
  if (node === undefined) return 65536;
  const size = reader.integer(node, 'size', 0, MAX_PIPE);
  return powerOfTwo(Math.max(1, Math.ceil(size / PAGE))) * PAGE;
}

function openFlags(reader: JsonReader, node: JsonNode | undefined, kind: string): Set<string> {
  const open = new Set<string>();
  if (node === undefined) return open;
  const allowed: readonly string[] = kind === 'pipe' ? ['NONBLOCK'] : OPEN_FLAGS;
  for (const item of reader.items(node, 'open')) {
    const flag = reader.string(item, 'an entry of open');
    if (!allowed.includes(flag))
      reader.fail(
        `open of a ${kind} has no ${JSON.stringify(flag)}; it can have ${allowed.join(', ')}`,
        item.at,
      );
    if (open.has(flag)) reader.fail(`${flag} is given twice in open`, item.at);
    open.add(flag);
  }
  if (open.has('RDONLY') && open.has('WRONLY')) reader.fail('RDONLY and WRONLY exclude each other', node.at);
  return open;
}

function readBuffer(reader: JsonReader, name: string, node: JsonNode, i: number): ProgramBuffer {
  const members = reader.object(node, `buffer ${name}`, ['size', 'fixed'], ['size']);
  const fixed = members.get('fixed')?.value;
  return {
    name,
    size: reader.integer(members.get('size')!.value, 'size', 1, MAX_BUFFER),
    fixed: fixed ? reader.boolean(fixed, 'fixed') : false,
    addr: BUFFERS_AT + i * MAX_BUFFER * 2,
  };
}

/** Descriptors and table indices, in the order of the files; a pipe has two. */
function fileNames(files: readonly ProgramFile[]): Pick<RingProgram, 'fds' | 'fixedIndex'> {
  const fds = new Map<string, number>();
  const fixedIndex = new Map<string, number>();
  for (const file of files) {
    const ends = file.kind === 'pipe' ? [`${file.name}.r`, `${file.name}.w`] : [file.name];
    for (const end of ends) {
      fds.set(end, FIRST_FD + fds.size);
      if (file.fixed) fixedIndex.set(end, fixedIndex.size);
    }
  }
  return { fds, fixedIndex };
}

function readStep(node: JsonNode, scope: SqeScope, entries: number, sqeAt: number[][]): ProgramStep {
  const reader: JsonReader = scope.reader;
  if (node.type !== 'object') reader.fail('a step must be an object', node.at);
  const kinds = ['submit', 'reap', 'sleep_us', 'close'];
  const kind = kinds.find((key) => node.members.some((member) => member.key === key));
  if (kind === undefined) reader.fail(`a step is one of ${kinds.join(', ')}`, node.at);
  const extra = kind === 'submit' ? ['to_submit', 'wait'] : [];
  const members = reader.object(node, `a ${kind} step`, [kind, ...extra], []);
  const value = members.get(kind)!.value;
  const at: number[] = [];
  sqeAt.push(at);
  switch (kind) {
    case 'submit':
      return {
        kind: 'submit',
        ...readSubmit(members.get('to_submit')?.value, members.get('wait')?.value, reader),
        sqes: readSqes(value, scope, entries, at),
      };
    case 'reap':
      if (value.type === 'string' && value.value === 'all') return { kind: 'reap', count: 'all' };
      if (value.type === 'string') reader.fail('reap takes a number or "all"', value.at);
      return { kind: 'reap', count: reader.integer(value, 'reap', 1, U32) };
    case 'sleep_us':
      return { kind: 'sleep', ns: reader.integer(value, 'sleep_us', 0, U32) * 1000 };
    default: {
      const file = reader.string(value, 'close');
      if (!scope.fds.has(file)) {
        reader.fail(`no file ${JSON.stringify(file)}${didYouMean(file, [...scope.fds.keys()])}`, value.at);
      }
      return { kind: 'close', file };
    }
  }
}

function readSubmit(
  toSubmit: JsonNode | undefined,
  wait: JsonNode | undefined,
  reader: JsonReader,
): { toSubmit: number | undefined; wait: number | undefined } {
  return {
    toSubmit: toSubmit ? reader.integer(toSubmit, 'to_submit', 0, U32) : undefined,
    wait: wait ? reader.integer(wait, 'wait', 0, U32) : undefined,
  };
}

function readSqes(node: JsonNode, scope: SqeScope, entries: number, at: number[]): Sqe[] {
  const items = scope.reader.items(node, 'submit');
  if (items.length > entries) {
    scope.reader.fail(`the SQ has ${entries} entries, ${items.length} SQEs do not fit`, items[entries]!.at);
  }
  return items.map((item) => {
    at.push(item.at);
    return readSqe(item, scope);
  });
}
