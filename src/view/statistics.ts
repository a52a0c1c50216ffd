import type { OpenTrace } from '../debug/model';
import { requestLabel } from '../debug/request_label';
import type { Sliced } from '../trace/slices';
import type { Trace } from '../trace/trace';
import type { Statistics } from '../webview/protocol_data';
import { isFailure } from './marks';
import { PHASES } from './phases';
import { percentiles } from './quantiles';
import type { Timeline } from './timeline';

/** Events or requests between two looks at the clock. */
const SLICE = 1 << 15;
/** The slowest requests that are listed. */
const SLOWEST = 10;

const SUBMITS: ReadonlySet<string> = new Set(['io_uring_submit_sqe', 'io_uring_submit_req']);

/**
 * Counts of a range of time, and how long the requests took that end in it. `tracks` limits the events to those tracks and the
 * requests to those tags. A phase that the trace does not show is part of the one before it. Counted in slices.
 */
export function* statistics(
  open: OpenTrace,
  timeline: Timeline,
  from: number,
  to: number,
  tracks?: readonly number[],
): Sliced<Statistics> {
  const { times, phases, tagOf, firstTag } = timeline;
  const { requests } = open;
  const wanted = tracks === undefined ? undefined : new Set(tracks);
  const counts = yield* countEvents(open, timeline, from, to, wanted);
  const rows = new Uint32Array(requests.length);
  let found = 0;
  let bytes = 0;
  for (let r = 0; r < requests.length; r++) {
    if (r % SLICE === SLICE - 1) yield 0.5 + (0.2 * r) / requests.length;
    const end = requests.end[r];
    if (Number.isNaN(end)) continue;
    const time = times.since(end);
    if (time < from || time > to || requests.status[r] === 3) continue;
    if (wanted !== undefined && !wanted.has(firstTag + tagOf[r])) continue;
    rows[found++] = r;
    if (requests.result[r] > 0) bytes += requests.result[r];
  }
  const latency = new Float64Array(found);
  const shares = PHASES.map(() => new Float64Array(found));
  const borders = new Float64Array(6);
  for (let k = 0; k < found; k++) {
    if (k % SLICE === SLICE - 1) yield 0.7 + (0.2 * k) / found;
    phases.read(rows[k], borders);
    latency[k] = borders[5] - borders[0];
    let phase = 0;
    for (let next = 1; next <= 5; next++) {
      if (Number.isNaN(borders[next])) continue;
      shares[phase][k] = borders[next] - borders[phase];
      phase = next;
    }
  }
  const ranked: Statistics['phases'][number][] = [];
  for (const [k, kind] of PHASES.entries()) {
    yield 0.9 + (0.1 * k) / PHASES.length;
    const total = shares[k].reduce((sum, value) => sum + value, 0);
    ranked.push({ kind, total, percentiles: percentiles(shares[k]) });
  }
  return {
    from,
    to,
    ...counts,
    bytes,
    latency: percentiles(latency),
    phases: ranked,
    slowest: slowest(latency).map((k) => ({
      request: rows[k],
      label: requestLabel(requests, rows[k]),
      ns: latency[k],
    })),
  };
}

type Counts = Pick<Statistics, 'events' | 'sqes' | 'cqes' | 'errors'>;

function* countEvents(
  { trace, requests }: OpenTrace,
  { times, ranks, lanes, tagOf, firstTag }: Timeline,
  from: number,
  to: number,
  wanted: ReadonlySet<number> | undefined,
): Sliced<Counts> {
  const kinds = new Uint8Array(trace.shapes.size);
  for (let id = 0; id < kinds.length; id++) {
    const { name } = trace.shapes.get(id);
    if (SUBMITS.has(name)) kinds[id] = 1;
    else if (name === 'io_uring_complete') kinds[id] = 2;
  }
  const first = times.firstAt(from);
  const last = times.firstAt(Math.floor(to) + 1);
  const shown = (i: number): boolean => {
    if (wanted === undefined || wanted.has(lanes.of(i))) return true;
    const row = requests.requestOf(i);
    return row >= 0 && wanted.has(firstTag + tagOf[row]);
  };
  const counts = { events: 0, sqes: 0, cqes: 0, errors: 0 };
  for (let start = first; start < last; start += SLICE) {
    const end = Math.min(last, start + SLICE);
    const part = countPart(trace.shape, kinds, ranks, start, end, wanted === undefined ? undefined : shown);
    counts.events += part.events;
    counts.sqes += part.sqes;
    counts.cqes += part.cqes;
    counts.errors += part.errors;
    yield (0.5 * (end - first)) / (last - first);
  }
  return counts;
}

/** Counts the events in [start, end) that are shown: all of them without a test. */
function countPart(
  shape: Trace['shape'],
  kinds: Uint8Array,
  ranks: Uint8Array,
  start: number,
  end: number,
  shown: ((event: number) => boolean) | undefined,
): Counts {
  let [events, sqes, cqes, errors] = [0, 0, 0, 0];
  for (let i = start; i < end; i++) {
    if (shown !== undefined && !shown(i)) continue;
    events++;
    const kind = kinds[shape[i]];
    if (kind === 1) sqes++;
    else if (kind === 2) cqes++;
    if (isFailure(ranks[i])) errors++;
  }
  return { events, sqes, cqes, errors };
}

/** Places of the largest values, largest first. */
function slowest(values: Float64Array): number[] {
  const top: number[] = [];
  for (let k = 0; k < values.length; k++) {
    if (top.length === SLOWEST && values[k] <= values[top[SLOWEST - 1]]) continue;
    let at = top.length;
    while (at > 0 && values[top[at - 1]] < values[k]) at--;
    top.splice(at, 0, k);
    if (top.length > SLOWEST) top.pop();
  }
  return top;
}
