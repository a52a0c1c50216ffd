/** Bytes per chunk of a store. */
const CHUNK = 65536;

/** Content that is already on a disk before the run, such as a real disk.img beside the session. It is only read. */
export interface InitialContent {
  readonly size: number;
  /** Fills dst with the bytes from `offset`; bytes beyond the end are left as they are. */
  read(offset: number, dst: Uint8Array): void;
}

/** The bytes of a device: sparse, zero where nothing was written. */
export class ByteStore {
  private readonly chunks = new Map<number, Uint8Array>();

  constructor(private readonly initial: InitialContent | undefined = undefined) {}

  /** Copies bytes out. */
  read(offset: number, dst: Uint8Array): void {
    this.each(offset, dst.length, (index, from, at, n) => {
      const chunk = this.chunks.get(index) ?? this.load(index, false);
      if (chunk) dst.set(chunk.subarray(from, from + n), at);
      else dst.fill(0, at, at + n);
    });
  }

  /** Copies bytes in. */
  write(offset: number, src: Uint8Array): void {
    this.each(offset, src.length, (index, from, at, n) => {
      const chunk = this.chunks.get(index) ?? this.load(index, true);
      chunk?.set(src.subarray(at, at + n), from);
    });
  }

  /** Makes bytes zero. The time it takes depends on what is stored there, not on the length. */
  zero(offset: number, length: number): void {
    const end = offset + length;
    const known = Math.min(end, this.initial?.size ?? 0);
    this.each(offset, Math.max(0, known - offset), (index, from, _at, n) => {
      const chunk = this.chunks.get(index) ?? this.load(index, true);
      chunk?.fill(0, from, from + n);
    });
    for (const [index, chunk] of this.chunks) {
      const from = Math.max(0, offset - index * CHUNK);
      const to = Math.min(CHUNK, end - index * CHUNK);
      if (to > from) chunk.fill(0, from, to);
    }
  }

  private load(index: number, make: boolean): Uint8Array | undefined {
    const { initial } = this;
    const offset = index * CHUNK;
    if (!make && (!initial || offset >= initial.size)) return undefined;
    const chunk = new Uint8Array(CHUNK);
    if (initial && offset < initial.size) initial.read(offset, chunk);
    this.chunks.set(index, chunk);
    return chunk;
  }

  private each(
    offset: number,
    length: number,
    visit: (index: number, from: number, at: number, n: number) => void,
  ): void {
    let at = 0;
    while (at < length) {
      const position = offset + at;
      const index = Math.floor(position / CHUNK);
      const from = position - index * CHUNK;
      const n = Math.min(CHUNK - from, length - at);
      visit(index, from, at, n);
      at += n;
    }
  }
}
