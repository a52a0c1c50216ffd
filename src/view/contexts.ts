import type { RequestTable } from '../trace/requests';
import type { Sliced } from '../trace/slices';
import type { Trace } from '../trace/trace';
import { CONTEXT_KINDS, type ContextKind } from '../webview/protocol_data';
import { serverData, type Translate } from './machine_names';

const CLIENT = 1;
const DAEMON = 2;

/** The lanes of a trace: one per task, and one per CPU for what runs in interrupts there. */
export interface Lanes {
  /** In the order in which they are drawn. */
  readonly all: readonly { readonly kind: ContextKind; readonly name: string }[];
  /** Lane of an event. */
  readonly of: (event: number) => number;
}

/**
 * Letters of the third flags column for code that runs in a hard or soft interrupt. An NMI (z, Z) is none: that is how a function
 * probe that traps looks, whatever it interrupts.
 */
const INTERRUPT = /^..[hHsS]/;

/** Finds the lanes and what each task is: by its name where the kernel gives it, else by what its events tell. */
export function* findLanes(trace: Trace, requests: RequestTable, t: Translate, slice: number): Sliced<Lanes> {
  const { length, shapes } = trace;
  const evidence = new Uint8Array(shapes.size);
  const ofRing = new Uint8Array(shapes.size);
  for (let id = 0; id < shapes.size; id++) {
    const { name, spec } = shapes.get(id);
    const contexts = spec?.contexts ?? [];
    if (spec?.system === 'ublk' && contexts.every((c) => c === 'daemon' || c === 'task-work'))
      evidence[id] = DAEMON;
    else if (/^(app_io_submit|block_bio_queue|block_getrq|fuse_request_send)$/.test(name))
      evidence[id] = CLIENT;
    if (spec?.system === 'io_uring') ofRing[id] = 1;
  }
  const tasks = trace.taskCount;
  const seen = new Uint8Array(tasks);
  const idle = new Uint8Array(tasks);
  for (let id = 0; id < tasks; id++) if (isIdle(trace.taskOf(id).comm, trace.taskOf(id).pid)) idle[id] = 1;
  const served = new ServedRings(trace);
  const irqFlags = new Map<number, boolean>();
  const interrupts = (i: number): boolean => {
    if (idle[trace.task[i]] === 1) return true;
    const known = irqFlags.get(trace.flags[i]);
    if (known !== undefined) return known;
    const is = INTERRUPT.test(trace.flagsText(i));
    irqFlags.set(trace.flags[i], is);
    return is;
  };
  const firstOf = new Int32Array(tasks).fill(-1);
  const firstOn = new Map<number, number>();
  for (let i = 0; i < length; i++) {
    if (i % slice === slice - 1) yield i / length;
    const id = trace.shape[i];
    if (interrupts(i)) {
      if (!firstOn.has(trace.cpu[i])) firstOn.set(trace.cpu[i], i);
      continue;
    }
    const task = trace.task[i];
    if (task >= tasks) continue;
    if (firstOf[task] < 0) firstOf[task] = i;
    seen[task] |= evidence[id];
    if (ofRing[id] === 1) served.event(i, task);
    if (ofRing[id] === 1 && requests.requestOf(i) >= 0) seen[task] |= DAEMON;
  }
  let serves = false;
  for (let r = 0; r < requests.length && !serves; r++) serves = !requests.isSqe(r);
  if (serves) for (const task of served.tasks()) seen[task] |= DAEMON;
  return arrange(trace, firstOf, firstOn, seen, interrupts, t);
}

/**
 * Rings of servers: commands of ublk's I/O are submitted to them, as their user_data tells; or, for servers with user_data of their
 * own, commands to a driver lie parked in them, several at once, while those that control devices come one by one. A server that
 * got no request while it was recorded is known by this only.
 */
class ServedRings {
  private readonly parked = new Map<number, Set<number>>();
  private readonly rings = new Set<number>();
  private readonly users = new Map<number, Set<number>>();

  constructor(private readonly trace: Trace) {}

  /** Takes an event of io_uring. */
  event(i: number, task: number): void {
    const { trace } = this;
    const { name, fields } = trace.shapeOf(i);
    const [ring, req] = [fields.get('ring'), fields.get('req')];
    if (ring === undefined) return;
    const key = trace.word(i, ring);
    if (name === 'io_uring_complete' && req !== undefined) this.parked.get(key)?.delete(trace.word(i, req));
    const submits = name === 'io_uring_submit_sqe' || name === 'io_uring_submit_req';
    if (!submits && name !== 'io_uring_cqring_wait') return;
    const users = this.users.get(key) ?? new Set();
    this.users.set(key, users.add(task));
    if (!submits || req === undefined || !/^(URING_CMD|46|0x2e)/.test(trace.str(i, 'opcode') ?? '')) return;
    const userData = trace.big(i, 'user_data');
    if (userData !== undefined && (serverData(userData)?.command ?? '') !== '') this.rings.add(key);
    const parked = this.parked.get(key) ?? new Set();
    this.parked.set(key, parked.add(trace.word(i, req)));
    if (parked.size > 1) this.rings.add(key);
  }

  /** Tasks that submit to these rings or wait for them. */
  *tasks(): Generator<number> {
    for (const ring of this.rings) yield* this.users.get(ring) ?? [];
  }
}

function arrange(
  trace: Trace,
  firstOf: Int32Array,
  firstOn: ReadonlyMap<number, number>,
  seen: Uint8Array,
  interrupts: (i: number) => boolean,
  t: Translate,
): Lanes {
  const found: { kind: ContextKind; name: string; first: number; task: number; cpu: number }[] = [];
  for (let task = 0; task < firstOf.length; task++) {
    if (firstOf[task] < 0) continue;
    const { comm, pid } = trace.taskOf(task);
    const kind = kindOf(comm, seen[task]);
    found.push({ kind, name: `${comm}-${pid}`, first: firstOf[task], task, cpu: -1 });
  }
  for (const [cpu, first] of firstOn) {
    found.push({ kind: 'interrupt', name: t('CPU {0}', cpu), first: Math.min(first, cpu), task: -1, cpu });
  }
  const place = ({ kind }: { kind: ContextKind }): number => CONTEXT_KINDS.indexOf(kind);
  found.sort((a, b) => place(a) - place(b) || (a.cpu >= 0 ? a.cpu - b.cpu : a.first - b.first));
  // a task beyond the table of tasks has the last lane
  const ofTask = new Uint32Array(0x10000).fill(Math.max(0, found.length - 1));
  const ofCpu = new Map<number, number>();
  for (const [lane, { task, cpu }] of found.entries()) {
    if (cpu >= 0) ofCpu.set(cpu, lane);
    else ofTask[task] = lane;
  }
  return {
    all: found.map(({ kind, name }) => ({ kind, name })),
    of: (i) => (interrupts(i) ? (ofCpu.get(trace.cpu[i]) ?? 0) : ofTask[trace.task[i]]),
  };
}

function isIdle(comm: string, pid: number): boolean {
  return (pid === 0 && comm === '<idle>') || /^(swapper|ksoftirqd)\/\d+$/.test(comm);
}

function kindOf(comm: string, seen: number): ContextKind {
  if (/^iou-(wrk|sqp)-/.test(comm)) return 'io-wq';
  if (comm.startsWith('kworker/')) return 'kworker';
  if ((seen & DAEMON) !== 0) return 'daemon';
  return (seen & CLIENT) !== 0 ? 'client' : 'other';
}
