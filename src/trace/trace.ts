import { type Shape, ShapeTable } from './shapes';
import { StringTable } from './strings';
import { grow32, WideTable } from './wide';

/** How the text of a trace is laid out. */
export interface TextFormat {
  /** Digits after the point of a timestamp: 6 or 9; 0 where the clock counts plain units. */
  tsDigits: number;
  /** A TGID column stands between task and CPU. */
  tgid: boolean;
  /** The column of irqs-off, need-resched, hardirq, preempt-depth letters is there. */
  flags: boolean;
}

/** A line that is no event. `before` is the number of events above it; lines count from 1. */
export interface Note {
  readonly kind: 'comment' | 'lost' | 'damaged' | 'stack';
  readonly before: number;
  readonly line: number;
  readonly text: string;
  /** Events lost, for `lost`; -1 where the text does not say. */
  readonly lost: number;
}

/** One task as the TASK-PID column names it. tgid is -1 where the trace does not say. */
export interface Task {
  readonly comm: string;
  readonly pid: number;
  readonly tgid: number;
}

/**
 * The events of one trace in typed columns, append-only. A field takes one 32-bit word (see {@link WideTable});
 * words of event i start at `at[i]` and follow the order of its shape's template. Times are integer nanoseconds.
 */
export class Trace {
  readonly strings = new StringTable();
  readonly wide = new WideTable();
  readonly shapes = new ShapeTable();
  readonly notes: Note[] = [];
  readonly format: TextFormat = { tsDigits: 9, tgid: false, flags: true };
  /** Time of each event, ns. */
  ts = new Float64Array(1024);
  /** Shape id of each event. */
  shape = new Uint16Array(1024);
  /** Index into the task table. */
  task = new Uint16Array(1024);
  cpu = new Uint16Array(1024);
  /** Flags column as an index into a table of its own, see {@link flagsText}. */
  flags = new Uint16Array(1024);
  at = new Uint32Array(1024);
  words: Uint32Array<ArrayBuffer> = new Uint32Array(8192);
  private count = 0;
  private used = 0;
  private readonly tasks: Task[] = [];
  private readonly taskIds = new Map<string, number>();
  private readonly flagTexts: number[] = [0];
  private readonly flagIds = new Map<number, number>([[0, 0]]);
  private lastFlags = -1;
  private lastFlagsId = 0;

  /** Number of events. */
  get length(): number {
    return this.count;
  }

  /** Words in use. */
  get wordCount(): number {
    return this.used;
  }

  /** Number of different tasks. */
  get taskCount(): number {
    return this.tasks.length;
  }

  /** Id of a task, adding it when new. */
  taskId(comm: string, pid: number, tgid = -1): number {
    const key = `${pid}/${tgid}/${comm}`;
    const known = this.taskIds.get(key);
    if (known !== undefined) return known;
    const id = Math.min(this.tasks.length, 0xffff);
    if (id < 0xffff) this.tasks.push({ comm, pid, tgid });
    this.taskIds.set(key, id);
    return id;
  }

  /** The task of an id. */
  taskOf(id: number): Task {
    return this.tasks[id] ?? { comm: '<...>', pid: -1, tgid: -1 };
  }

  /** Index of a flags column for the id of its string; -1 when the table is full (65,536 different ones). */
  flagsId(text: number): number {
    const known = this.flagIds.get(text);
    if (known !== undefined) return known;
    const id = this.flagTexts.length;
    if (id > 0xffff) return -1;
    this.flagTexts.push(text);
    this.flagIds.set(text, id);
    return id;
  }

  /** Flags column of event i; empty where the text has none. */
  flagsText(i: number): string {
    return this.strings.text(this.flagTexts[this.flags[i]]);
  }

  /** Room for one event with up to `fields` words; returns the place of its first word. Call {@link commit} to keep it. */
  reserve(fields: number): number {
    if (this.count === this.ts.length) this.growEvents();
    if (this.used + fields > this.words.length) this.words = grow32(this.words);
    return this.used;
  }

  /**
   * Appends the event whose words were written from {@link reserve} on; `flags` is the id of a string. Returns its number.
   * @throws RangeError where {@link flagsId} has no room.
   */
  commit(ts: number, shape: number, task: number, cpu: number, flags: number, fields: number): number {
    if (flags !== this.lastFlags) {
      const id = this.flagsId(flags);
      if (id < 0) throw new RangeError('too many different flags columns');
      this.lastFlags = flags;
      this.lastFlagsId = id;
    }
    return this.commitRow(ts, shape, task, cpu, this.lastFlagsId, fields);
  }

  /** The same with `flags` as {@link flagsId} gave it. */
  commitRow(ts: number, shape: number, task: number, cpu: number, flags: number, fields: number): number {
    const i = this.count++;
    this.ts[i] = ts;
    this.shape[i] = shape;
    this.task[i] = task;
    this.cpu[i] = cpu;
    this.flags[i] = flags;
    this.at[i] = this.used;
    this.used += fields;
    return i;
  }

  /** Drops all events but keeps tables, so that a growing trace can be written out piece by piece. */
  clearEvents(): void {
    this.count = 0;
    this.used = 0;
  }

  /** Adds a line that is no event. */
  note(kind: Note['kind'], text: string, line: number, lost = 0): void {
    this.notes.push({ kind, before: this.count, line, text, lost });
  }

  /** Shape of event i. */
  shapeOf(i: number): Shape {
    return this.shapes.get(this.shape[i]);
  }

  /** Name of event i. */
  nameOf(i: number): string {
    return this.shapes.get(this.shape[i]).name;
  }

  /** Raw word of field k of event i. */
  word(i: number, k: number): number {
    return this.words[this.at[i] + k];
  }

  /** Field by name as a number; undefined where the event has no such field. Exact up to 2^53. */
  num(i: number, field: string): number | undefined {
    const k = this.shapeOf(i).fields.get(field);
    return k === undefined ? undefined : this.wide.number(this.words[this.at[i] + k]);
  }

  /** Field by name as an unsigned 64-bit bigint. */
  big(i: number, field: string): bigint | undefined {
    const k = this.shapeOf(i).fields.get(field);
    return k === undefined ? undefined : this.wide.big(this.words[this.at[i] + k]);
  }

  /** Field by name as text, as it stands in the line. */
  str(i: number, field: string): string | undefined {
    const shape = this.shapeOf(i);
    const k = shape.fields.get(field);
    if (k === undefined || shape.template.formats[k] !== 's') return undefined;
    return this.strings.text(this.words[this.at[i] + k]);
  }

  /** Line of event i in its text, counted from 1. */
  lineOf(i: number): number {
    let low = 0;
    let high = this.notes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.notes[middle].before <= i) low = middle + 1;
      else high = middle;
    }
    return i + 1 + low;
  }

  /** Number of lost events that the text tells of (each `lost` line without a number counts 1). */
  lostEvents(): number {
    let sum = 0;
    for (const note of this.notes) if (note.kind === 'lost') sum += note.lost < 0 ? 1 : note.lost;
    return sum;
  }

  private growEvents(): void {
    const size = this.ts.length + (this.ts.length >>> 1);
    const ts = new Float64Array(size);
    ts.set(this.ts);
    this.ts = ts;
    this.shape = copy16(this.shape, size);
    this.task = copy16(this.task, size);
    this.cpu = copy16(this.cpu, size);
    this.flags = copy16(this.flags, size);
    const at = new Uint32Array(size);
    at.set(this.at);
    this.at = at;
  }
}

function copy16(old: Uint16Array, size: number): Uint16Array<ArrayBuffer> {
  const next = new Uint16Array(size);
  next.set(old);
  return next;
}
