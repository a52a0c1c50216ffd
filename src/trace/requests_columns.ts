import { OP, STATE } from './requests_block';
import { firstEvent, listEvents } from './requests_events';
import type { Matched } from './requests_match';
import { deviceNumber, diskNames, inferRest, ringQueues, servedDevices } from './requests_rows';
import { OWNER } from './requests_state';
import { SQE_KIND } from './requests_sqe';
import type { MatchOptions } from './requests_types';
import type { Sliced } from './slices';
import type { Trace } from './trace';

/** Rows of one slice. */
const SLICE = 16384;
/** Keys for sorting hold an event and a number below this, together below 2^53. */
const RADIX = 2 ** 26;
/** A user_data up to this stands in the column of tags. */
const MOST_TAG = 0xffff;

/** The columns of a table of requests; what they hold is said there. */
export interface RequestColumns {
  readonly devices: readonly string[];
  /** `major,minor` of each device where it is a disk, else its name. */
  readonly deviceNumbers: readonly string[];
  readonly device: Uint16Array;
  readonly queue: Int32Array;
  readonly tag: Int32Array;
  readonly life: Uint32Array;
  readonly offset: Float64Array;
  readonly size: Float64Array;
  readonly result: Float64Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly status: Uint8Array;
  /** Code of the record behind each row. */
  readonly code: Int32Array;
  /** Row of each event, -1 for none. */
  readonly row: Int32Array;
  readonly eventStart: Uint32Array;
  readonly eventList: Uint32Array;
}

/** Makes the columns of the table out of what the pass over the events found. */
export function* makeColumns(trace: Trace, matched: Matched, options: MatchOptions): Sliced<RequestColumns> {
  const { state, fuse } = matched;
  const served = servedDevices(state);
  yield 0;
  yield* inferRest(state, served);
  yield 0;
  const names = diskNames(state, served);
  const devices = state.devices.map((d) => names.get(deviceNumber(d)) ?? deviceNumber(d));
  yield 0;
  const code = yield* rowCodes(matched, served, options);
  const n = code.length;
  const table: Filling = {
    device: new Uint16Array(n),
    queue: new Int32Array(n).fill(-1),
    tag: new Int32Array(n).fill(-1),
    life: new Uint32Array(n),
    offset: new Float64Array(n).fill(NaN),
    size: new Float64Array(n).fill(NaN),
    result: new Float64Array(n).fill(NaN),
    start: new Float64Array(n),
    end: new Float64Array(n).fill(NaN),
    status: new Uint8Array(n),
    code,
  };
  const filler = new Filler(trace, matched, table);
  const connections = new Map<number, number>();
  let unnamed = served.indexOf(true);
  let ring = -1;
  for (let r = 0; r < n; r++) {
    if ((r & (SLICE - 1)) === SLICE - 1) yield r / n;
    const id = code[r] >> 2;
    table.start[r] = trace.ts[firstEvent(matched, code[r])];
    switch (code[r] & 3) {
      case OWNER.block:
        filler.block(r, id);
        break;
      case OWNER.life:
        if (unnamed < 0) unnamed = devices.push('unknown') - 1;
        table.device[r] = unnamed;
        filler.life(r, id);
        break;
      case OWNER.sqe:
        if (ring < 0) ring = devices.push('io_uring') - 1;
        table.device[r] = ring;
        filler.sqe(r, id);
        break;
      default: {
        const { connection } = fuse.requests[id];
        let device = connections.get(connection);
        if (device === undefined) {
          device = devices.push(`fuse${connection}`) - 1;
          connections.set(connection, device);
        }
        table.device[r] = device;
        filler.fuse(r, id);
      }
    }
  }
  yield* countLives(matched, table);
  const events = yield* listEvents(matched, code);
  const deviceNumbers = devices.map((name, d) =>
    d < state.devices.length ? deviceNumber(state.devices[d]) : name,
  );
  return {
    ...table,
    devices,
    deviceNumbers,
    row: events.row,
    eventStart: events.start,
    eventList: events.list,
  };
}

type Filling = Omit<RequestColumns, 'devices' | 'deviceNumbers' | 'row' | 'eventStart' | 'eventList'>;

/** Fills rows of the table from the records behind them. */
class Filler {
  private readonly queueOfRing: Int32Array;

  constructor(
    private readonly trace: Trace,
    private readonly matched: Matched,
    private readonly table: Filling,
  ) {
    this.queueOfRing = ringQueues(matched.state);
  }

  block(r: number, b: number): void {
    const { blocks, lives } = this.matched.state;
    const { table } = this;
    const life = blocks.parent[b] >= 0 ? -1 : blocks.life[b];
    table.device[r] = blocks.dev[b];
    table.tag[r] = blocks.tag[b] >= 0 ? blocks.tag[b] : life >= 0 ? lives.tag[life] : -1;
    table.queue[r] = blocks.qid[b] >= 0 ? blocks.qid[b] : life >= 0 ? this.queueOfRing[lives.ring[life]] : -1;
    table.offset[r] = blocks.op[b] === OP.flush ? 0 : blocks.sector[b] * 512;
    table.size[r] = blocks.sectors[b] * 512;
    const state = blocks.state[b];
    const end = blocks.end[b];
    if (end < 0 || state < STATE.done) return;
    table.end[r] = this.trace.ts[end];
    if (state === STATE.requeued) {
      table.status[r] = 3;
      if (blocks.done[b] > 0) table.result[r] = blocks.done[b] * 512;
    } else {
      table.status[r] = blocks.error[b] < 0 ? 2 : 1;
      table.result[r] = blocks.error[b] < 0 ? blocks.error[b] : blocks.done[b] * 512;
    }
  }

  life(r: number, life: number): void {
    const { lives } = this.matched.state;
    this.table.queue[r] = this.queueOfRing[lives.ring[life]];
    this.table.tag[r] = lives.tag[life];
  }

  sqe(r: number, q: number): void {
    const { sqes, wide } = this.matched.state;
    const { table } = this;
    const data = sqes.data[q];
    table.queue[r] = sqes.ring[q];
    if (wide.highOf(data) === 0 && wide.lowOf(data) <= MOST_TAG) table.tag[r] = wide.lowOf(data);
    if (sqes.complete[q] < 0) return;
    table.end[r] = this.trace.ts[sqes.complete[q]];
    table.result[r] = sqes.result[q];
    table.status[r] = sqes.result[q] < 0 ? 2 : 1;
  }

  fuse(r: number, f: number): void {
    const { state, fuse } = this.matched;
    const { table } = this;
    const request = fuse.requests[f];
    if (request.life >= 0) {
      table.queue[r] = fuse.qids.get(state.lives.ring[request.life]) ?? -1;
      table.tag[r] = state.lives.tag[request.life];
    }
    table.size[r] = fuse.length(request) ?? NaN;
    table.result[r] = fuse.result(request) ?? NaN;
    if (request.end < 0) return;
    table.end[r] = this.trace.ts[request.end];
    table.status[r] = request.error < 0 ? 2 : 1;
  }
}

/** Codes of the records that are requests, by their first event. */
function* rowCodes(
  matched: Matched,
  served: readonly boolean[],
  { allDevices: all = false, plainSqes = false }: MatchOptions,
): Sliced<Int32Array> {
  const { state, fuse } = matched;
  const { blocks, lives } = state;
  const codes: number[] = [];
  for (let b = 0; b < blocks.count; b++) {
    if (blocks.start[b] < 0 || blocks.state[b] === STATE.merged) continue;
    if (all || (served[blocks.dev[b]] && blocks.parent[b] < 0)) codes.push(b * 4 + OWNER.block);
  }
  for (let s = 0; s < lives.count; s++) {
    const real = lives.deliver[s] >= 0 || lives.commit[s] >= 0;
    if (real && lives.request[s] < 0 && lives.fuse[s] === 0) codes.push(s * 4 + OWNER.life);
  }
  fuse.requests.forEach((_, f) => {
    codes.push(f * 4 + OWNER.fuse);
  });
  if (plainSqes && codes.length === 0) {
    const { sqes } = state;
    for (let q = 0; q < sqes.count; q++) {
      const known = sqes.submit[q] >= 0 || sqes.complete[q] >= 0;
      if (known && sqes.kind[q] === SQE_KIND.other) codes.push(q * 4 + OWNER.sqe);
    }
  }
  yield 0;
  const order = sortedBy(codes.length, (k) => firstEvent(matched, codes[k]));
  yield 0;
  return Int32Array.from(order, (k) => codes[k]);
}

/** Numbers the requests of each slot in the order in which they took it. */
function* countLives(matched: Matched, table: Filling): Sliced<void> {
  const { blocks } = matched.state;
  const { code, device, queue, tag, life } = table;
  yield 0;
  const order = sortedBy(code.length, (r) => {
    const issue = (code[r] & 3) === OWNER.block ? blocks.issue[code[r] >> 2] : -1;
    return issue >= 0 ? issue : firstEvent(matched, code[r]);
  });
  const counts = new Map<number, number>();
  for (let k = 0; k < order.length; k++) {
    if ((k & (SLICE - 1)) === SLICE - 1) yield k / order.length;
    const r = order[k];
    const slot = (device[r] * 0x2000 + queue[r] + 1) * 0x20000 + tag[r] + 1;
    const count = (counts.get(slot) ?? 0) + 1;
    counts.set(slot, count);
    life[r] = count;
  }
}

/** The numbers below `n` by the event that each stands at (-1 comes first), then by themselves. Typed arrays sort without calls. */
function sortedBy(n: number, event: (k: number) => number): Float64Array {
  const keys = new Float64Array(n);
  for (let k = 0; k < n; k++) keys[k] = (event(k) + 1) * RADIX + k;
  keys.sort();
  for (let k = 0; k < n; k++) keys[k] %= RADIX;
  return keys;
}
