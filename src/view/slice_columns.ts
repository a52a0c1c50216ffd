import type { Slice } from '../webview/protocol_data';

/** Most characters of the labels of one answer. */
const MOST_TEXT = 100_000;

/** The different labels of an answer; number 0 is the empty one, which also stands for those beyond the limit. */
export class Labels {
  readonly all: string[] = [''];
  private readonly known = new Map<string, number>([['', 0]]);
  private size = 0;

  of(text: string): number {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    if (this.size + text.length > MOST_TEXT) return 0;
    this.size += text.length;
    const label = this.all.push(text) - 1;
    this.known.set(text, label);
    return label;
  }
}

type Column = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

/** Columns with room for `limit` rows and one more; `full` once there are more than that. They are filled again and again. */
class Columns {
  protected length = 0;

  constructor(private readonly limit: number) {}

  get full(): boolean {
    return this.length > this.limit;
  }

  clear(): void {
    this.length = 0;
  }

  /** Place of the next row. */
  protected next(): number {
    if (this.length <= this.limit) this.length++;
    return this.length - 1;
  }

  /** Copies of exactly the rows in use. */
  protected cut<T extends { readonly [name: string]: Column }>(columns: T): T {
    const { length } = this;
    return Object.fromEntries(
      Object.entries(columns).map(([name, all]) => [name, all.slice(0, length)]),
    ) as T;
  }
}

/** Columns that spans and marks have in common. */
class Entries extends Columns {
  protected readonly entries;

  constructor(limit: number) {
    super(limit);
    const size = limit + 1;
    this.entries = {
      track: new Uint32Array(size),
      row: new Uint16Array(size),
      kind: new Uint8Array(size),
      event: new Int32Array(size),
      request: new Int32Array(size),
      count: new Uint32Array(size),
      label: new Uint32Array(size),
    };
  }

  /** Puts down what is common; the place of the row. */
  protected put(
    track: number,
    row: number,
    kind: number,
    event: number,
    request: number,
    count: number,
    label: number,
  ): number {
    const { entries } = this;
    const k = this.next();
    entries.track[k] = track;
    entries.row[k] = row;
    entries.kind[k] = kind;
    entries.event[k] = event;
    entries.request[k] = request;
    entries.count[k] = count;
    entries.label[k] = label;
    return k;
  }
}

/** Spans of an answer. */
export class SpanColumns extends Entries {
  private readonly times;

  constructor(limit: number) {
    super(limit);
    this.times = { start: new Float64Array(limit + 1), end: new Float64Array(limit + 1) };
  }

  add(
    track: number,
    row: number,
    kind: number,
    start: number,
    end: number,
    event: number,
    request: number,
    count: number,
    label: number,
  ): void {
    const k = this.put(track, row, kind, event, request, count, label);
    this.times.start[k] = start;
    this.times.end[k] = end;
  }

  done(): Slice['spans'] {
    return { ...this.cut(this.entries), ...this.cut(this.times) };
  }
}

/** Marks of an answer. */
export class MarkColumns extends Entries {
  private readonly times;

  constructor(limit: number) {
    super(limit);
    this.times = { time: new Float64Array(limit + 1) };
  }

  add(
    track: number,
    row: number,
    kind: number,
    time: number,
    event: number,
    request: number,
    count: number,
    label: number,
  ): void {
    this.times.time[this.put(track, row, kind, event, request, count, label)] = time;
  }

  done(): Slice['marks'] {
    return { ...this.cut(this.entries), ...this.cut(this.times) };
  }
}

/** Steps of counters of an answer. */
export class CounterColumns extends Columns {
  private readonly columns;

  constructor(limit: number) {
    super(limit);
    const size = limit + 1;
    this.columns = {
      track: new Uint32Array(size),
      time: new Float64Array(size),
      value: new Float64Array(size),
      low: new Float64Array(size),
      high: new Float64Array(size),
    };
  }

  add(track: number, time: number, value: number, low: number, high: number): void {
    const { columns } = this;
    const k = this.next();
    columns.track[k] = track;
    columns.time[k] = time;
    columns.value[k] = value;
    columns.low[k] = low;
    columns.high[k] = high;
  }

  done(): Slice['counters'] {
    return this.cut(this.columns);
  }
}
