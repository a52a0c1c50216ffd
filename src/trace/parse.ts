import { EventReader } from './parse_event';
import type { Trace } from './trace';

const HASH = 35;
/** Longest line that is looked at; the rest of a longer one is not read but the line is reported as damaged. */
const MAX_LINE = 1 << 20;
/** Most characters of a damaged line that are kept. */
const MAX_DAMAGED = 4096;

const decoder = new TextDecoder();

/** Counts of what a text held besides events that the schema knows. */
export interface ParseCounts {
  readonly lines: number;
  /** Events whose name the schema does not know. */
  readonly unknown: number;
  /** Lines that are neither event nor comment. */
  readonly damaged: number;
  /** Lost events that the text tells of. */
  readonly lost: number;
}

/**
 * Reads ftrace text (`cat trace`, with and without TGID and flags columns, and `trace-cmd report`) into the columns of a trace.
 * Feed bytes by {@link push} in any pieces, then {@link end}. Nothing is dropped: lines that are no events become notes.
 */
export class TextParser {
  private rest: Uint8Array = new Uint8Array(0);
  private skipping = false;
  private lineNumber = 0;
  private damaged = 0;
  private readonly events: EventReader;

  constructor(private readonly trace: Trace) {
    this.events = new EventReader(trace);
  }

  /** Reads a piece of the text. */
  push(bytes: Uint8Array): void {
    // A plain view: Node's Buffer finds a newline faster, but its slice() is no copy.
    const buf = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(10, start);
      if (end < 0) break;
      if (this.rest.length > 0) {
        const line = joined(this.rest, buf.subarray(0, end));
        this.rest = new Uint8Array(0);
        this.take(line, 0, line.length);
      } else {
        this.take(buf, start, end);
      }
      start = end + 1;
    }
    if (this.rest.length > 0) this.keepRest(joined(this.rest, buf), 0);
    else this.keepRest(buf, start);
  }

  /** Ends the text: a last line without newline is read too. Returns the counts. */
  end(): ParseCounts {
    if (this.skipping || this.rest.length > 0) this.take(this.rest, 0, this.rest.length);
    this.rest = new Uint8Array(0);
    return {
      lines: this.lineNumber,
      unknown: this.events.unknown,
      damaged: this.damaged,
      lost: this.trace.lostEvents(),
    };
  }

  private keepRest(buf: Uint8Array, start: number): void {
    const left = buf.length - start;
    if (this.skipping) {
      this.rest = new Uint8Array(0);
      return;
    }
    if (left > MAX_LINE) {
      this.noteDamaged(buf, start, start + MAX_DAMAGED);
      this.skipping = true;
      this.rest = new Uint8Array(0);
      return;
    }
    this.rest = buf.slice(start);
  }

  private take(buf: Uint8Array, start: number, stop: number): void {
    if (this.skipping) {
      this.skipping = false;
      return;
    }
    let end = stop;
    if (end > start && buf[end - 1] === 13) end--;
    this.lineNumber++;
    if (end - start > MAX_LINE || (!this.events.read(buf, start, end) && !this.other(buf, start, end))) {
      this.lineNumber--;
      this.noteDamaged(buf, start, end);
    }
  }

  private noteDamaged(buf: Uint8Array, start: number, end: number): void {
    this.lineNumber++;
    this.damaged++;
    const text = decoder.decode(buf.subarray(start, Math.min(end, start + MAX_DAMAGED)));
    this.trace.note('damaged', text, this.lineNumber);
  }

  /** Comments, lost-event lines, headers of trace-cmd, stack lines. */
  private other(buf: Uint8Array, start: number, end: number): boolean {
    const text = decoder.decode(buf.subarray(start, Math.min(end, start + MAX_DAMAGED)));
    if (end === start || buf[start] === HASH) {
      if (text.includes('TASK-PID') && text.includes('TGID')) this.trace.format.tgid = true;
      this.trace.note('comment', decoder.decode(buf.subarray(start, end)), this.lineNumber);
      return true;
    }
    const lost = /^CPU:\d+ \[(?:LOST )?(\d+)? ?EVENTS?(?: DROPPED)?\]|^CPU:\d+ \[LOST EVENTS\]/.exec(text);
    if (lost) {
      this.trace.note('lost', text, this.lineNumber, lost[1] ? Number(lost[1]) : -1);
      return true;
    }
    if (/^(cpus=\d+|CPU \d+ is empty|version = \d+|trace\.dat.*|Buffer for CPU.*)$/.test(text)) {
      this.trace.note('comment', text, this.lineNumber);
      return true;
    }
    if (/^\s*=> |^\s*<stack trace>/.test(text)) {
      this.trace.note('stack', text, this.lineNumber);
      return true;
    }
    return false;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
