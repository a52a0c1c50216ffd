import type { Exploded, MachineView, SequenceView } from './protocol_faces';
import type {
  Column,
  CursorState,
  Explanation,
  Face,
  Flow,
  Slice,
  Statistics,
  TableRow,
  Ties,
  Tracks,
} from './protocol_data';

/** Version of these messages; a webview of another version is told so and shows nothing. */
export const PROTOCOL_VERSION = 2;

/** What the webview keeps across reloads (vscode.setState) and hands back with `hello`. Plain JSON. */
export interface SavedView {
  readonly version: typeof PROTOCOL_VERSION;
  /** URI of the trace or session shown. */
  readonly uri: string;
  readonly face: Face;
  readonly cursor: CursorState;
  /** Cursors of the further traces of a comparison; left out: where nobody put them. */
  readonly others?: readonly CursorState[];
  /** Which trace of a comparison keys act on; left out: the first. */
  readonly active?: number;
  /** Visible range, ns since the start of the trace. */
  readonly from: number;
  readonly to: number;
  /** First visible track. */
  readonly scroll: number;
  /** Sizes at which the other faces are drawn, as factors; left out: their own. */
  readonly zooms?: { readonly sequence: number; readonly machine: number };
  /** Whether the sequence has the notes of all lines. */
  readonly notes?: boolean;
  readonly sidePanel: boolean;
}

/** Steps of the cursor; the names are those of the debugger's commands. */
export type StepName =
  | 'next'
  | 'previous'
  | 'nextOfRequest'
  | 'previousOfRequest'
  | 'stepIn'
  | 'stepOut'
  | 'first'
  | 'last'
  | 'firstOfRequest'
  | 'lastOfRequest'
  | 'nextLife';

/** Facts of the trace that do not change while it is open. */
export interface TraceSummary {
  readonly uri: string;
  readonly name: string;
  /** Kernel profile, or what the recording says of its kernel. */
  readonly kernel: string;
  readonly events: number;
  readonly requests: number;
  /** Time stamp of the first event, ns (below 2^53); every other time in these messages counts from it. */
  readonly start: number;
  /** Time of the last event, ns since the start. */
  readonly length: number;
  /** True if the times are those of the simulator's cost table and no measurements. */
  readonly simulated: boolean;
  /** Lines skipped, events of unknown names, events lost, as the trace bar says them; empty: nothing was. */
  readonly warnings: readonly string[];
  /** Counts for comparing two traces. */
  readonly totals: {
    /** Bytes that the driver copied; undefined where the trace does not tell. */
    readonly copied: number | undefined;
    readonly sqes: number;
    readonly cqes: number;
    readonly punts: number;
  };
  readonly tracks: Tracks;
  /** Links and drains between requests; left out where there are none. */
  readonly ties?: Ties;
}

/** Every request that the webview makes: what it asks with and what it gets. */
export interface Requests {
  /** First message of a webview: version and what it kept. */
  hello: { ask: { version: number; saved: SavedView | undefined }; answer: Hello };
  /** Spans, marks and counters of some tracks in a range, at a resolution (ns per pixel; level of detail is chosen by the host). */
  slice: {
    ask: { trace: number; from: number; to: number; nsPerPixel: number; tracks: readonly number[] };
    answer: Slice;
  };
  /** Points and arrows of one request across tracks. */
  flow: { ask: { trace: number; request: number }; answer: Flow };
  /** Counts and percentiles of a time range. */
  statistics: {
    ask: { trace: number; from: number; to: number; tracks?: readonly number[] };
    answer: Statistics;
  };
  /** Rows of the table twin; `request` limits them to one request's events. */
  table: {
    ask: { trace: number; offset: number; count: number; request?: number };
    answer: { columns: readonly Column[]; total: number; rows: readonly TableRow[] };
  };
  /** Next hit of a filter (the filter language) or of plain text from an event on; -1: none. */
  search: {
    ask: { trace: number; query: string; from: number; backwards: boolean };
    answer: { event: number; request: number; error?: string; hits?: number };
  };
  /** What an event is, why it happens here, what comes next. */
  explain: { ask: { trace: number; event: number }; answer: Explanation };
  /** Sequence rows of a range of events, at most `count`. */
  sequence: { ask: { trace: number; around: number; count: number; request?: number }; answer: SequenceView };
  /** The machine after an event, and what that event changed. */
  machine: { ask: { trace: number; event: number }; answer: MachineView };
  /** The last event at or before an event that changed one of these state variables; -1: none within reach. */
  lastChange: {
    ask: { trace: number; event: number; paths: readonly string[] };
    answer: { event: number; text: string };
  };
  /** Moves the one cursor; request -1 focuses the whole trace. */
  move: { ask: { trace: number; event: number; request: number }; answer: CursorState };
  step: { ask: { trace: number; step: StepName }; answer: CursorState };
  /** Toggles a pin of a (device, queue, tag). */
  pin: { ask: { trace: number; key: string; on: boolean }; answer: { pins: readonly string[] } };
  /** Sets the data breakpoint "break when this changes" on a state path. */
  breakWhen: { ask: { trace: number; path: string }; answer: { message: string } };
  /** Shows an event in the trace text, the session or the pseudo-code. */
  reveal: {
    ask: { trace: number; event: number; where: 'text' | 'session' | 'stack' | 'tree' };
    answer: Record<string, never>;
  };
  /** Saves a picture or text that the webview drew; the host asks where. */
  save: {
    ask: { name: string; kind: 'png' | 'svg' | 'mermaid'; data: string | Uint8Array };
    answer: { saved: boolean };
  };
  /** Puts text on the clipboard. */
  copy: { ask: { text: string }; answer: Record<string, never> };
}

export type RequestName = keyof Requests;

/** Answer to `hello`: one trace, or two to compare (one above the other). */
export interface Hello {
  readonly version: number;
  readonly traces: readonly TraceSummary[];
  readonly cursors: readonly CursorState[];
  readonly pins: readonly string[];
  /** What to show: of the saved view where it fits the trace, else the defaults. */
  readonly view: SavedView | undefined;
  /** Translated strings by their English text (vscode.l10n). */
  readonly strings: Readonly<Record<string, string>>;
}

/** What the host tells without being asked. */
export interface Events {
  /** The cursor moved, by whatever view or command. */
  cursor: { trace: number; cursor: CursorState; by: string };
  pins: { pins: readonly string[] };
  /** The trace was replaced (session run again, file changed) or has grown: everything asked before is stale. */
  replaced: { traces: readonly TraceSummary[]; cursors: readonly CursorState[] };
  /** A command of the host for the view, such as the palette's Fit or Show Machine. */
  command: {
    name:
      | 'fit'
      | 'search'
      | 'face'
      | 'savePng'
      | 'saveSvg'
      | 'saveMermaid'
      | 'copyPng'
      | 'copySvg'
      | 'copyMermaid';
    face?: Face;
  };
  /** The trace cannot be shown (yet): why, in words, and whether work goes on. */
  status: { text: string; progress?: number; failed: boolean };
}

export type EventKind = keyof Events;

/** Webview to host. `id` counts from 1 in each webview. */
export type Ask = {
  [N in RequestName]: { readonly id: number; readonly ask: N; readonly with: Requests[N]['ask'] };
}[RequestName];

/** Host to webview: an answer or an error to a request, or an event. */
export type Tell =
  | { readonly id: number; readonly answer: Requests[RequestName]['answer'] }
  | { readonly id: number; readonly error: string }
  | { [K in EventKind]: { readonly event: K; readonly with: Events[K] } }[EventKind];

export type { Exploded };
