import type { RequestTable } from '../trace/requests';
import type { Sliced } from '../trace/slices';
import type { Translate } from './machine_names';
import { PHASE_KINDS, type Phases } from './phases';
import { SpanList } from './spans';

/** Rows of a track at most: more requests at once on one tag are known to the list of requests only. */
export const TAG_ROWS = 1024;

/** The tracks of (device, queue, tag), by device, queue and tag. */
export interface TagTracks {
  readonly all: readonly {
    readonly group: string;
    readonly name: string;
    readonly key: string;
    rows: number;
  }[];
  /** Track of a request, from 0. */
  readonly of: Uint32Array;
}

/** Key of a (device, queue, tag) for pins; what is unknown is a question mark. */
export function tagKey(requests: RequestTable, row: number): string {
  const { device, devices, queue, tag } = requests;
  return `${devices[device[row]]}/${queue[row] < 0 ? '?' : queue[row]}/${tag[row] < 0 ? '?' : tag[row]}`;
}

function trackName(requests: RequestTable, row: number, t: Translate): string {
  const tag = requests.tag[row];
  if (requests.isSqe(row)) return tag < 0 ? t('other user_data') : t('user_data {0}', tag);
  return tag < 0 ? t('no tag') : t('tag {0}', tag);
}

/** Finds the tracks. */
export function tagTracks(requests: RequestTable, t: Translate): TagTracks {
  const { length, device, devices, queue, tag } = requests;
  const ids = new Map<number, number>();
  const first: number[] = [];
  const raw = new Uint32Array(length);
  for (let r = 0; r < length; r++) {
    const slot = (device[r] * 0x2000 + queue[r] + 1) * 0x20000 + tag[r] + 1;
    let id = ids.get(slot);
    if (id === undefined) {
      id = first.push(r) - 1;
      ids.set(slot, id);
    }
    raw[r] = id;
  }
  const last = (value: number): number => (value < 0 ? Infinity : value);
  const order = first
    .map((_, id) => id)
    .sort((x, y) => {
      const [a, b] = [first[x], first[y]];
      if (device[a] !== device[b]) return device[a] - device[b];
      if (queue[a] !== queue[b]) return last(queue[a]) - last(queue[b]);
      return last(tag[a]) - last(tag[b]);
    });
  const place = new Uint32Array(order.length);
  for (const [k, id] of order.entries()) place[id] = k;
  const all = order.map((id) => {
    const r = first[id];
    const name = devices[device[r]];
    return {
      group: requests.isSqe(r)
        ? t('ring {0}', queue[r])
        : queue[r] < 0
          ? t('{0} unknown queue', name)
          : t('{0} queue {1}', name, queue[r]),
      name: trackName(requests, r, t),
      key: tagKey(requests, r),
      rows: 1,
    };
  });
  return { all, of: raw.map((id) => place[id]) };
}

/** Requests in the order in which they got their tags. */
function byTag(phases: Phases, length: number): Uint32Array {
  const since = new Float64Array(length);
  let sorted = true;
  for (let r = 0; r < length; r++) {
    since[r] = phases.heldSince(r);
    if (r > 0 && since[r] < since[r - 1]) sorted = false;
  }
  const order = Uint32Array.from({ length }, (_, r) => r);
  return sorted ? order : order.sort((a, b) => since[a] - since[b] || a - b);
}

/**
 * Spans of the phases of all requests; line = track * TAG_ROWS + row. A request that never ends is open-ended, unless a later one
 * has its tag: then it was over by that time. What a request waits before it gets its tag is not drawn on it.
 */
export function* tagSpans(
  requests: RequestTable,
  phases: Phases,
  tracks: TagTracks,
  slice: number,
): Sliced<SpanList> {
  const spans = new SpanList();
  const { length } = requests;
  const ends = tracks.all.map(() => [-Infinity]);
  const order = byTag(phases, length);
  const following = nextStarts(phases, order, tracks);
  const borders = new Float64Array(6);
  for (let n = 0; n < length; n++) {
    if (n % slice === slice - 1) yield n / length;
    const r = order[n];
    phases.read(r, borders);
    borders[0] = Math.min(phases.heldSince(r), borders[5]);
    if (borders[5] === Infinity && requests.tag[r] >= 0) borders[5] = following[r];
    const track = tracks.of[r];
    const rows = ends[track];
    let row = rows.findIndex((end) => end <= borders[0]);
    if (row < 0) {
      if (rows.length >= TAG_ROWS) continue;
      row = rows.push(borders[5]) - 1;
    }
    rows[row] = borders[5];
    tracks.all[track].rows = Math.max(tracks.all[track].rows, row + 1);
    const line = track * TAG_ROWS + row;
    for (let k = 0; k < 5; k++) {
      const start = borders[k];
      if (Number.isNaN(start) || start > borders[5]) continue;
      let next = k + 1;
      while (next < 5 && Number.isNaN(borders[next])) next++;
      const end = Math.min(borders[next], borders[5]);
      if (end > start || (k === 0 && next === 5)) {
        spans.add(line, PHASE_KINDS[k], start, end, k === 0 ? phases.heldFrom(r) : phases.eventOf(r, k), r);
      }
    }
  }
  return spans;
}

/** When the next request of the same track gets its tag, Infinity for the last one. */
function nextStarts(phases: Phases, order: Uint32Array, tracks: TagTracks): Float64Array {
  const next = new Float64Array(order.length);
  const later = new Float64Array(tracks.all.length).fill(Infinity);
  for (let n = order.length - 1; n >= 0; n--) {
    const r = order[n];
    next[r] = later[tracks.of[r]];
    later[tracks.of[r]] = phases.heldSince(r);
  }
  return next;
}
