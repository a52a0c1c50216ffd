import { learnForm } from './parse_learn';
import { lineKind, type ReadForm, type Shape } from './shapes';
import type { Trace } from './trace';

const SPACE = 32;
const HASH = 35;
const OPEN = 40;
const DASH = 45;
const DOT = 46;
const ZERO = 48;
const COLON = 58;
const BRACKET = 91;
const INLINE = 0x80000000;
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

interface NameEntry {
  readonly name: string;
  readonly known: boolean;
  forms: ReadForm[];
}

/**
 * Reads ftrace text (`cat trace`, with and without TGID and flags columns, and `trace-cmd report`) into the columns of a trace.
 * Feed bytes by {@link push} in any pieces, then {@link end}. Nothing is dropped: lines that are no events become notes.
 */
export class TextParser {
  private rest: Uint8Array = new Uint8Array(0);
  private skipping = false;
  private lineNumber = 0;
  private unknown = 0;
  private damaged = 0;
  private first = true;
  private readonly names = new Map<number, NameEntry>();
  private readonly heads = new Map<number, number>();
  private buf: Uint8Array = this.rest;
  private pos = 0;
  private lineEnd = 0;
  private lo = 0;
  private hi = 0;
  private lastHead = -1;
  private lastTask = 0;

  constructor(private readonly trace: Trace) {}

  /** Reads a piece of the text. */
  push(bytes: Uint8Array): void {
    let buf = bytes;
    if (this.rest.length > 0) {
      buf = new Uint8Array(this.rest.length + bytes.length);
      buf.set(this.rest);
      buf.set(bytes, this.rest.length);
    }
    let start = 0;
    for (;;) {
      const end = buf.indexOf(10, start);
      if (end < 0) break;
      this.take(buf, start, end);
      start = end + 1;
    }
    this.keepRest(buf, start);
  }

  /** Ends the text: a last line without newline is read too. Returns the counts. */
  end(): ParseCounts {
    if (this.skipping || this.rest.length > 0) this.take(this.rest, 0, this.rest.length);
    this.rest = new Uint8Array(0);
    return {
      lines: this.lineNumber,
      unknown: this.unknown,
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
    this.buf = buf;
    if (end - start > MAX_LINE || (!this.event(start, end) && !this.other(start, end))) {
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
  private other(start: number, end: number): boolean {
    const text = decoder.decode(this.buf.subarray(start, Math.min(end, start + MAX_DAMAGED)));
    if (end === start || this.buf[start] === HASH) {
      if (text.includes('TASK-PID') && text.includes('TGID')) this.trace.format.tgid = true;
      this.trace.note('comment', decoder.decode(this.buf.subarray(start, end)), this.lineNumber);
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

  /** Reads one event line; false (and nothing stored) when it is none. */
  private event(start: number, end: number): boolean {
    const { buf, trace } = this;
    this.lineEnd = end;
    const bracket = this.findCpu(start, end);
    if (bracket < 0) return false;
    const task = this.readTask(start, bracket);
    if (task < 0) return false;
    let pos = bracket + 1;
    let cpu = 0;
    while (buf[pos] !== 93) cpu = cpu * 10 + buf[pos++] - ZERO;
    pos++;
    while (pos < end && buf[pos] === SPACE) pos++;
    const flagStart = pos;
    let flags = 0;
    let hasFlags = false;
    if (!this.atTime(pos, end)) {
      while (pos < end && buf[pos] !== SPACE) pos++;
      if (pos - flagStart > 8) return false;
      flags = trace.strings.idOfBytes(buf, flagStart, pos);
      hasFlags = true;
      while (pos < end && buf[pos] === SPACE) pos++;
      if (!this.atTime(pos, end)) return false;
    }
    let whole = 0;
    let digits = 0;
    while (buf[pos] >= ZERO && buf[pos] <= 57) whole = whole * 10 + buf[pos++] - ZERO;
    let ts = whole;
    if (buf[pos] === DOT) {
      let part = 0;
      const from = ++pos;
      while (buf[pos] >= ZERO && buf[pos] <= 57) part = part * 10 + buf[pos++] - ZERO;
      digits = pos - from;
      ts = whole * 1e9 + (digits === 6 ? part * 1000 : digits === 9 ? part : Math.round(part * 10 ** (9 - digits)));
    }
    if (buf[pos] !== COLON || buf[pos + 1] !== SPACE || !Number.isSafeInteger(ts)) return false;
    pos += 2;
    if (this.first) {
      this.first = false;
      trace.format.tsDigits = digits === 0 ? 0 : digits > 6 ? 9 : 6;
      trace.format.flags = hasFlags;
    } else if (digits > trace.format.tsDigits) {
      trace.format.tsDigits = digits > 6 ? 9 : 6;
    }
    return this.body(pos, end, ts, task, cpu, flags);
  }

  /** Position of the `[` of the CPU column: the first `[digits] ` at or behind the place where comm ends. */
  private findCpu(start: number, end: number): number {
    const { buf } = this;
    for (let pos = start; pos < end; pos++) {
      if (buf[pos] !== BRACKET) continue;
      let p = pos + 1;
      while (p < end && buf[p] >= ZERO && buf[p] <= 57) p++;
      if (p - pos >= 3 && p - pos <= 6 && buf[p] === 93 && buf[p + 1] === SPACE && buf[pos - 1] === SPACE) {
        if (pos - start > 3) return pos;
      }
    }
    return -1;
  }

  private atTime(pos: number, end: number): boolean {
    const { buf } = this;
    let p = pos;
    while (p < end && buf[p] >= ZERO && buf[p] <= 57) p++;
    if (p === pos || p - pos > 16) return false;
    if (buf[p] === COLON) return true;
    if (buf[p] !== DOT) return false;
    const from = ++p;
    while (p < end && buf[p] >= ZERO && buf[p] <= 57) p++;
    return p - from >= 1 && p - from <= 9 && buf[p] === COLON;
  }

  /** comm may hold dashes and spaces: the last `-number` in front of the CPU column ends it. Task id of `comm-pid` and an optional `(tgid)` in front of the CPU column; -1 when it is none. */
  private readTask(start: number, bracket: number): number {
    const { trace } = this;
    const head = trace.strings.idOfBytes(this.buf, start, bracket);
    if (head === this.lastHead) return this.lastTask;
    let task = this.heads.get(head);
    if (task === undefined) {
      const match = /^ *(.*?)-(\d+) *(?:\( *(-+|\d+)\) *)?$/s.exec(trace.strings.text(head));
      task = match ? trace.taskId(match[1], Number(match[2]), tgidOf(match[3])) : -1;
      this.heads.set(head, task);
      if (match?.[3] !== undefined) trace.format.tgid = true;
    }
    this.lastHead = head;
    this.lastTask = task;
    return task;
  }

  private body(start: number, end: number, ts: number, task: number, cpu: number, flags: number): boolean {
    const { buf, trace } = this;
    let pos = start;
    while (pos < end && isNameByte(buf[pos])) pos++;
    let at = pos;
    let nameId: number;
    let prefix = '';
    const next = buf[pos];
    if (next === COLON && pos > start) {
      nameId = trace.strings.idOfBytes(buf, start, pos);
      at = pos + 1;
      if (buf[at] === SPACE) at++;
    } else if (next === OPEN && buf[start] === 115 && buf[start + 3] === 95) {
      nameId = trace.strings.idOfBytes(buf, start, pos);
      prefix = 'sys_enter_';
    } else if (next === SPACE && buf[pos + 1] === DASH && buf[start] === 115 && buf[start + 3] === 95) {
      nameId = trace.strings.idOfBytes(buf, start, pos);
      prefix = 'sys_exit_';
      at = Math.min(pos + 4, end);
    } else {
      return this.raw('function', 'plain', start, end, ts, task, cpu, flags);
    }
    const entry = this.entry(nameId, prefix);
    const forms = entry.forms;
    for (let k = 0; k < forms.length; k++) {
      const form = forms[k];
      if (!this.fields(form, at)) continue;
      if (k > 0) {
        forms[k] = forms[0];
        forms[0] = form;
      }
      if (!entry.known) this.unknown++;
      trace.commit(ts, form.shape.id, task, cpu, flags, form.template.names.length);
      return true;
    }
    // trace-cmd report pads the name; retry once behind the blanks
    if (buf[at] === SPACE) {
      let p = at;
      while (p < end && buf[p] === SPACE) p++;
      for (const form of forms) {
        if (!this.fields(form, p)) continue;
        if (!entry.known) this.unknown++;
        trace.commit(ts, form.shape.id, task, cpu, flags, form.template.names.length);
        return true;
      }
      at = p;
    }
    const line = lineKind(entry.name);
    const learned = line === 'named' ? learnForm(decoder.decode(buf.subarray(at, end))) : undefined;
    if (learned !== undefined) {
      const shape = trace.shapes.learn(entry.name, line, learned, false);
      if (shape && this.fields({ template: shape.template, shape }, at)) {
        entry.forms = [{ template: shape.template, shape }, ...entry.forms];
        if (!entry.known) this.unknown++;
        trace.commit(ts, shape.id, task, cpu, flags, shape.template.names.length);
        return true;
      }
    }
    return this.raw(entry.name, line, at, end, ts, task, cpu, flags);
  }

  private entry(nameId: number, prefix: string): NameEntry {
    const slot = prefix === '' ? nameId : nameId + (prefix === 'sys_enter_' ? 0x40000000 : 0x20000000);
    let entry = this.names.get(slot);
    if (!entry) {
      const text = this.trace.strings.text(nameId);
      const name = prefix === '' ? text : prefix + text.slice(4);
      const forms = [...this.trace.shapes.readers(name)];
      entry = { name, known: forms.some((form) => form.shape.spec !== undefined), forms };
      this.names.set(slot, entry);
    }
    return entry;
  }

  private raw(
    name: string,
    line: Shape['line'],
    start: number,
    end: number,
    ts: number,
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
    trace.words[at] = trace.strings.idOfBytes(this.buf, start, end);
    trace.commit(ts, shape.id, task, cpu, flags, 1);
    return true;
  }

  /** Reads the fields of a form into reserved words; false when the text does not follow it exactly. */
  private fields(form: ReadForm, start: number): boolean {
    const { buf, trace } = this;
    const { formats, literalBytes } = form.template;
    const n = formats.length;
    const end = this.lineEnd;
    const at = trace.reserve(n);
    const { words, wide } = trace;
    let pos = start;
    for (let k = 0; k <= n; k++) {
      const literal = literalBytes[k];
      const length = literal.length;
      if (pos + length > end) return false;
      for (let j = 0; j < length; j++) if (buf[pos + j] !== literal[j]) return false;
      pos += length;
      if (k === n) break;
      switch (formats[k]) {
        case 's': {
          const stop = this.findLiteral(literalBytes[k + 1], pos, k === n - 1);
          if (stop < 0) return false;
          words[at + k] = trace.strings.idOfBytes(buf, pos, stop);
          pos = stop;
          continue;
        }
        case 'd':
          this.pos = pos;
          if (!this.decimal(false)) return false;
          break;
        case 'u':
          this.pos = pos;
          if (!this.decimal(true)) return false;
          break;
        case 'p':
          this.pos = pos;
          if (!this.hex(true) || this.pos - pos !== 16) return false;
          break;
        case 'z':
          this.pos = pos;
          if (!this.hex(true)) return false;
          break;
        case 'H':
          this.pos = pos;
          if (buf[pos] === ZERO && buf[pos + 1] === 120) {
            this.pos = pos + 2;
            if (!this.hex(false) || (this.hi === 0 && this.lo < 10)) return false;
          } else if (!this.decimal(true) || this.hi !== 0 || this.lo > 9) {
            return false;
          }
          break;
        default:
          this.pos = pos;
          if (!this.hex(false)) return false;
      }
      pos = this.pos;
      words[at + k] = this.hi === 0 && this.lo < INLINE ? this.lo : wide.word(this.lo, this.hi);
    }
    return pos === end;
  }

  private findLiteral(literal: Uint8Array, start: number, last: boolean): number {
    const { buf, lineEnd } = this;
    if (last) {
      const stop = lineEnd - literal.length;
      return stop >= start ? stop : -1;
    }
    const first = literal[0];
    const stop = lineEnd - literal.length;
    for (let pos = start; pos <= stop; pos++) {
      if (buf[pos] !== first) continue;
      let j = 1;
      while (j < literal.length && buf[pos + j] === literal[j]) j++;
      if (j === literal.length) return pos;
    }
    return -1;
  }

  /** Decimal at `pos` into lo/hi; false when it is not written the way %lld or %llu writes it or leaves 64 bits. */
  private decimal(unsigned: boolean): boolean {
    const { buf } = this;
    let pos = this.pos;
    const negative = !unsigned && buf[pos] === DASH;
    if (negative) pos++;
    const from = pos;
    let value = 0;
    while (buf[pos] >= ZERO && buf[pos] <= 57) value = value * 10 + buf[pos++] - ZERO;
    const digits = pos - from;
    if (digits === 0 || (digits > 1 && buf[from] === ZERO) || (negative && value === 0)) return false;
    if (digits <= 15) {
      if (negative) value = -value;
      this.lo = value >>> 0;
      this.hi = value >= 0 && value < 0x100000000 ? 0 : Math.floor(value / 0x100000000) >>> 0;
    } else {
      if (digits > 20) return false;
      const big = BigInt(decoder.decode(buf.subarray(this.pos, pos)));
      if (big > (unsigned ? 0xffffffffffffffffn : 0x7fffffffffffffffn) || big < -0x8000000000000000n) return false;
      const bits = BigInt.asUintN(64, big);
      this.lo = Number(bits & 0xffffffffn);
      this.hi = Number(bits >> 32n);
    }
    this.pos = pos;
    return true;
  }

  /** Lower-case hexadecimal at `pos` into lo/hi, at most 16 digits. */
  private hex(leadingZeros: boolean): boolean {
    const { buf } = this;
    let pos = this.pos;
    let lo = 0;
    let hi = 0;
    for (;;) {
      const c = buf[pos];
      const digit = c >= ZERO && c <= 57 ? c - ZERO : c >= 97 && c <= 102 ? c - 87 : -1;
      if (digit < 0) break;
      hi = ((hi << 4) | (lo >>> 28)) >>> 0;
      lo = ((lo << 4) | digit) >>> 0;
      pos++;
    }
    const digits = pos - this.pos;
    if (digits === 0 || digits > 16 || (!leadingZeros && digits > 1 && buf[this.pos] === ZERO)) return false;
    this.lo = lo;
    this.hi = hi;
    this.pos = pos;
    return true;
  }
}

function isNameByte(c: number): boolean {
  return (c >= 97 && c <= 122) || c === 95 || (c >= ZERO && c <= 57) || (c >= 65 && c <= 90) || c === DOT;
}

function tgidOf(text: string | undefined): number {
  return text === undefined || text.startsWith('-') ? -1 : Number(text);
}
