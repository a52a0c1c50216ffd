import { didYouMean } from '../session/diagnostics';
import type { Trace } from '../trace/trace';
import { opcodeName } from '../uapi/io_uring_ops';
import { dataFields, eventField, requestField } from './filter_fields';
import type { Literal } from './filter_values';

const OPCODES = 64;

/** Names of the opcodes of io_uring. */
export function opcodes(): string[] {
  return Array.from({ length: OPCODES }, (_, op) => opcodeName(op)).filter((name) => name !== 'INVALID');
}

/** Values of a field that has a list of them; whether the list is all that there can be. */
function listOf(field: string): { readonly values: readonly string[]; readonly whole: boolean } | undefined {
  if (field === 'opcode') return { values: opcodes(), whole: true };
  const own = requestField(field);
  const values = own?.values ?? eventField(field)?.values?.();
  if (values === undefined) return undefined;
  // requests of other programs and of FUSE have operations that no list names
  if (own?.name === 'op') return { values: [...values, ...opcodes(), 'OTHER', 'UNKNOWN'], whole: false };
  return { values, whole: true };
}

/**
 * Why a field cannot equal a value: it has a list of values, and neither that list nor the trace has this one. undefined where it can,
 * and where a list that is not the whole one has nothing like it.
 */
export function valueProblem(
  field: string,
  value: Literal,
  op: string,
  trace: Trace | undefined,
): string | undefined {
  if ((op !== '==' && op !== '!=') || value.number !== undefined) return undefined;
  const list = listOf(field);
  const is = (each: string): boolean => each.toLowerCase() === value.text.toLowerCase();
  if (list === undefined || list.values.some(is)) return undefined;
  if (trace !== undefined && printed(field, trace, is)) return undefined;
  const whole = list.whole && (trace !== undefined || dataFields().get(field)?.text !== true);
  const meant = didYouMean(value.text, list.values);
  if (!whole && meant === '') return undefined;
  const few = list.values.length <= 12 && list.whole ? `; it is one of ${list.values.join(', ')}` : '';
  return `${field} is never '${value.text}'${meant === '' ? few : meant}`;
}

/** Whether an event of the trace prints such a value of the field, or has it as its name. */
function printed(field: string, trace: Trace, is: (value: string) => boolean): boolean {
  const places = new Int32Array(trace.shapes.size).fill(-1);
  let any = false;
  for (let id = 0; id < places.length; id++) {
    const { name, fields, template } = trace.shapes.get(id);
    if (field === 'name' && is(name)) return true;
    const k = fields.get(field);
    if (k === undefined || template.formats[k] !== 's') continue;
    places[id] = k;
    any = true;
  }
  const seen = new Set<number>();
  for (let i = 0; any && i < trace.length; i++) {
    const k = places[trace.shape[i]];
    if (k < 0) continue;
    const word = trace.word(i, k);
    if (seen.has(word)) continue;
    seen.add(word);
    if (is(trace.strings.text(word))) return true;
  }
  return false;
}
