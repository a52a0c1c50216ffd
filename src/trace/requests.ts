import { OP_NAMES } from './requests_block';
import { makeColumns, type RequestColumns } from './requests_columns';
import { commandsOf, opOf, pathOf, sqeOf, sqesOf } from './requests_life';
import { type Matched, matchEvents } from './requests_match';
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
import { finish, type Sliced } from './slices';
import type { Trace } from './trace';

const STATUS_NAMES = ['open', 'done', 'failed', 'requeued'] as const;

/** Rebuilds block requests by (device, queue, tag, life) and FUSE requests by (queue, ring entry). One linear pass. */
export function matchRequests(trace: Trace, options: MatchOptions = {}): RequestTable {
  return finish(matchSlices(trace, options));
}

/** {@link matchRequests} in slices. */
export function* matchSlices(trace: Trace, options: MatchOptions = {}): Sliced<RequestTable> {
  const matched = yield* matchEvents(trace);
  return new RequestTable(trace, matched, yield* makeColumns(trace, matched, options));
}

/** All requests of a trace, in the order in which they start. Columns for hot paths, {@link get} for one request as an object. */
export class RequestTable {
  /** Number of requests. */
  readonly length: number;
  /** Device names; the device column holds indices. */
  readonly devices: readonly string[];
  private readonly deviceNumbers: readonly string[];
  /** Indices of the devices that have requests. */
  readonly devicesInUse: readonly number[];
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

  constructor(
    readonly trace: Trace,
    private readonly matched: Matched,
    columns: RequestColumns,
  ) {
    this.length = columns.code.length;
    this.devices = columns.devices;
    this.deviceNumbers = columns.deviceNumbers;
    this.devicesInUse = [...new Set(columns.device)].sort((a, b) => a - b);
    this.device = columns.device;
    this.queue = columns.queue;
    this.tag = columns.tag;
    this.life = columns.life;
    this.offset = columns.offset;
    this.size = columns.size;
    this.result = columns.result;
    this.start = columns.start;
    this.end = columns.end;
    this.status = columns.status;
    this.code = columns.code;
    this.row = columns.row;
    this.eventStart = columns.eventStart;
    this.eventList = columns.eventList;
  }

  /** Request that event i belongs to (also bio events from before it was allocated), -1 for none. */
  requestOf(i: number): number {
    return this.row[i] ?? -1;
  }

  /** Whether row r is an SQE by itself; its ring stands as queue, and its user_data as tag where it is small. */
  isSqe(r: number): boolean {
    return (this.code[r] & 3) === OWNER.sqe;
  }

  /** Names of the device of request r: the one that is printed, and `major,minor` of a disk. */
  deviceNames(r: number): readonly string[] {
    const device = this.device[r];
    const [name, number] = [this.devices[device], this.deviceNumbers[device]];
    return name === number ? [name] : [name, number];
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
      case OWNER.sqe:
        return this.trace.strings.text(state.sqes.opcode[id]) || 'SQE';
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
    if ((code & 3) === OWNER.sqe) return 'none';
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
    if ((this.code[r] & 3) === OWNER.sqe) return 'exact';
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
    if (this.isSqe(r)) return [sqeOf(this.matched.state, this.code[r] >> 2)];
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
      case OWNER.sqe:
        return -1;
      default:
        return fuse.requests[id].life;
    }
  }
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
