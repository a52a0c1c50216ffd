import type { OpenTrace } from '../debug/model';
import { requestLabel } from '../debug/request_label';
import type { MachineState, PageState, RingRequestState, RingState, SlotState } from '../trace/state';
import { serverData, sqeText, type Translate } from './machine_names';
import type { Changes } from './machine_values';

/** Most requests in flight that are looked at for names of what is drawn. */
const MOST_IN_FLIGHT = 256;
/** Most events of one request that are looked at for its I/O below. */
const REACH = 512;

/** One event's state before and after, with the requests in flight: what every part of the drawing is made from. */
export class Scene {
  readonly t: Translate;
  /** Rows in flight at the event. */
  private readonly rows: readonly number[];
  private readonly bySlot = new Map<number, number>();
  private readonly byPlace = new Map<string, number>();
  private readonly queueOfRing = new Map<number, Queue>();
  /** Keys of the tags on which the focused request is. */
  private readonly focusTags = new Set<number>();
  private readonly byData = new Map<number, ReadonlyMap<string, RingRequestState>>();
  private pages: ReadonlyMap<string, PageState> | undefined;
  private single: { readonly queue: Queue | undefined } | undefined;
  /** Devices of the state by those of the requests, -1 for what no device of the state is. */
  private readonly devices = new Map<number, number>();

  constructor(
    readonly open: OpenTrace,
    readonly event: number,
    readonly focus: number,
    readonly before: MachineState | undefined,
    readonly state: MachineState,
    readonly changes: Changes,
  ) {
    this.t = changes.t;
    const { requests } = open;
    this.rows = event < 0 ? [] : open.inFlight.at(event, MOST_IN_FLIGHT).rows;
    for (const row of this.rows) {
      // an SQE by itself is on no tag: its ring and user_data stand in the places of queue and tag
      if (!requests.isSqe(row)) this.bySlot.set(this.keyOf(row), row);
      this.addPlace(row);
    }
    if (focus >= 0 && this.rows.includes(focus) && !requests.isSqe(focus))
      this.bySlot.set(this.keyOf(focus), focus);
    if (focus >= 0) for (const [key, row] of this.bySlot) if (row === focus) this.focusTags.add(key);
    let last: { readonly ring: number; readonly queue: Queue } | undefined;
    for (const { command, device, queue } of state.slots) {
      const { ring } = command;
      const same = last?.ring === ring && last.queue.device === device && last.queue.queue === queue;
      if (ring === null || same) continue;
      last = { ring, queue: { device, queue } };
      this.queueOfRing.set(ring, last.queue);
    }
  }

  /** The request in flight on a tag of a device, by its index in the state; -1 without one. */
  rowOfTag(device: number | null, queue: number, tag: number): number {
    const one = device ?? (this.state.devices.length === 1 ? 0 : -1);
    return this.bySlot.get(tagKey(one, queue, tag)) ?? this.bySlot.get(tagKey(-1, queue, tag)) ?? -1;
  }

  /** Whether the focused request is on a tag of a device. */
  isFocusTag(device: number, queue: number, tag: number): boolean {
    if (this.focusTags.size === 0) return false;
    return this.focusTags.has(tagKey(device, queue, tag)) || this.focusTags.has(tagKey(-1, queue, tag));
  }

  /**
   * Whether an SQE or CQE of a ring, by its user_data as `0x` text, may speak of the focused request: the low 16 bits are the
   * tag, so that thousands need not be decoded.
   */
  mayFocus(ring: number, userData: string): boolean {
    if (this.focusTags.size === 0) return false;
    const queue = this.queueOf(ring);
    if (queue === undefined) return false;
    return this.isFocusTag(queue.device, queue.queue, Number.parseInt(userData.slice(2).slice(-4), 16));
  }

  /** Whether commands of a ring are parked in slots. */
  hasCommands(ring: number): boolean {
    return this.queueOfRing.has(ring);
  }

  pageOf(ptr: string): PageState | undefined {
    this.pages ??= new Map(this.state.pages.map((page) => [page.ptr, page]));
    return this.pages.get(ptr);
  }

  /**
   * The request in flight at a place of a ublk disk, in sectors; -1 without one. Without a device -1 also where several devices have
   * one there.
   */
  rowOfPlace(device: number | undefined, sector: number, sectors: number): number {
    const place = `${sector}+${sectors}`;
    const own = device === undefined ? undefined : this.byPlace.get(`${device} ${place}`);
    return own ?? this.byPlace.get(`${device === undefined ? '' : '-1 '}${place}`) ?? -1;
  }

  /** The request that an SQE or CQE of a ring speaks of; -1 where nobody can tell. */
  rowOfData(ring: number, userData: bigint): number {
    const data = serverData(userData);
    if (data === undefined) return -1;
    const queue = this.queueOf(ring);
    return queue === undefined ? -1 : this.rowOfTag(queue.device, queue.queue, data.tag);
  }

  /** Requests in flight by the I/O that they gave to disks below: `major,minor/sector` to row. */
  backing(): ReadonlyMap<string, number> {
    const { trace, requests } = this.open;
    const found = new Map<string, number>();
    for (const row of this.rows) {
      const list = requests.events(row);
      for (let k = 0; k < list.length && k < REACH && list[k] <= this.event; k++) {
        if (trace.nameOf(list[k]) !== 'block_rq_issue') continue;
        const key = `${trace.num(list[k], 'major')},${trace.num(list[k], 'minor')}/${trace.num(list[k], 'sector')}`;
        found.set(key, row);
      }
    }
    return found;
  }

  isFocus(row: number): boolean {
    return row >= 0 && row === this.focus;
  }

  /** `READ 4 KiB @ 8 KiB`, without its tag. */
  label(row: number): string {
    return row < 0 ? '' : requestLabel(this.open.requests, row).replace(/^q\S+ tag \S+ /, '');
  }

  slotOf(device: number, queue: number, tag: number): SlotState | undefined {
    // slots are in order of device, queue and tag
    const { slots } = this.state;
    let low = 0;
    let high = slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const slot = slots[middle];
      if ((slot.device - device || slot.queue - queue || slot.tag - tag) < 0) low = middle + 1;
      else high = middle;
    }
    const found = slots.at(low);
    return found?.device === device && found.queue === queue && found.tag === tag ? found : undefined;
  }

  /** Text of a CQE: the SQE that it answers, as far as user_data and the requests in flight tell. */
  cqeText(ring: RingState, userData: string): string {
    const data = BigInt(userData);
    const row = this.rowOfData(ring.id, data);
    const sqe = row < 0 ? undefined : this.open.requests.sqes(row).find((one) => one.user_data === userData);
    if (sqe !== undefined) return sqeText(sqe.opcode, data, this.t);
    return sqeText(this.requestsOf(ring.id).get(userData)?.opcode ?? '', data, this.t);
  }

  /** The first request of a ring with each user_data; those in flight now go before those in flight before. */
  private requestsOf(ring: number): ReadonlyMap<string, RingRequestState> {
    const known = this.byData.get(ring);
    if (known !== undefined) return known;
    const found = new Map<string, RingRequestState>();
    for (const list of [this.state.requests, this.before?.requests ?? []]) {
      for (const req of list) {
        if (req.ring === ring && req.userData !== null && !found.has(req.userData))
          found.set(req.userData, req);
      }
    }
    this.byData.set(ring, found);
    return found;
  }

  private keyOf(row: number): number {
    const { queue, tag } = this.open.requests;
    return tagKey(this.deviceOf(row), queue[row], tag[row]);
  }

  private addPlace(row: number): void {
    const { offset, size } = this.open.requests;
    const place = `${offset[row] / 512}+${size[row] / 512}`;
    const device = this.deviceOf(row);
    const other = this.byPlace.get(place);
    const shared = other !== undefined && (other < 0 || this.deviceOf(other) !== device);
    this.byPlace.set(place, shared ? -1 : row);
    this.byPlace.set(`${device} ${place}`, row);
  }

  /** Index in the state of the device of a request: by its name, else by the numbers of its disk. */
  private deviceOf(row: number): number {
    const { requests } = this.open;
    const known = this.devices.get(requests.device[row]);
    if (known !== undefined) return known;
    const names = requests.deviceNames(row);
    const found = this.state.devices.find(
      ({ id, disk }) =>
        (id !== null && names.includes(`ublkb${id}`)) ||
        (disk !== null && names.includes(disk.replace(':', ','))),
    );
    const index = found?.index ?? -1;
    this.devices.set(requests.device[row], index);
    return index;
  }

  private queueOf(ring: number): Queue | undefined {
    const queue = this.queueOfRing.get(ring);
    if (queue !== undefined) return queue;
    this.single ??= { queue: onlyQueue(this.state) };
    return this.single.queue;
  }
}

/** A queue of a device, by its index in the state. */
interface Queue {
  readonly device: number;
  readonly queue: number;
}

/** A number for a tag; -1 is an unknown device, queue or tag. */
function tagKey(device: number, queue: number, tag: number): number {
  return ((device + 1) * 0x10000 + queue + 1) * 0x100000 + tag + 1;
}

/** The queue that all slots are of; undefined where there are several or none. */
function onlyQueue({ slots }: MachineState): Queue | undefined {
  if (slots.length === 0) return undefined;
  const { device, queue } = slots[0];
  return slots.every((slot) => slot.device === device && slot.queue === queue)
    ? { device, queue }
    : undefined;
}
