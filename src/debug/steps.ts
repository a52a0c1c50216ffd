import { indexAfter } from './sorted';
import type { OpenTrace } from './model';

/** Ways to move. Each is about one request or, without one, about the whole trace. */
export const STEP_KINDS = [
  'next',
  'in',
  'out',
  'back',
  'reverseOver',
  'reverseOut',
  'first',
  'last',
  'nextLife',
  'previousLife',
] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** Where a step leads. `edge` says which end kept it from going on; then nothing moved or only up to that end. */
export interface Step {
  readonly event: number;
  readonly request: number | undefined;
  readonly edge?: string;
}

const COMPLETIONS: ReadonlySet<string> = new Set([
  'block_rq_complete',
  'block_rq_requeue',
  'blk_mq_requeue_request',
  'fuse_request_end',
]);

/** Steps through an open trace. `shown` limits steps of the whole trace to these events. */
export class Steps {
  constructor(
    private readonly open: OpenTrace,
    private readonly shown?: Uint32Array,
  ) {}

  /** How many events steps of the whole trace go through; undefined for all. */
  get shows(): number | undefined {
    return this.shown?.length;
  }

  /** Where a step from event `from` leads. */
  step(kind: StepKind, from: number, request: number | undefined): Step {
    if (this.open.length === 0) return { event: -1, request: undefined, edge: 'the trace has no events' };
    return request === undefined ? this.ofTrace(kind, from) : this.ofRequest(kind, from, request);
  }

  private ofTrace(kind: StepKind, from: number): Step {
    const last = this.open.length - 1;
    switch (kind) {
      case 'in': {
        const caused = this.open.causes.caused(from);
        const step = caused < 0 ? this.ofTrace('next', from) : { event: caused, request: undefined };
        if (step.edge !== undefined) return step;
        // from here on the steps are those of what was brought about
        const row = this.open.requests.requestOf(step.event);
        return { event: step.event, request: row < 0 ? undefined : row };
      }
      case 'out':
      case 'last':
        return { event: this.walk(last + 1, -1) ?? last, request: undefined };
      case 'reverseOut': {
        const event = this.open.causes.parent(from);
        return event >= 0 ? { event, request: undefined } : this.ofTrace('back', from);
      }
      case 'first':
        return { event: this.walk(-1, 1) ?? 0, request: undefined };
      case 'nextLife':
      case 'previousLife': {
        const row = this.open.requests.requestOf(from);
        return row < 0
          ? { event: from, request: undefined, edge: 'no request here, so no other life of its tag' }
          : this.life(kind === 'nextLife' ? 1 : -1, from, row);
      }
      case 'next': {
        const event = this.walk(from, 1);
        return event === undefined
          ? { event: last, request: undefined, edge: 'end of trace' }
          : { event, request: undefined };
      }
      case 'back':
      case 'reverseOver': {
        const event = this.walk(from, -1);
        return event === undefined
          ? { event: 0, request: undefined, edge: 'start of trace' }
          : { event, request: undefined };
      }
    }
  }

  private ofRequest(kind: StepKind, from: number, request: number): Step {
    const list = this.open.requests.events(request);
    if (list.length === 0) return this.ofTrace(kind, from);
    const after = indexAfter(list, from);
    const before = indexAfter(list, from - 1) - 1;
    switch (kind) {
      case 'next':
        return after < list.length
          ? { event: list[after], request }
          : { event: Math.max(from, list[list.length - 1]), request, edge: 'end of request' };
      case 'back':
        return before >= 0 ? { event: list[before], request } : this.bio(from, list[0], request);
      case 'in': {
        const event = this.open.causes.caused(from);
        if (event < 0) return this.ofRequest('next', from, request);
        const other = this.open.requests.requestOf(event);
        return { event, request: other < 0 ? request : other };
      }
      case 'out': {
        const event = this.completion(list, from);
        const open = this.open.requests.status[request] === 0;
        const none = open ? 'the trace does not show its completion' : 'end of request';
        if (event <= from) return { event: from, request, edge: none };
        return COMPLETIONS.has(this.open.trace.nameOf(event))
          ? { event, request }
          : { event, request, edge: 'the trace does not show its completion' };
      }
      case 'reverseOver':
        return before >= 0 ? { event: this.entry(list, before), request } : this.bio(from, list[0], request);
      case 'reverseOut': {
        if (before < 0) return this.bio(from, list[0], request);
        const event = this.open.causes.parent(from);
        return { event: event >= 0 && event >= list[0] ? event : list[0], request };
      }
      case 'first':
        return { event: list[0], request };
      case 'last':
        return { event: list[list.length - 1], request };
      case 'nextLife':
      case 'previousLife':
        return this.life(kind === 'nextLife' ? 1 : -1, from, request);
    }
  }

  /** Before its first event a request has the bio that it was made for. */
  private bio(from: number, first: number, request: number): Step {
    const { causes, requests } = this.open;
    const event = from === first ? causes.parent(first) : -1;
    if (event >= 0 && requests.requestOf(event) === request) return { event, request };
    return { event: Math.min(from, first), request, edge: 'start of request' };
  }

  /** The end of the request, or of what is left of it behind its completion. */
  private completion(list: Uint32Array, from: number): number {
    for (let k = list.length - 1; k >= 0 && list[k] > from; k--) {
      if (COMPLETIONS.has(this.open.trace.nameOf(list[k]))) return list[k];
    }
    return list[list.length - 1];
  }

  /** The event at `k`, or where it ends a call, the beginning of that call. */
  private entry(list: Uint32Array, k: number): number {
    const event = list[k];
    const { name } = this.open.trace.shapeOf(event);
    if (!name.endsWith('_ret')) return event;
    const start = this.open.causes.parent(event);
    return start >= 0 && this.open.trace.nameOf(start) === name.slice(0, -4) ? start : event;
  }

  /** The next or previous request of the same device, queue and tag. */
  private life(step: 1 | -1, from: number, request: number): Step {
    const { requests } = this.open;
    const wanted = requests.life[request] + step;
    for (let r = 0; r < requests.length; r++) {
      if (requests.life[r] !== wanted || requests.tag[r] !== requests.tag[request]) continue;
      if (requests.queue[r] !== requests.queue[request] || requests.device[r] !== requests.device[request])
        continue;
      return { event: requests.events(r)[0], request: r };
    }
    return { event: from, request, edge: step === 1 ? 'last life of this tag' : 'first life of this tag' };
  }

  private walk(from: number, step: 1 | -1): number | undefined {
    const { open, shown } = this;
    const next = from + step;
    if (shown === undefined) return next >= 0 && next < open.length ? next : undefined;
    return step === 1 ? shown[indexAfter(shown, from)] : shown[indexAfter(shown, from - 1) - 1];
  }
}
