import type { OpenTrace } from '../debug/model';

/** A tag of a queue, with all its requests. */
export interface TagMark {
  readonly device: string;
  readonly queue: number;
  readonly tag: number;
}

/** A place of a trace, named so that it is found again in another run of the same program. */
export interface PlaceMark {
  /** The place is a tag; nothing else is said then. */
  readonly slot?: TagMark;
  /** Its request by device, queue, tag and life; undefined for an event of none. */
  readonly request?: TagMark & { readonly life: number };
  /** Name of the event; undefined for the request as a whole. */
  readonly name?: string;
  /** Which of the events with that name it is, of the request or of the whole trace, from 0. */
  readonly nth?: number;
}

/** A place of one open trace: row -1 for no request, event -1 for the request as a whole. */
export interface Place {
  readonly row: number;
  readonly event: number;
  /** The place is the tag of the request, with all its requests. */
  readonly wholeTag?: true;
}

/** Names a place. */
export function markOf(open: OpenTrace, { row, event, wholeTag }: Place): PlaceMark {
  const { requests } = open;
  if (wholeTag === true) return { slot: tagOf(open, row) };
  const request = row < 0 ? {} : { request: { ...tagOf(open, row), life: requests.life[row]! } };
  if (event < 0) return request;
  const name = open.trace.nameOf(event);
  let nth = 0;
  for (const other of named(open, row, name)) {
    if (other >= event) break;
    nth++;
  }
  return { ...request, name, nth };
}

/** Finds a place again; undefined where this trace has none of that name. */
export function placeOf(open: OpenTrace, mark: PlaceMark): Place | undefined {
  if (mark.slot !== undefined) {
    const first = rowOf(open, mark.slot);
    return first === undefined ? undefined : { row: first, event: -1, wholeTag: true };
  }
  const row = mark.request === undefined ? -1 : rowOf(open, mark.request);
  if (row === undefined) return undefined;
  if (mark.name === undefined) return row < 0 ? undefined : { row, event: -1 };
  let nth = 0;
  for (const event of named(open, row, mark.name)) if (nth++ === mark.nth) return { row, event };
  return undefined;
}

/** What a stored value has to be to be taken for a mark. */
export function isPlaceMark(value: unknown): value is PlaceMark {
  if (typeof value !== 'object' || value === null) return false;
  const { slot, request, name, nth } = value as Record<string, unknown>;
  if (slot !== undefined) return isTagMark(slot);
  if (request === undefined && name === undefined) return false;
  if (name !== undefined && (typeof name !== 'string' || typeof nth !== 'number')) return false;
  if (request === undefined) return true;
  return isTagMark(request) && typeof (request as { life?: unknown }).life === 'number';
}

/** Whether a mark is a tag, or lies on it. */
export function isOnTag({ slot, request }: PlaceMark, wanted: TagMark): boolean {
  const mark = slot ?? request;
  return mark?.tag === wanted.tag && mark.queue === wanted.queue && mark.device === wanted.device;
}

/** The tag of a request. */
export function tagOf({ requests }: OpenTrace, row: number): TagMark {
  return {
    device: requests.devices[requests.device[row]!] ?? '',
    queue: requests.queue[row]!,
    tag: requests.tag[row]!,
  };
}

function isTagMark(value: unknown): value is TagMark {
  if (typeof value !== 'object' || value === null) return false;
  const { device, queue, tag } = value as Record<string, unknown>;
  return typeof device === 'string' && [queue, tag].every((each) => typeof each === 'number');
}

/** The request of a tag and life; without a life the tag's first one. */
function rowOf(open: OpenTrace, wanted: TagMark & { readonly life?: number }): number | undefined {
  const { requests } = open;
  for (let row = 0; row < requests.length; row++) {
    if (requests.tag[row] !== wanted.tag) continue;
    if (wanted.life !== undefined && requests.life[row] !== wanted.life) continue;
    if (requests.queue[row] !== wanted.queue) continue;
    if ((requests.devices[requests.device[row]!] ?? '') === wanted.device) return row;
  }
  return undefined;
}

/** Events of a name, of a request or (row -1) of the whole trace. An event may stand in both lists. */
function* named(open: OpenTrace, row: number, name: string): Generator<number> {
  const { trace, requests } = open;
  if (row >= 0) {
    for (const event of requests.events(row)) if (trace.nameOf(event) === name) yield event;
    return;
  }
  for (let event = 0; event < open.length; event++) if (trace.nameOf(event) === name) yield event;
}
