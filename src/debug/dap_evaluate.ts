import type { DebugProtocol } from '@vscode/debugprotocol';
import { readPath } from '../trace/state';
import { formatResult } from '../uapi/errno';
import { RequestError } from './dap_host';
import { compileFilter, FilterError, isField } from './filter';
import { completeFilter } from './filter_complete';
import { eventField, requestField } from './filter_fields';
import { eventsShown, requestsShown } from './filter_scan';
import { logParts } from './log_message';
import type { OpenTrace } from './model';
import { isStatePath, pathProblem, pathsOfLeaf } from './state_schema';
import type { Work } from './work';

/** The value of an expression at an event: a state variable by its path, a field by its name, or a filter as true or false. */
export interface Value {
  readonly text: string;
  readonly type: 'state' | 'field' | 'filter';
  /** Path of a state variable. */
  readonly path?: string;
}

/** Evaluates an expression at an event. @throws RequestError that tells what is wrong */
export function evaluateAt(
  open: OpenTrace,
  expression: string,
  event: number,
  focus: number | undefined,
): Value {
  const text = expression.trim();
  if (text === '') throw new RequestError('nothing to evaluate', false);
  if (event < 0) throw new RequestError('the trace has no events', false);
  if (isStatePath(text)) {
    const value = readPath(open.states.at(event), text);
    if (value === undefined)
      throw new RequestError(pathProblem(text) ?? `${text} does not exist at event ${event}`, false);
    return { text: value === null ? '?' : String(value), type: 'state', path: text };
  }
  if (/^[a-z_]\w*$/i.test(text)) {
    const value = fieldAt(open, text, event, focus);
    if (value !== undefined) return { text: value, type: 'field' };
  }
  if (/^[a-z]\w*(\.\w+)*$/i.test(text)) {
    if (isField(text, open.trace)) {
      const lacks = requestField(text) === undefined ? `this event has no ${text}` : 'no request here';
      return { text: `? (${lacks})`, type: 'field' };
    }
    const state = open.states.at(event);
    const { paths, like } = pathsOfLeaf(state, text);
    if (paths.length === 1)
      return { text: String(readPath(state, paths[0]) ?? '?'), type: 'state', path: paths[0] };
    if (like !== undefined) throw new RequestError(`which ${text}? write ${paths[0] ?? like}`, false);
  }
  try {
    const holds = compileFilter(text, open.trace).events(open)(event);
    return { text: String(holds), type: 'filter' };
  } catch (error) {
    if (error instanceof FilterError) throw new RequestError(error.message, false);
    throw error;
  }
}

/** A field of the event, of its request, or of the focused one; undefined where none of them has it. */
export function fieldAt(
  open: OpenTrace,
  name: string,
  event: number,
  focus: number | undefined,
): string | undefined {
  const { trace, requests } = open;
  const field = requestField(name);
  const names = field === undefined ? [name] : [name, field.name, ...field.aliases];
  const shape = trace.shapeOf(event);
  for (const each of names) {
    const k = shape.fields.get(each);
    if (k === undefined) continue;
    const word = trace.word(event, k);
    const format = shape.template.formats[k];
    if (format === 's') return trace.strings.text(word);
    if ('xphHz'.includes(format)) return `0x${trace.wide.big(word).toString(16)}`;
    return name === 'res' || name === 'result'
      ? formatResult(trace.wide.number(word))
      : trace.wide.signed(word).toString();
  }
  const everywhere = eventField(name);
  if (everywhere !== undefined)
    return String(everywhere.number?.(trace, event) ?? everywhere.text?.(trace, event) ?? '?');
  const row = requests.requestOf(event) >= 0 ? requests.requestOf(event) : focus;
  if (field === undefined || row === undefined) return undefined;
  const number = field.number?.(requests, row);
  if (number !== undefined) return Number.isNaN(number) ? '?' : String(number);
  return field.text?.(requests, row);
}

/** A log message with its `{expressions}` replaced by their values at an event; `\{` and `\}` are braces. */
export function logText(open: OpenTrace, message: string, event: number): string {
  return logParts(message, (expression) => {
    try {
      return evaluateAt(open, expression, event, undefined).text;
    } catch (error) {
      if (error instanceof RequestError) return `{${error.message}}`;
      throw error;
    }
  });
}

/** How many requests and events a filter finds: what the Debug Console adds to its answer. */
export async function countText(open: OpenTrace, filter: string, work: Work): Promise<string> {
  const compiled = compileFilter(filter, open.trace);
  const rows = await requestsShown(open, compiled, work);
  const events = await eventsShown(open, compiled, work);
  if (rows === undefined || events === undefined) return 'cancelled';
  return `${rows.length} of ${open.requests.length} requests, ${events.length} of ${open.length} events`;
}

const TYPES = { field: 'field', value: 'value', sign: 'keyword', state: 'variable' } as const;

/** Proposals for the Debug Console; `column` counts from 1. */
export function completions(open: OpenTrace, text: string, column: number): DebugProtocol.CompletionItem[] {
  return completeFilter(text, Math.max(0, column - 1), open).map((c) => ({
    label: c.label,
    ...(c.text === c.label ? {} : { text: c.text }),
    detail: c.says,
    type: TYPES[c.kind],
    start: c.start + 1,
    length: c.end - c.start,
  }));
}
