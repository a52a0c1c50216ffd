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

/** Rows of numbers that become columns; `full` once there are more than `limit`. */
class Rows {
  private readonly values: number[] = [];

  constructor(
    private readonly width: number,
    private readonly limit: number,
  ) {}

  get full(): boolean {
    return this.values.length > this.limit * this.width;
  }

  protected push(...row: number[]): void {
    for (const value of row) this.values.push(value);
  }

  protected column<T extends { [k: number]: number }>(make: new (size: number) => T, k: number): T {
    const size = this.values.length / this.width;
    const column = new make(size);
    for (let i = 0; i < size; i++) column[i] = this.values[i * this.width + k];
    return column;
  }
}

export class SpanColumns extends Rows {
  constructor(limit: number) {
    super(9, limit);
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
    this.push(track, row, kind, start, end, event, request, count, label);
  }

  done(): Slice['spans'] {
    return {
      track: this.column(Uint32Array, 0),
      row: this.column(Uint16Array, 1),
      kind: this.column(Uint8Array, 2),
      start: this.column(Float64Array, 3),
      end: this.column(Float64Array, 4),
      event: this.column(Int32Array, 5),
      request: this.column(Int32Array, 6),
      count: this.column(Uint32Array, 7),
      label: this.column(Uint32Array, 8),
    };
  }
}

export class MarkColumns extends Rows {
  constructor(limit: number) {
    super(8, limit);
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
    this.push(track, row, kind, time, event, request, count, label);
  }

  done(): Slice['marks'] {
    return {
      track: this.column(Uint32Array, 0),
      row: this.column(Uint16Array, 1),
      kind: this.column(Uint8Array, 2),
      time: this.column(Float64Array, 3),
      event: this.column(Int32Array, 4),
      request: this.column(Int32Array, 5),
      count: this.column(Uint32Array, 6),
      label: this.column(Uint32Array, 7),
    };
  }
}

export class CounterColumns extends Rows {
  constructor(limit: number) {
    super(5, limit);
  }

  add(track: number, time: number, value: number, low: number, high: number): void {
    this.push(track, time, value, low, high);
  }

  done(): Slice['counters'] {
    return {
      track: this.column(Uint32Array, 0),
      time: this.column(Float64Array, 1),
      value: this.column(Float64Array, 2),
      low: this.column(Float64Array, 3),
      high: this.column(Float64Array, 4),
    };
  }
}
