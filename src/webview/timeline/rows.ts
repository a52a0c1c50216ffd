import type { Tracks } from '../protocol_data';

/** Heights of what is stacked, px. */
export interface Heights {
  /** One row of a context or tag track. */
  readonly row: number;
  /** Strip below the rows of such a track, for its marks. */
  readonly strip: number;
  readonly counter: number;
  readonly group: number;
}

/** A heading or a track at its place in the whole stack. */
export interface Row {
  readonly y: number;
  readonly height: number;
  /** Heading: name of the group. */
  readonly group: string;
  /** Track id; -1: a heading. */
  readonly track: number;
  /** Heading: number of tracks below it. */
  readonly members: number;
  readonly collapsed: boolean;
}

/** Tracks in the order in which they are stacked: the tags, which are what a person looks for, then contexts and counters. */
export function stackOrder(tracks: Tracks): readonly number[] {
  const ids = [...tracks.kind.keys()];
  return [...ids.filter((id) => tracks.kind[id] === 'tag'), ...ids.filter((id) => tracks.kind[id] !== 'tag')];
}

/** A stack of tracks, with a heading where another group begins. */
export class Rows {
  readonly rows: readonly Row[];
  readonly height: number;
  /** Index into `rows` by track; that of the heading for a track of a collapsed group; -1: not in the stack. */
  private readonly place: Int32Array;

  /** Without `collapsed` there are no headings. */
  constructor(
    tracks: Tracks,
    ids: readonly number[],
    heights: Heights,
    collapsed: ReadonlySet<string> | undefined,
  ) {
    const rows: Row[] = [];
    this.place = new Int32Array(tracks.kind.length).fill(-1);
    let y = 0;
    let heading: { -readonly [K in keyof Row]: Row[K] } | undefined;
    for (const id of ids) {
      const group = tracks.group[id]!;
      if (collapsed !== undefined && heading?.group !== group) {
        const closed = collapsed.has(group);
        heading = { y, height: heights.group, group, track: -1, members: 0, collapsed: closed };
        rows.push(heading);
        y += heights.group;
      }
      if (heading !== undefined) heading.members++;
      this.place[id] = heading?.collapsed ? rows.lastIndexOf(heading) : rows.length;
      if (heading?.collapsed) continue;
      const height = trackHeight(tracks, id, heights);
      rows.push({ y, height, group, track: id, members: 0, collapsed: false });
      y += height;
    }
    this.rows = rows;
    this.height = y;
  }

  /** Index of the row at a height in the stack; -1 above, the last one below. */
  at(y: number): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.rows[middle]!.y <= y) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Rows that show anything between two heights. */
  between(top: number, bottom: number): readonly Row[] {
    const first = Math.max(0, this.at(top));
    const last = this.at(bottom);
    return this.rows.slice(first, last + 1);
  }

  /** Where a track (or the heading that hides it) stands. */
  of(track: number): Row | undefined {
    const at = this.place[track] ?? -1;
    return at < 0 ? undefined : this.rows[at];
  }
}

function trackHeight(tracks: Tracks, id: number, heights: Heights): number {
  if (tracks.kind[id] === 'counter') return heights.counter;
  return Math.max(1, tracks.rows[id]!) * heights.row + heights.strip + 3;
}
