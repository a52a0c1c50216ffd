import { OP, OP_NAMES, STATE } from './requests_block';
import { firstEvent, listEvents } from './requests_events';
import { commandsOf, opOf, pathOf, sqesOf } from './requests_life';
import { type Matched, matchEvents } from './requests_match';
import { deviceNumber, diskNames, inferRest, ringQueues, servedDevices } from './requests_rows';
import { OWNER } from './requests_state';
import type {
  Confidence,
  DataPath,
  MatchOptions,
  RequestJson,
  RequestRow,
  RequestSqe,
  Status,
} from './requests_types';
import type { Trace } from './trace';

const STATUS_NAMES = ['open', 'done', 'failed', 'requeued'] as const;

/** Rebuilds block requests by (device, queue, tag, life) and FUSE requests by (queue, ring entry). One linear pass. */
export function matchRequests(trace: Trace, options: MatchOptions = {}): RequestTable {
  return new RequestTable(trace, matchEvents(trace), options);
}

/** All requests of a trace, in the order in which they start. Columns for hot paths, {@link get} for one request as an object. */
export class RequestTable {
  /** Number of requests. */
  readonly length: number;
  /** Device names; the device column holds indices. */
  readonly devices: readonly string[];
  readonly device: Uint16Array;
  /** Queue id and tag, -1 where unknown. */
  readonly queue: Int32Array;
  readonly tag: Int32Array;
  readonly life: Uint32Array;
  /** Bytes; NaN where unknown. */
  readonly offset: Float64Array;
  readonly size: Float64Array;
  /** Bytes or -errno; NaN where unknown. */
  readonly result: Float64Array;
  /** Times in ns; `end` is NaN while open, and the time of the requeue for a delivery that was given back. */
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** 0 open, 1 done, 2 failed, 3 requeued. */
  readonly status: Uint8Array;
  /** Events of request r: eventList[eventStart[r] .. eventStart[r + 1]). */
  readonly eventStart: Uint32Array;
  readonly eventList: Uint32Array;
  private readonly row: Int32Array;
  private readonly code: Int32Array;
  private readonly queueOfRing: Int32Array;

  constructor(
    readonly trace: Trace,
    private readonly matched: Matched,
    options: MatchOptions,
  ) {
    const { state, fuse } = matched;
    const served = servedDevices(state);
    inferRest(state, served);
    this.queueOfRing = ringQueues(state);
    const names = diskNames(state, served);
    const devices = state.devices.map((d) => names.get(deviceNumber(d)) ?? deviceNumber(d));
    const orphan = served.indexOf(true);
    const codes = this.codes(served, options.allDevices === true);
    const n = codes.length;
    this.code = codes;
    this.length = n;
    this.device = new Uint16Array(n);
    this.queue = new Int32Array(n).fill(-1);
    this.tag = new Int32Array(n).fill(-1);
    this.life = new Uint32Array(n);
    this.offset = new Float64Array(n).fill(NaN);
    this.size = new Float64Array(n).fill(NaN);
    this.result = new Float64Array(n).fill(NaN);
    this.start = new Float64Array(n);
    this.end = new Float64Array(n).fill(NaN);
    this.status = new Uint8Array(n);
    const connections = new Map<number, number>();
    let unnamed = orphan;
    for (let r = 0; r < n; r++) {
      const id = codes[r] >> 2;
      this.start[r] = trace.ts[firstEvent(matched, codes[r])];
      switch (codes[r] & 3) {
        case OWNER.block:
          this.fillBlock(r, id);
          break;
        case OWNER.life:
          if (unnamed < 0) unnamed = devices.push('unknown') - 1;
          this.device[r] = unnamed;
          this.queue[r] = this.queueOfRing[state.lives.ring[id]];
          this.tag[r] = state.lives.tag[id];
          break;
        default: {
          const { connection } = fuse.requests[id];
          let device = connections.get(connection);
          if (device === undefined) {
            device = devices.push(`fuse${connection}`) - 1;
            connections.set(connection, device);
          }
          this.device[r] = device;
          this.fillFuse(r, id);
        }
      }
    }
    this.devices = devices;
    this.countLives();
    const events = listEvents(matched, codes);
    this.row = events.row;
    this.eventStart = events.start;
    this.eventList = events.list;
  }

  /** Request that event i belongs to (also bio events from before it was allocated), -1 for none. */
  requestOf(i: number): number {
    return this.row[i] ?? -1;
  }

  /** Numbers of the events of request r; a view, not a copy. */
  events(r: number): Uint32Array {
    return this.eventList.subarray(this.eventStart[r], this.eventStart[r + 1]);
  }

  /** Operation of request r. */
  op(r: number): string {
    const { state, fuse } = this.matched;
    const id = this.code[r] >> 2;
    switch (this.code[r] & 3) {
      case OWNER.block:
        return OP_NAMES[state.blocks.op[id]];
      case OWNER.life:
        return opOf(state, id);
      default:
        return fuse.requests[id].op === '' ? 'FUSE_UNKNOWN' : fuse.requests[id].op;
    }
  }

  /** Data path of request r, from its SQEs and probes. */
  path(r: number): DataPath {
    const { state } = this.matched;
    const { blocks, lives, batch } = state;
    const code = this.code[r];
    const life = this.lifeOf(r);
    if ((code & 3) === OWNER.fuse) {
      if (/^FUSE_(READ|WRITE)$/.test(this.op(r))) return life >= 0 ? 'copy' : 'unknown';
      return this.op(r) === 'FUSE_UNKNOWN' ? 'unknown' : 'none';
    }
    const block = (code & 3) === OWNER.block ? code >> 2 : -1;
    if (batch && life < 0) return 'batch';
    return pathOf(this.op(r), (life >= 0 ? lives.marks[life] : 0) | (block >= 0 ? blocks.marks[block] : 0));
  }

  /** Whether tag and sector stand in the events, or order and time decided. */
  confidence(r: number): Confidence {
    const { state, fuse } = this.matched;
    const id = this.code[r] >> 2;
    if ((this.code[r] & 3) === OWNER.block) return state.blocks.tag[id] >= 0 ? 'exact' : 'inferred';
    return (this.code[r] & 3) === OWNER.fuse && fuse.requests[id].life < 0 ? 'exact' : 'inferred';
  }

  /** Request r as an object. */
  get(r: number): RequestRow {
    return {
      device: this.devices[this.device[r]],
      queue: this.queue[r] < 0 ? null : this.queue[r],
      tag: this.tag[r] < 0 ? null : this.tag[r],
      life: this.life[r],
      op: this.op(r),
      offset: orNull(this.offset[r]),
      length: orNull(this.size[r]),
      result: orNull(this.result[r]),
      start: this.start[r],
      end: orNull(this.end[r]),
      path: this.path(r),
      status: STATUS_NAMES[this.status[r]] as Status,
      confidence: this.confidence(r),
      sqes: this.sqes(r),
      commands: this.commands(r),
      events: this.events(r),
    };
  }

  /** Request r in the form of `requests --json`. */
  toJson(r: number): RequestJson {
    const row = this.get(r);
    const json: RequestJson = {
      device: row.device,
      queue: row.queue,
      tag: row.tag,
      life: row.life,
      op: row.op,
      offset: row.offset,
      length: row.length,
      result: row.result,
      start_ns: row.start,
      end_ns: row.status === 'requeued' && row.result === null ? null : row.end,
      path: row.path,
      sqes: row.sqes,
      commands: row.commands,
      events: [...row.events],
      confidence: row.confidence,
    };
    return row.status === 'requeued' ? { ...json, requeued: true } : json;
  }

  /** Backend SQEs of request r, in the order of submission. */
  sqes(r: number): RequestSqe[] {
    const life = this.lifeOf(r);
    return life < 0 ? [] : sqesOf(this.matched.state, life);
  }

  /** Commands of request r: the one that delivered it, NEED_GET_DATA, refused ones, and the COMMIT that ended it. */
  commands(r: number): RequestSqe[] {
    const life = this.lifeOf(r);
    return life < 0 ? [] : commandsOf(this.matched.state, life);
  }

  private lifeOf(r: number): number {
    const { state, fuse } = this.matched;
    const id = this.code[r] >> 2;
    switch (this.code[r] & 3) {
      case OWNER.block:
        return state.blocks.parent[id] >= 0 ? -1 : state.blocks.life[id];
      case OWNER.life:
        return id;
      default:
        return fuse.requests[id].life;
    }
  }

  /** Codes of the records that are requests, by their first event. */
  private codes(served: readonly boolean[], all: boolean): Int32Array {
    const { state, fuse } = this.matched;
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
    const order = codes
      .map((_, i) => i)
      .sort((a, b) => firstEvent(this.matched, codes[a]) - firstEvent(this.matched, codes[b]) || a - b);
    return Int32Array.from(order, (i) => codes[i]);
  }

  private fillBlock(r: number, b: number): void {
    const { blocks, lives } = this.matched.state;
    const life = blocks.parent[b] >= 0 ? -1 : blocks.life[b];
    this.device[r] = blocks.dev[b];
    this.tag[r] = blocks.tag[b] >= 0 ? blocks.tag[b] : life >= 0 ? lives.tag[life] : -1;
    this.queue[r] = blocks.qid[b] >= 0 ? blocks.qid[b] : life >= 0 ? this.queueOfRing[lives.ring[life]] : -1;
    this.offset[r] = blocks.op[b] === OP.flush ? 0 : blocks.sector[b] * 512;
    this.size[r] = blocks.sectors[b] * 512;
    const state = blocks.state[b];
    const end = blocks.end[b];
    if (end < 0 || state < STATE.done) return;
    this.end[r] = this.trace.ts[end];
    if (state === STATE.requeued) {
      this.status[r] = 3;
      if (blocks.done[b] > 0) this.result[r] = blocks.done[b] * 512;
    } else {
      this.status[r] = blocks.error[b] < 0 ? 2 : 1;
      this.result[r] = blocks.error[b] < 0 ? blocks.error[b] : blocks.done[b] * 512;
    }
  }

  private fillFuse(r: number, f: number): void {
    const { state, fuse } = this.matched;
    const request = fuse.requests[f];
    if (request.life >= 0) {
      this.queue[r] = fuse.qids.get(state.lives.ring[request.life]) ?? -1;
      this.tag[r] = state.lives.tag[request.life];
    }
    this.size[r] = fuse.length(request) ?? NaN;
    this.result[r] = fuse.result(request) ?? NaN;
    if (request.end < 0) return;
    this.end[r] = this.trace.ts[request.end];
    this.status[r] = request.error < 0 ? 2 : 1;
  }

  /** Numbers the requests of each slot in the order in which they took it. */
  private countLives(): void {
    const { blocks } = this.matched.state;
    const when = (r: number): number => {
      const code = this.code[r];
      const issue = (code & 3) === OWNER.block ? blocks.issue[code >> 2] : -1;
      return issue >= 0 ? issue : firstEvent(this.matched, code);
    };
    const order = Uint32Array.from({ length: this.length }, (_, r) => r).sort(
      (a, b) => when(a) - when(b) || a - b,
    );
    const counts = new Map<number, number>();
    for (const r of order) {
      const slot = (this.device[r] * 0x2000 + this.queue[r] + 1) * 0x20000 + this.tag[r] + 1;
      const life = (counts.get(slot) ?? 0) + 1;
      counts.set(slot, life);
      this.life[r] = life;
    }
  }
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
