import type { Matched } from './requests_match';
import { OWNER } from './requests_state';
import type { Sliced } from './slices';

/** Events of one slice. */
const SLICE = 1 << 16;

/** Which request each event belongs to, and the events of each request. */
export interface EventLists {
  /** Request of each event, -1 for none. */
  readonly row: Int32Array;
  /** Events of request r: list[start[r] .. start[r + 1]). */
  readonly start: Uint32Array;
  readonly list: Uint32Array;
}

/** First event of a record: for a block request its allocation, or what is seen of it first. */
export function firstEvent(matched: Matched, code: number): number {
  const { state, fuse } = matched;
  const { blocks, lives, sqes } = state;
  const id = code >> 2;
  if ((code & 3) === OWNER.sqe) return sqes.submit[id] >= 0 ? sqes.submit[id] : sqes.complete[id];
  if ((code & 3) === OWNER.life) return lives.seen[id];
  if ((code & 3) === OWNER.block) {
    const life = blocks.life[id];
    return life >= 0 ? Math.min(blocks.start[id], lives.seen[life]) : blocks.start[id];
  }
  const request = fuse.requests[id];
  if (request.send >= 0) return request.send;
  return request.life >= 0 ? lives.seen[request.life] : request.end;
}

/**
 * Lists the events of the requests whose record codes are given. Events from before a request's first (the bio that it was
 * made of) know their request but are not in its list. I/O to a backing disk belongs to the request that it serves, and with
 * backing disks listed also to its own row.
 */
export function* listEvents(matched: Matched, codes: Int32Array): Sliced<EventLists> {
  const { owner } = matched.state;
  const { length } = owner;
  const lister = new Lister(matched, codes);
  yield 0;
  for (let from = 0; from < length; from += SLICE) {
    lister.count(from, Math.min(length, from + SLICE));
    yield 0.5 * (from / length);
  }
  lister.place();
  for (let from = 0; from < length; from += SLICE) {
    lister.fill(from, Math.min(length, from + SLICE));
    yield 0.5 + 0.5 * (from / length);
  }
  return lister;
}

/** Counts the events of each request, then lists them: plain loops, because the compiler makes little of those of a generator. */
class Lister implements EventLists {
  readonly row: Int32Array;
  readonly start: Uint32Array;
  list = new Uint32Array(0);
  private next = new Uint32Array(0);
  private readonly first: Int32Array;
  private readonly owner: Int32Array;
  private readonly records: RecordRows;

  constructor(matched: Matched, codes: Int32Array) {
    this.owner = matched.state.owner;
    this.records = rowsOfRecords(matched, codes);
    this.first = firstEvents(matched, codes);
    this.row = new Int32Array(this.owner.length).fill(-1);
    this.start = new Uint32Array(codes.length + 1);
  }

  /** Finds the requests of the events from `from` up to `to`. */
  count(from: number, to: number): void {
    const { owner, first, row, start } = this;
    const { rows, own } = this.records;
    for (let e = from; e < to; e++) {
      const code = owner[e];
      if (code < 0) continue;
      const r = rows[code & 3][code >> 2];
      row[e] = r;
      if (r >= 0 && e >= first[r]) start[r + 1]++;
      const disk = (code & 3) === OWNER.block ? own[code >> 2] : -1;
      if (disk >= 0 && disk !== r && e >= first[disk]) start[disk + 1]++;
    }
  }

  /** Makes room for the events that were counted. */
  place(): void {
    const { start } = this;
    for (let r = 1; r < start.length; r++) start[r] += start[r - 1];
    this.list = new Uint32Array(start[start.length - 1]);
    this.next = start.slice(0, start.length - 1);
  }

  /** Lists the events from `from` up to `to`. */
  fill(from: number, to: number): void {
    const { owner, first, row, list, next } = this;
    const { own } = this.records;
    for (let e = from; e < to; e++) {
      const code = owner[e];
      if (code < 0) continue;
      const r = row[e];
      if (r >= 0 && e >= first[r]) list[next[r]++] = e;
      const disk = (code & 3) === OWNER.block ? own[code >> 2] : -1;
      if (disk >= 0 && disk !== r && e >= first[disk]) list[next[disk]++] = e;
    }
  }
}

/** {@link firstEvent} of each of the codes. */
function firstEvents(matched: Matched, codes: Int32Array): Int32Array {
  const first = new Int32Array(codes.length);
  for (let r = 0; r < codes.length; r++) first[r] = firstEvent(matched, codes[r]);
  return first;
}

interface RecordRows {
  /** Row by owner kind and record. */
  readonly rows: readonly [Int32Array, Int32Array, Int32Array, Int32Array];
  /** Row of a block request itself, also where its events belong to the request that it serves. */
  readonly own: Int32Array;
}

function rowsOfRecords(matched: Matched, codes: Int32Array): RecordRows {
  const { state, fuse } = matched;
  const { blocks, lives } = state;
  const ofBlock = new Int32Array(blocks.count).fill(-1);
  const ofLife = new Int32Array(lives.count).fill(-1);
  const ofFuse = new Int32Array(fuse.requests.length).fill(-1);
  const ofSqe = new Int32Array(state.sqes.count).fill(-1);
  const rows = [ofBlock, ofLife, ofFuse, ofSqe] as const;
  for (let r = 0; r < codes.length; r++) rows[(codes[r] & 3) as 0 | 1 | 2 | 3][codes[r] >> 2] = r;
  for (let s = 0; s < lives.count; s++) {
    if (lives.request[s] >= 0) ofLife[s] = (lives.fuse[s] === 1 ? ofFuse : ofBlock)[lives.request[s]];
  }
  const own = ofBlock.slice();
  for (let b = 0; b < blocks.count; b++) {
    let keep = b;
    while (blocks.into[keep] >= 0) keep = blocks.into[keep];
    own[b] = keep === b ? own[b] : ofBlock[keep];
    ofBlock[b] = blocks.parent[keep] >= 0 ? ofLife[blocks.parent[keep]] : own[b];
  }
  return { rows, own };
}
