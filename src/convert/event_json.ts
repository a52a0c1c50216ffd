import type { Shape } from '../trace/shapes';
import type { Trace } from '../trace/trace';

/** Value of a field as JSON holds it: addresses, flags and what a JavaScript number cannot hold are `0x` text. */
type JsonValue = string | number;

/** One event as plain data. */
export interface EventJson {
  /** Number of the event, from 0. */
  readonly event: number;
  /** Line in the trace's text, from 1. */
  readonly line: number;
  readonly ts_ns: number;
  readonly comm: string;
  readonly pid: number;
  readonly cpu: number;
  readonly name: string;
  readonly fields: Readonly<Record<string, JsonValue>>;
}

/** Event i of a trace as plain data. */
export function eventJson(trace: Trace, i: number): EventJson {
  const task = trace.taskOf(trace.task[i]!);
  return {
    event: i,
    line: trace.lineOf(i),
    ts_ns: trace.ts[i]!,
    comm: task.comm,
    pid: task.pid,
    cpu: trace.cpu[i]!,
    name: trace.nameOf(i),
    fields: fieldsJson(trace, i),
  };
}

/** The fields of event i by name. */
export function fieldsJson(trace: Trace, i: number): Record<string, JsonValue> {
  const shape = trace.shapeOf(i);
  const { names } = shape.template;
  const at = trace.at[i]!;
  const fields: [string, JsonValue][] = [];
  for (let k = 0; k < names.length; k++)
    fields.push([names[k]!, fieldJson(trace, shape, k, trace.words[at + k]!)]);
  // fromEntries defines what assignment would not: a field of a strange trace may be called __proto__
  return Object.fromEntries(fields);
}

function fieldJson(trace: Trace, shape: Shape, k: number, word: number): JsonValue {
  const { wide } = trace;
  switch (shape.template.formats[k]) {
    case 's':
      return trace.strings.text(word);
    case 'd': {
      const value = wide.number(word);
      return Number.isSafeInteger(value) ? value : wide.signed(word).toString();
    }
    case 'u':
    case 'h':
    case 'H': {
      const bits = wide.big(word);
      return bits > BigInt(Number.MAX_SAFE_INTEGER) ? `0x${bits.toString(16)}` : Number(bits);
    }
    default:
      return `0x${wide.big(word).toString(16)}`;
  }
}
