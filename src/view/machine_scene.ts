import type { OpenTrace } from '../debug/model';
import { requestLabel } from '../debug/request_label';
import type { MachineState, RingState, SlotState } from '../trace/state';
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
  private readonly bySlot = new Map<string, number>();
  private readonly byPlace = new Map<string, number>();
  private readonly queueOfRing = new Map<number, number>();

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
      this.bySlot.set(`${requests.queue[row]}:${requests.tag[row]}`, row);
      this.byPlace.set(`${requests.offset[row] / 512}+${requests.size[row] / 512}`, row);
    }
    if (focus >= 0 && this.rows.includes(focus))
      this.bySlot.set(`${requests.queue[focus]}:${requests.tag[focus]}`, focus);
    for (const slot of state.slots)
      if (slot.command.ring !== null) this.queueOfRing.set(slot.command.ring, slot.queue);
  }

  /** The request in flight on a tag; -1 without one. */
  rowOfTag(queue: number, tag: number): number {
    return this.bySlot.get(`${queue}:${tag}`) ?? -1;
  }

  /** The request in flight at a place of a ublk disk, in sectors; -1 without one. */
  rowOfPlace(sector: number, sectors: number): number {
    return this.byPlace.get(`${sector}+${sectors}`) ?? -1;
  }

  /** The request that an SQE or CQE of a ring speaks of; -1 where nobody can tell. */
  rowOfData(ring: number, userData: bigint): number {
    const data = serverData(userData);
    if (data === undefined) return -1;
    const queue = this.queueOfRing.get(ring) ?? this.onlyQueue();
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
    return this.state.slots.find((s) => s.device === device && s.queue === queue && s.tag === tag);
  }

  /** Text of a CQE: the SQE that it answers, as far as user_data and the requests in flight tell. */
  cqeText(ring: RingState, userData: string): string {
    const data = BigInt(userData);
    const row = this.rowOfData(ring.id, data);
    const sqe = row < 0 ? undefined : this.open.requests.sqes(row).find((one) => one.user_data === userData);
    if (sqe !== undefined) return sqeText(sqe.opcode, data);
    const known = [...this.state.requests, ...(this.before?.requests ?? [])];
    const req = known.find((one) => one.ring === ring.id && one.userData === userData);
    return sqeText(req?.opcode ?? '', data);
  }

  private onlyQueue(): number | undefined {
    const queues = new Set(this.state.slots.map((slot) => slot.queue));
    return queues.size === 1 ? [...queues][0] : undefined;
  }
}
