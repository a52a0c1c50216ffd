/** Contents of a regular file as page-cache pages, which pipes may borrow. */
import { bytesKey, Digest } from './digest';
import { FileBlocks } from './file_blocks';
import { PagePool } from './page_pool';

export const PAGE = 4096;

/** One page: its bytes change in place, so that whoever borrowed it sees later writes. */
export class Page {
  /** The file that has it, and where. */
  home: { readonly file: FilePages; readonly index: number } | undefined;
  private key = -1;

  constructor(
    public bytes: Uint8Array,
    private owned: boolean,
    private readonly pool: PagePool,
  ) {}

  /** Digest of the bytes; made again only after they were written. */
  get contentKey(): number {
    if (this.key < 0) this.key = bytesKey(this.bytes);
    return this.key;
  }

  /** Adds it to the digest of a state: as a page of its file when it still is one, else by its bytes. */
  stateKey(digest: Digest): void {
    const { home } = this;
    if (home?.file.holds(home.index, this)) {
      digest.add(home.file.inode);
      digest.add(home.index);
    } else {
      digest.add(-1);
      digest.add(this.contentKey);
    }
  }

  /** The bytes for writing; copies what is shared with the file's initial contents. */
  writable(): Uint8Array {
    if (!this.owned) {
      this.bytes = this.pool.copy(this.bytes);
      this.owned = true;
    }
    this.key = -1;
    return this.bytes;
  }
}

/** A page of zeros of its own. */
export function zeroPage(pool: PagePool): Page {
  return new Page(pool.zeros(PAGE), true, pool);
}

/** Pages of the cache that belong together. */
interface Folio {
  readonly first: number;
  readonly count: number;
}

/** A regular file: sparse pages and a size. */
export class FilePages {
  /** Number that stands for it in digests. */
  inode = 0;
  private readonly pages = new Map<number, Page>();
  /** Large folios: first page and number of pages, by page. What one write makes is cut into the largest that fit. */
  private readonly folios = new Map<number, Folio>();
  /** Bytes were written since the last sync. */
  dirty = false;
  /** When a write last changed its time stamp in this run, virtual ns; not kept when exploring. */
  stampedAt: number | undefined;
  /** Pages that are no longer as the file had them first. */
  private readonly changed = new Set<number>();
  /** Pages that are in memory without their bytes: who must not block cannot read them. */
  readonly stale = new Set<number>();
  /** Blocks that the disk has. */
  readonly blocks: FileBlocks;

  constructor(
    private readonly initial: Uint8Array,
    public size = initial.length,
    /** Page numbers that are not in memory. */
    readonly uncached: Set<number> = new Set(),
    readonly pool = new PagePool(),
  ) {
    this.addFolios(0, initial.length);
    this.blocks = new FileBlocks(initial.length);
  }

  /** The folios that a write makes where the cache has no page yet. */
  private addFolios(offset: number, length: number): void {
    for (let at = offset; at < offset + length; ) {
      const index = Math.floor(at / PAGE);
      if (this.folios.has(index) || this.pages.has(index)) {
        at = (index + 1) * PAGE;
        continue;
      }
      const left = offset + length - at;
      let count = 2 ** Math.max(0, Math.floor(Math.log2(left)) - 12);
      while (index % count !== 0) count /= 2;
      const folio = { first: index, count };
      for (let i = 0; i < count; i++) this.folios.set(index + i, folio);
      at = (index + count) * PAGE;
    }
  }

  /** The page at an index, made when the file has none there. */
  page(index: number): Page {
    let page = this.pages.get(index);
    if (page === undefined) {
      const start = index * PAGE;
      if (start + PAGE <= this.initial.length) {
        page = new Page(this.initial.subarray(start, start + PAGE), false, this.pool);
      } else {
        page = zeroPage(this.pool);
        if (start < this.initial.length) page.bytes.set(this.initial.subarray(start));
      }
      this.set(index, page);
    }
    return page;
  }

  /** Whether a page is still the one at an index. */
  holds(index: number, page: Page): boolean {
    return this.pages.get(index) === page;
  }

  private set(index: number, page: Page): void {
    this.pages.set(index, page);
    page.home = { file: this, index };
  }

  /** Adds size, contents and the cutting into folios to the digest of a state. */
  stateKey(digest: Digest): void {
    digest.add(this.size);
    digest.add(this.dirty);
    digest.add(this.uncached.size);
    digest.add(this.stale.size);
    for (const index of this.stale) digest.add(index);
    this.blocks.stateKey(digest);
    let sum = 0;
    for (const index of this.changed) {
      const one = new Digest();
      const { first, count } = this.folios.get(index) ?? { first: index, count: 1 };
      one.add(index);
      one.add(first);
      one.add(count);
      one.add(this.page(index).contentKey);
      sum = (sum + one.value) % 0x10000000000000;
    }
    digest.add(sum);
  }

  /** Puts another page in the place of one; whoever borrowed the old one keeps it. */
  replace(index: number, page: Page): void {
    this.set(index, page);
    this.changed.add(index);
  }

  /** Puts bytes at an offset; does not change the size. */
  put(offset: number, bytes: Uint8Array): void {
    if (bytes.length > 0) {
      this.addFolios(offset, bytes.length);
      this.blocks.set(Math.floor(offset / PAGE), Math.ceil((offset + bytes.length) / PAGE), 'written');
    }
    for (let done = 0; done < bytes.length; ) {
      const at = offset + done;
      const inPage = at % PAGE;
      const n = Math.min(PAGE - inPage, bytes.length - done);
      this.changed.add(Math.floor(at / PAGE));
      this.stale.delete(Math.floor(at / PAGE));
      this.page(Math.floor(at / PAGE))
        .writable()
        .set(bytes.subarray(done, done + n), inPage);
      done += n;
    }
    this.dirty = true;
  }

  /** Calls `take` with the pieces of [offset, offset + length), which lies inside the size. */
  each(offset: number, length: number, take: (page: Page, at: number, n: number) => boolean): void {
    for (let done = 0; done < length; ) {
      const at = offset + done;
      const inPage = at % PAGE;
      const n = Math.min(PAGE - inPage, length - done);
      if (!take(this.page(Math.floor(at / PAGE)), inPage, n)) return;
      done += n;
    }
  }

  /** Zeros a range: folios that lie in it leave the cache, the others are zeroed in place. */
  zero(from: number, to: number): void {
    let at = from;
    while (at < to) {
      const inPage = at % PAGE;
      const n = Math.min(PAGE - inPage, to - at);
      const index = Math.floor(at / PAGE);
      const folio = this.folios.get(index) ?? { first: index, count: 1 };
      this.changed.add(index);
      if (n === PAGE) this.stale.delete(index);
      const whole = folio.first * PAGE >= from && (folio.first + folio.count) * PAGE <= to;
      if (n === PAGE && whole) this.set(index, zeroPage(this.pool));
      else
        this.page(index)
          .writable()
          .fill(0, inPage, inPage + n);
      at += n;
    }
    this.dirty = true;
  }

  /** The file becomes longer without a write: a page that ends in it and was not in memory is there, but not read. */
  grow(size: number): void {
    const last = Math.floor(size / PAGE);
    if (size % PAGE !== 0 && !this.folios.has(last) && !this.uncached.has(last)) this.stale.add(last);
    this.size = size;
  }

  /** Whether a range has pages without their bytes. */
  hasStale(pos: number, length: number): boolean {
    const end = Math.min(pos + length, this.size);
    if (pos >= this.size) return false;
    return [...this.stale].some((index) => index * PAGE < end && (index + 1) * PAGE > pos);
  }

  /** A range was read. */
  freshen(pos: number, length: number): void {
    for (const index of this.stale)
      if (index * PAGE < pos + length && (index + 1) * PAGE > pos) this.stale.delete(index);
  }

  /** Moves everything from `from` on to `to` (both page aligned); pages leave the cache. */
  shift(from: number, to: number, size: number): void {
    const last = Math.ceil(this.size / PAGE);
    for (const index of this.stale) if (index * PAGE >= Math.min(from, to)) this.stale.delete(index);
    const moved: [number, Page][] = [];
    const distance = (to - from) / PAGE;
    for (let i = from / PAGE; i < last; i++)
      moved.push([i + distance, new Page(this.page(i).bytes, false, this.pool)]);
    for (let i = Math.min(from, to) / PAGE; i < Math.ceil(Math.max(size, this.size) / PAGE); i++) {
      this.set(i, zeroPage(this.pool));
      this.changed.add(i);
    }
    for (const [i, page] of moved) {
      if (i < 0) continue;
      this.set(i, page);
      this.changed.add(i);
    }
    this.blocks.shift(from / PAGE, to / PAGE);
    this.size = size;
    this.dirty = true;
  }

  /** The bytes, in pieces: pages, and whatever nobody has looked at as one. */
  *contents(): Generator<Uint8Array> {
    const { initial, pages, size } = this;
    const whole = Math.floor(Math.min(initial.length, size) / PAGE);
    for (let i = 0; i * PAGE < size; ) {
      let next = i;
      while (next < whole && !pages.has(next)) next++;
      if (next > i) yield initial.subarray(i * PAGE, next * PAGE);
      else yield this.page(next++).bytes.subarray(0, Math.min(PAGE, size - i * PAGE));
      i = next;
    }
  }
}
