import type { RequestTable } from '../trace/requests';
import { EVENTS, eventNames } from '../trace/schema';
import { compileTemplate } from '../trace/template';
import type { Trace } from '../trace/trace';
import type { Measure } from './filter_values';

/** A field of requests; events have the one of their request. */
export interface RequestField {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly measure: Measure;
  readonly says: string;
  /** Value of request r, NaN where unknown. */
  readonly number?: (requests: RequestTable, r: number) => number;
  readonly text?: (requests: RequestTable, r: number) => string;
  readonly values?: readonly string[];
  /** Other texts of the same thing, which compare as well as `text`. */
  readonly others?: (requests: RequestTable, r: number) => readonly string[];
}

const OPS = ['READ', 'WRITE', 'FLUSH', 'DISCARD', 'WRITE_ZEROES'];
const PATHS = [
  'copy',
  'get-data',
  'user-copy',
  'splice',
  'registered',
  'auto-buf',
  'batch',
  'none',
  'unknown',
];
const STATUSES = ['open', 'done', 'failed', 'requeued'];

function known(value: number): number {
  return value < 0 ? NaN : value;
}

/** Fields of requests. */
export const REQUEST_FIELDS: readonly RequestField[] = [
  {
    name: 'queue',
    aliases: ['q', 'qid', 'q_id'],
    measure: 'plain',
    says: 'queue of the request',
    number: (t, r) => known(t.queue[r]),
  },
  { name: 'tag', aliases: [], measure: 'plain', says: 'tag', number: (t, r) => known(t.tag[r]) },
  {
    name: 'life',
    aliases: [],
    measure: 'plain',
    says: 'how many requests the tag has had, this one included',
    number: (t, r) => t.life[r],
  },
  { name: 'op', aliases: [], measure: 'plain', says: 'operation', text: (t, r) => t.op(r), values: OPS },
  {
    name: 'offset',
    aliases: [],
    measure: 'bytes',
    says: 'first byte on the device',
    number: (t, r) => t.offset[r],
  },
  { name: 'length', aliases: ['len', 'size'], measure: 'bytes', says: 'bytes', number: (t, r) => t.size[r] },
  {
    name: 'res',
    aliases: ['result'],
    measure: 'bytes',
    says: 'result: bytes or -errno, like -EIO',
    number: (t, r) => t.result[r],
  },
  {
    name: 'latency',
    aliases: ['duration'],
    measure: 'time',
    says: 'time from the first event of the request to its end',
    number: (t, r) => t.end[r] - t.start[r],
  },
  {
    name: 'start',
    aliases: [],
    measure: 'time',
    says: 'time of its first event',
    number: (t, r) => t.start[r],
  },
  { name: 'end', aliases: [], measure: 'time', says: 'time of its end', number: (t, r) => t.end[r] },
  {
    name: 'path',
    aliases: [],
    measure: 'plain',
    says: 'how the data went',
    text: (t, r) => t.path(r),
    values: PATHS,
  },
  {
    name: 'status',
    aliases: [],
    measure: 'plain',
    says: 'what became of the request',
    text: (t, r) => STATUSES[t.status[r]],
    values: STATUSES,
  },
  {
    name: 'device',
    aliases: ['dev'],
    measure: 'plain',
    says: 'disk',
    text: (t, r) => t.devices[t.device[r]],
    others: (t, r) => t.deviceNames(r).slice(1),
  },
  {
    name: 'confidence',
    aliases: [],
    measure: 'plain',
    says: 'whether tag and sector stand in the events',
    text: (t, r) => t.confidence(r),
    values: ['exact', 'inferred'],
  },
  {
    name: 'events',
    aliases: [],
    measure: 'plain',
    says: 'number of its events',
    number: (t, r) => t.eventStart[r + 1] - t.eventStart[r],
  },
];

/** A field that every event has. */
export interface EventField {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly measure: Measure;
  readonly says: string;
  readonly number?: (trace: Trace, i: number) => number;
  readonly text?: (trace: Trace, i: number) => string;
  /** All events of one text form, or of one task, have the same value. */
  readonly by?: 'form' | 'task';
  readonly values?: () => readonly string[];
}

/** Fields that every event has. */
export const EVENT_FIELDS: readonly EventField[] = [
  {
    name: 'name',
    aliases: [],
    measure: 'plain',
    says: 'name of the event',
    text: (t, i) => t.nameOf(i),
    by: 'form',
    values: () => eventNames(),
  },
  { name: 'event', aliases: [], measure: 'plain', says: 'number of the event', number: (_, i) => i },
  { name: 'time', aliases: ['ts'], measure: 'time', says: 'time of the event', number: (t, i) => t.ts[i] },
  { name: 'cpu', aliases: [], measure: 'plain', says: 'processor', number: (t, i) => t.cpu[i] },
  {
    name: 'task',
    aliases: [],
    measure: 'plain',
    says: 'name of the task',
    text: (t, i) => t.taskOf(t.task[i]).comm,
    by: 'task',
  },
  {
    name: 'pid',
    aliases: [],
    measure: 'plain',
    says: 'thread id of the task',
    number: (t, i) => t.taskOf(t.task[i]).pid,
    by: 'task',
  },
];

/** The request field of a name or alias. */
export function requestField(name: string): RequestField | undefined {
  return REQUEST_FIELDS.find((field) => field.name === name || field.aliases.includes(name));
}

/** The field of all events of a name or alias. */
export function eventField(name: string): EventField | undefined {
  return EVENT_FIELDS.find((field) => field.name === name || field.aliases.includes(name));
}

/** Names that fields of events print, and whether they are texts, numbers, or both in different events. */
export function dataFields(): Map<string, { text: boolean; number: boolean }> {
  const fields = new Map<string, { text: boolean; number: boolean }>();
  for (const name of eventNames()) {
    for (const form of EVENTS[name].text) {
      const { names, formats } = compileTemplate(form);
      names.forEach((field, k) => {
        const entry = fields.get(field) ?? { text: false, number: false };
        if (formats[k] === 's') entry.text = true;
        else entry.number = true;
        fields.set(field, entry);
      });
    }
  }
  return fields;
}
