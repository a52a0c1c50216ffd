import type { Trace } from '../trace/trace';
import { atOrAbove } from './spans';

/**
 * Times of a trace in ns since its first event: exact for time stamps up to 2^53. An event that its text dates before an earlier
 * one (per-CPU buffers put together in the wrong order) stands at the time of that one, so times never go back.
 */
export class Times {
  /** Time stamp of the first event, ns. */
  readonly start: number;
  /** Time of the last event, ns since the start. */
  readonly length: number;
  private readonly column: Float64Array;
  private readonly count: number;

  constructor(trace: Trace) {
    const { ts, length } = trace;
    this.count = length;
    this.start = length > 0 ? ts[0] : 0;
    let sorted = true;
    for (let i = 1; i < length && sorted; i++) sorted = ts[i - 1] <= ts[i];
    if (sorted) {
      this.column = ts;
    } else {
      this.column = ts.slice(0, length);
      for (let i = 1; i < length; i++) {
        if (this.column[i] < this.column[i - 1]) this.column[i] = this.column[i - 1];
      }
    }
    this.length = length > 0 ? this.column[length - 1] - this.start : 0;
  }

  /** Time of event i, ns since the start. */
  at(i: number): number {
    return this.column[i] - this.start;
  }

  /** First event at or after a time since the start; the number of events where there is none. */
  firstAt(time: number): number {
    return atOrAbove(this.column, Math.ceil(time) + this.start, 0, this.count);
  }

  /**
   * The first place in [from, to) of an ascending list of events whose event is at or after a time; `to` where there is none. Looks
   * `guess` places beyond `from` first, and near there: every look at a time is one at far memory.
   */
  firstIn(list: Uint32Array, time: number, from: number, to: number, guess: number): number {
    const { column } = this;
    const limit = Math.ceil(time) + this.start;
    let low = from;
    let high = to;
    let step = Math.max(1, guess >> 3);
    const near = from + guess;
    if (near < to && column[list[near]] < limit) {
      low = near + 1;
      while (low + step < to && column[list[low + step]] < limit) {
        low += step + 1;
        step *= 2;
      }
      high = Math.min(to, low + step);
    } else {
      high = Math.min(near, to);
      while (high - step > from && column[list[high - step]] >= limit) {
        high -= step;
        step *= 2;
      }
      low = Math.max(from, high - step);
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (column[list[middle]] < limit) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** A time stamp of the trace as time since the start, not before it and not behind the end. */
  since(ts: number): number {
    return Math.max(0, Math.min(ts - this.start, this.length));
  }
}
