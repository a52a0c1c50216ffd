import type { Shape } from '../trace/shapes';
import type { Sliced } from '../trace/slices';
import type { Trace } from '../trace/trace';
import { MARK_KINDS, type MarkKind } from '../webview/protocol_data';
import { Pyramid } from './pyramid';

/** What a mark that stands for several shows: the last of these that is among them. */
const RANKS: readonly MarkKind[] = ['event', 'sqe', 'cqe', 'splice', 'copy', 'session', 'error', 'violation'];
const KIND_OF_RANK = RANKS.map((kind) => MARK_KINDS.indexOf(kind));
const ERROR = RANKS.indexOf('error');
const VIOLATION = RANKS.indexOf('violation');
const EAGAIN = -11;
/** "The answer comes later": not an error. */
const EIOCBQUEUED = -529;

const SQE: ReadonlySet<string> = new Set(['io_uring_submit_sqe', 'io_uring_submit_req']);
const COPY: ReadonlySet<string> = new Set([
  'ublk_copy_user_pages',
  'ublk_copy_user_pages_isra_0',
  'ublk_user_copy',
]);
const FAILURES: ReadonlySet<string> = new Set([
  'block_rq_error',
  'io_uring_req_failed',
  'io_uring_fail_link',
  'io_uring_cqe_overflow',
  'ublk_fail_req',
  'ublk_abort_rq',
]);

function rankOf(shape: Shape): number {
  const { name, spec } = shape;
  const kind = ((): MarkKind => {
    if (FAILURES.has(name)) return 'error';
    if (SQE.has(name)) return 'sqe';
    if (name === 'io_uring_complete') return 'cqe';
    if (COPY.has(name)) return 'copy';
    if (spec?.system === 'splice') return 'splice';
    return spec?.system === 'client' ? 'session' : 'event';
  })();
  return RANKS.indexOf(kind);
}

/** Index of the field that carries the outcome of an event, -1 where it has none. */
function outcomeField({ fields, raw, name }: Shape): number {
  if (raw) return -1;
  if (name === 'io_uring_complete' || name === 'app_io_done') return fields.get('result') ?? -1;
  if (name === 'block_rq_complete' || name === 'fuse_request_end' || name === 'blk_mq_end_request')
    return fields.get('error') ?? -1;
  return name.endsWith('_ret') ? (fields.get('ret') ?? -1) : -1;
}

/** The events of all tracks as marks: those of track t are `list[at[t]]` to `list[at[t + 1]]`, ascending. */
export class Marks {
  private constructor(
    readonly at: Uint32Array,
    readonly list: Uint32Array,
    private readonly ranks: Uint8Array,
    private readonly pyramid: Pyramid,
  ) {}

  /** Marks of events with these ranks; marks whose ranks have changed are made anew. */
  static *build(at: Uint32Array, list: Uint32Array, ranks: Uint8Array, slice: number): Sliced<Marks> {
    const values = new Uint8Array(list.length);
    for (let k = 0; k < list.length; k++) {
      if (k % slice === slice - 1) yield k / list.length;
      values[k] = ranks[list[k]];
    }
    const pyramid = Pyramid.build(values);
    for (;;) {
      const step = pyramid.next();
      if (step.done === true) return new Marks(at, list, ranks, step.value);
      yield 1;
    }
  }

  /** Kind (index into MARK_KINDS) that stands for the marks in [from, to) of the list. */
  kind(from: number, to: number): number {
    return KIND_OF_RANK[to - from === 1 ? this.ranks[this.list[from]] : this.pyramid.best(from, to)];
  }
}

/** Weight of every event: what kind of mark it is, a number that grows with how much it matters. */
export function* rankEvents(trace: Trace, slice: number): Sliced<Uint8Array> {
  const { length } = trace;
  const ranks = new Uint8Array(length);
  const plain = new Uint8Array(trace.shapes.size);
  const outcome = new Int32Array(trace.shapes.size);
  for (let id = 0; id < plain.length; id++) {
    plain[id] = rankOf(trace.shapes.get(id));
    outcome[id] = outcomeField(trace.shapes.get(id));
  }
  for (let i = 0; i < length; i++) {
    if (i % slice === slice - 1) yield i / length;
    const id = trace.shape[i];
    ranks[i] = plain[id];
    if (outcome[id] < 0) continue;
    const word = trace.words[trace.at[i] + outcome[id]];
    if (word < 0x80000000) continue;
    const value = Number(trace.wide.signed(word));
    if (value < 0 && value !== EAGAIN && value !== EIOCBQUEUED) ranks[i] = ERROR;
  }
  return ranks;
}

/** Whether an event of this rank tells of a failure. */
export function isFailure(rank: number): boolean {
  return rank >= ERROR;
}

/** Marks the events that show a broken rule. */
export function rankViolations(ranks: Uint8Array, events: Iterable<number>): void {
  for (const event of events) if (event >= 0 && event < ranks.length) ranks[event] = VIOLATION;
}

/** Groups the events by track; `trackOf` gives -1 for events that have none. */
export function* groupEvents(
  length: number,
  tracks: number,
  trackOf: (event: number) => number,
  slice: number,
): Sliced<{ at: Uint32Array; list: Uint32Array }> {
  const at = new Uint32Array(tracks + 1);
  for (let i = 0; i < length; i++) {
    if (i % slice === slice - 1) yield (0.5 * i) / length;
    const track = trackOf(i);
    if (track >= 0) at[track + 1]++;
  }
  for (let t = 0; t < tracks; t++) at[t + 1] += at[t];
  const next = at.slice(0, tracks);
  const list = new Uint32Array(at[tracks]);
  for (let i = 0; i < length; i++) {
    if (i % slice === slice - 1) yield 0.5 + (0.5 * i) / length;
    const track = trackOf(i);
    if (track >= 0) list[next[track]++] = i;
  }
  return { at, list };
}
