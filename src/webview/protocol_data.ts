/** Three faces of the one cursor. */
export type Face = 'timeline' | 'sequence' | 'machine';

/** The cursor of a trace, with what every face wants to say of it. */
export interface CursorState {
  /** Event number, -1 in a trace without events. */
  readonly event: number;
  /** Row of the focused request, -1: whole trace. */
  readonly request: number;
  /** ns since the start of the trace. */
  readonly time: number;
  /** One sentence for the status line and aria-live: what happened, where, to whom. */
  readonly text: string;
  /** Label of the focused request, such as `q0 tag 3 READ 4 KiB @ 8 KiB`; empty: whole trace. */
  readonly label: string;
  /** Track of the context in which the event happened. */
  readonly lane?: number;
}

/** What a track shows. */
export type TrackKind = 'context' | 'tag' | 'counter';

/** Kinds of contexts; the order is that of the lanes from top to bottom. */
export const CONTEXT_KINDS = ['client', 'kworker', 'daemon', 'io-wq', 'interrupt', 'other'] as const;
export type ContextKind = (typeof CONTEXT_KINDS)[number];

/** Tracks as parallel columns: there may be tens of thousands. The id of a track is its index. */
export interface Tracks {
  readonly kind: readonly TrackKind[];
  /** Heading under which the track stands, such as `Clients`, `ublkb0 queue 0`, `Occupancy`. */
  readonly group: readonly string[];
  /** Name of the lane, such as `fio-1204`, `tag 3`, `CQ ring 0`. */
  readonly name: readonly string[];
  /** Key of a tag track for pins (`device/queue/tag`), state path of a counter, else empty. */
  readonly key: readonly string[];
  /** Rows of spans that may overlap in the track, at least 1 (a counter has 1). */
  readonly rows: readonly number[];
  /** Largest value of a counter track, 0 for others. */
  readonly max: readonly number[];
}

/** What a span or mark is; decides colour, pattern and words. The numbers are indices into this list. */
export const SPAN_KINDS = [
  'queued', // request waits in blk-mq (allocated, plugged, inserted)
  'delivered', // handed to the server's task: task work, FETCH or COMMIT CQE posted
  'server', // the server holds it: from CQE seen to backend SQE
  'backend', // backend SQE submitted, not complete
  'commit', // from backend completion to blk-mq completion
  'running', // a context runs one step of work (system call, task work, worker item)
  'waiting', // a context waits (io_cqring_wait, parked worker)
  'merged', // several spans closer than a pixel
] as const;
export type SpanKind = (typeof SPAN_KINDS)[number];

/** Kinds of marks (instants). */
export const MARK_KINDS = ['event', 'sqe', 'cqe', 'splice', 'copy', 'error', 'violation', 'session'] as const;
export type MarkKind = (typeof MARK_KINDS)[number];

/** Spans, marks and counter steps of some tracks in a range, as typed columns (transferable). Times are ns since the start. */
export interface Slice {
  readonly from: number;
  readonly to: number;
  readonly nsPerPixel: number;
  readonly spans: {
    readonly track: Uint32Array;
    /** Row within the track. */
    readonly row: Uint16Array;
    readonly kind: Uint8Array;
    readonly start: Float64Array;
    /** Infinity: never ends in the trace. */
    readonly end: Float64Array;
    /** First event of the span, and its request row or -1. */
    readonly event: Int32Array;
    readonly request: Int32Array;
    /** Number of spans merged into this one (1: itself). */
    readonly count: Uint32Array;
    /** Index into `labels`. */
    readonly label: Uint32Array;
  };
  readonly marks: {
    readonly track: Uint32Array;
    readonly row: Uint16Array;
    readonly kind: Uint8Array;
    readonly time: Float64Array;
    readonly event: Int32Array;
    readonly request: Int32Array;
    readonly count: Uint32Array;
    readonly label: Uint32Array;
  };
  readonly counters: {
    readonly track: Uint32Array;
    readonly time: Float64Array;
    /** Value from `time` on; between two steps closer than a pixel also the extremes. */
    readonly value: Float64Array;
    readonly low: Float64Array;
    readonly high: Float64Array;
  };
  readonly labels: readonly string[];
}

/** One request across the lanes. */
export interface Flow {
  readonly request: number;
  /** Track of its tag. */
  readonly tag: number;
  readonly label: string;
  /** Its events in order: where each lies. */
  readonly event: Int32Array;
  readonly track: Uint32Array;
  readonly time: Float64Array;
  /** Causes: index pairs into the events above, cause first. */
  readonly arrows: Uint32Array;
}

/** Why one request waits for another. */
export const TIE_KINDS = ['link', 'brokenLink', 'drain'] as const;

/** Links and drains between requests: from the end of one to the beginning of the other. Times are ns since the start. */
export interface Ties {
  /** Index into {@link TIE_KINDS}. */
  readonly kind: Uint8Array;
  readonly fromTrack: Uint32Array;
  readonly fromTime: Float64Array;
  readonly toTrack: Uint32Array;
  readonly toTime: Float64Array;
}

export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Counts of a time range; durations in ns. */
export interface Statistics {
  readonly from: number;
  readonly to: number;
  readonly events: number;
  readonly sqes: number;
  readonly cqes: number;
  readonly errors: number;
  readonly bytes: number;
  /** Latency of the requests that complete in the range. */
  readonly latency: Percentiles;
  /** Share of each phase in those requests' time: total ns and the percentiles. */
  readonly phases: readonly {
    readonly kind: SpanKind;
    readonly total: number;
    readonly percentiles: Percentiles;
  }[];
  /** The slowest requests: row, label, ns. */
  readonly slowest: readonly { readonly request: number; readonly label: string; readonly ns: number }[];
}

export interface Column {
  readonly id: string;
  readonly title: string;
}

/** One event in the table twin. */
export interface TableRow {
  readonly event: number;
  readonly request: number;
  readonly cells: readonly string[];
}

/** Answers to what, why and what next of an event. */
export interface Explanation {
  readonly event: number;
  /** Name of the event, such as `io_uring_complete`. */
  readonly name: string;
  /** Its line of the trace text. */
  readonly line: string;
  /** What it is: the schema's sentence. */
  readonly what: string;
  /** Why it happens here: chain of causes in words, nearest first, with events to go to. */
  readonly why: readonly { readonly text: string; readonly event: number }[];
  /** Kernel function, context in which it ran, locks where the pseudo-code names them, kernel version. */
  readonly where: {
    readonly function: string;
    readonly context: string;
    readonly kernel: string;
    readonly lesson: string;
  };
  /** What comes next and why. */
  readonly next: readonly { readonly text: string; readonly event: number }[];
  readonly fields: readonly { readonly name: string; readonly value: string; readonly help: string }[];
  /** Broken rules whose evidence this event is. */
  readonly violations: readonly { readonly rule: string; readonly text: string }[];
}
