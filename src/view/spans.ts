import type { Sliced } from '../trace/slices';

/** Spans collected in any order of lines; a line is one row of one track. */
export class SpanList {
  private size = 0;
  private line = new Uint32Array(1024);
  private kind = new Uint8Array(1024);
  private start = new Float64Array(1024);
  private end = new Float64Array(1024);
  private event = new Int32Array(1024);
  private request = new Int32Array(1024);

  /** Adds a span. Those of one line must come in the order of their starts and must not overlap. */
  add(line: number, kind: number, start: number, end: number, event: number, request: number): void {
    if (this.size === this.line.length) this.grow();
    const k = this.size++;
    this.line[k] = line;
    this.kind[k] = kind;
    this.start[k] = start;
    this.end[k] = Math.max(start, end);
    this.event[k] = event;
    this.request[k] = request;
  }

  /** Lines in use, one for each span. */
  lines(): Uint32Array {
    return this.line.subarray(0, this.size);
  }

  /** The spans of this list and another one grouped by line, with `order` giving each line its new number. */
  *joined(
    other: SpanList,
    lines: number,
    order: (line: number, second: boolean) => number,
    slice: number,
  ): Sliced<Spans> {
    const size = this.size + other.size;
    const place = new Uint32Array(size);
    const at = new Uint32Array(lines + 1);
    for (let k = 0; k < size; k++) {
      if (k % slice === slice - 1) yield (0.5 * k) / size;
      const second = k >= this.size;
      place[k] = order(second ? other.line[k - this.size] : this.line[k], second);
      at[place[k] + 1]++;
    }
    for (let l = 0; l < lines; l++) at[l + 1] += at[l];
    const next = at.slice(0, lines);
    const spans: Spans = {
      at,
      kind: new Uint8Array(size),
      start: new Float64Array(size),
      end: new Float64Array(size),
      event: new Int32Array(size),
      request: new Int32Array(size),
    };
    for (let k = 0; k < size; k++) {
      if (k % slice === slice - 1) yield 0.5 + (0.5 * k) / size;
      const list = k < this.size ? this : other;
      const from = k < this.size ? k : k - this.size;
      const to = next[place[k]]++;
      spans.kind[to] = list.kind[from];
      spans.start[to] = list.start[from];
      spans.end[to] = list.end[from];
      spans.event[to] = list.event[from];
      spans.request[to] = list.request[from];
    }
    return spans;
  }

  private grow(): void {
    const size = this.line.length * 2;
    this.line = wider(new Uint32Array(size), this.line);
    this.kind = wider(new Uint8Array(size), this.kind);
    this.start = wider(new Float64Array(size), this.start);
    this.end = wider(new Float64Array(size), this.end);
    this.event = wider(new Int32Array(size), this.event);
    this.request = wider(new Int32Array(size), this.request);
  }
}

/** Spans of all lines: those of line l are `at[l]` to `at[l + 1]`, by start, without overlap. Times are ns since the start. */
export interface Spans {
  readonly at: Uint32Array;
  /** Index into SPAN_KINDS. */
  readonly kind: Uint8Array;
  readonly start: Float64Array;
  /** Infinity: never ends in the trace. */
  readonly end: Float64Array;
  /** First event of the span. */
  readonly event: Int32Array;
  /** Row of the request, -1 for none. */
  readonly request: Int32Array;
}

type Column = Uint8Array | Uint32Array | Int32Array | Float64Array;

/** Copies a column into a larger one. */
export function wider<T extends Column>(to: T, from: Column): T {
  to.set(from);
  return to;
}

/** First index in [from, to) whose value is above `value`; `to` where there is none. The column ascends there. */
export function above(
  column: Float64Array | Uint32Array | Int32Array,
  value: number,
  from: number,
  to: number,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First index in [from, to) whose value is at or above `value`; `to` where there is none. The column ascends there. */
export function atOrAbove(
  column: Float64Array | Uint32Array | Int32Array,
  value: number,
  from: number,
  to: number,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The same as {@link atOrAbove} where the place is likely near `from`: widens its step until it is beyond, then halves. Costs as much
 * as the logarithm of the distance, in memory that is at hand.
 */
export function atOrAboveNear(
  column: Float64Array | Uint32Array | Int32Array,
  value: number,
  from: number,
  to: number,
): number {
  let low = from;
  let step = 1;
  while (low + step < to && column[low + step] < value) {
    low += step;
    step *= 2;
  }
  return atOrAbove(column, value, low, Math.min(to, low + step + 1));
}
