import type { Trace } from '../trace/trace';
import { opcodes } from './filter_known';
import { dataFields, EVENT_FIELDS, eventField, REQUEST_FIELDS, requestField } from './filter_fields';
import type { OpenTrace } from './model';
import { pathsFrom, valuesOfPath } from './state_complete';
import { pathKinds } from './state_schema';

/** One proposal: `text` replaces the characters [start, end) of the filter. */
export interface FilterCompletion {
  readonly label: string;
  readonly text: string;
  /** `state`: the path of a state variable, or what such paths begin with. */
  readonly kind: 'field' | 'value' | 'sign' | 'state';
  readonly says: string;
  readonly start: number;
  readonly end: number;
}

const SIGNS: readonly (readonly [string, string])[] = [
  ['==', 'equal'],
  ['!=', 'known and not equal'],
  ['<', 'less'],
  ['<=', 'less or equal'],
  ['>', 'greater'],
  ['>=', 'greater or equal'],
  ['~', 'contains'],
  ['!~', 'does not contain'],
];

/** What may stand at `offset` (characters from 0) of a filter. */
export function completeFilter(text: string, offset: number, open?: OpenTrace): FilterCompletion[] {
  const before = text.slice(0, offset);
  const value = /([\w,@:.-]+)\s*(==|!=|!~|~)\s*(["']?)([^\s()!=<>~&|"']*)$/.exec(before);
  if (value !== null && !/^\d/.test(value[4])) return values(value[1], value[3] + value[4], offset, open);
  const path = /[\w,@:.]*$/.exec(before)?.[0] ?? '';
  if (path.includes(':')) return states(pathsFrom(open, path), path, offset);
  const word = /[\w-]*$/.exec(before)?.[0] ?? '';
  const head = before.slice(0, before.length - word.length);
  if (word === '' && /[\w"']\s+$/.test(head)) {
    const compared = /(==|!=|<=|>=|<|>|~)\s*(?:[^\s()!=<>~&|"']+|"[^"]*"|'[^']*')\s+$/.test(head);
    const next: readonly (readonly [string, string])[] = compared
      ? [
          ['&&', 'and'],
          ['||', 'or'],
        ]
      : SIGNS;
    return next.map(([sign, says]) => ({
      label: sign,
      text: `${sign} `,
      kind: 'sign',
      says,
      start: offset,
      end: offset,
    }));
  }
  if (/[<>]=?\s*$/.test(head)) return [];
  const kinds = pathKinds().filter((kind) => kind.startsWith(word));
  return [...fields(word, offset), ...states(kinds, word, offset)];
}

function states(paths: readonly string[], word: string, offset: number): FilterCompletion[] {
  return paths.map((path) => ({
    label: path,
    text: path,
    kind: 'state',
    says: 'a state variable',
    start: offset - word.length,
    end: offset,
  }));
}

function fields(word: string, offset: number): FilterCompletion[] {
  const main = [...REQUEST_FIELDS, ...EVENT_FIELDS].map((f) => [f.name, f.says] as const);
  const taken = new Set([...REQUEST_FIELDS, ...EVENT_FIELDS].flatMap((f) => [f.name, ...f.aliases]));
  const rest = [...dataFields().keys()].filter((name) => !taken.has(name)).sort();
  return [...main, ...rest.map((name) => [name, 'field of events'] as const)]
    .filter(([name]) => name.startsWith(word))
    .map(([name, says]) => ({
      label: name,
      text: name,
      kind: 'field',
      says,
      start: offset - word.length,
      end: offset,
    }));
}

function values(
  field: string,
  word: string,
  offset: number,
  open: OpenTrace | undefined,
): FilterCompletion[] {
  const quote = /^["']/.exec(word)?.[0] ?? '';
  const bare = word.slice(quote.length).toLowerCase();
  const all = field.includes(':') ? valuesOfPath(open, field) : known(field, open?.trace);
  return all
    .filter((value) => value.toLowerCase().startsWith(bare))
    .map((value) => ({
      label: value,
      text: quoted(value, quote),
      kind: 'value',
      says: `${field} ${value}`,
      start: offset - word.length,
      end: offset,
    }));
}

/** As it is written in a filter: in the quotes that were begun, or that it needs. */
function quoted(value: string, begun: string): string {
  const quote = begun !== '' || /^[^\s()!=<>~&|"']+$/.test(value) ? begun : '"';
  return `${quote}${value}${quote}`;
}

function known(field: string, trace: Trace | undefined): readonly string[] {
  if (field === 'opcode') return opcodes();
  if (field === 'task' && trace !== undefined) {
    const names = Array.from({ length: trace.taskCount }, (_, id) => trace.taskOf(id).comm);
    return [...new Set(names)].sort();
  }
  return requestField(field)?.values ?? eventField(field)?.values?.() ?? [];
}
