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
  const n = codes.length;
  const { rows, own } = rowsOfRecords(matched, codes);
  const first = Int32Array.from(codes, (code) => firstEvent(matched, code));
  const row = new Int32Array(owner.length).fill(-1);
  const start = new Uint32Array(n + 1);
  yield 0;
  for (let e = 0; e < owner.length; e++) {
    if ((e & (SLICE - 1)) === SLICE - 1) yield 0.5 * (e / owner.length);
    const code = owner[e];
    if (code < 0) continue;
    const r = rows[code & 3][code >> 2];
    row[e] = r;
    if (r >= 0 && e >= first[r]) start[r + 1]++;
    const disk = (code & 3) === OWNER.block ? own[code >> 2] : -1;
    if (disk >= 0 && disk !== r && e >= first[disk]) start[disk + 1]++;
  }
  for (let r = 0; r < n; r++) start[r + 1] += start[r];
  const list = new Uint32Array(start[n]);
  const next = start.slice(0, n);
  for (let e = 0; e < owner.length; e++) {
    if ((e & (SLICE - 1)) === SLICE - 1) yield 0.5 + 0.5 * (e / owner.length);
    const code = owner[e];
    if (code < 0) continue;
    const r = row[e];
    if (r >= 0 && e >= first[r]) list[next[r]++] = e;
    const disk = (code & 3) === OWNER.block ? own[code >> 2] : -1;
    if (disk >= 0 && disk !== r && e >= first[disk]) list[next[disk]++] = e;
  }
  return { row, start, list };
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
  const own = Int32Array.from(ofBlock);
  for (let b = 0; b < blocks.count; b++) {
    let keep = b;
    while (blocks.into[keep] >= 0) keep = blocks.into[keep];
    own[b] = keep === b ? own[b] : ofBlock[keep];
    ofBlock[b] = blocks.parent[keep] >= 0 ? ofLife[blocks.parent[keep]] : own[b];
  }
  return { rows, own };
}
