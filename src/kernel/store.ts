/** Bytes per chunk of a store. */
const CHUNK = 4096;

/** Content that is already on a disk before the run, such as a real disk.img beside the session. It is only read. */
export interface InitialContent {
  readonly size: number;
  /** Fills dst with the bytes from `offset`; bytes beyond the end are left as they are. */
  read(offset: number, dst: Uint8Array): void;
}

/** The bytes of a device: sparse, zero where nothing was written. */
export class ByteStore {
  private readonly chunks = new Map<number, Uint8Array>();

  constructor(
    private readonly initial: InitialContent | undefined = undefined,
    /** Told of bytes that come into being, or go; may throw to refuse them. */
    private readonly charge: (bytes: number) => void = () => undefined,
  ) {}

  /** Copies bytes out. */
  read(offset: number, dst: Uint8Array): void {
    this.each(offset, dst.length, (index, from, at, n) => {
      const chunk = this.chunks.get(index);
      const part = dst.subarray(at, at + n);
      if (chunk) part.set(chunk.subarray(from, from + n));
      else {
        part.fill(0);
        const start = index * CHUNK + from;
        if (this.initial && start < this.initial.size) this.initial.read(start, part);
      }
    });
  }

  /** Copies bytes in. */
  write(offset: number, src: Uint8Array): void {
    this.each(offset, src.length, (index, from, at, n) => {
      this.load(index).set(src.subarray(at, at + n), from);
    });
  }

  /** Makes bytes zero. The time it takes depends on what is stored there, not on the length. */
  zero(offset: number, length: number): void {
    const end = offset + length;
    const known = Math.min(end, this.initial?.size ?? 0);
    this.each(offset, Math.max(0, known - offset), (index, from, _at, n) => {
      this.load(index).fill(0, from, from + n);
    });
    const clear = (index: number): void => {
      const from = Math.max(0, offset - index * CHUNK);
      const to = Math.min(CHUNK, end - index * CHUNK);
      if (to <= from) return;
      if (to - from === CHUNK && index * CHUNK >= (this.initial?.size ?? 0)) {
        if (this.chunks.delete(index)) this.charge(-CHUNK);
      } else this.chunks.get(index)?.fill(0, from, to);
    };
    if (length / CHUNK > this.chunks.size) for (const index of [...this.chunks.keys()]) clear(index);
    else for (let index = Math.floor(offset / CHUNK); index * CHUNK < end; index++) clear(index);
  }

  /** The chunk, made from the content that was there before. */
  private load(index: number): Uint8Array {
    const known = this.chunks.get(index);
    if (known) return known;
    this.charge(CHUNK);
    const chunk = new Uint8Array(CHUNK);
    const offset = index * CHUNK;
    if (this.initial && offset < this.initial.size) this.initial.read(offset, chunk);
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
