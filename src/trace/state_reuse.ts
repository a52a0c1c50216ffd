import type { Machine } from './state_machine';
import type {
  DeviceState,
  DiskState,
  PageState,
  PipeState,
  RingRequestState,
  RingState,
  SlotState,
} from './state_types';
import { viewDevice, viewDisk, viewPage, viewPipe, viewRequest, viewRing, viewSlot } from './state_view';
import type { Device, Disk, Page, Pipe, Queue, Req, Ring, Slot } from './state_work';

/** Plain forms of the slots of one queue, and what they were made from. */
interface QueueViews {
  readonly queue: Queue;
  readonly rings: string;
  readonly list: readonly SlotState[];
}

/** The newest plain form of each tag that was seen, also of those that the state built last has not. */
interface Seen {
  readonly slots: (Slot | undefined)[];
  readonly views: (SlotState | undefined)[];
}

interface RingViews {
  readonly ring: Ring;
  readonly view: RingState;
  readonly byReq: ReadonlyMap<Req, RingRequestState>;
}

/** Values by thing, of the state that is being built and of the one before it. */
class Kept<K, V> {
  private old = new Map<K, V>();
  private now = new Map<K, V>();

  turn(): void {
    this.old = this.now;
    this.now = new Map();
  }

  get(key: K): V | undefined {
    return this.old.get(key);
  }

  set(key: K, value: V): V {
    this.now.set(key, value);
    return value;
  }
}

/**
 * Plain forms of the things of the state that was built last, to be used again for those that are the same in the next one: two
 * states side by side then share all that no event between them touched. That asks of the working state that a thing is
 * copied before it is changed once its plain form is made, as it is after a snapshot. Of what
 * comes and goes only one state's forms are held.
 */
export class StateViews {
  private readonly queues = new Kept<string, QueueViews>();
  private readonly seen = new Map<string, Seen>();
  private readonly rings = new Kept<number, RingViews>();
  private readonly devices = new Kept<Device, { view: DeviceState; disk: Disk | undefined }>();
  private readonly pipes = new Kept<Pipe, PipeState>();
  private readonly pages = new Kept<Page, { view: PageState; pipe: Pipe | undefined }>();
  private readonly disks = new Kept<Disk, DiskState>();
  /** Which ring has which id: slots name their rings by it. */
  private ringIds = '';

  constructor(private readonly m: Machine) {}

  /** Begins the next state. */
  turn(): void {
    for (const kept of [this.queues, this.rings, this.devices, this.pipes, this.pages, this.disks])
      kept.turn();
    const ids: string[] = [];
    for (const ring of this.m.w.rings.values()) ids.push(`${ring.ptr}:${ring.id}`);
    this.ringIds = ids.join();
  }

  device(device: Device): DeviceState {
    const disk = device.disk < 0 ? undefined : this.m.w.disks.get(device.disk);
    const old = this.devices.get(device);
    if (old !== undefined && old.disk === disk) return this.devices.set(device, old).view;
    return this.devices.set(device, { view: viewDevice(this.m, device), disk }).view;
  }

  slots(device: number, qid: number, queue: Queue): readonly SlotState[] {
    const { m, queues, ringIds } = this;
    const key = `${device}:${qid}`;
    const old = queues.get(key);
    if (old !== undefined && old.queue === queue && old.rings === ringIds) return queues.set(key, old).list;
    const seen = this.seen.get(key) ?? { slots: [], views: [] };
    this.seen.set(key, seen);
    const list: SlotState[] = [];
    for (let tag = 0; tag < queue.slots.length; tag++) {
      const slot = queue.slots[tag];
      if (slot === undefined) continue;
      let view = seen.slots[tag] === slot ? seen.views[tag] : undefined;
      if (view === undefined || view.command.ring !== ringId(m, slot)) {
        view = viewSlot(m, device, qid, tag, slot);
        seen.slots[tag] = slot;
        seen.views[tag] = view;
      }
      list.push(view);
    }
    queues.set(key, { queue, rings: ringIds, list });
    return list;
  }

  ring(ring: Ring): { readonly view: RingState; readonly requests: Iterable<RingRequestState> } {
    const { m, rings } = this;
    const old = rings.get(ring.id);
    if (old !== undefined && old.ring === ring) {
      rings.set(ring.id, old);
      return { view: old.view, requests: old.byReq.values() };
    }
    const byReq = new Map<Req, RingRequestState>();
    for (const req of ring.reqs.values()) byReq.set(req, old?.byReq.get(req) ?? viewRequest(m, ring, req));
    const made = rings.set(ring.id, { ring, view: viewRing(m, ring), byReq });
    return { view: made.view, requests: byReq.values() };
  }

  pipe(pipe: Pipe): PipeState {
    return this.pipes.set(pipe, this.pipes.get(pipe) ?? viewPipe(this.m, pipe));
  }

  page(page: Page): PageState {
    const pipe = this.m.w.pipes.get(page.pipe);
    const old = this.pages.get(page);
    const same = old !== undefined && old.pipe?.id === pipe?.id && old.pipe?.ringSize === pipe?.ringSize;
    return this.pages.set(page, same ? old : { view: viewPage(this.m, page), pipe }).view;
  }

  disk(disk: Disk): DiskState {
    return this.disks.set(disk, this.disks.get(disk) ?? viewDisk(this.m, disk));
  }
}

function ringId(m: Machine, slot: Slot): number | null {
  return m.w.rings.get(slot.ring)?.id ?? null;
}
