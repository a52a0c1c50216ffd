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
  /** Sender of the message, or where the event happens. */
  readonly actor: number;
  /** Receiver of the message; -1: happens within the actor. */
  readonly to: number;
  /** Short text on the arrow, such as `SQE FETCH_REQ tag 3`. */
  readonly label: string;
  /** Note from the schema, for the side of the line. */
  readonly note: string;
  /** Name of the event, and `comm-pid` of the task that ran it. */
  readonly name: string;
  readonly task: string;
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
  /** Value before this event where the event changed it (empty: it did not exist), else undefined. */
  readonly previous?: string;
  /** State path for "break when this changes"; empty: none. */
  readonly path: string;
  /** What it means. */
  readonly help?: string;
}

/** A drawn thing of the machine. */
export interface MachinePart {
  /** Unique in the view; the end of links. */
  readonly id: string;
  readonly title: string;
  /** One short line under the title. */
  readonly text: string;
  readonly values: readonly Exploded[];
  /** The event changed it. */
  readonly changed: boolean;
  /** The event ended it: drawn once more, as it was. */
  readonly gone: boolean;
  /** Request row or -1. */
  readonly request: number;
  /** It belongs to the focused request. */
  readonly focused: boolean;
}

/** An entry of a ring. */
export interface RingEntry {
  /** Index of the slot in the ring, 0 to entries - 1; -1 where the size of the ring is unknown. */
  readonly slot: number;
  readonly text: string;
  /** Request row or -1. */
  readonly request: number;
  readonly changed: boolean;
}

/** SQ or CQ as a circle of slots. */
export interface RingDrawing extends MachinePart {
  readonly which: 'SQ' | 'CQ';
  /** Number of the ring, which its requests name. */
  readonly ring: number;
  /** Slots; 0 if the trace does not say (head and tail may still be known). */
  readonly entries: number;
  readonly head: Exploded;
  readonly tail: Exploded;
  /** Oldest first. */
  readonly filled: readonly RingEntry[];
}

/** A request between SQ and CQ. */
export interface RingRequestDrawing extends MachinePart {
  readonly ring: number;
  readonly phase: string;
}

/** One tag slot of a queue. */
export interface SlotDrawing extends MachinePart {
  readonly device: string;
  readonly queue: number;
  readonly tag: number;
  readonly state: Exploded;
}

/** A pipe with its buffers, oldest first. */
export interface PipeDrawing extends MachinePart {
  /** Slots; 0 if the trace does not say. */
  readonly slots: number;
  readonly buffers: readonly {
    readonly text: string;
    readonly bytes: number;
    /** Id of the page's part. */
    readonly page: string;
    readonly changed: boolean;
  }[];
}

/** A page with its references and where its bytes came from. */
export interface PageDrawing extends MachinePart {
  readonly owner: string;
  readonly references: Exploded;
  /** Where the bytes came from: file range, zeroed, never written, unknown. */
  readonly origin: string;
}

/** Requests at a disk. */
export interface DiskDrawing extends MachinePart {
  /** A disk that ublk serves; else one below or beside it. */
  readonly served: boolean;
  readonly inFlight: readonly {
    readonly id: string;
    readonly text: string;
    readonly request: number;
    readonly changed: boolean;
  }[];
}

/** The whole machine after one event. What a recording does not say is the word `unknown`, never a guess. */
export interface MachineView {
  readonly event: number;
  /** What just happened, in plain words. */
  readonly title: string;
  /** Name of the event and who ran it. */
  readonly by: string;
  /** What this event changed, one value each: all of the difference between the states before and after it. */
  readonly changes: readonly Exploded[];
  readonly totals: readonly Exploded[];
  /** Clients' I/O and commands, FUSE requests. */
  readonly clients: readonly MachinePart[];
  readonly tasks: readonly MachinePart[];
  readonly devices: readonly MachinePart[];
  readonly rings: readonly RingDrawing[];
  readonly requests: readonly RingRequestDrawing[];
  readonly slots: readonly SlotDrawing[];
  readonly pipes: readonly PipeDrawing[];
  readonly pages: readonly PageDrawing[];
  readonly disks: readonly DiskDrawing[];
  /** Arrows between ids of parts, along the focused request. */
  readonly links: readonly { readonly from: string; readonly to: string; readonly text: string }[];
  /** Parts left out because there are too many to draw, in words (`9,872 more slots`). */
  readonly leftOut: readonly string[];
}
