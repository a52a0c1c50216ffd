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

/** Spans of an answer. */
export class SpanColumns extends Columns {
  private readonly columns;

  constructor(limit: number) {
    super(limit);
    const size = limit + 1;
    this.columns = {
      track: new Uint32Array(size),
      row: new Uint16Array(size),
      kind: new Uint8Array(size),
      start: new Float64Array(size),
      end: new Float64Array(size),
      event: new Int32Array(size),
      request: new Int32Array(size),
      count: new Uint32Array(size),
      label: new Uint32Array(size),
    };
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
    const { columns } = this;
    const k = this.next();
    columns.track[k] = track;
    columns.row[k] = row;
    columns.kind[k] = kind;
    columns.start[k] = start;
    columns.end[k] = end;
    columns.event[k] = event;
    columns.request[k] = request;
    columns.count[k] = count;
    columns.label[k] = label;
  }

  done(): Slice['spans'] {
    return this.cut(this.columns);
  }
}

/** Marks of an answer. */
export class MarkColumns extends Columns {
  private readonly columns;

  constructor(limit: number) {
    super(limit);
    const size = limit + 1;
    this.columns = {
      track: new Uint32Array(size),
      row: new Uint16Array(size),
      kind: new Uint8Array(size),
      time: new Float64Array(size),
      event: new Int32Array(size),
      request: new Int32Array(size),
      count: new Uint32Array(size),
      label: new Uint32Array(size),
    };
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
    const { columns } = this;
    const k = this.next();
    columns.track[k] = track;
    columns.row[k] = row;
    columns.kind[k] = kind;
    columns.time[k] = time;
    columns.event[k] = event;
    columns.request[k] = request;
    columns.count[k] = count;
    columns.label[k] = label;
  }

  done(): Slice['marks'] {
    return this.cut(this.columns);
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
