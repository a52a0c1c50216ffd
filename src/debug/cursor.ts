import { type Disposable, Listeners } from './listeners';

/** Where a person looks in a trace. */
export interface CursorPlace {
  /** Number of the event whose state is shown; -1 only in a trace without events. */
  readonly event: number;
  /** Row of the focused request in the request table; undefined for the whole trace. */
  readonly request: number | undefined;
}

/** A move of the cursor. `by` is what its mover called itself, so that a view can ignore its own moves. */
export interface CursorMove extends CursorPlace {
  readonly from: CursorPlace;
  readonly by: string;
}

/** The one place per open trace that every view shows. */
export class Cursor {
  private place: CursorPlace;
  private readonly moved = new Listeners<CursorMove>();
  private touched = false;

  constructor(private readonly length: number) {
    this.place = { event: length > 0 ? 0 : -1, request: undefined };
  }

  /** Event whose state is shown; -1 only in a trace without events. */
  get event(): number {
    return this.place.event;
  }

  /** Focused request, undefined for the whole trace. */
  get request(): number | undefined {
    return this.place.request;
  }

  /** Whether nobody has put it anywhere yet. */
  get untouched(): boolean {
    return !this.touched;
  }

  /** Tells of every change, after it. */
  onDidChange(listener: (move: CursorMove) => void): Disposable {
    return this.moved.on(listener);
  }

  /** Moves to an event (numbers outside the trace mean its nearest end) and focuses a request or, without one, the whole trace. */
  move(event: number, request: number | undefined, by = ''): void {
    const last = this.length - 1;
    const next = { event: last < 0 ? -1 : Math.max(0, Math.min(Math.trunc(event), last)), request };
    const from = this.place;
    this.touched = true;
    if (next.event === from.event && next.request === from.request) return;
    this.place = next;
    this.moved.fire({ ...next, from, by });
  }

  /** Forgets the listeners. */
  dispose(): void {
    this.moved.clear();
  }
}
