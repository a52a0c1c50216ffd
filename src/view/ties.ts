import type { OpenTrace } from '../debug/model';
import type { Sliced } from '../trace/slices';
import { TIE_KINDS, type Ties } from '../webview/protocol_data';
import type { Timeline } from './timeline';

/** Most ties of one trace. */
const MOST = 4096;
/** Events of one slice. */
const SLICE = 1 << 14;
/** How many earlier requests are looked at for the one that holds a drain. */
const WINDOW = 1024;
type Kind = (typeof TIE_KINDS)[number];

/**
 * Links and drains between requests, from io_uring_link, io_uring_fail_link and io_uring_defer: each goes from where one request
 * ends to where the one that waited for it goes on. undefined where a trace has none.
 */
export function* tieSlices(open: OpenTrace, timeline: Timeline): Sliced<Ties | undefined> {
  const { trace, requests } = open;
  const { shapes } = trace;
  const shape = (name: 'io_uring_link' | 'io_uring_fail_link' | 'io_uring_defer'): number =>
    shapes.of(name).id;
  const [link, fail, defer] = [shape('io_uring_link'), shape('io_uring_fail_link'), shape('io_uring_defer')];
  const wanted = new Set([link, fail, defer]);
  if (!trace.shape.subarray(0, trace.length).some((id) => wanted.has(id))) return undefined;
  yield 0.95;
  const found: Tie[] = [];
  const byPointer = new Map<number, number>();
  /** Tie of the request that stands behind a link. */
  const behind = new Map<number, Tie>();
  const drained = new Set<number>();
  for (let e = 0; e < trace.length && found.length < MOST; e++) {
    if (e % SLICE === SLICE - 1) yield 0.95 + (0.05 * e) / trace.length;
    const row = requests.requestOf(e);
    const id = trace.shape[e];
    if (row < 0 && id !== fail) continue;
    if (id === link) {
      const before = byPointer.get(wordOf(open, e, 'target'));
      const pointer = wordOf(open, e, 'req');
      byPointer.set(pointer, row);
      if (before === undefined || before === row) continue;
      const tie: Tie = { kind: 'link', from: before, to: row, after: e };
      found.push(tie);
      behind.set(row, tie);
    } else if (id === fail) {
      const cancelled = byPointer.get(wordOf(open, e, 'link'));
      const tie = cancelled === undefined ? undefined : behind.get(cancelled);
      if (tie) tie.kind = 'brokenLink';
    } else if (id === defer) {
      if (drained.has(row)) continue;
      drained.add(row);
      const holder = lastBefore(open, row, e);
      if (holder >= 0) found.push({ kind: 'drain', from: holder, to: row, after: e });
    } else if (shapes.get(id ?? 0).fields.has('req')) byPointer.set(wordOf(open, e, 'req'), row);
  }
  if (found.length === 0) return undefined;
  const { times, firstTag, tagOf } = timeline;
  const end = (row: number): number => {
    const at = requests.end[row] ?? NaN;
    return Number.isNaN(at) ? times.length : times.since(at);
  };
  return {
    kind: Uint8Array.from(found, ({ kind }) => TIE_KINDS.indexOf(kind)),
    fromTrack: Uint32Array.from(found, ({ from }) => firstTag + (tagOf[from] ?? 0)),
    fromTime: Float64Array.from(found, ({ from }) => end(from)),
    toTrack: Uint32Array.from(found, ({ to }) => firstTag + (tagOf[to] ?? 0)),
    toTime: Float64Array.from(found, ({ from, to, after }) => {
      // it goes on with its first event behind the end of the other; one that never does waits until the trace ends
      const free = Math.max(end(from), times.at(after));
      const next = requests.events(to).find((e) => e > after && times.at(e) >= free);
      return next === undefined ? Math.max(free, Math.min(end(to), times.length)) : times.at(next);
    }),
  };
}

interface Tie {
  kind: Kind;
  readonly from: number;
  readonly to: number;
  readonly after: number;
}

function wordOf({ trace }: OpenTrace, event: number, field: string): number {
  const place = trace.shapes.get(trace.shape[event] ?? 0).fields.get(field);
  return place === undefined ? -1 : trace.word(event, place);
}

/** The request submitted before `row` that ends last: the one that a drain waits for. */
function lastBefore({ requests, trace }: OpenTrace, row: number, event: number): number {
  let holder = -1;
  let latest = Number.NEGATIVE_INFINITY;
  for (let r = row - 1; r >= Math.max(0, row - WINDOW); r--) {
    const at = requests.end[r] ?? NaN;
    const end = Number.isNaN(at) ? Number.POSITIVE_INFINITY : at;
    if (end > latest && end > (trace.ts[event] ?? 0)) {
      latest = end;
      holder = r;
    }
  }
  return holder;
}
