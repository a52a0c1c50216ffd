import { ChangeIndex, STRETCH } from '../trace/state';
import { indexAfter } from './sorted';
import type { Spec } from './dap_breakpoints';
import type { OpenTrace } from './model';
import { dueAfter, type Work } from './work';

/** Events looked at between two pauses where no state variable is watched. */
const CHUNK = 1 << 18;
/** The same where events are tested by conditions. */
const TESTED = 1 << 15;
/** Longest stretch of conditions and log messages between two pauses, ms: one that reads the state may be dear. */
const STRETCH_MS = 4;

/** Where a run stopped, and what stopped it. */
export interface Hit {
  readonly event: number;
  readonly specs: readonly Spec[];
}

/** One breakpoint, ready to be asked. */
interface Armed {
  readonly spec: Spec;
  readonly shapes: Uint8Array | undefined;
  events: ArrayLike<number> | undefined;
  readonly path: string | undefined;
  test: ((event: number) => boolean) | undefined;
  /** What the condition says of the events of each text form; undefined where only the state decides. */
  readonly forms: Uint8Array | undefined;
}

/** What searches of one trace found out and need not do again. */
export class Known {
  readonly changes: ChangeIndex;
  /** Events that satisfy a hit condition. */
  readonly counts = new WeakMap<Spec, readonly number[]>();

  constructor(open: OpenTrace) {
    this.changes = new ChangeIndex(open.states);
  }
}

/** Looks for the next event, forwards or backwards, at which a breakpoint holds. */
export class Search {
  private readonly armed: Armed[];
  private readonly mask: Uint8Array;
  private readonly due = dueAfter(STRETCH_MS);

  constructor(
    private readonly open: OpenTrace,
    specs: readonly Spec[],
    private readonly work: Work,
    private readonly known: Known = new Known(open),
  ) {
    const { shapes } = open.trace;
    this.mask = new Uint8Array(shapes.size);
    this.armed = specs.map((spec) => {
      const { names, events, path, condition } = spec;
      const own = names === undefined ? undefined : new Uint8Array(shapes.size);
      const { forms } = condition;
      return {
        spec,
        shapes: own?.map((_, id) => (names?.has(shapes.get(id).name) && forms?.[id] !== 0 ? 1 : 0)),
        events,
        path,
        test: condition.test,
        forms,
      };
    });
  }

  /**
   * Runs from an event (which does not count itself) until a breakpoint stops it. Breakpoints that log are told to `log` as they are
   * passed. undefined at the end of the trace; `at` tells where a cancelled run was.
   */
  async run(
    from: number,
    step: 1 | -1,
    log: (event: number, spec: Spec) => void,
  ): Promise<{ hit?: Hit; at: number }> {
    for (const armed of this.armed) if (armed.spec.condition.hit !== undefined) await this.count(armed);
    this.mask.fill(0);
    for (const { shapes } of this.armed)
      shapes?.forEach((on, id) => {
        if (on === 1) this.mask[id] = 1;
      });
    const watching = this.watched().length > 0;
    const size = watching ? STRETCH : this.armed.some(({ test }) => test !== undefined) ? TESTED : CHUNK;
    const { length } = this.open;
    let looked = false;
    for (let at = from + step; at >= 0 && at < length; ) {
      const low = step === 1 ? at : Math.max(0, Math.floor(at / size) * size);
      const high = step === 1 ? Math.min(length, (Math.floor(at / size) + 1) * size) : at + 1;
      const hit = this.chunk(low, high, step, watching, log);
      if (typeof hit === 'object') return { hit, at: hit.event };
      at = hit;
      this.work.progress?.(Math.abs(at - from) / (step === 1 ? length - from : from + 1));
      // most stretches are passed over; a pause for each of them would take longer than the search
      const whole = watching && looked && at === (step === 1 ? high : low - 1);
      if (at >= 0 && at < length && (!whole || this.due())) await this.work.pause();
      looked = true;
      if (this.cancelled()) return { at: Math.max(0, Math.min(length - 1, at)) };
    }
    return { at: step === 1 ? length - 1 : 0 };
  }

  /** Looks at the events in [low, high) until a breakpoint stops there or a pause is due: the hit, or the event to go on with. */
  private chunk(
    low: number,
    high: number,
    step: 1 | -1,
    watching: boolean,
    log: (event: number, spec: Spec) => void,
  ): Hit | number {
    const marked = new Map<number, Armed[]>();
    const mark = (event: number, armed: Armed): void => {
      const list = marked.get(event);
      if (list === undefined) marked.set(event, [armed]);
      else list.push(armed);
    };
    for (const armed of this.armed) {
      if (armed.events !== undefined) eachIn(armed.events, low, high, (event) => mark(event, armed));
    }
    if (watching) this.changes(low, high, this.watched(), mark);
    const { mask } = this;
    const { shape } = this.open.trace;
    const any = marked.size > 0;
    // where only values are watched, most stretches have nothing to look at
    if (!any && !mask.includes(1)) return step === 1 ? high : low - 1;
    for (let i = step === 1 ? low : high - 1; i >= low && i < high; i += step) {
      const list = any ? marked.get(i) : undefined;
      if (list === undefined && mask[shape[i]] === 0) continue;
      const hit = this.reached(i, list, log);
      if (hit !== undefined) return hit;
      if (this.due()) return i + step;
    }
    return step === 1 ? high : low - 1;
  }

  private reached(
    event: number,
    marked: readonly Armed[] | undefined,
    log: (event: number, spec: Spec) => void,
  ): Hit | undefined {
    const id = this.open.trace.shape[event];
    const specs: Spec[] = [];
    for (const armed of this.armed) {
      const here =
        armed.events !== undefined || armed.path !== undefined
          ? marked?.includes(armed) === true
          : armed.shapes?.[id] === 1;
      if (!here || (armed.test !== undefined && !armed.test(event))) continue;
      if (armed.spec.condition.log === undefined) specs.push(armed.spec);
      else log(event, armed.spec);
    }
    return specs.length > 0 ? { event, specs } : undefined;
  }

  private cancelled(): boolean {
    return this.work.cancelled?.() === true;
  }

  private watched(): Armed[] {
    return this.armed.filter(({ path, events }) => path !== undefined && events === undefined);
  }

  /** Tells of each event in [low, high), a part of one stretch, that changed a watched state variable. */
  private changes(
    low: number,
    high: number,
    watched: readonly Armed[],
    take: (event: number, armed: Armed) => void,
  ): void {
    const n = Math.floor(low / STRETCH);
    const { changes } = this.known;
    // replay is dear: not where it is known already that no event can pass the condition
    const wanted = watched.filter(
      (armed) => changes.has(armed.path ?? '', n) || this.passes(armed, low, high),
    );
    if (wanted.length === 0) return;
    const lists = changes.stretch(
      wanted.map(({ path }) => path ?? ''),
      n,
    );
    wanted.forEach((armed, k) => {
      eachIn(lists[k], low, high, (event) => take(event, armed));
    });
  }

  /** Whether an event in [low, high) may pass the condition of a breakpoint. */
  private passes({ test, forms }: Armed, low: number, high: number): boolean {
    if (test === undefined || forms === undefined) return true;
    const { shape } = this.open.trace;
    for (let i = low; i < high; i++) {
      const says = forms[shape[i]];
      if (says === 1 || (says === 2 && test(i))) return true;
    }
    return false;
  }

  /** Replaces a breakpoint with a hit condition by the list of those of its events that satisfy it. */
  private async count(armed: Armed): Promise<void> {
    const { hit } = armed.spec.condition;
    if (hit === undefined) return;
    let counted = this.known.counts.get(armed.spec);
    if (counted === undefined) {
      const all = await this.all(armed);
      if (this.cancelled()) return;
      counted = all.filter((_, k) => hit(k + 1));
      this.known.counts.set(armed.spec, counted);
    }
    armed.events = counted;
    armed.test = undefined;
  }

  /** All events of the trace at which a breakpoint holds, hit conditions aside. */
  private async all(armed: Armed): Promise<number[]> {
    const { length, trace } = this.open;
    const found: number[] = [];
    const take = (event: number): void => {
      if (armed.test?.(event) ?? true) found.push(event);
    };
    if (armed.events !== undefined) {
      eachIn(armed.events, 0, length, take);
      return found;
    }
    const watching = armed.path !== undefined;
    const size = watching ? STRETCH : TESTED;
    for (let low = 0; low < length && !this.cancelled(); ) {
      let high = Math.min(length, low + size);
      if (watching) this.changes(low, high, [armed], take);
      else
        for (let i = low; i < high; i++) {
          if (armed.shapes?.[trace.shape[i]] !== 1) continue;
          take(i);
          if (this.due()) high = i + 1;
        }
      low = high;
      this.work.progress?.(high / length);
      await this.work.pause();
    }
    return found;
  }
}

function eachIn(list: ArrayLike<number>, low: number, high: number, take: (value: number) => void): void {
  for (let k = indexAfter(list as Uint32Array, low - 1); k < list.length && list[k] < high; k++)
    take(list[k]);
}
