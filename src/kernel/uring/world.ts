/** Virtual time, contexts that run in it, and the one place where the real world decides. */
import { Digest } from './digest';

/** What a context yields: ns until it can go on (with the spread of real machines), or PARK until woken. */
export type Yielded = number | Delay | typeof PARK;

/** A wait with its own bounds: likely, at least, at most, in ns. */
export interface Delay {
  readonly likely: number;
  readonly least: number;
  readonly most: number;
  /** A timer: that it ran out tells how late it is. */
  readonly timed?: true;
}

export const PARK = -1;

/** A context of execution: application, worker, SQPOLL thread. */
export type Context = Generator<Yielded, void, void>;

/** What a decision is about. */
export interface Choice {
  /** The contexts that can go on, the likeliest first; each name once. */
  names(): string[];
  /** Equal for two runs that came to states from which they go on alike. */
  key(): number;
  /** How unlikely each answer but the first is. */
  costs(): number[];
}

/** Answers a decision: a number below n, 0 for the likeliest; GIVE_UP ends the run there. */
export type Chooser = (n: number, choice: Choice) => number;

/** Answer of a chooser that gives up a run: its state was seen before. */
export const GIVE_UP = -1;

/** Whoever owns what is not a context. */
export interface StateOwner {
  /** Adds everything but the contexts to the digest of a state. */
  stateKey(digest: Digest): void;
  /** A context that can go on and whose next step nobody sees, so that nobody needs to be tried before it. */
  first(): Actor | undefined;
}

interface Pending {
  readonly actor: Actor;
  /** When it is likely to go on. */
  readonly at: number;
  /** Bounds, and what time it will be then: in the time that surely passed when exploring. */
  readonly least: number;
  readonly most: number;
  readonly due: number;
  /** Up to here it is nothing special that it has not run. */
  readonly usual: number;
  readonly seq: number;
  readonly fn: (() => void) | undefined;
}

/** One that can act. */
export class Actor {
  /** Where it stands in its code and what it knows, as a digest. */
  version = 0;
  pending: Pending | undefined;
  /** A wake-up came while it was running. */
  woken = false;
  parked = false;
  constructor(
    readonly name: string,
    readonly id: number,
    readonly context: Context | undefined,
    /** How late it can be when it is able to go on, ns. */
    readonly late: number = VERY_LATE,
  ) {}
}

/** How late a runnable context often is on a busy machine, and how late it can be, ns. */
const LATE = 1_500_000;
const VERY_LATE = 100_000_000;

/** Most that a wait which is no timer takes at least, ns. */
const MOST_LEAST = 100_000;

/** Least that any wait may take at most, ns. */
const LEAST_MOST = 1_000_000;

/** Cost of a decision that makes somebody very late. */
const RARE = 4;

/** The machine's time: who runs next is decided by likely times, or by the chooser. */
export class World implements Choice {
  now = 0;
  /** The one that runs. */
  current: Actor;
  private readonly queue: Pending[] = [];
  /** Those of the queue that can go on. */
  private readonly able: Pending[] = [];
  /** Contexts that wait until they are woken. */
  private readonly parked = new Set<Actor>();
  private seq = 0;
  private nextId = 1;
  private charged = 0;
  private readonly digest = new Digest();
  steps = 0;
  /** Times that a context did something to another one. */
  effects = 0;
  /** Woken when nothing can happen any more. */
  lastToWake: Actor | undefined;
  /** An object and no function: a field for functions that differ makes the engine keep what is dead. */
  owner: StateOwner | undefined;
  /** Somebody is tried before every step, also before those that nobody sees: what reductions are compared with. */
  careful = false;
  /** The chooser gave up. */
  gaveUp = false;
  /** Bound of that time in any run of the program, ns; set by whoever knows its timers. */
  horizon = Number.POSITIVE_INFINITY;
  /** Time that surely passed when exploring: only what is timed moves it, so that equal states have equal times. */
  private elapsed = 0;

  /** Runs under a chooser: contexts leave out steps that only take time. */
  get exploring(): boolean {
    return this.chooser !== undefined;
  }

  constructor(
    private readonly chooser: Chooser | undefined,
    /** Factor of every time but that of timers: a machine that is slower or faster here and there. */
    private readonly pace: () => number = () => 1,
  ) {
    this.current = new Actor('boot', 0, undefined);
  }

  /** Virtual time, ns, for what has to be equal in equal states. */
  get time(): number {
    return this.exploring ? this.elapsed : this.now;
  }

  /** The running context is at a known place of its code; the values are all it has in mind. */
  mark(...place: number[]): void {
    if (this.chooser === undefined) return;
    const { digest } = this;
    digest.reset();
    for (const value of place) digest.add(value);
    this.current.version = digest.value;
  }

  /** The running context keeps something in mind besides. */
  note(value: number): void {
    if (this.chooser === undefined) return;
    const { digest } = this;
    digest.reset();
    digest.add(this.current.version);
    digest.add(value);
    this.current.version = digest.value;
  }

  /** The running context touches nothing shared in its next step: nobody needs to be tried before it. */
  alone: Actor | undefined;

  /** Takes a context that has not run yet off the queue. */
  forget(actor: Actor): void {
    this.effects++;
    const i = this.queue.findIndex((pending) => pending.actor === actor);
    if (i >= 0) this.queue.splice(i, 1);
  }

  /** What the running context just did takes this long, ns. */
  charge(ns: number): void {
    this.charged += ns;
  }

  /** Starts a context that runs first after the delay, and that may be so late, ns, whenever it can go on. */
  spawn(name: string, context: Context, delay: number | Delay, late?: number): Actor {
    const actor = new Actor(name, this.nextId++, context, late);
    this.effects++;
    this.enqueue(actor, delay, undefined);
    return actor;
  }

  /** Calls `fn` after the delay, as a context of its own. Returns a handle; `cancel` is false when it has run. */
  after(name: string, delay: number | Delay, fn: () => void): { cancel(): boolean } {
    const actor = new Actor(name, this.nextId++, undefined);
    this.effects++;
    const pending = this.enqueue(actor, delay, fn);
    return {
      cancel: () => {
        const i = this.queue.indexOf(pending);
        this.effects++;
        if (i < 0) return false;
        this.queue.splice(i, 1);
        return true;
      },
    };
  }

  /** Makes a parked context runnable after `latency` ns; the running one pays `cost` ns for it. */
  wake(actor: Actor, latency: number, cost = 0): void {
    this.effects++;
    if (!actor.parked) {
      actor.woken = true;
      return;
    }
    actor.parked = false;
    this.parked.delete(actor);
    this.charged += cost;
    this.enqueue(actor, latency, undefined);
  }

  /** A context that sleeps for a time is woken earlier. */
  hurry(actor: Actor, latency: number): void {
    this.effects++;
    const { pending } = actor;
    if (pending === undefined) {
      this.wake(actor, latency);
      return;
    }
    const i = this.queue.indexOf(pending);
    if (i >= 0) this.queue.splice(i, 1);
    this.enqueue(actor, latency, undefined);
  }

  /** Runs until nothing can happen any more, `done` says so, or virtual time passes `until`. */
  run(done: () => boolean, until: () => number): void {
    while (!done()) {
      if (this.queue.length === 0 && this.lastToWake) this.wake(this.lastToWake, 0);
      const next = this.pick(until());
      if (next === undefined) return;
      this.step(next);
    }
  }

  /** Whether nobody else than `actor` has anything to do, now or later. */
  idleBut(actor: Actor): boolean {
    return this.queue.every((pending) => pending.actor === actor);
  }

  private pick(until: number): Pending | undefined {
    const { queue } = this;
    if (queue.length === 0) return undefined;
    if (this.chooser !== undefined) return this.choose(this.chooser, until);
    let best = queue[0]!;
    for (const pending of queue) {
      if (pending.at < best.at || (pending.at === best.at && pending.seq < best.seq)) best = pending;
    }
    return best.at > until ? undefined : this.remove(best);
  }

  /** Who goes on is any context that can be the next. */
  private choose(chooser: Chooser, until: number): Pending | undefined {
    const { queue, alone } = this;
    let limit = Number.POSITIVE_INFINITY;
    let soonest = Number.POSITIVE_INFINITY;
    for (const pending of queue) {
      if (pending.most < limit) limit = pending.most;
      if (pending.due < soonest) soonest = pending.due;
    }
    if (soonest > until) return undefined;
    this.alone = undefined;
    const next = this.careful ? undefined : (alone ?? this.owner?.first());
    const own = next && queue.find((pending) => pending.actor === next);
    if (own) return this.remove(own);
    if (queue.length === 1) return this.remove(queue[0]!);
    const { able } = this;
    able.length = 0;
    for (const pending of queue) {
      if (pending.least > limit) continue;
      let at = able.length;
      for (; at > 0; at--) {
        const before = able[at - 1]!;
        if (before.at < pending.at || (before.at === pending.at && before.seq < pending.seq)) break;
        able[at] = before;
      }
      able[at] = pending;
    }
    const k = able.length === 1 ? 0 : chooser(able.length, this);
    this.gaveUp = k === GIVE_UP;
    return this.gaveUp ? undefined : this.remove(able[k] ?? able[0]!);
  }

  names(): string[] {
    return this.able.map((pending) => pending.actor.name);
  }

  costs(): number[] {
    let usual = Number.POSITIVE_INFINITY;
    for (const pending of this.queue) if (pending.usual < usual) usual = pending.usual;
    return this.able.map((pending) => (pending.least <= usual ? 1 : RARE));
  }

  private remove(pending: Pending): Pending {
    this.queue.splice(this.queue.indexOf(pending), 1);
    return pending;
  }

  private step(next: Pending): void {
    this.steps++;
    const { actor } = next;
    if (next.at > this.now) this.now = next.at;
    if (next.due > this.elapsed) this.elapsed = next.due;
    this.current = actor;
    actor.pending = undefined;
    if (this.chooser !== undefined) this.note(5);
    if (next.fn) {
      next.fn();
      return;
    }
    this.charged = 0;
    const result = actor.context!.next();
    if (result.done) return;
    const value = result.value as number | Delay;
    if (value !== PARK) {
      this.enqueue(actor, typeof value === 'number' ? value + this.charged : value, undefined);
      return;
    }
    if (actor.woken) {
      actor.woken = false;
      this.enqueue(actor, 0, undefined);
    } else {
      actor.parked = true;
      this.parked.add(actor);
    }
  }

  /** How long a delay takes, ns. */
  private takes(delay: number | Delay): number {
    if (typeof delay === 'number') return delay * this.pace();
    if (delay.timed) return delay.likely;
    return Math.min(delay.most, Math.max(delay.least, delay.likely * this.pace()));
  }

  private enqueue(actor: Actor, delay: number | Delay, fn: (() => void) | undefined): Pending {
    const { time } = this;
    const ordinary = typeof delay === 'number';
    const pending: Pending = {
      actor,
      at: this.now + this.takes(delay),
      least: time + (ordinary ? 0 : delay.least),
      most: time + (ordinary ? actor.late : delay.most),
      usual: time + (ordinary ? LATE : delay.most),
      due: time + (!ordinary && delay.timed ? delay.likely : 0),
      seq: this.seq++,
      fn,
    };
    actor.pending = pending;
    this.queue.push(pending);
    return pending;
  }

  /** Digest of the whole state: equal for runs that go on alike, whatever order they came there in. */
  key(): number {
    const digest = new Digest();
    this.owner?.stateKey(digest);
    const one = this.digest;
    let sum = 0;
    const { elapsed } = this;
    // Who can be later than anybody else can be early is bound by nothing: it does not matter since when.
    const beyond = this.horizon - elapsed + MOST_LEAST;
    // Who can go on before anybody has to can go on now.
    const free = this.queue.reduce((soonest, { most }) => Math.min(soonest, most), elapsed + LEAST_MOST);
    for (const { actor, least, most, due } of this.queue) {
      one.reset();
      one.text(actor.name);
      one.add(actor.version);
      one.add(actor.woken);
      one.add(least <= free ? 0 : least - elapsed);
      one.add(most - elapsed > beyond ? -1 : most - elapsed);
      one.add(Math.max(0, due - elapsed));
      sum = (sum + one.value) % 0x10000000000000;
    }
    for (const actor of this.parked) {
      one.reset();
      one.text(actor.name);
      one.add(actor.version);
      sum = (sum + one.value) % 0x10000000000000;
    }
    digest.add(sum);
    return digest.value;
  }
}
