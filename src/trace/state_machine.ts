import type { Shape } from './shapes';
import { emptyWork, newDevice, newDisk, newReq, newRing, newSlot, newTask } from './state_new';
import {
  type Device,
  type Disk,
  type Page,
  type Pipe,
  type Req,
  type Ring,
  type Slot,
  type TaskWork,
  UNKNOWN,
  type Work,
} from './state_work';
import type { Trace } from './trace';

/** Applies one event: its number and the place of its first word. */
export type Handler = (event: number, at: number) => void;

/** Index of a field in the event's words, or -1: `num` for numbers, `text` for interned strings. */
export interface Fields {
  num(name: string): number;
  text(name: string): number;
  readonly shape: Shape;
}

/** How one event changes the state. Without all of `needs` (text fields end in `:s`) the event changes nothing. */
export interface Rule {
  readonly needs: readonly string[];
  bind(m: Machine, f: Fields): Handler;
}

/** Rules by event name. */
export type Rules = Readonly<Record<string, Rule>>;

const INLINE = 0x80000000;
const MAX_PAGES = 4096;
/** Queues of a device and tags of a queue that slots are kept for. The driver has at most 4096 of each; a tag is a 16-bit number. */
const MAX_QUEUES = 4096;
const MAX_TAGS = 0x10000;

/** The working state and the ways to reach its entities for change (each copies an entity that a snapshot shares). */
export class Machine {
  w: Work = emptyWork(1);
  words: Uint32Array;
  private readonly workerOf: number[] = [];

  constructor(
    readonly trace: Trace,
    /** The trace has the facts of user space that only the simulator records. */
    readonly simulated: boolean,
    /** The trace has the probe on commands, so that user_data need not be interpreted. */
    readonly probed: boolean,
  ) {
    this.words = trace.words;
  }

  /** The number behind a word. */
  num(word: number): number {
    return word < INLINE ? word : this.trace.wide.number(word);
  }

  /** Number of an optional field; UNKNOWN where the form has none. */
  opt(at: number, k: number): number {
    return k < 0 ? UNKNOWN : this.num(this.words[at + k]);
  }

  ring(ptr: number): Ring {
    const { w } = this;
    const known = w.rings.get(ptr);
    if (known !== undefined && known.epoch === w.epoch) return known;
    const ring =
      known === undefined
        ? newRing(w.epoch, w.ringCount++, ptr, -1)
        : {
            ...known,
            epoch: w.epoch,
            sqes: known.sqes.slice(),
            cqes: known.cqes.slice(),
            reqs: new Map(known.reqs),
          };
    w.rings.set(ptr, ring);
    return ring;
  }

  /** A ring for change only if it is known. */
  knownRing(ptr: number): Ring | undefined {
    return this.w.rings.has(ptr) ? this.ring(ptr) : undefined;
  }

  req(ring: Ring, ptr: number): Req | undefined {
    const known = ring.reqs.get(ptr);
    if (known === undefined || known.epoch === this.w.epoch) return known;
    const req = { ...known, epoch: this.w.epoch };
    ring.reqs.set(ptr, req);
    return req;
  }

  /** The request, entered as one that began before the trace when it is new. */
  metReq(ring: Ring, ptr: number, userData: number, opcode: number): Req {
    const known = this.req(ring, ptr);
    if (known !== undefined) return known;
    const req = newReq(this.w.epoch, ptr, ring.ptr, userData, opcode, -1);
    ring.reqs.set(ptr, req);
    return req;
  }

  task(id: number): TaskWork {
    const { w } = this;
    const known = w.tasks[id];
    if (known !== undefined && known.epoch === w.epoch) return known;
    const task = known === undefined ? newTask(w.epoch) : { ...known, epoch: w.epoch };
    while (w.tasks.length < id) w.tasks.push(undefined);
    w.tasks[id] = task;
    return task;
  }

  device(index: number): Device {
    const { w } = this;
    const known = w.devices[index];
    if (known !== undefined && known.epoch === w.epoch) return known;
    const device =
      known === undefined
        ? newDevice(w.epoch, index)
        : { ...known, epoch: w.epoch, queues: known.queues.slice() };
    w.devices[index] = device;
    return device;
  }

  /** Index of the device with this id, entering it when new. A device known without id is taken to be the first one named. */
  deviceOfId(id: number): number {
    const known = this.w.deviceById.get(id);
    if (known !== undefined) return known;
    const { devices } = this.w;
    let index = devices.findIndex((device) => device.id === UNKNOWN);
    if (index < 0) index = devices.length;
    this.device(index).id = id;
    this.w.deviceById.set(id, index);
    return index;
  }

  /** The slot of (device, queue, tag); undefined for numbers that no driver uses, and for an unknown device (-1). */
  slot(device: number, qid: number, tag: number): Slot | undefined {
    if (!(device >= 0 && qid >= 0 && qid < MAX_QUEUES && tag >= 0 && tag < MAX_TAGS)) return undefined;
    const { w } = this;
    const dev = this.device(device);
    let queue = dev.queues[qid];
    if (queue === undefined || queue.epoch !== w.epoch) {
      queue = { epoch: w.epoch, slots: queue === undefined ? [] : queue.slots.slice() };
      while (dev.queues.length < qid) dev.queues.push(undefined);
      dev.queues[qid] = queue;
    }
    const known = queue.slots[tag];
    if (known !== undefined && known.epoch === w.epoch) return known;
    const slot = known === undefined ? newSlot(w.epoch) : { ...known, epoch: w.epoch };
    while (queue.slots.length < tag) queue.slots.push(undefined);
    queue.slots[tag] = slot;
    return slot;
  }

  /** Reads a slot without making it. */
  peekSlot(device: number, qid: number, tag: number): Slot | undefined {
    return this.w.devices[device]?.queues[qid]?.slots[tag];
  }

  disk(major: number, minor: number): Disk {
    const { w } = this;
    const key = diskKey(major, minor);
    const known = w.disks.get(key);
    if (known !== undefined && known.epoch === w.epoch) return known;
    const disk =
      known === undefined
        ? newDisk(w.epoch, major, minor)
        : { ...known, epoch: w.epoch, waiting: known.waiting.slice(), inFlight: known.inFlight.slice() };
    w.disks.set(key, disk);
    return disk;
  }

  pipe(ptr: number): Pipe {
    const { w } = this;
    const known = w.pipes.get(ptr);
    if (known !== undefined && known.epoch === w.epoch) return known;
    const pipe =
      known === undefined
        ? {
            epoch: w.epoch,
            id: w.pipeCount++,
            ptr,
            owner: -1,
            ringSize: UNKNOWN,
            head: UNKNOWN,
            tail: UNKNOWN,
            byRead: UNKNOWN,
            buffers: [],
          }
        : { ...known, epoch: w.epoch, buffers: known.buffers.slice() };
    w.pipes.set(ptr, pipe);
    return pipe;
  }

  page(ptr: number): Page {
    const { w } = this;
    const known = w.pages.get(ptr);
    if (known !== undefined && known.epoch === w.epoch) return known;
    const page =
      known === undefined
        ? {
            epoch: w.epoch,
            ptr,
            refs: UNKNOWN,
            pipe: UNKNOWN,
            slot: UNKNOWN,
            device: -1,
            qid: -1,
            tag: -1,
            offset: UNKNOWN,
            len: 0,
            fill: -1,
          }
        : { ...known, epoch: w.epoch };
    if (known === undefined && w.pages.size >= MAX_PAGES) {
      for (const oldest of w.pages.keys()) {
        w.pages.delete(oldest);
        break;
      }
    }
    w.pages.set(ptr, page);
    return page;
  }

  /** pid of the task whose io-wq worker this task is; -1 for other tasks. */
  workerParent(id: number): number {
    const known = this.workerOf[id];
    if (known !== undefined) return known;
    const match = /^iou-wrk-(\d+)$/.exec(this.trace.taskOf(id).comm);
    const pid = match ? Number(match[1]) : -1;
    this.workerOf[id] = pid;
    return pid;
  }
}

/** Key of a disk in the map of disks. */
export function diskKey(major: number, minor: number): number {
  return major * 0x100000 + minor;
}
