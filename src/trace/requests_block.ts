/** Requests of the block layer as the block tracepoints tell of them: one record per delivery to the driver. */

/** Operation of a request; FUSE operations have names of their own. */
export const OP = { unknown: 0, read: 1, write: 2, flush: 3, discard: 4, writeZeroes: 5, other: 6 } as const;
/** Names of {@link OP}, as printed. */
export const OP_NAMES = ['UNKNOWN', 'READ', 'WRITE', 'FLUSH', 'DISCARD', 'WRITE_ZEROES', 'OTHER'] as const;

/** How far a delivery got. */
export const STATE = { made: 0, queued: 1, issued: 2, done: 3, requeued: 4, merged: 5 } as const;

const INITIAL = 256;

/** Block requests in columns. Sectors are 512 bytes; event columns hold event numbers, -1 where there is none. */
export class BlockStore {
  count = 0;
  dev = new Int32Array(INITIAL);
  /** First sector as delivered, and how many. */
  sector = new Float64Array(INITIAL);
  sectors = new Float64Array(INITIAL);
  /** First sector that is not completed yet: the one that later events print. */
  at = new Float64Array(INITIAL);
  done = new Float64Array(INITIAL);
  op = new Uint8Array(INITIAL);
  state = new Uint8Array(INITIAL);
  tag = new Int32Array(INITIAL);
  qid = new Int32Array(INITIAL);
  start = new Int32Array(INITIAL);
  issue = new Int32Array(INITIAL);
  end = new Int32Array(INITIAL);
  /** Errno of the completion as a number up to 0. */
  error = new Int32Array(INITIAL);
  /** The slot life that served this request, or that issued it to a backing disk. */
  life = new Int32Array(INITIAL);
  parent = new Int32Array(INITIAL);
  /** Request that took this one over, after a merge. */
  into = new Int32Array(INITIAL);
  cpu = new Uint16Array(INITIAL);
  /** What its probes say about the data path. */
  marks = new Uint16Array(INITIAL);
  private older = new Int32Array(INITIAL);
  private slots = new Int32Array(1024).fill(-1);
  private filled = 0;

  /** A new request that starts at an event. */
  add(dev: number, sector: number, sectors: number, op: number, event: number, cpu: number): number {
    if (this.count === this.dev.length) this.grow();
    const b = this.count++;
    this.dev[b] = dev;
    this.sector[b] = sector;
    this.sectors[b] = sectors;
    this.at[b] = sector;
    this.op[b] = op;
    this.tag[b] = -1;
    this.qid[b] = -1;
    this.start[b] = event;
    this.issue[b] = -1;
    this.end[b] = -1;
    this.life[b] = -1;
    this.parent[b] = -1;
    this.into[b] = -1;
    this.cpu[b] = cpu;
    this.older[b] = -1;
    this.place(b);
    return b;
  }

  /** Whether events may still come for it. */
  live(b: number): boolean {
    return this.state[b] < STATE.done;
  }

  /** The oldest live request at a sector whose state lies between two, -1 when there is none. */
  find(dev: number, sector: number, low: number, high: number): number {
    let best = -1;
    for (let b = this.newest(dev, sector); b >= 0; b = this.next(b)) {
      if (this.state[b] >= low && this.state[b] <= high) best = b;
    }
    return best;
  }

  /** The oldest live request at a sector that has this tag, -1 when there is none. */
  findTag(dev: number, sector: number, tag: number): number {
    let best = -1;
    for (let b = this.newest(dev, sector); b >= 0; b = this.next(b)) {
      if (this.tag[b] === tag) best = b;
    }
    return best;
  }

  /** Enters the request under another sector, after a merge in front of it or a partial completion. */
  move(b: number, sector: number): void {
    this.unlink(b);
    this.at[b] = sector;
    this.place(b);
  }

  /** The youngest request not started yet that ends at a sector. */
  endingAt(dev: number, sector: number): number {
    const stop = Math.max(0, this.count - 512);
    for (let b = this.count - 1; b >= stop; b--) {
      if (this.dev[b] === dev && this.state[b] === STATE.made && this.sector[b] + this.sectors[b] === sector)
        return b;
    }
    return -1;
  }

  private newest(dev: number, sector: number): number {
    const slot = this.slot(dev, sector);
    let b = this.slots[slot];
    while (b >= 0 && !this.live(b)) b = this.older[b];
    if (b >= 0) this.slots[slot] = b;
    return b;
  }

  /** The next older live request of the same sector; finished ones are dropped from the chain on the way. */
  private next(b: number): number {
    let p = this.older[b];
    while (p >= 0 && !this.live(p)) p = this.older[p];
    this.older[b] = p;
    return p;
  }

  private slot(dev: number, sector: number): number {
    const mask = this.slots.length - 1;
    let h = Math.imul(sector | 0, 0x9e3779b1) ^ Math.imul(dev + Math.floor(sector / 0x100000000), 0x85ebca77);
    h ^= h >>> 15;
    let slot = h & mask;
    for (;;) {
      const b = this.slots[slot];
      if (b < 0 || (this.at[b] === sector && this.dev[b] === dev)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private place(b: number): void {
    const slot = this.slot(this.dev[b], this.at[b]);
    const old = this.slots[slot];
    this.older[b] = old;
    if (old < 0 && ++this.filled * 2 > this.slots.length) this.rehash(b);
    else this.slots[slot] = b;
  }

  private unlink(b: number): void {
    const slot = this.slot(this.dev[b], this.at[b]);
    let p = this.slots[slot];
    const keep: number[] = [];
    while (p >= 0) {
      if (p !== b) keep.push(p);
      p = this.older[p];
    }
    // the slot keeps an entry of its own sector, or the chain of probes behind it would break
    if (keep.length === 0) {
      const ghost = this.add(this.dev[b], this.at[b], 0, OP.unknown, -1, 0);
      this.state[ghost] = STATE.merged;
      this.older[ghost] = -1;
      return;
    }
    this.slots[slot] = keep[0];
    for (let i = 0; i < keep.length; i++) this.older[keep[i]] = i + 1 < keep.length ? keep[i + 1] : -1;
  }

  private rehash(extra: number): void {
    const live: number[] = [];
    for (const b of this.slots) {
      for (let p = b; p >= 0; p = this.older[p]) if (this.live(p)) live.push(p);
    }
    live.push(extra);
    const need = Math.max(1024, live.length * 8);
    let size = 1024;
    while (size < need) size *= 2;
    this.slots = new Int32Array(size).fill(-1);
    this.filled = 0;
    live.sort((a, b) => a - b);
    for (const b of live) {
      const slot = this.slot(this.dev[b], this.at[b]);
      this.older[b] = this.slots[slot];
      if (this.older[b] < 0) this.filled++;
      this.slots[slot] = b;
    }
  }

  private grow(): void {
    const size = this.dev.length * 2;
    this.dev = grown(this.dev, new Int32Array(size));
    this.sector = grown(this.sector, new Float64Array(size));
    this.sectors = grown(this.sectors, new Float64Array(size));
    this.at = grown(this.at, new Float64Array(size));
    this.done = grown(this.done, new Float64Array(size));
    this.op = grown(this.op, new Uint8Array(size));
    this.state = grown(this.state, new Uint8Array(size));
    this.tag = grown(this.tag, new Int32Array(size));
    this.qid = grown(this.qid, new Int32Array(size));
    this.start = grown(this.start, new Int32Array(size));
    this.issue = grown(this.issue, new Int32Array(size));
    this.end = grown(this.end, new Int32Array(size));
    this.error = grown(this.error, new Int32Array(size));
    this.life = grown(this.life, new Int32Array(size));
    this.parent = grown(this.parent, new Int32Array(size));
    this.into = grown(this.into, new Int32Array(size));
    this.cpu = grown(this.cpu, new Uint16Array(size));
    this.marks = grown(this.marks, new Uint16Array(size));
    this.older = grown(this.older, new Int32Array(size));
  }
}

/** Copies a column into a larger one. */
export function grown<T extends Int32Array | Float64Array | Uint8Array | Uint16Array | Uint32Array>(
  old: T,
  next: T,
): T {
  next.set(old);
  return next;
}

/** Operation from the RWBS letters of a block event. */
export function opOfRwbs(letters: string, sectors: number): number {
  const rest = letters.startsWith('F') && letters.length > 1 ? letters.slice(1) : letters;
  if (letters.startsWith('F') && sectors === 0) return OP.flush;
  switch (rest[0]) {
    case 'R':
      return OP.read;
    case 'W':
      return rest[1] === 'Z' ? OP.writeZeroes : OP.write;
    case 'F':
      return OP.flush;
    case 'D':
      return OP.discard;
    case 'N':
      return OP.writeZeroes;
    default:
      return OP.unknown;
  }
}

/** Operation from cmd_flags of a request (its low 8 bits are REQ_OP_*). */
export function opOfFlags(flags: number): number {
  switch (flags & 0xff) {
    case 0:
      return OP.read;
    case 1:
      return OP.write;
    case 2:
      return OP.flush;
    case 3:
      return OP.discard;
    case 9:
      return OP.writeZeroes;
    default:
      return OP.other;
  }
}
