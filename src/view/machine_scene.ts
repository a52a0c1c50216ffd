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
  private readonly queueOfRing = new Map<number, number>();
  /** Keys of the tags on which the focused request is. */
  private readonly focusTags = new Set<number>();
  private readonly byData = new Map<number, ReadonlyMap<string, RingRequestState>>();
  private pages: ReadonlyMap<string, PageState> | undefined;
  private single: { readonly queue: number | undefined } | undefined;

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
      this.bySlot.set(tagKey(requests.queue[row], requests.tag[row]), row);
      this.byPlace.set(`${requests.offset[row] / 512}+${requests.size[row] / 512}`, row);
    }
    if (focus >= 0 && this.rows.includes(focus))
      this.bySlot.set(tagKey(requests.queue[focus], requests.tag[focus]), focus);
    if (focus >= 0) for (const [key, row] of this.bySlot) if (row === focus) this.focusTags.add(key);
    let lastRing: number | null = null;
    let lastQueue = -1;
    for (const { command, queue } of state.slots) {
      const { ring } = command;
      if (ring === null || (ring === lastRing && queue === lastQueue)) continue;
      this.queueOfRing.set(ring, queue);
      lastRing = ring;
      lastQueue = queue;
    }
  }

  /** The request in flight on a tag; -1 without one. */
  rowOfTag(queue: number, tag: number): number {
    return this.bySlot.get(tagKey(queue, tag)) ?? -1;
  }

  /** Whether the focused request is on a tag. */
  isFocusTag(queue: number, tag: number): boolean {
    return this.focusTags.size > 0 && this.focusTags.has(tagKey(queue, tag));
  }

  /**
   * Whether an SQE or CQE of a ring, by its user_data as `0x` text, may speak of the focused request: the low 16 bits are the
   * tag, so that thousands need not be decoded.
   */
  mayFocus(ring: number, userData: string): boolean {
    if (this.focusTags.size === 0) return false;
    const queue = this.queueOf(ring);
    return queue !== undefined && this.isFocusTag(queue, Number.parseInt(userData.slice(2).slice(-4), 16));
  }

  /** Whether commands of a ring are parked in slots. */
  hasCommands(ring: number): boolean {
    return this.queueOfRing.has(ring);
  }

  pageOf(ptr: string): PageState | undefined {
    this.pages ??= new Map(this.state.pages.map((page) => [page.ptr, page]));
    return this.pages.get(ptr);
  }

  /** The request in flight at a place of a ublk disk, in sectors; -1 without one. */
  rowOfPlace(sector: number, sectors: number): number {
    return this.byPlace.get(`${sector}+${sectors}`) ?? -1;
  }

  /** The request that an SQE or CQE of a ring speaks of; -1 where nobody can tell. */
  rowOfData(ring: number, userData: bigint): number {
    const data = serverData(userData);
    if (data === undefined) return -1;
    const queue = this.queueOf(ring);
    return queue === undefined ? -1 : this.rowOfTag(queue, data.tag);
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
    if (sqe !== undefined) return sqeText(sqe.opcode, data);
    return sqeText(this.requestsOf(ring.id).get(userData)?.opcode ?? '', data);
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

  private queueOf(ring: number): number | undefined {
    const queue = this.queueOfRing.get(ring);
    if (queue !== undefined) return queue;
    this.single ??= { queue: onlyQueue(this.state) };
    return this.single.queue;
  }
}

function tagKey(queue: number, tag: number): number {
  return queue * 0x100000000 + tag;
}

/** The queue that all slots are of; undefined where there are several or none. */
function onlyQueue({ slots }: MachineState): number | undefined {
  if (slots.length === 0) return undefined;
  const { queue } = slots[0];
  return slots.every((slot) => slot.queue === queue) ? queue : undefined;
}
