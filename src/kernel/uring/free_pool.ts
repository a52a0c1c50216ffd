/** io-wq without thread bookkeeping, for exploring: any work that may run can run next. */
import { IORING_OP } from '../../uapi/io_uring_ops';
import { putFromWorker } from './core';
import type { Digest } from './digest';
import { type IoWq, REQ, type Req, type Uring, type WqCancel } from './types';
import { type Thread, WorkRunner } from './work_runner';
import type { Actor, Context, World } from './world';

/** CPUs of the machine: bounded workers are four for each. */
const CPUS = 2;

interface Item extends Thread {
  req: Req;
  started: boolean;
  handle: { cancel(): boolean } | undefined;
}

/**
 * Only what io_uring promises about workers: work of one inode that is hashed runs in order and one at a time, bounded work
 * is limited in number, a chain goes on in its worker. Everything else may run in any order.
 */
export class FreePool extends WorkRunner implements IoWq {
  private readonly items: Item[] = [];
  private readonly max: number;
  private waiting: Item[] = [];
  private boundRunning = 0;

  constructor(
    world: World,
    sqEntries: number,
    splits: (req: Req) => boolean,
    cancellable: (req: Req) => boolean,
    /** Nobody asks who runs, no file is closed, and no timer is longer than a worker may be late. */
    private readonly undisturbed: boolean,
  ) {
    super(world, splits, cancellable);
    this.max = Math.min(sqEntries, 4 * CPUS);
  }

  enqueue(ring: Uring, req: Req): void {
    const item: Item = {
      req,
      started: false,
      handle: undefined,
      actor: undefined,
      signalled: false,
      interrupt: undefined,
    };
    this.items.push(item);
    if (this.mayStart(req)) this.start(ring, item);
    else this.waiting.push(item);
  }

  unseen(ring: Uring): Actor | undefined {
    if (!this.undisturbed) return undefined;
    return this.items.find((item) => item.actor && !item.started && this.startsUnseen(ring, item.req))?.actor;
  }

  /** FSYNC of a regular file always waits for the disk, and changes nothing that others see. */
  protected override startsUnseen(ring: Uring, { opcode, flags, sqe: { fd } }: Req): boolean {
    if (opcode !== IORING_OP.FSYNC || !this.undisturbed || this.world.careful) return false;
    const file = (flags & REQ.FIXED_FILE) !== 0 ? ring.fixedFiles[fd] : ring.fds.get(fd);
    return file?.kind === 'file';
  }

  private mayStart(req: Req): boolean {
    const { hash, unbound } = req.work;
    if (!unbound && this.boundRunning >= this.max) return false;
    return hash < 0 || !this.items.some((item) => item.actor !== undefined && item.req.work.hash === hash);
  }

  private start(ring: Uring, item: Item): void {
    if (!item.req.work.unbound) this.boundRunning++;
    item.actor = this.world.spawn(`work ${item.req.id}`, this.run(ring, item), 1000);
  }

  private *run(ring: Uring, item: Item): Context {
    item.started = true;
    const { hash, unbound } = item.req.work;
    let follower: Req | undefined;
    for (;;) {
      // Who is cancelled after a worker took it and before it is looked at ends without a try, though it counts as running.
      if (this.cancellable?.(item.req)) {
        this.world.mark(4, item.req.id);
        yield 0;
      }
      yield* this.runOne(ring, item, item.req);
      const next = putFromWorker(ring, item.req);
      item.signalled = false;
      if (next === undefined) break;
      // What is queued under the same hash goes on in this worker, the follower in another one.
      const sameHash = hash >= 0 && this.waiting.some((other) => other.req.work.hash === hash);
      if (next.work.hash >= 0 || sameHash) {
        follower = next;
        break;
      }
      item.req = next;
      this.world.mark(3, next.id);
      yield 500;
    }
    this.items.splice(this.items.indexOf(item), 1);
    if (!unbound) this.boundRunning--;
    if (hash >= 0 || this.waiting.length > 0) this.startWaiting(ring);
    if (follower) this.enqueue(ring, follower);
  }

  /** Starts what waited for its inode or for a worker. */
  private startWaiting(ring: Uring): void {
    for (const item of [...this.waiting]) {
      if (!this.mayStart(item.req)) continue;
      this.waiting.splice(this.waiting.indexOf(item), 1);
      this.start(ring, item);
    }
  }

  stateKey(digest: Digest): void {
    for (const list of [this.items, this.waiting]) {
      digest.add(list.length);
      for (const { req, started, signalled } of list) {
        digest.add(req.id);
        digest.add(started);
        digest.add(signalled);
      }
    }
  }

  protected override fellAsleep(): void {}

  protected override *wokeUp(): Generator<number, void, void> {}

  cancel(ring: Uring, matches: (req: Req) => boolean, all: boolean): WqCancel {
    let pending = 0;
    for (const item of [...this.items]) {
      if (item.started || !matches(item.req)) continue;
      this.items.splice(this.items.indexOf(item), 1);
      const at = this.waiting.indexOf(item);
      if (at >= 0) this.waiting.splice(at, 1);
      if (item.actor) {
        this.world.forget(item.actor);
        if (!item.req.work.unbound) this.boundRunning--;
      }
      this.dropPending(ring, item.req);
      pending++;
      if (!all) break;
    }
    if (pending > 0) this.startWaiting(ring);
    if (pending > 0 && !all) return 'ok';
    let running = 0;
    for (const item of this.items) {
      if (!item.started || !matches(item.req)) continue;
      item.signalled = true;
      item.req.work.cancel = true;
      this.world.effects++;
      item.interrupt?.();
      running++;
      if (!all) break;
    }
    if (running > 0) return 'running';
    return pending > 0 ? 'ok' : 'none';
  }
}
