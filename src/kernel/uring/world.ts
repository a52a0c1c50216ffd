/** Virtual time, contexts that run in it, and the one place where the real world decides. */

/** What a context yields: ns until it can go on (with the spread of real machines), or PARK until woken. */
export type Yielded = number | Delay | typeof PARK;

/** A wait with its own bounds: likely, at least, at most, in ns. */
export interface Delay {
  readonly likely: number;
  readonly least: number;
  readonly most: number;
}

export const PARK = -1;

/** A context of execution: application, worker, SQPOLL thread. */
export type Context = Generator<Yielded, void, void>;

/**
 * Answers a decision: a number below n, 0 for the likeliest. `key` is equal for two runs that came to equivalent states.
 */
export type Chooser = (n: number, names: readonly string[], key: number) => number;

/** Thrown by a chooser that gives up a run: its state was seen before. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

/** Something with a version that orders accesses to it. */
export interface Shared {
  version: number;
}

interface Pending {
  readonly actor: Actor;
  at: number;
  least: number;
  most: number;
  readonly seq: number;
  readonly fn: (() => void) | undefined;
}

/** One that can act, with the digest of everything it knows. */
export class Actor implements Shared {
  version: number;
  pending: Pending | undefined;
  /** A wake-up came while it was running. */
  woken = false;
  parked = false;
  constructor(
    readonly name: string,
    readonly id: number,
    readonly context: Context | undefined,
  ) {
    this.version = mix(id + 1, 17);
  }
}

/** How late a runnable context can be on a busy machine, ns. */
const LATE = 1_500_000;

/** Two digests into one of 52 bits. */
export function mix(a: number, b: number): number {
  const lo = Math.imul((a ^ (b * 0x9e3779b1)) | 0, 0x85ebca6b) ^ ((a / 0x100000000) | 0);
  const hi = Math.imul(((b ^ (a * 0xc2b2ae35)) | 0) + ((b / 0x100000000) | 0), 0x27d4eb2f) ^ (lo >>> 13);
  return ((hi ^ (hi >>> 15)) & 0xfffff) * 0x100000000 + ((lo ^ (hi << 7)) >>> 0);
}

/** The machine's time: who runs next is decided by likely times, or by the chooser. */
export class World {
  now = 0;
  /** The one that runs. */
  current: Actor;
  private readonly queue: Pending[] = [];
  private readonly actors: Actor[] = [];
  private readonly shared: Shared[] = [];
  private seq = 0;
  private charged = 0;
  steps = 0;
  /** Called when nothing can happen any more; may wake somebody. */
  onIdle: (() => void) | undefined;

  /** Runs under a chooser: contexts leave out steps that only take time. */
  get exploring(): boolean {
    return this.chooser !== undefined;
  }

  constructor(private readonly chooser: Chooser | undefined) {
    this.current = new Actor('boot', 0, undefined);
    this.actors.push(this.current);
  }

  /** Makes an object whose accesses order contexts. */
  share<T extends Shared>(object: T): T {
    object.version = mix(this.shared.length + 7, 3);
    this.shared.push(object);
    return object;
  }

  /** The running context reads or writes a shared object. */
  touch(object: Shared): void {
    if (this.chooser === undefined) return;
    const version = mix(this.current.version, object.version);
    this.current.version = version;
    object.version = version;
  }

  /** The running context learns something of its own (a number) that its digest must tell. */
  note(value: number): void {
    if (this.chooser !== undefined) this.current.version = mix(this.current.version, value);
  }

  /** The running context touches nothing shared in its next step: nobody needs to be tried before it. */
  alone: Actor | undefined;

  /** Takes a context that has not run yet off the queue. */
  forget(actor: Actor): void {
    const i = this.queue.findIndex((pending) => pending.actor === actor);
    if (i >= 0) this.queue.splice(i, 1);
  }

  /** What the running context just did takes this long, ns. */
  charge(ns: number): void {
    this.charged += ns;
  }

  /** Nothing is under way: what comes depends on the state told by `digest`, not on how it came about. */
  settle(digest: number): void {
    this.actors.forEach((actor, i) => {
      actor.version = mix(digest, i + 1);
    });
    this.actors.length = 1;
    if (this.current.id !== 0) this.actors.push(this.current);
    this.current.version = mix(digest, 1);
    this.actors[0]!.version = mix(digest, 2);
    this.shared.forEach((object, i) => {
      object.version = mix(digest, i + 1000);
    });
  }

  /** Starts a context that runs first after the delay. */
  spawn(name: string, context: Context, delay: number | Delay): Actor {
    const actor = new Actor(name, this.actors.length, context);
    actor.version = mix(this.current.version, actor.id);
    this.actors.push(actor);
    this.enqueue(actor, delay, undefined);
    return actor;
  }

  /** Calls `fn` after the delay, as a context of its own. Returns a handle; `cancel` is false when it has run. */
  after(name: string, delay: number | Delay, fn: () => void): { cancel(): boolean } {
    const actor = new Actor(name, this.actors.length, undefined);
    actor.version = mix(this.current.version, actor.id);
    this.actors.push(actor);
    const pending = this.enqueue(actor, delay, fn);
    return {
      cancel: () => {
        const i = this.queue.indexOf(pending);
        if (i < 0) return false;
        this.queue.splice(i, 1);
        return true;
      },
    };
  }

  /** Makes a parked context runnable after `latency` ns; the running one pays `cost` ns for it. */
  wake(actor: Actor, latency: number, cost = 0): void {
    if (this.chooser !== undefined) actor.version = mix(actor.version, this.current.version);
    if (!actor.parked) {
      actor.woken = true;
      return;
    }
    actor.parked = false;
    this.charged += cost;
    this.enqueue(actor, latency, undefined);
  }

  /** A context that sleeps for a time is woken earlier. */
  hurry(actor: Actor, latency: number): void {
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
      if (this.queue.length === 0) this.onIdle?.();
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
    let best = queue[0]!;
    let limit = best.most;
    for (const pending of queue) {
      if (pending.at < best.at || (pending.at === best.at && pending.seq < best.seq)) best = pending;
      if (pending.most < limit) limit = pending.most;
    }
    if (best.at > until) return undefined;
    const alone =
      this.alone && this.chooser ? queue.find((pending) => pending.actor === this.alone) : undefined;
    this.alone = undefined;
    if (alone) return this.remove(alone);
    if (queue.length === 1 || this.chooser === undefined) return this.remove(best);
    const able = queue.filter((pending) => pending === best || pending.least <= limit);
    if (able.length === 1) return this.remove(best);
    able.sort((a, b) => a.at - b.at || a.seq - b.seq);
    const k = this.chooser(
      able.length,
      able.map((pending) => pending.actor.name),
      this.key(),
    );
    return this.remove(able[k] ?? best);
  }

  private remove(pending: Pending): Pending {
    this.queue.splice(this.queue.indexOf(pending), 1);
    return pending;
  }

  private step(next: Pending): void {
    this.steps++;
    const { actor } = next;
    if (next.at > this.now) this.now = next.at;
    else if (next.least > this.now) this.now = next.least;
    this.current = actor;
    actor.pending = undefined;
    if (this.chooser !== undefined) actor.version = mix(actor.version, 5);
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
    } else actor.parked = true;
  }

  private enqueue(actor: Actor, delay: number | Delay, fn: (() => void) | undefined): Pending {
    const pending: Pending =
      typeof delay === 'number'
        ? {
            actor,
            at: this.now + delay,
            least: this.now,
            most: this.now + delay + LATE,
            seq: this.seq++,
            fn,
          }
        : {
            actor,
            at: this.now + delay.likely,
            least: this.now + delay.least,
            most: this.now + delay.most,
            seq: this.seq++,
            fn,
          };
    actor.pending = pending;
    this.queue.push(pending);
    return pending;
  }

  /** Digest of the whole state: equal for runs that differ only in the order of independent steps. */
  private key(): number {
    let sum = 0;
    for (const actor of this.actors) sum = (sum + mix(actor.version, actor.id)) % 0x10000000000000;
    for (const object of this.shared) sum = (sum + mix(object.version, 99)) % 0x10000000000000;
    return sum;
  }
}
