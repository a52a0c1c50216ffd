/** Memory of the application: the program's buffers at made-up addresses, and iterators over ranges of it. */
import { bytesKey, type Digest } from './digest';
import { PagePool } from './page_pool';

/** Highest user address (TASK_SIZE_MAX). */
export const TASK_SIZE = 0x7ffffffff000;
/** Most bytes of one read or write. */
export const MAX_RW_COUNT = 0x7ffff000;

/** A mapped range. */
interface Mapping {
  readonly addr: number;
  bytes: Uint8Array;
  owned: boolean;
  /** Digests of its pieces; undefined where it is as it was first, -1 after a write. */
  readonly keys: Map<number, number>;
}

/** Bytes that have a digest of their own. */
const PIECE = 4096;

/** One segment of an iterator. */
export interface Segment {
  addr: number;
  len: number;
}

/** The application's address space. Copies stop where nothing is mapped. */
export class UserMemory {
  private readonly maps: Mapping[] = [];

  constructor(readonly pool = new PagePool()) {}

  /** Maps initial bytes (copied only when written). */
  map(addr: number, bytes: Uint8Array): void {
    const at = this.after(addr);
    this.maps.splice(at, 0, { addr, bytes, owned: false, keys: new Map() });
  }

  /** Number of mappings that begin at `addr` or before; they are kept by address. */
  private after(addr: number): number {
    let low = 0;
    let high = this.maps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.maps[middle]!.addr <= addr) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Bytes mapped from `addr` on, or undefined. */
  find(addr: number): { map: Mapping; at: number } | undefined {
    const map = this.maps[this.after(addr) - 1];
    return map && addr < map.addr + map.bytes.length ? { map, at: addr - map.addr } : undefined;
  }

  /** copy_to_user: bytes copied. */
  copyTo(addr: number, source: Uint8Array): number {
    const hit = this.find(addr);
    if (hit === undefined) return 0;
    const { map, at } = hit;
    const n = Math.min(source.length, map.bytes.length - at);
    if (!map.owned) {
      map.bytes = this.pool.copy(map.bytes);
      map.owned = true;
    }
    map.bytes.set(n === source.length ? source : source.subarray(0, n), at);
    for (let i = Math.floor(at / PIECE); i * PIECE < at + n; i++) map.keys.set(i, -1);
    return n;
  }

  /** copy_from_user: the bytes that could be read. */
  copyFrom(addr: number, length: number): Uint8Array {
    const hit = this.find(addr);
    if (hit === undefined) return new Uint8Array(0);
    return hit.map.bytes.subarray(hit.at, Math.min(hit.at + length, hit.map.bytes.length));
  }

  /** Adds what was written to the digest of a state. */
  stateKey(digest: Digest): void {
    for (const { addr, bytes, keys } of this.maps) {
      let sum = 0;
      for (const [i, known] of keys) {
        let key = known;
        if (key < 0) {
          key = bytesKey(bytes.subarray(i * PIECE, (i + 1) * PIECE));
          keys.set(i, key);
        }
        sum = (sum + key * (i + 1)) % 0x10000000000000;
      }
      digest.add(addr);
      digest.add(sum);
    }
  }

  /** Contents of a mapping. */
  bytesAt(addr: number): Uint8Array {
    return this.find(addr)!.map.bytes;
  }
}

/** A position in a list of user ranges (struct iov_iter). */
export class UserIter {
  private segment = 0;
  private offset = 0;
  /** Bytes left. */
  count: number;

  constructor(
    readonly segments: readonly Segment[],
    private readonly memory: UserMemory,
  ) {
    this.count = segments.reduce((sum, segment) => sum + segment.len, 0);
  }

  /** Copies into user memory; less than given when a page is not mapped. */
  put(source: Uint8Array): number {
    let done = 0;
    while (done < source.length && this.count > 0) {
      const here = this.here();
      const n = Math.min(here.len, source.length - done);
      const copied = this.memory.copyTo(here.addr, source.subarray(done, done + n));
      this.advance(copied);
      done += copied;
      if (copied < n) break;
    }
    return done;
  }

  /** Takes at most `max` bytes out of user memory, in one piece of at most one segment; empty on a fault. */
  take(max: number): Uint8Array {
    if (this.count === 0) return new Uint8Array(0);
    const here = this.here();
    const bytes = this.memory.copyFrom(here.addr, Math.min(max, here.len));
    this.advance(bytes.length);
    return bytes;
  }

  /** Zeros `length` bytes of user memory; returns how many. */
  fill(length: number): number {
    let done = 0;
    while (done < length && this.count > 0) {
      const n = Math.min(this.here().len, length - done, 65536);
      const copied = this.put(new Uint8Array(n));
      done += copied;
      if (copied < n) break;
    }
    return done;
  }

  advance(bytes: number): void {
    let left = Math.min(bytes, this.count);
    this.count -= left;
    while (left > 0) {
      const here = this.segments[this.segment]!;
      const n = Math.min(left, here.len - this.offset);
      this.offset += n;
      left -= n;
      if (this.offset === here.len) {
        this.segment++;
        this.offset = 0;
      }
    }
  }

  /** Another position in the same ranges: `from` bytes behind their beginning. */
  at(from: number): UserIter {
    const iter = new UserIter(this.segments, this.memory);
    iter.advance(from);
    return iter;
  }

  private here(): Segment {
    while (this.segments[this.segment]!.len === this.offset) {
      this.segment++;
      this.offset = 0;
    }
    const { addr, len } = this.segments[this.segment]!;
    return { addr: addr + this.offset, len: len - this.offset };
  }
}
