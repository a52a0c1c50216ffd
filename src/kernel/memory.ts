/** Page size of the simulated machine, bytes. */
export const PAGE_SIZE = 4096;

/** Memory that I/O can point to: real bytes, a virtual address, and the page frames behind it. */
export interface Buffer {
  /** Bytes; grown on first use up to `size`. */
  bytes: Uint8Array;
  readonly size: number;
  /** Virtual address of byte 0; its low 12 bits are the offset in the first page. */
  readonly addr: number;
  /** Frame number of the first page. */
  readonly pfn: number;
  /** Direct I/Os under way that hold a reference on each page (bio_iov_iter_get_pages). */
  pins: number;
}

/** Raised when a session wants more memory than the machine was given. */
export class OutOfMemory extends Error {}

/** Hands out page frames and virtual addresses. Addresses stay below 2^47, so numbers hold them exactly. */
export class PhysicalMemory {
  private nextPfn = 0x10000;
  private nextAddr = 0x7f0000000000;
  private used = 0;
  private readonly buffers: Buffer[] = [];
  /** Page caches give clean pages outside [first, last) back; each returns the bytes it freed. */
  readonly reclaimers: ((bytes: number, first: number, last: number) => number)[] = [];

  constructor(private readonly limit: number) {}

  /** Reserves `size` bytes that start `pageOffset` bytes into a page. Bytes come into being when they are first touched. */
  alloc(size: number, pageOffset = 0): Buffer {
    const buffer = this.scratch(size, pageOffset);
    this.buffers.push(buffer);
    return buffer;
  }

  /** Pages of the kernel: no user address leads to them. */
  scratch(size: number, pageOffset = 0): Buffer {
    const pages = Math.ceil((size + pageOffset) / PAGE_SIZE);
    const buffer: Buffer = {
      bytes: new Uint8Array(0),
      size,
      addr: this.nextAddr + pageOffset,
      pfn: this.nextPfn,
      pins: 0,
    };
    this.nextPfn += pages;
    this.nextAddr += (pages + 1) * PAGE_SIZE;
    return buffer;
  }

  /** A part of a buffer, `offset` bytes into it, as a buffer that shares its bytes. */
  slice(buffer: Buffer, offset: number, size: number): Buffer {
    const bytes = this.touch(buffer, offset, size);
    const start = (buffer.addr & (PAGE_SIZE - 1)) + offset;
    return {
      bytes,
      size,
      addr: buffer.addr + offset,
      pfn: buffer.pfn + Math.floor(start / PAGE_SIZE),
      pins: buffer.pins,
    };
  }

  /** Gives the bytes of kernel pages back. */
  free(buffer: Buffer): void {
    this.used -= buffer.bytes.length;
    buffer.bytes = new Uint8Array(0);
  }

  /** Makes room for `bytes` more by dropping clean cached pages; pages [first, last) of any cache stay. False when that was not enough. */
  room(bytes: number, first: number, last: number): boolean {
    for (const reclaim of this.reclaimers) {
      if (this.used + bytes <= this.limit) break;
      reclaim(this.used + bytes - this.limit, first, last);
    }
    return this.used + bytes <= this.limit;
  }

  /** Counts bytes that are kept elsewhere (disk content) against the limit. */
  charge(bytes: number): void {
    this.used += bytes;
    if (this.used > this.limit) throw this.exhausted();
  }

  private exhausted(): OutOfMemory {
    return new OutOfMemory(
      `the simulated machine has ${this.limit} bytes of memory (#: memory sets another size)`,
    );
  }

  /** The bytes [offset, offset + length) of a buffer, made real. */
  touch(buffer: Buffer, offset: number, length: number): Uint8Array {
    const end = offset + length;
    if (end > buffer.size) throw new RangeError(`access beyond buffer: ${end} > ${buffer.size}`);
    if (buffer.bytes.length < end) {
      const size = Math.min(buffer.size, Math.max(end, buffer.bytes.length * 2));
      this.charge(size - buffer.bytes.length);
      const bytes = new Uint8Array(size);
      bytes.set(buffer.bytes);
      buffer.bytes = bytes;
    }
    return buffer.bytes.subarray(offset, end);
  }

  /** The buffer that holds a user address (find_vma), with the offset into it; undefined for a wild pointer. */
  find(addr: number): { buffer: Buffer; offset: number } | undefined {
    let low = 0;
    let high = this.buffers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.buffers[middle].addr <= addr) low = middle + 1;
      else high = middle;
    }
    const buffer = this.buffers[low - 1];
    if (buffer === undefined || addr >= buffer.addr + buffer.size) return undefined;
    return { buffer, offset: addr - buffer.addr };
  }
}

/** Low word of the address of the struct page of a frame; the high word is {@link PAGE_HIGH}. */
export function pageLow(pfn: number): number {
  return (pfn * 64) >>> 0;
}

/** High word of every struct page address (vmemmap). */
export const PAGE_HIGH = 0xffffea00;
