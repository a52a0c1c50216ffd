import type { Request } from './request';

const READ = 0;
const WRITE = 1;
const FIFO_BATCH = 16;
const WRITES_STARVED = 2;
const READ_EXPIRE = 500_000_000;
const WRITE_EXPIRE = 5_000_000_000;

interface Direction {
  /** Arrival order, with the time by which each should be dispatched. */
  fifo: { rq: Request; expires: number }[];
  /** By start sector. */
  sorted: Request[];
  /** The request behind the one dispatched last, by sector. */
  next: Request | undefined;
}

/** The mq-deadline scheduler of 6.1 with one priority class (block/mq-deadline.c). Discards go with the writes. */
export class MqDeadline {
  private readonly head: Request[] = [];
  private readonly dirs: [Direction, Direction] = [
    { fifo: [], sorted: [], next: undefined },
    { fifo: [], sorted: [], next: undefined },
  ];
  private batching = 0;
  private starved = 0;
  private lastDir = READ;

  /** Requests that wait here. */
  get length(): number {
    return this.head.length + this.dirs[READ].fifo.length + this.dirs[WRITE].fifo.length;
  }

  /** dd_insert_request */
  insert(rq: Request, atHead: boolean, now: number): void {
    if (atHead) {
      this.head.unshift(rq);
      return;
    }
    const dir = this.dirs[rq.isWrite ? WRITE : READ];
    dir.fifo.push({ rq, expires: now + (rq.isWrite ? WRITE_EXPIRE : READ_EXPIRE) });
    dir.sorted.splice(lowerBound(dir.sorted, rq.sector), 0, rq);
  }

  /** dd_dispatch_request: the next request for the driver, or undefined. */
  dispatch(now: number): Request | undefined {
    const first = this.head.shift();
    if (first) return first;
    const current = this.dirs[this.lastDir];
    if (current.next && this.batching < FIFO_BATCH) return this.take(this.lastDir, current.next);
    let dir: number;
    if (this.dirs[READ].fifo.length > 0) {
      dir = READ;
      if (this.dirs[WRITE].fifo.length > 0 && this.starved++ >= WRITES_STARVED) dir = WRITE;
    } else if (this.dirs[WRITE].fifo.length > 0) {
      dir = WRITE;
    } else {
      return undefined;
    }
    if (dir === WRITE) this.starved = 0;
    const direction = this.dirs[dir];
    const oldest = direction.fifo[0];
    const rq = direction.next === undefined || oldest.expires <= now ? oldest.rq : direction.next;
    this.lastDir = dir;
    this.batching = 0;
    return this.take(dir, rq);
  }

  /** A waiting request that ends where [sector, ...) of this direction begins: the one a bio can be appended to. */
  mergeCandidate(endSector: number, isWrite: boolean): Request | undefined {
    return this.dirs[isWrite ? WRITE : READ].sorted.find((rq) => rq.sector + rq.nrSectors === endSector);
  }

  private take(dir: number, rq: Request): Request {
    const direction = this.dirs[dir];
    this.batching++;
    const at = direction.sorted.indexOf(rq);
    direction.next = direction.sorted[at + 1];
    direction.sorted.splice(at, 1);
    direction.fifo.splice(
      direction.fifo.findIndex((entry) => entry.rq === rq),
      1,
    );
    return rq;
  }
}

function lowerBound(sorted: readonly Request[], sector: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle].sector <= sector) low = middle + 1;
    else high = middle;
  }
  return low;
}
