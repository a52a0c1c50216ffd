import { BLOCK_EVENTS } from './schema_block';
import { CLIENT_EVENTS } from './schema_client';
import type { EventSpec } from './schema_types';
import { IO_URING_EVENTS } from './schema_io_uring';
import { SCHED_EVENTS } from './schema_sched';
import { SPLICE_EVENTS } from './schema_splice';
import { UBLK_EVENTS } from './schema_ublk';
import type { FieldNames } from './template';

/**
 * Every event the product knows, written once. Types, recorder functions, text, parser, columns, hovers and docs/events.md
 * follow from these tables. The parts are split by subsystem only to keep files readable.
 */
export const EVENTS = {
  ...IO_URING_EVENTS,
  ...BLOCK_EVENTS,
  ...UBLK_EVENTS,
  ...SPLICE_EVENTS,
  ...SCHED_EVENTS,
  ...CLIENT_EVENTS,
} as const;

/** Name of an event of the schema. */
export type EventName = keyof typeof EVENTS;

/** Field names of the event's first text form without the place of a probe, in order. */
export type EventFields<N extends EventName> =
  FieldNames<(typeof EVENTS)[N]['text'][0]> extends infer T extends string[]
    ? T extends ['loc', ...infer Rest extends string[]]
      ? Rest
      : T
    : [];

type Words<T extends readonly unknown[]> = { [K in keyof T]: number };

/** One word per field of {@link EventFields}. */
export type EventArgs<N extends EventName> = Words<EventFields<N>>;

/** The schema's entry, with its common type. */
export function eventSpec(name: string): EventSpec | undefined {
  return Object.hasOwn(EVENTS, name) ? (EVENTS as Record<string, EventSpec>)[name] : undefined;
}

/** Names of all events of the schema, in table order. */
export function eventNames(): EventName[] {
  return Object.keys(EVENTS) as EventName[];
}
