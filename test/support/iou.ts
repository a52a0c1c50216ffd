/** Recorded io_uring programs (k*-iou-*) as ring programs with what the kernel did. */
import { IORING_OP, opcodeName } from '../../src/uapi/io_uring_ops';
import type { Trace } from '../../src/trace/trace';
import { loadRecording, parseTrace } from './oracle';

/** Kernels with such recordings. */
const IOU_KERNELS = ['6.1', '6.18', '7.3'] as const;

/** Files by descriptor. */
type ProgramFd = Readonly<Record<string, Readonly<Record<string, object>>>>;

/** Descriptors of a scenario's files, as the recording program opened them: neither SQEs nor tracepoints tell. */
const FILES: Readonly<Record<string, ProgramFd>> = {
  async: { 4: { a: { kind: 'file', size: 65536 } } },
  cq_overflow: {},
  cqe_skip: { 4: { a: { kind: 'file', size: 65536 } }, 5: { b: { kind: 'file', size: 65536 } } },
  direct_parallel: { 4: { a: { kind: 'file', size: 1048576, open: ['DIRECT'] } } },
  drain: { 4: { a: { kind: 'file', size: 65536 } }, 5: { p: { kind: 'pipe' } } },
  fixed_buf_file: {
    4: { a: { kind: 'file', size: 65536, fixed: true, open: ['DIRECT'] } },
    5: { b: { kind: 'file', size: 65536, fixed: true, open: ['DIRECT'] } },
  },
  hardlink_short_read: { 4: { s: { kind: 'file', size: 6000 } }, 5: { b: { kind: 'file', size: 65536 } } },
  link_error: { 4: { b: { kind: 'file', size: 65536 } } },
  link_prep_error: {},
  link_rwf: { 4: { a: { kind: 'file', size: 65536 } }, 5: { b: { kind: 'file', size: 65536 } } },
  link_short_read: { 4: { s: { kind: 'file', size: 6000 } }, 5: { b: { kind: 'file', size: 65536 } } },
  link_timeout_fires: { 4: { p: { kind: 'pipe' } } },
  splice: {
    4: { a: { kind: 'file', size: 65536 } },
    5: { o: { kind: 'file', size: 0 } },
    6: { p: { kind: 'pipe' } },
  },
  splice_short: {
    4: { s: { kind: 'file', size: 6000 } },
    5: { o: { kind: 'file', size: 0 } },
    6: { p: { kind: 'pipe' } },
  },
  splice_unlinked: {
    4: { a: { kind: 'file', size: 65536 } },
    5: { o: { kind: 'file', size: 0 } },
    6: { p: { kind: 'pipe' } },
  },
};
/** Time of the LINK_TIMEOUT, which the SQE has a pointer to. */
const LINK_TIMEOUT_NS = 50_000_000;
const BUFFER = 65536;
const NO_OFFSET = 18446744073709551615n;

interface RecordedSqe {
  readonly opcode: number;
  readonly flags: number;
  readonly fd: number;
  readonly off: number;
  readonly addr: string;
  readonly len: number;
  readonly op_flags: number;
  readonly user_data: number;
  readonly buf_index: number;
  readonly splice_fd_in: number;
}

interface RecordedStep {
  readonly type: 'submit' | 'reap' | 'observe';
  readonly wait_nr?: number;
  readonly ret?: number;
  readonly sqes?: readonly RecordedSqe[];
  readonly cqes?: readonly { user_data?: number; res?: number; flags?: number; no_cqe_errno?: number }[];
  readonly pipe_written?: number;
  readonly sq_cq_overflow_flag?: number;
}

interface RecordedRun {
  readonly ring: { sq_entries: number; cq_entries: number; setup_flags: string };
  readonly description: string;
  readonly steps: readonly RecordedStep[];
}

/** One event, and whether the submitting task or a worker was in it. */
interface IouEvent {
  readonly task: string;
  readonly event: string;
  readonly [field: string]: string | number | null;
}

/** Text of the fixture of a program, and of what a kernel did with it. */
export function iouFixtures(name: string): Readonly<Record<string, string>> {
  const recorded = IOU_KERNELS.map((kernel) => loadIou(kernel, name));
  const texts: Record<string, string> = { [`${name}.json`]: programText(recorded[0]!.program) };
  for (const { kernel, program, steps, events, submitterOnly } of recorded) {
    if (programText(program) !== texts[`${name}.json`])
      throw new Error(`${name} is another program on ${kernel}`);
    texts[`${name}.${kernel}.expect.json`] =
      `${JSON.stringify({ program: `iou-${name}`, kernel, submitter_only: submitterOnly }).slice(0, -1)},
 "outcomes": [{"count": 1, "steps": ${JSON.stringify(steps)}}],
 "events": [
  ${events.map((event) => JSON.stringify(event)).join(',\n  ')}
 ]}
`;
  }
  return texts;
}

function programText(program: object): string {
  const lines = Object.entries(program).map(([key, value]) =>
    key === 'steps'
      ? `"steps": [\n  ${(value as object[]).map((step) => JSON.stringify(step)).join(',\n  ')}\n ]`
      : `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
  );
  return `{${lines.join(',\n ')}}\n`;
}

/** A recorded program. */
interface Iou {
  readonly name: string;
  readonly kernel: string;
  /** As a ring program. */
  readonly program: object;
  /** CQEs of each reap step, in order, and the return value of each submit step. */
  readonly steps: readonly object[];
  readonly events: readonly IouEvent[];
  /** Events of workers were not recorded. */
  readonly submitterOnly: boolean;
}

/** Names of the recorded programs. */
export const IOU_NAMES: readonly string[] = Object.keys(FILES);

/** Reads a recording. */
function loadIou(kernel: string, name: string): Iou {
  const patient = new Set(IOU_KERNELS.flatMap((each) => waitsInVain(`k${each}-iou-${name}`)));
  const recording = loadRecording(`k${kernel}-iou-${name}`);
  const run = recording.run as RecordedRun;
  const { trace } = parseTrace(recording.text);
  const opcodes = new Map(
    run.steps.flatMap(({ sqes = [] }) =>
      sqes.map((sqe) => [`${sqe.user_data}`, opcodeName(sqe.opcode, 63)] as const),
    ),
  );
  return {
    name,
    kernel,
    program: programOf(name, run, trace, patient),
    steps: outcomeSteps(run),
    events: eventsOf(trace, opcodes),
    submitterOnly: !recording.text.includes('iou-wrk-'),
  };
}

/** Steps as an outcome tells them; CQ_OVERFLOW was looked at after some of the calls, and stays set until CQEs are taken. */
function outcomeSteps({ steps }: RecordedRun): object[] {
  const told: object[] = [];
  let overflow = false;
  steps.forEach((step, i) => {
    if (step.type === 'submit') {
      const next = steps
        .slice(i + 1, i + 4)
        .find(({ sq_cq_overflow_flag }) => sq_cq_overflow_flag !== undefined);
      overflow ||= next?.sq_cq_overflow_flag === 1;
      told.push({ submitted: step.ret, ...(overflow ? { overflow } : {}) });
    } else if (step.type === 'reap') {
      overflow = false;
      const cqes = (step.cqes ?? []).filter(({ no_cqe_errno }) => no_cqe_errno === undefined);
      told.push({
        cqes: cqes.map(({ user_data, res, flags }) => ({ user_data: `${user_data}`, res, flags })),
      });
    } else if (step.pipe_written !== undefined) told.push({});
  });
  return told;
}

/** Steps at which the recording waited for one more CQE than came. */
function waitsInVain(recording: string): number[] {
  const { steps } = loadRecording(recording).run as RecordedRun;
  return steps.flatMap(({ cqes = [] }, i) => (cqes.some((cqe) => cqe.no_cqe_errno !== undefined) ? [i] : []));
}

function programOf(name: string, run: RecordedRun, trace: Trace, patient: ReadonlySet<number>): object {
  const files = FILES[name]!;
  const calls = enterFlags(trace);
  const buffers = buffersOf(run);
  const steps: object[] = [];
  let submits = 0;
  run.steps.forEach((step, i) => {
    if (step.type === 'submit') {
      const sqes = (step.sqes ?? []).map((sqe) => sqeOf(sqe, files, buffers));
      const getEvents = ((calls[submits++] ?? 0) & 1) !== 0;
      steps.push({ submit: sqes, ...(getEvents ? { wait: step.wait_nr } : {}) });
    } else if (step.type === 'reap') {
      steps.push({ reap: patient.has(i) ? 'all' : (step.cqes ?? []).length });
    } else if (step.pipe_written !== undefined) steps.push({ close: 'p.w' });
  });
  return {
    name: `iou-${name}`,
    description: run.description,
    ring: {
      entries: run.ring.sq_entries,
      ...(run.ring.cq_entries === 2 * run.ring.sq_entries ? {} : { cq_entries: run.ring.cq_entries }),
    },
    files: Object.assign({}, ...Object.values(files)) as object,
    buffers: Object.fromEntries(
      [...buffers.values()].flatMap(({ name: buffer, fixed }) => [
        [buffer, { size: BUFFER, ...(fixed ? { fixed } : {}) }],
        // The program registered two buffers, of which only the first is read into.
        ...(fixed ? [[`${buffer}_2`, { size: BUFFER, fixed }]] : []),
      ]),
    ),
    steps,
  };
}

/** flags of every io_uring_enter call that submits. */
function enterFlags(trace: Trace): number[] {
  const flags: number[] = [];
  for (let e = 0; e < trace.length; e++)
    if (trace.nameOf(e) === 'sys_enter_io_uring_enter' && trace.num(e, 'to_submit') !== 0)
      flags.push(trace.num(e, 'flags') ?? 0);
  return flags;
}

interface NamedBuffer {
  readonly name: string;
  readonly fixed: boolean;
}

/** A buffer for each address; the one that READ_FIXED with index 0 names is registered. */
function buffersOf({ steps }: RecordedRun): Map<string, NamedBuffer> {
  const found = new Map<string, NamedBuffer>();
  for (const sqe of steps.flatMap(({ sqes = [] }) => sqes)) {
    const used = opcodeName(sqe.opcode, 63).match(/^(READ|WRITE)(_FIXED)?$/);
    if (!used || found.has(sqe.addr)) continue;
    found.set(sqe.addr, { name: `b${found.size}`, fixed: used[2] !== undefined && sqe.buf_index === 0 });
  }
  return found;
}

const FLAGS = [
  'FIXED_FILE',
  'IO_DRAIN',
  'IO_LINK',
  'IO_HARDLINK',
  'ASYNC',
  'BUFFER_SELECT',
  'CQE_SKIP_SUCCESS',
];

function sqeOf(sqe: RecordedSqe, files: ProgramFd, buffers: ReadonlyMap<string, NamedBuffer>): object {
  const flags = FLAGS.filter((_, i) => (sqe.flags & (1 << i)) !== 0);
  const common = { user_data: `${sqe.user_data}`, ...(flags.length > 0 ? { flags } : {}) };
  const fileOf = (fd: number): string | undefined => {
    const named = Object.keys(files[fd] ?? {})[0];
    if (named !== undefined && named !== 'p') return named;
    if (named === 'p') return 'p.r';
    return Object.hasOwn(files[fd - 1] ?? {}, 'p') ? 'p.w' : undefined;
  };
  const target = (): object => {
    if ((sqe.flags & 1) === 0) {
      const file = fileOf(sqe.fd);
      return file === undefined ? { fd: sqe.fd } : { file };
    }
    const file = Object.values(files).flatMap(Object.keys)[sqe.fd];
    return file === undefined ? { fd: sqe.fd } : { file };
  };
  const offset = (value: number | string): number =>
    BigInt(value) >= NO_OFFSET - 1023n ? -1 : Number(value);
  switch (sqe.opcode) {
    case IORING_OP.NOP:
      return { op: 'NOP', ...common };
    case IORING_OP.READ:
    case IORING_OP.WRITE:
    case IORING_OP.READ_FIXED:
    case IORING_OP.WRITE_FIXED:
      return {
        op: opcodeName(sqe.opcode, 63),
        ...common,
        ...target(),
        off: offset(sqe.off),
        buf: buffers.get(sqe.addr)!.name,
        len: sqe.len,
        ...(sqe.buf_index === 0 ? {} : { buf_index: sqe.buf_index }),
      };
    case IORING_OP.FSYNC:
      return {
        op: 'FSYNC',
        ...common,
        ...target(),
        ...(sqe.op_flags === 1 ? { fsync_flags: ['DATASYNC'] } : {}),
      };
    case IORING_OP.SPLICE:
      return {
        op: 'SPLICE',
        ...common,
        ...target(),
        off: offset(sqe.off),
        file_in: fileOf(sqe.splice_fd_in),
        off_in: offset(sqe.addr),
        len: sqe.len,
      };
    case IORING_OP.LINK_TIMEOUT:
      return { op: 'LINK_TIMEOUT', ...common, ns: LINK_TIMEOUT_NS };
    default:
      return { op: sqe.opcode, ...common };
  }
}

const EVENTS =
  /^io_uring_(submit_sqe|submit_req|link|file_get|complete|queue_async_work|defer|cqe_overflow|req_failed|poll_arm|fail_link)$/;

/** Events in the form of the ring program format, with the task that each was in. */
function eventsOf(trace: Trace, opcodes: ReadonlyMap<string, string>): IouEvent[] {
  const names = new Map<bigint, string>();
  const workers = new Map<number, string>();
  const events: IouEvent[] = [];
  for (let e = 0; e < trace.length; e++) {
    const full = trace.nameOf(e);
    if (!EVENTS.test(full)) continue;
    const event = full.replace('io_uring_', '').replace('submit_sqe', 'submit_req');
    const req = trace.big(e, 'req') ?? 0n;
    const told = trace.big(e, 'user_data');
    if (event === 'submit_req') names.set(req, `${told}`);
    const user_data = told === undefined ? (names.get(req) ?? '') : `${told}`;
    const { comm, pid } = trace.taskOf(trace.task[e]);
    if (comm.startsWith('iou-wrk') && !workers.has(pid)) workers.set(pid, `worker ${workers.size + 1}`);
    const task = workers.get(pid) ?? 'app';
    const fields: Record<string, string | number | null> = {};
    if (/submit_req|queue_async_work|defer|req_failed|poll_arm|fail_link/.test(event))
      fields.opcode = trace.str(e, 'opcode') || (opcodes.get(user_data) ?? '');
    if (event === 'link') fields.after = names.get(trace.big(e, 'target') ?? 0n) ?? null;
    if (event === 'fail_link') fields.link = names.get(trace.big(e, 'link') ?? 0n) ?? null;
    if (event === 'queue_async_work') fields.queue = trace.str(e, 'queue') ?? '';
    if (event === 'complete') fields.result = trace.num(e, 'result') ?? 0;
    if (event === 'req_failed') fields.error = trace.num(e, 'error') ?? 0;
    if (event === 'cqe_overflow') fields.res = trace.num(e, 'res') ?? 0;
    events.push({ task, event, user_data, ...fields });
  }
  return events;
}
