import { FieldReader, type ReadyForm, readyForm } from './parse_fields';
import { learnForm } from './parse_learn';
import { type EventName, NameTable } from './parse_names';
import { TaskColumn } from './parse_task';
import { lineKind, type Shape } from './shapes';
import type { Trace } from './trace';

const SPACE = 32;
const OPEN = 40;
const DASH = 45;
const DOT = 46;
const ZERO = 48;
const COLON = 58;
const CLOSE_BRACKET = 93;
/** Longest flags column. */
const MAX_FLAGS = 8;

const decoder = new TextDecoder();

/** Reads event lines of ftrace text into the columns of a trace. */
export class EventReader {
  /** Events read whose name the schema does not know. */
  unknown = 0;
  private first = true;
  private readonly names: NameTable;
  private readonly tasks: TaskColumn;
  private readonly fields: FieldReader;
  private flags = 0;
  private flagBytes: Uint8Array = new Uint8Array(0);
  private ts = 0;
  private digits = 0;

  constructor(private readonly trace: Trace) {
    this.names = new NameTable(trace.shapes);
    this.tasks = new TaskColumn(trace);
    this.fields = new FieldReader(trace);
  }

  /** Reads the line buf[start..end); false (and nothing stored) when it is no event. */
  read(buf: Uint8Array, start: number, end: number): boolean {
    const { trace } = this;
    const bracket = this.tasks.read(buf, start, end);
    if (bracket < 0) return false;
    let pos = bracket + 1;
    let cpu = 0;
    while (buf[pos] !== CLOSE_BRACKET) cpu = cpu * 10 + buf[pos++] - ZERO;
    pos++;
    while (pos < end && buf[pos] === SPACE) pos++;
    let flags = 0;
    let after = this.time(buf, pos, end);
    const hasFlags = after < 0;
    if (hasFlags) {
      const from = pos;
      while (pos < end && buf[pos] !== SPACE) pos++;
      if (pos - from > MAX_FLAGS) return false;
      const to = pos;
      while (pos < end && buf[pos] === SPACE) pos++;
      after = this.time(buf, pos, end);
      if (after < 0) return false;
      flags = this.flagsId(buf, from, to);
      if (flags < 0) return false;
    }
    if (buf[after + 1] !== SPACE || !Number.isSafeInteger(this.ts)) return false;
    if (this.first || this.digits > trace.format.tsDigits) this.layout(hasFlags);
    return this.body(buf, after + 2, end, this.tasks.task, cpu, flags);
  }

  /** The first event tells how the text is laid out. */
  private layout(hasFlags: boolean): void {
    const { format } = this.trace;
    if (this.first) format.flags = hasFlags;
    format.tsDigits = this.first && this.digits === 0 ? 0 : this.digits > 6 ? 9 : 6;
    this.first = false;
  }

  private flagsId(buf: Uint8Array, from: number, to: number): number {
    const known = this.flagBytes;
    if (known.length === to - from) {
      let i = 0;
      while (i < known.length && buf[from + i] === known[i]) i++;
      if (i === known.length) return this.flags;
    }
    const { trace } = this;
    const text = trace.strings.idOfBytes(buf, from, to);
    const id = trace.flagsId(text);
    if (id < 0) return -1;
    this.flags = id;
    this.flagBytes = trace.strings.rawBytes(text);
    return id;
  }

  /** Reads a timestamp into `ts` and `digits`; returns the place of the colon behind it, -1 when there is none. */
  private time(buf: Uint8Array, start: number, end: number): number {
    let pos = start;
    let whole = 0;
    while (pos < end && buf[pos] >= ZERO && buf[pos] <= 57) whole = whole * 10 + buf[pos++] - ZERO;
    if (pos === start || pos - start > 16) return -1;
    if (buf[pos] === COLON) {
      this.ts = whole;
      this.digits = 0;
      return pos;
    }
    if (buf[pos] !== DOT) return -1;
    const from = ++pos;
    let part = 0;
    while (pos < end && buf[pos] >= ZERO && buf[pos] <= 57) part = part * 10 + buf[pos++] - ZERO;
    const digits = pos - from;
    if (digits < 1 || digits > 9 || buf[pos] !== COLON) return -1;
    this.digits = digits;
    this.ts =
      whole * 1e9 +
      (digits === 6 ? part * 1000 : digits === 9 ? part : Math.round(part * 10 ** (9 - digits)));
    return pos;
  }

  private body(
    buf: Uint8Array,
    start: number,
    end: number,
    task: number,
    cpu: number,
    flags: number,
  ): boolean {
    const pos = this.names.scan(buf, start, end);
    const next = buf[pos];
    let at = pos;
    let entry: EventName;
    if (next === COLON && pos > start) {
      entry = this.names.get(buf, start, pos, '');
      at = pos + 1;
      if (buf[at] === SPACE) at++;
    } else if (next === OPEN && buf[start] === 115 && buf[start + 3] === 95) {
      entry = this.names.get(buf, start, pos, 'sys_enter_');
    } else if (next === SPACE && buf[pos + 1] === DASH && buf[start] === 115 && buf[start + 3] === 95) {
      entry = this.names.get(buf, start, pos, 'sys_exit_');
      at = Math.min(pos + 4, end);
    } else {
      return this.raw('function', 'plain', buf, start, end, task, cpu, flags);
    }
    if (this.known(entry, buf, at, end, task, cpu, flags)) return true;
    // trace-cmd report pads the name; retry once behind the blanks
    if (buf[at] === SPACE) {
      while (at < end && buf[at] === SPACE) at++;
      if (this.known(entry, buf, at, end, task, cpu, flags)) return true;
    }
    const { trace } = this;
    const line = lineKind(entry.name);
    const learned = line === 'named' ? learnForm(decoder.decode(buf.subarray(at, end))) : undefined;
    const shape = learned === undefined ? undefined : trace.shapes.learn(entry.name, line, learned, false);
    if (shape) {
      const ready = readyForm({ template: shape.template, shape });
      if (this.fields.read(ready, buf, at, end)) {
        entry.forms.unshift(ready);
        this.commit(entry, ready, task, cpu, flags);
        return true;
      }
    }
    return this.raw(entry.name, line, buf, at, end, task, cpu, flags);
  }

  /** Tries the forms that are known of an event; the one that fits is tried first the next time. */
  private known(
    entry: EventName,
    buf: Uint8Array,
    at: number,
    end: number,
    task: number,
    cpu: number,
    flags: number,
  ): boolean {
    const { forms } = entry;
    for (let k = 0; k < forms.length; k++) {
      const ready = forms[k];
      if (!this.fields.read(ready, buf, at, end)) continue;
      if (k > 0) {
        forms[k] = forms[0];
        forms[0] = ready;
      }
      this.commit(entry, ready, task, cpu, flags);
      return true;
    }
    return false;
  }

  private commit(entry: EventName, ready: ReadyForm, task: number, cpu: number, flags: number): void {
    if (!entry.known) this.unknown++;
    this.trace.commitRow(this.ts, ready.form.shape.id, task, cpu, flags, ready.count);
  }

  private raw(
    name: string,
    line: Shape['line'],
    buf: Uint8Array,
    start: number,
    end: number,
    task: number,
    cpu: number,
    flags: number,
  ): boolean {
    const { trace } = this;
    if (end <= start && line === 'plain') return false;
    const shape = trace.shapes.learn(name, line, '{body:s}', true);
    if (!shape) return false;
    if (!shape.spec) this.unknown++;
    const at = trace.reserve(1);
    trace.words[at] = trace.strings.idOfBytes(buf, start, end);
    trace.commitRow(this.ts, shape.id, task, cpu, flags, 1);
    return true;
  }
}
