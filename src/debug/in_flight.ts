import type { RequestTable } from '../trace/requests';
import { indexAfter } from './causes';

const BLOCK = 256;

/** Which requests are between their first and their last event at any event of the trace. */
export class InFlight {
  private readonly first: Uint32Array;
  private readonly last: Uint32Array;
  /** Greatest last event of each run of {@link BLOCK} rows, to skip those that are over. */
  private readonly blocks: Uint32Array;

  constructor(requests: RequestTable) {
    const n = requests.length;
    this.first = new Uint32Array(n);
    this.last = new Uint32Array(n);
    this.blocks = new Uint32Array(Math.ceil(n / BLOCK));
    for (let r = 0; r < n; r++) {
      const from = requests.eventStart[r];
      const to = requests.eventStart[r + 1];
      this.first[r] = from < to ? requests.eventList[from] : 0xffffffff;
      this.last[r] = from < to ? requests.eventList[to - 1] : 0;
      // rows are in order of their first events; an empty one must not break that
      if (from >= to && r > 0) this.first[r] = this.first[r - 1];
      const b = Math.floor(r / BLOCK);
      if (this.last[r] > this.blocks[b]) this.blocks[b] = this.last[r];
    }
  }

  /** Rows in flight at an event, in the order in which they started; `more` is how many there are beyond `limit`. */
  at(event: number, limit: number): { readonly rows: number[]; readonly more: number } {
    const rows: number[] = [];
    let more = 0;
    const end = indexAfter(this.first, event);
    for (let b = 0; b * BLOCK < end; b++) {
      if (this.blocks[b] < event) continue;
      for (let r = b * BLOCK; r < Math.min(end, (b + 1) * BLOCK); r++) {
        if (this.last[r] < event) continue;
        if (rows.length < limit) rows.push(r);
        else more++;
      }
    }
    return { rows, more };
  }

  /** Whether a request is between its first and its last event. */
  has(row: number, event: number): boolean {
    return this.first[row] <= event && event <= this.last[row];
  }
}
