import type { Slice, Tracks } from '../../src/webview/protocol_data';

/** One span of a made-up slice. */
export interface SpanRow {
  readonly track: number;
  readonly row?: number;
  readonly kind?: number;
  readonly start: number;
  readonly end: number;
  readonly event?: number;
  readonly request?: number;
  readonly label?: string;
}

export interface MarkRow {
  readonly track: number;
  readonly time: number;
  readonly kind?: number;
  readonly event?: number;
}

export interface StepRow {
  readonly track: number;
  readonly time: number;
  readonly value: number;
}

/** A slice of given spans, marks and counter steps. */
export function sliceOf(
  spans: readonly SpanRow[],
  marks: readonly MarkRow[] = [],
  steps: readonly StepRow[] = [],
  range = { from: 0, to: 1000 },
): Slice {
  const labels = ['', ...new Set(spans.map((span) => span.label ?? ''))];
  return {
    ...range,
    nsPerPixel: 1,
    spans: {
      track: Uint32Array.from(spans, (span) => span.track),
      row: Uint16Array.from(spans, (span) => span.row ?? 0),
      kind: Uint8Array.from(spans, (span) => span.kind ?? 3),
      start: Float64Array.from(spans, (span) => span.start),
      end: Float64Array.from(spans, (span) => span.end),
      event: Int32Array.from(spans, (span, k) => span.event ?? k),
      request: Int32Array.from(spans, (span) => span.request ?? -1),
      count: new Uint32Array(spans.length).fill(1),
      label: Uint32Array.from(spans, (span) => labels.indexOf(span.label ?? '')),
    },
    marks: {
      track: Uint32Array.from(marks, (mark) => mark.track),
      row: new Uint16Array(marks.length),
      kind: Uint8Array.from(marks, (mark) => mark.kind ?? 0),
      time: Float64Array.from(marks, (mark) => mark.time),
      event: Int32Array.from(marks, (mark, k) => mark.event ?? k),
      request: new Int32Array(marks.length).fill(-1),
      count: new Uint32Array(marks.length).fill(1),
      label: new Uint32Array(marks.length),
    },
    counters: {
      track: Uint32Array.from(steps, (step) => step.track),
      time: Float64Array.from(steps, (step) => step.time),
      value: Float64Array.from(steps, (step) => step.value),
      low: Float64Array.from(steps, (step) => step.value),
      high: Float64Array.from(steps, (step) => step.value),
    },
    labels,
  };
}

/** Tracks of given kinds; the group is `GROUP` for each, where none is given. */
export function tracksOf(
  list: readonly { kind: 'context' | 'tag' | 'counter'; group?: string; rows?: number; max?: number }[],
): Tracks {
  return {
    kind: list.map(({ kind }) => kind),
    group: list.map(({ group, kind }) => group ?? kind),
    name: list.map(({ kind }, k) => `${kind} ${k}`),
    key: list.map(({ kind }, k) => (kind === 'tag' ? `ublkb0/0/${k}` : '')),
    rows: list.map(({ rows }) => rows ?? 1),
    max: list.map(({ max }) => max ?? 0),
  };
}
