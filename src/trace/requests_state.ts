import { IntMap } from './int_map';
import { BlockStore } from './requests_block';
import { FIELDS, ShapePlans } from './requests_kinds';
import { LifeStore, SqeStore } from './requests_sqe';
import type { Trace } from './trace';
import type { WideTable } from './wide';

/** Kinds of record that an event can belong to; a code is `id * 4 + kind`, -1 is none. */
export const OWNER = { block: 0, life: 1, fuse: 2, sqe: 3 } as const;

/** A block device of the trace and what speaks for and against its being served by ublk. */
export interface Device {
  readonly major: number;
  readonly minor: number;
  /** Starts that a probe of the driver announced. */
  probes: number;
  /** Requests of others that ended inside a COMMIT. */
  commits: number;
  /** I/O that a server issued to it. */
  served: number;
  /** Request that completed last, for its trailing completion of length 0. */
  last: number;
}

/** A ring, from its creation or first event on. */
export interface Ring {
  /** Queue id that user_data or a probe tells; -1 while unknown. */
  qid: number;
  /** Index into {@link MatchState.queues}, -1 while unknown. */
  queue: number;
  /** Thread that uses it. */
  pid: number;
  first: number;
  last: number;
  server: boolean;
}

/** A hardware queue that probes name. */
export interface Queue {
  readonly device: number;
  readonly qid: number;
}

/** What each task is doing, in columns by task id. */
export class TaskColumns {
  readonly sqe: Int32Array;
  readonly owner: Int32Array;
  readonly commit: Int32Array;
  readonly bio: Int32Array;
  readonly split: Int32Array;
  readonly callback: Int32Array;
  readonly starting: Int32Array;
  readonly startTag: Int32Array;
  readonly startQid: Int32Array;
  readonly startEvent: Int32Array;
  readonly queue: Int32Array;
  readonly command: Int32Array;
  readonly work: Int32Array;
  readonly worker: Uint8Array;
  /** 1 while the work of a worker is known from an event that names it. */
  readonly named: Uint8Array;
  /** Sector behind a worker's last bio. */
  readonly bioEnd: Float64Array;
  readonly pid: Int32Array;
  readonly waiting: (number[] | undefined)[] = [];
  readonly inline: (number[] | undefined)[] = [];

  constructor(trace: Trace) {
    const n = trace.taskCount + 1;
    const column = (): Int32Array => new Int32Array(n).fill(-1);
    this.sqe = column();
    this.owner = column();
    this.commit = column();
    this.bio = column();
    this.split = column();
    this.callback = column();
    this.starting = column();
    this.startTag = column();
    this.startQid = column();
    this.startEvent = column();
    this.queue = column();
    this.command = column();
    this.work = column();
    this.worker = new Uint8Array(n);
    this.named = new Uint8Array(n);
    this.bioEnd = new Float64Array(n).fill(-1);
    this.pid = column();
    for (let t = 0; t < n - 1; t++) {
      const task = trace.taskOf(t);
      const match = /^iou-(?:wrk|sqp)-(\d+)$/.exec(task.comm);
      this.worker[t] = match?.[0].startsWith('iou-wrk') ? 1 : 0;
      this.pid[t] = match ? Number(match[1]) : task.pid;
    }
  }
}

/** Everything that the parts of the matcher share. */
export class MatchState {
  readonly blocks = new BlockStore();
  readonly sqes = new SqeStore();
  readonly lives = new LifeStore();
  readonly plans: ShapePlans;
  readonly tasks: TaskColumns;
  readonly wide: WideTable;
  readonly owner: Int32Array;
  readonly devices: Device[] = [];
  readonly rings: Ring[] = [];
  readonly queues: Queue[] = [];
  /** Life that a slot (ring, tag) had last, and block request that a slot (queue, tag) had last. */
  readonly slotLife = new IntMap();
  readonly slotBlock = new IntMap();
  /** Requests whose tag is known but not their queue. */
  readonly floating: number[] = [];
  /** Commands that the driver refused, by life. */
  readonly refused = new Map<number, number[]>();
  batch = false;
  private readonly ringIds = new IntMap();
  private readonly deviceIds = new Map<number, number>();
  private readonly queueIds = new Map<number, number>();
  private lastDevice = -1;

  constructor(readonly trace: Trace) {
    this.plans = new ShapePlans(trace);
    this.tasks = new TaskColumns(trace);
    this.wide = trace.wide;
    this.owner = new Int32Array(trace.length).fill(-1);
  }

  /** Raw word of the k-th planned field of an event; 0 where the event has none. */
  word(e: number, k: number): number {
    const field = this.plans.field[this.trace.shape[e] * FIELDS + k];
    return field < 0 ? 0 : this.trace.words[this.trace.at[e] + field];
  }

  /** The same as a number. */
  num(e: number, k: number): number {
    const word = this.word(e, k);
    return word < 0x80000000 ? word : this.wide.number(word);
  }

  /** Whether the k-th planned field exists. */
  has(e: number, k: number): boolean {
    return this.plans.field[this.trace.shape[e] * FIELDS + k] >= 0;
  }

  device(major: number, minor: number): number {
    const known = this.lastDevice >= 0 ? this.devices[this.lastDevice] : undefined;
    if (known && known.major === major && known.minor === minor) return this.lastDevice;
    const key = major * 0x100000 + minor;
    let id = this.deviceIds.get(key);
    if (id === undefined) {
      id = this.devices.length;
      this.devices.push({ major, minor, probes: 0, commits: 0, served: 0, last: -1 });
      this.deviceIds.set(key, id);
    }
    this.lastDevice = id;
    return id;
  }

  queue(device: number, qid: number): number {
    const key = device * 0x10000 + qid;
    let id = this.queueIds.get(key);
    if (id === undefined) {
      id = this.queues.length;
      this.queues.push({ device, qid });
      this.queueIds.set(key, id);
    }
    return id;
  }

  ring(word: number, e: number): number {
    let id = this.ringIds.get(word);
    if (id < 0) id = this.newRing(word, e);
    return id;
  }

  /** A ring that begins now, perhaps with the pointer of one that is gone. */
  newRing(word: number, e: number): number {
    const id = this.rings.length;
    this.rings.push({
      qid: -1,
      queue: -1,
      pid: this.tasks.pid[this.trace.task[e]],
      first: e,
      last: e,
      server: false,
    });
    this.ringIds.set(word, id);
    return id;
  }

  /** Gives a request its place in a queue. */
  assign(b: number, device: number, qid: number, tag: number): void {
    this.blocks.tag[b] = tag;
    this.blocks.qid[b] = qid;
    if (qid < 0) this.floating.push(b);
    else this.slotBlock.set((this.queue(device, qid) << 16) | tag, b);
  }

  /** The request that has (or had last) a tag, as a probe in a task names it; qid -1 where it does not say. */
  blockOf(qid: number, tag: number, task: number): number {
    const { blocks } = this;
    if (qid < 0) {
      const owner = this.tasks.owner[task];
      if (owner >= 0 && (owner & 3) === OWNER.block && blocks.tag[owner >> 2] === tag) return owner >> 2;
      const queue = this.tasks.queue[task];
      if (queue >= 0) return this.slotBlock.get((queue << 16) | tag);
    }
    let best = -1;
    for (let id = 0; id < this.queues.length; id++) {
      if (qid >= 0 && this.queues[id].qid !== qid) continue;
      const b = this.slotBlock.get((id << 16) | tag);
      if (b >= 0 && (best < 0 || (blocks.live(b) && (!blocks.live(best) || b < best)))) best = b;
    }
    const loose = this.floating.length > 0 ? this.settle(qid, tag) : -1;
    return loose >= 0 ? loose : best;
  }

  /** Joins a request and the life that served it. */
  bind(b: number, life: number): void {
    this.blocks.life[b] = life;
    this.lives.request[life] = b;
  }

  /** A request whose queue was unknown so far, now named by a probe with queue and tag. */
  private settle(qid: number, tag: number): number {
    if (qid < 0) return -1;
    const { floating, blocks } = this;
    let found = -1;
    for (let i = 0; i < floating.length; i++) {
      const b = floating[i];
      if (blocks.tag[b] !== tag) continue;
      const served = this.cpuQueue.get(blocks.cpu[b]);
      if (served !== undefined && served !== qid) continue;
      found = i;
      break;
    }
    if (found < 0) return -1;
    const [b] = floating.splice(found, 1);
    blocks.qid[b] = qid;
    this.cpuQueue.set(blocks.cpu[b], qid);
    this.slotBlock.set((this.queue(blocks.dev[b], qid) << 16) | tag, b);
    return b;
  }

  /** Queue that requests of a CPU go to, as learned. */
  private readonly cpuQueue = new Map<number, number>();
}
