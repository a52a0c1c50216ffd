import { pathReader, pathSign, pathStill, type StatePath } from './state_paths';
import { type Snapshot, StateReducer } from './state_reducer';
import type { MachineState } from './state_types';
import type { Still } from './state_still';
import type { Trace } from './trace';

/** Events between two snapshots at first; doubled by thinning when memory runs short. */
const FIRST_STEP = 2048;
const MAX_BYTES = 64 << 20;
/** What one table entry and one entity cost, about. */
const ENTRY_BYTES = 48;
const ENTITY_BYTES = 200;

/**
 * The machine's state at any event of a trace, by replay from the nearest snapshot before it. Snapshots are taken while
 * replay passes multiples of `step`, so the first seek to the end pays for all of them; their memory stays below about 64 MB,
 * beyond which every second one is dropped and the step doubled. The trace may grow meanwhile, but whether it has the facts of a
 * simulator is decided by the events it has when the cache is made.
 */
export class StateCache {
  private readonly reducer: StateReducer;
  private readonly kept: Snapshot[] = [];
  /** Text forms of events of certain names. */
  private readonly masks = new WeakMap<readonly string[], Uint8Array>();
  private bytes = 0;
  private interval = FIRST_STEP;

  constructor(
    readonly trace: Trace,
    private readonly limit = MAX_BYTES,
  ) {
    this.reducer = new StateReducer(trace);
    this.reducer.reset();
    this.keep();
  }

  /** Events between two snapshots now. */
  get step(): number {
    return this.interval;
  }

  /** Snapshots held. */
  get size(): number {
    return this.kept.length;
  }

  /**
   * The state after event n; -1 is before the first event. Numbers beyond the end mean the last event.
   * @throws RangeError when n is no integer.
   */
  at(n: number): MachineState {
    return this.seek(n).state();
  }

  /** Moves the shared reducer to event n and returns it: for reading single values. The next call moves it on. */
  seek(n: number): StateReducer {
    if (!Number.isInteger(n)) throw new RangeError(`event number ${n}`);
    const target = Math.max(-1, Math.min(n, this.trace.length - 1));
    const { reducer, kept } = this;
    const base = kept[this.before(target)];
    if (reducer.event > target || base.event > reducer.event) reducer.restore(base);
    while (reducer.event < target) {
      const next = Math.min(target, Math.floor((reducer.event + 1) / this.interval + 1) * this.interval - 1);
      reducer.run(next);
      if ((next + 1) % this.interval === 0 && next > kept[kept.length - 1].event) this.keep();
    }
    return reducer;
  }

  /**
   * For each path the events in [low, high) that change its value, in order, by replay of that part; parts in which what the values
   * are read from was not touched are passed over.
   */
  changes(paths: readonly StatePath[], low: number, high: number): number[][] {
    const lists = paths.map((): number[] => []);
    const watched = paths
      .map((path, k) => ({ read: pathReader(path), sign: pathSign(path), still: pathStill(path), k }))
      .filter(({ still }) => still === undefined || !this.untouched(still, low - 1, high - 1));
    if (watched.length === 0) return lists;
    const { view } = this.seek(low - 1);
    const now = watched.map(({ read, sign }) => ({ value: read(view), sign: sign?.(view) }));
    for (let i = low; i < high; i++) {
      if ((i + 1) % this.interval === 0) this.seek(i);
      else this.reducer.run(i);
      for (let j = 0; j < watched.length; j++) {
        const { read, sign, k } = watched[j];
        const last = now[j];
        if (sign !== undefined) {
          const next = sign(view);
          if (next === last.sign) continue;
          last.sign = next;
        }
        const value = read(view);
        if (value !== last.value) lists[k].push(i);
        last.value = value;
      }
    }
    return lists;
  }

  /** Whether snapshots and columns show that a value was not changed by the events in (from, to]. */
  private untouched({ stamp, without, naming }: Still, from: number, to: number): boolean {
    const { kept, trace } = this;
    const a = this.before(from);
    let b = a;
    while (b < kept.length && kept[b].event < to) b++;
    if (a < 0 || b === kept.length) return false;
    const after = stamp(kept[b].work, trace);
    if (!stamp(kept[a].work, trace).every((part, k) => part === after[k])) return false;
    const first = kept[a].event + 1;
    const last = kept[b].event;
    return (
      (without === undefined || !this.happens(without, first, last)) &&
      (naming === undefined || !this.named(naming(trace), first, last))
    );
  }

  /** Whether an event of one of these names lies in [first, last]. */
  private happens(names: readonly string[], first: number, last: number): boolean {
    const { shape, shapes } = this.trace;
    let wanted = this.masks.get(names);
    if (wanted === undefined || wanted.length !== shapes.size) {
      wanted = new Uint8Array(shapes.size);
      for (let id = 0; id < shapes.size; id++) wanted[id] = names.includes(shapes.get(id).name) ? 1 : 0;
      this.masks.set(names, wanted);
    }
    for (let i = first; i <= last; i++) if (wanted[shape[i]] === 1) return true;
    return false;
  }

  /** Whether an event in [first, last] has a field with this word. */
  private named(word: number, first: number, last: number): boolean {
    const { at, words, length } = this.trace;
    const end = last + 1 < length ? at[last + 1] : words.length;
    return words.subarray(at[first], end).includes(word >>> 0);
  }

  /** Number of the last snapshot at or before an event. */
  private before(event: number): number {
    const { kept } = this;
    let low = 0;
    let high = kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (kept[middle].event <= event) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /**
   * Replays up to `events` more events to make their snapshots, so that later seeks are short. Returns true when all are made.
   * Call it in slices while the user waits for nothing.
   */
  prepare(events: number): boolean {
    const done = this.kept[this.kept.length - 1].event;
    this.seek(done + events);
    return this.kept[this.kept.length - 1].event + this.interval >= this.trace.length;
  }

  private keep(): void {
    const snapshot = this.reducer.snapshot();
    this.kept.push(snapshot);
    this.bytes += sizeOf(snapshot);
    while (this.bytes > this.limit && this.kept.length > 2) this.thin();
  }

  private thin(): void {
    this.interval *= 2;
    const left = this.kept.filter((snapshot) => (snapshot.event + 1) % this.interval === 0);
    this.kept.splice(0, this.kept.length, ...left);
    this.bytes = left.reduce((sum, snapshot) => sum + sizeOf(snapshot), 0);
  }
}

/** Upper estimate of the memory that a snapshot keeps for itself: its tables, and the entities changed since the one before. */
function sizeOf({ work, since }: Snapshot): number {
  let entries =
    work.tasks.length +
    work.ringByFd.size +
    work.pages.size +
    work.ios.size +
    work.fuse.size +
    work.commands.size;
  let own = 0;
  for (const ring of work.rings.values()) {
    entries++;
    if (ring.epoch >= since) entries += ring.reqs.size + ring.cqes.length + ring.sqes.length;
    for (const req of ring.reqs.values()) if (req.epoch >= since) own++;
  }
  for (const device of work.devices) {
    for (const queue of device.queues) {
      if (queue === undefined || queue.epoch < since) continue;
      entries += queue.slots.length >> 2;
      for (const slot of queue.slots) if (slot !== undefined && slot.epoch >= since) own++;
    }
  }
  for (const disk of work.disks.values())
    if (disk.epoch >= since) entries += disk.waiting.length + disk.inFlight.length + 4;
  for (const page of work.pages.values()) if (page.epoch >= since) own++;
  for (const pipe of work.pipes.values()) if (pipe.epoch >= since) own += 1 + pipe.buffers.length;
  return 2048 + entries * ENTRY_BYTES + own * ENTITY_BYTES;
}

/** The state after event n of a trace. For more than one question about a trace keep a {@link StateCache}. */
export function stateAt(trace: Trace, n: number): MachineState {
  const reducer = new StateReducer(trace);
  if (!Number.isInteger(n)) throw new RangeError(`event number ${n}`);
  reducer.run(n);
  return reducer.state();
}
