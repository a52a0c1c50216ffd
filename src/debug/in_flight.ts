import type { RequestTable } from '../trace/requests';
import { indexAfter } from './sorted';

const BLOCK = 256;
/** Beyond the last event of any trace. */
const FOREVER = 0xffffffff;

/**
 * Which requests are in flight at any event: from their first event to their last one, and those that never end until their tag
 * is taken by the next one or the trace is over.
 */
export class InFlight {
  private readonly first: Uint32Array;
  private readonly last: Uint32Array;
  /** Greatest last event of each run of {@link BLOCK} rows, to skip those that are over. */
  private readonly blocks: Uint32Array;

  constructor(requests: RequestTable) {
    const { length: n, eventStart, eventList } = requests;
    this.first = new Uint32Array(n);
    this.last = new Uint32Array(n);
    this.blocks = new Uint32Array(Math.ceil(n / BLOCK));
    for (let r = 0; r < n; r++) {
      const empty = eventStart[r] === eventStart[r + 1];
      // rows are in order of their first events; one without events must not break that
      this.first[r] = empty ? (r > 0 ? this.first[r - 1] : 0) : eventList[eventStart[r]];
      this.last[r] = empty ? 0 : eventList[eventStart[r + 1] - 1];
    }
    const taken = new Map<number, number>();
    for (let r = n - 1; r >= 0; r--) {
      const slot = (requests.device[r] * 0x2000 + requests.queue[r] + 1) * 0x20000 + requests.tag[r] + 1;
      const open = requests.status[r] === 0 && requests.tag[r] >= 0;
      if (open) this.last[r] = Math.max(this.last[r], (taken.get(slot) ?? FOREVER) - 1);
      taken.set(slot, this.first[r]);
      const b = Math.floor(r / BLOCK);
      this.blocks[b] = Math.max(this.blocks[b], this.last[r]);
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
}
