import { IORING_OP } from '../uapi/io_uring_ops';
import { SIMULATED_KERNELS } from './ast';
import type { Command, Fault, KernelName, Settings, Span } from './ast';
import type { SqeCommand } from './ast_ring';
import type { DiagnosticSink } from './diagnostics';
import { quote } from './diagnostics';
import { NO_OFFSET } from './ring';
import { RING_BUFFER } from './ring_scope';

/** Commands of a ring. */
const RING_KINDS = new Set<Command['kind']>([
  'mkfifo',
  'ring',
  'open',
  'buffer',
  'sqe',
  'submit',
  'reap',
  'close',
]);
/** Commands that make files for a ring; they come before its first SQE. */
const MAKES_FILES = new Set<Command['kind']>(['truncate', 'dd', 'sync', 'qemu-img']);
/** Operations of the ring beside ublk. */
const BESIDE_UBLK = new Set(['NOP', 'READ', 'WRITE', 'FSYNC', 'SYNC_FILE_RANGE', 'FALLOCATE', 'SPLICE']);
/** Kernels on which the ring of the ublk stack has all the events that recordings show. */
const WHOLE: readonly KernelName[] = ['6.1', '6.1+splice-zc'];
/** First opcode that no kernel has. */
const FIRST_UNKNOWN = 128;
const FIXED_FILE = 1;

/** Whether a command is one of a ring, `sleep` aside. */
export function ofRing(command: Command): boolean {
  return RING_KINDS.has(command.kind);
}

/** Whether a command begins what a ring does. */
function runsRing({ kind }: Command): boolean {
  return kind === 'sqe' || kind === 'submit' || kind === 'reap' || kind === 'close';
}

/** What a session's ring is. */
export interface RingKind {
  /** The session has a ring, and beside it only commands that make files before the first SQE. */
  readonly ringOnly: boolean;
  /** It runs as a ring program does. */
  readonly onRing: boolean;
}

/**
 * Finds how a session with a ring runs: as a ring program where it is one, else on the ring of the ublk stack. That one also runs what it can of
 * sessions on 6.1, with more events than ring programs have. Reports what of a ring only ring programs can have, where a session is none; and a
 * kernel that has nothing but ring programs.
 */
export function checkRing(
  commands: readonly Command[],
  faults: readonly Fault[],
  settings: Settings,
  kernelAt: Span,
  sink: DiagnosticSink,
): RingKind {
  const has = commands.some(ofRing);
  const other = has ? whyBeside(commands, faults) : undefined;
  const ringOnly = has && other === undefined;
  const stack = SIMULATED_KERNELS.includes(settings.kernel);
  if (commands.length > 0 && !ringOnly && !stack)
    sink.error(
      kernelAt,
      `kernel ${quote(settings.kernel)} is simulated for sessions that have only files, pipes and a ring (sqe, submit)${
        other === undefined ? '' : `, and ${other}`
      }; accepted for all: ${SIMULATED_KERNELS.join(', ')}`,
    );
  if (!ringOnly) {
    if (other !== undefined)
      for (const command of commands)
        checkBeside(command, (at, what) =>
          sink.error(at, `${what} is simulated in a session that has only files, pipes and a ring; ${other}`),
        );
    return { ringOnly, onRing: false };
  }
  checkFilled(commands, sink);
  return { ringOnly, onRing: !WHOLE.includes(settings.kernel) || beyond(commands) };
}

/** Whether commands say something that the ring of the ublk stack lacks. */
function beyond(commands: readonly Command[]): boolean {
  let found = false;
  for (const command of commands) {
    checkBeside(command, () => {
      found = true;
    });
    if (found) return true;
  }
  return false;
}

/** Why a session does not run as a ring program; undefined where it does. */
function whyBeside(commands: readonly Command[], faults: readonly Fault[]): string | undefined {
  if (faults.length > 0) return `line ${faults[0]!.line} has a fault`;
  const first = commands.findIndex(runsRing);
  const opened = new Map<string, boolean>();
  const declared = new Set<string>();
  for (const [i, command] of commands.entries()) {
    const { kind, line, background } = command;
    const tool = (): string => command.text.split(/\s/, 1)[0]!;
    if (background) return `line ${line} runs ${tool()} in the background`;
    if (MAKES_FILES.has(kind) && first >= 0 && i > first)
      return `line ${line} has ${tool()} behind the first SQE`;
    if (!RING_KINDS.has(kind) && !MAKES_FILES.has(kind) && kind !== 'sleep')
      return `line ${line} has ${tool()}`;
    if (kind === 'dd' && [command.input, command.output].some((path) => path.startsWith('/dev/ublk')))
      return `line ${line} has a device`;
    if (kind === 'open') {
      opened.set(command.path, command.flags.includes('DIRECT'));
      declared.add(command.path);
    }
    if (kind !== 'sqe') continue;
    for (const file of [command.file, command.fileIn]) {
      if (file === undefined || 'fd' in file || file.end !== undefined) continue;
      const before = opened.get(file.path);
      if (before !== undefined && command.direct && !before)
        return `line ${line} uses ${file.path} with --direct, and others without`;
      if (before === true && !command.direct && !declared.has(file.path))
        return `line ${line} uses ${file.path} without --direct, and others with it`;
      opened.set(file.path, before === true || command.direct);
    }
  }
  return undefined;
}

/** Between two submits no more SQEs fit than the SQ has entries. */
function checkFilled(commands: readonly Command[], sink: DiagnosticSink): void {
  const wanted = commands.find((command) => command.kind === 'ring')?.entries ?? 64;
  let entries = 1;
  while (entries < wanted) entries *= 2;
  let filled = 0;
  for (const command of commands) {
    if (command.kind === 'submit') filled = 0;
    else if (command.kind === 'sqe' && ++filled === entries + 1)
      sink.error(
        command,
        `sqe: the submission queue is full (${entries} entries): submit comes first, or ring --entries`,
      );
  }
}

/** Warns of SQEs that are filled and that no submit gives to the kernel. */
export function warnLeft(commands: readonly Command[], sink: DiagnosticSink): void {
  const polled = commands.some((command) => command.kind === 'ring' && command.setup.includes('SQPOLL'));
  let left: SqeCommand[] = [];
  for (const command of commands) {
    if (command.kind === 'sqe') left.push(command);
    // a thread that polls the SQ takes whatever is there
    if (command.kind === 'submit') left = polled ? [] : left.slice(command.toSubmit ?? left.length);
  }
  for (const command of left)
    sink.warning(command, 'sqe: no submit gives this SQE to the kernel: it has no effect');
}

/** Reports what the ring of the ublk stack lacks. */
function checkBeside(command: Command, refuse: (at: Span, what: string) => void): void {
  switch (command.kind) {
    case 'ring':
    case 'open':
    case 'buffer':
    case 'reap':
    case 'close':
      refuse(command, command.kind);
      break;
    case 'submit':
      if (command.toSubmit !== undefined) refuse(command.at['to-submit']!, 'submit --to-submit');
      if (command.keep) refuse(command.at.keep!, 'submit --keep');
      break;
    case 'sqe':
      checkSqe(command, refuse);
      break;
    default:
  }
}

function checkSqe(command: SqeCommand, refuse: (at: Span, what: string) => void): void {
  const { op, opcode, at, file, fileIn, range, bits, raw } = command;
  if (op === undefined ? opcode < FIRST_UNKNOWN : !BESIDE_UBLK.has(op)) {
    refuse(at.op!, `sqe: ${op ?? `opcode ${opcode}`}`);
    return;
  }
  for (const name of Object.keys(raw)) refuse(at[name.replaceAll('_', '-')]!, `sqe: ${name}`);
  if ((command.flags & FIXED_FILE) !== 0 || at.flags) refuse(at.flags ?? at['fixed-file']!, 'sqe: this flag');
  const splice = opcode === IORING_OP.SPLICE;
  for (const [each, end, place] of [
    [file, 'w', at.file],
    [fileIn, 'r', at.fileIn],
  ] as const) {
    if (each === undefined || 'fd' in each) continue;
    if (each.path.startsWith('/dev/')) refuse(place!, `sqe: ${each.path}`);
    else if (each.end !== undefined && (!splice || each.end !== end)) refuse(place!, `sqe: ${op} of a pipe`);
  }
  if (range !== undefined && (!/^\d+$/.test(range.buffer) || range.offset > 0))
    refuse(at.buffer!, `sqe: buffer ${range.buffer}`);
  if (op === 'FSYNC' && (at['[OFFSET]'] ?? at['[LENGTH]']))
    refuse((at['[OFFSET]'] ?? at['[LENGTH]'])!, 'sqe: FSYNC of a range');
  for (const [value, place] of [
    [command.off, at.off ?? at.OFFSET],
    [command.offIn, at.offIn],
  ] as const) {
    const pipe = splice && value === NO_OFFSET;
    if (value !== undefined && place !== undefined && !pipe && value > BigInt(Number.MAX_SAFE_INTEGER))
      refuse(place, 'sqe: this offset');
  }
  if (command.len !== undefined && command.len > BigInt(RING_BUFFER))
    refuse(at.len!, `sqe: a length beyond ${RING_BUFFER}`);
  const allowed: Readonly<Record<string, number>> = {
    rw_flags: 2,
    fsync_flags: 1,
    mode: 1 | 2 | 16,
    splice_flags: 2,
  };
  for (const [field, value] of Object.entries(bits)) {
    if ((value & ~(allowed[field] ?? 0)) !== 0)
      refuse(at[field.replaceAll('_', '-')] ?? at.op!, `sqe: such ${field}`);
  }
}
