import type { ContextKind } from './protocol_data';

/** One column of the sequence face. */
export interface Actor {
  readonly id: number;
  readonly name: string;
  readonly kind: ContextKind | 'kernel' | 'device';
  /** What it is in one sentence. */
  readonly help: string;
}

/** One line of the sequence face: an event, and the message that it is where it crosses actors. */
export interface SequenceRow {
  readonly event: number;
  /** ns since the start of the trace. */
  readonly time: number;
  readonly actor: number;
  /** Receiver of the message; -1: happens within the actor. */
  readonly to: number;
  /** Short text on the arrow, such as `SQE FETCH_REQ tag 3`. */
  readonly label: string;
  /** Note from the schema, for the side of the line. */
  readonly note: string;
  /** Request row or -1. */
  readonly request: number;
  readonly error: boolean;
}

/** Rows around an event. */
export interface SequenceView {
  readonly actors: readonly Actor[];
  readonly rows: readonly SequenceRow[];
  /** Events of the trace (or of the request) before and after these rows. */
  readonly before: number;
  readonly after: number;
}

/** A value of the machine: what it is now, what it was before this event, and the state path to break on. */
export interface Exploded {
  readonly name: string;
  readonly value: string;
  /** Value before this event where the event changed it, else undefined. */
  readonly previous?: string;
  /** State path for "break when this changes"; empty: none. */
  readonly path: string;
  /** What it means. */
  readonly help?: string;
}

/** An entry of a ring, or a hole. */
export interface RingEntry {
  /** Index of the slot in the ring, 0 to entries - 1. */
  readonly slot: number;
  /** Position counted from the start (head and tail count so). */
  readonly position: number;
  readonly text: string;
  /** Request row or -1. */
  readonly request: number;
  readonly event: number;
  readonly changed: boolean;
}

/** SQ or CQ as a circle of slots. */
export interface RingDrawing {
  readonly id: string;
  /** Such as `SQ of ublk-1201 (queue 0)`. */
  readonly title: string;
  readonly which: 'SQ' | 'CQ';
  /** Slots; 0 if the trace does not say (head and tail may still be known). */
  readonly entries: number;
  readonly head: Exploded;
  readonly tail: Exploded;
  readonly filled: readonly RingEntry[];
  readonly values: readonly Exploded[];
  readonly changed: boolean;
}

/** One tag slot of a queue. */
export interface SlotDrawing {
  readonly device: string;
  readonly queue: number;
  readonly tag: number;
  readonly state: Exploded;
  readonly request: number;
  readonly label: string;
  readonly values: readonly Exploded[];
  readonly changed: boolean;
}

/** A pipe with its buffers, oldest first. */
export interface PipeDrawing {
  readonly id: string;
  readonly title: string;
  readonly slots: number;
  readonly buffers: readonly {
    readonly text: string;
    readonly bytes: number;
    readonly page: string;
    readonly changed: boolean;
  }[];
  readonly values: readonly Exploded[];
  readonly changed: boolean;
}

/** A page (or a range of pages) with its references and where its bytes came from. */
export interface PageDrawing {
  readonly id: string;
  readonly owner: string;
  readonly references: Exploded;
  /** Where the bytes came from: file range, zeroed, never written, unknown. */
  readonly origin: string;
  readonly values: readonly Exploded[];
  readonly changed: boolean;
}

/** Requests at a disk (backing file's device or the ublk disk). */
export interface DiskDrawing {
  readonly id: string;
  readonly title: string;
  readonly inFlight: readonly {
    readonly text: string;
    readonly request: number;
    readonly changed: boolean;
  }[];
  readonly values: readonly Exploded[];
  readonly changed: boolean;
}

/** The whole machine after one event. What a recording does not say is the word `unknown`, never a guess. */
export interface MachineView {
  readonly event: number;
  /** Sentences on what this event changed, for the screen reader and the side panel. */
  readonly changes: readonly Exploded[];
  readonly rings: readonly RingDrawing[];
  readonly slots: readonly SlotDrawing[];
  readonly pipes: readonly PipeDrawing[];
  readonly pages: readonly PageDrawing[];
  readonly disks: readonly DiskDrawing[];
  /** Parts left out because there are too many to draw, in words (`9,872 more slots`). */
  readonly leftOut: readonly string[];
}
