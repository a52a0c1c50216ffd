import type { Shape } from './shapes';
import type { Trace } from './trace';
import type { WideTable } from './wide';

const NS = 1_000_000_000;

/** Prints events and notes of a trace as ftrace text, exactly as the kernel (or our recorder) lays lines out. */
export class Printer {
  private readonly heads: string[] = [];

  constructor(private readonly trace: Trace) {}

  /** The line of event i, without the line end. */
  line(i: number): string {
    const { trace } = this;
    return `${this.prefix(i)}${eventText(trace, i)}`;
  }

  /** All lines, notes where they stood; each ends with a newline. `from` and `to` are event numbers. */
  text(from = 0, to = this.trace.length): string {
    let out = '';
    for (const part of this.parts(from, to)) out += part;
    return out;
  }

  /** The same in pieces of some hundred lines. */
  *parts(from = 0, to = this.trace.length): Generator<string> {
    const { notes } = this.trace;
    let n = notes.findIndex((note) => note.before >= from);
    if (n < 0) n = notes.length;
    let piece = '';
    for (let i = from; i <= to; i++) {
      while (n < notes.length && notes[n].before === i) piece += `${notes[n++].text}\n`;
      if (i < to) piece += `${this.line(i)}\n`;
      if (piece.length > 65536) {
        yield piece;
        piece = '';
      }
    }
    if (piece) yield piece;
  }

  private prefix(i: number): string {
    const { trace } = this;
    let head = this.heads[trace.task[i]];
    if (head === undefined) {
      const task = trace.taskOf(trace.task[i]);
      head = `${task.comm.padStart(16)}-${String(task.pid).padEnd(7)} `;
      if (trace.format.tgid) head += task.tgid < 0 ? '(-------) ' : `(${String(task.tgid).padStart(7)}) `;
      this.heads[trace.task[i]] = head;
    }
    const cpu = trace.cpu[i];
    const cpuText = cpu < 10 ? `[00${cpu}] ` : `[${String(cpu).padStart(3, '0')}] `;
    const flags = trace.format.flags ? `${trace.flagsText(i)} ` : '';
    return `${head}${cpuText}${flags}${timeText(trace.ts[i], trace.format.tsDigits).padStart(trace.format.tsDigits + 6)}: `;
  }
}

/** A time as ftrace prints it: seconds, a point and 6 or 9 digits; plain units when digits is 0. */
export function timeText(ns: number, digits: number): string {
  if (digits === 0) return String(ns);
  const seconds = Math.floor(ns / NS);
  const rest = String(ns - seconds * NS).padStart(9, '0');
  return `${seconds}.${digits === 9 ? rest : rest.slice(0, digits)}`;
}

/** Name and body of event i, as behind the timestamp of its line. */
export function eventText(trace: Trace, i: number): string {
  const shape = trace.shapeOf(i);
  const body = bodyText(trace, i, shape);
  switch (shape.line) {
    case 'named':
      return `${shape.name}: ${body}`;
    case 'syscall-enter':
      return `sys_${shape.name.slice(10)}${body}`;
    case 'syscall-exit':
      return `sys_${shape.name.slice(9)} -> ${body}`;
    case 'plain':
      return body;
  }
}

/** The body of event i. */
export function bodyText(trace: Trace, i: number, shape: Shape): string {
  const { formats, literals } = shape.template;
  let text = literals[0];
  const at = trace.at[i];
  for (let k = 0; k < formats.length; k++)
    text += fieldText(trace, formats[k], trace.words[at + k]) + literals[k + 1];
  return text;
}

function fieldText(trace: Trace, format: string, word: number): string {
  const { wide } = trace;
  switch (format) {
    case 's':
      return trace.strings.text(word);
    case 'd':
      if (word < 0x80000000) return String(word);
      return wide.signed(word).toString();
    case 'u':
      if (word < 0x80000000) return String(word);
      return wide.big(word).toString();
    case 'p':
      return hexText(wide, word).padStart(16, '0');
    case 'H':
      return word < 10 ? String(word) : `0x${hexText(wide, word)}`;
    default:
      return hexText(wide, word);
  }
}

function hexText(wide: WideTable, word: number): string {
  if (word < 0x80000000) return word.toString(16);
  const high = wide.highOf(word);
  const low = wide.lowOf(word).toString(16);
  return high === 0 ? low : high.toString(16) + low.padStart(8, '0');
}
