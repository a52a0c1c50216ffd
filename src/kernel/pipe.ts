import { PIPE_DEF_BUFFERS } from '../uapi/splice';
import type { Kernel } from './kernel';
import { PAGE_HIGH, pageLow } from './memory';
import type { Segment } from './request';

/** One pipe buffer: a page range that the pipe does not own (the RFC takes no reference). */
export interface PipeBuffer {
  readonly segment: Segment;
  offset: number;
  length: number;
}

/** A pipe (struct pipe_inode_info): a ring of buffers with free-running head (producer) and tail (consumer). */
export class Pipe {
  head = 0;
  tail = 0;
  /** RFC: the consumer reads INTO the buffers. */
  consumedByRead = false;
  readonly ptr: number;
  private readonly slots: (PipeBuffer | undefined)[];

  constructor(
    private readonly kernel: Kernel,
    readonly ringSize = PIPE_DEF_BUFFERS,
  ) {
    this.ptr = kernel.pointer(1024);
    this.slots = new Array<PipeBuffer | undefined>(ringSize);
  }

  get occupancy(): number {
    return (this.head - this.tail) >>> 0;
  }

  get free(): number {
    return this.ringSize - this.occupancy;
  }

  /** add_to_pipe: false (after releasing the buffer) when the pipe is full. */
  add(segment: Segment): boolean {
    const { emit } = this.kernel.rec;
    emit.add_to_pipe(
      this.head,
      this.tail,
      this.page(segment),
      segment.pageOffset,
      segment.length,
      pageRefs(segment),
    );
    if (this.occupancy >= this.ringSize) {
      emit.ublk_pipe_buf_release(this.page(segment), segment.length, pageRefs(segment));
      return false;
    }
    this.slots[this.head & (this.ringSize - 1)] = { segment, offset: segment.offset, length: segment.length };
    this.head = (this.head + 1) >>> 0;
    return true;
  }

  /** Buffers between tail and head, oldest first, up to `limit` bytes. */
  buffers(limit: number): PipeBuffer[] {
    const list: PipeBuffer[] = [];
    let left = limit;
    for (let i = this.tail; i !== this.head && left > 0; i = (i + 1) >>> 0) {
      const buffer = this.slots[i & (this.ringSize - 1)];
      if (!buffer) break;
      const length = Math.min(buffer.length, left);
      list.push({ segment: buffer.segment, offset: buffer.offset, length });
      left -= length;
    }
    return list;
  }

  /** splice_dismiss_pipe: consumed bytes leave from the tail; whole buffers are released, a partial one shrinks. */
  dismiss(bytes: number): void {
    this.kernel.rec.emit.splice_dismiss_pipe(bytes, this.head, this.tail);
    let left = bytes;
    while (left > 0 && this.tail !== this.head) {
      const at = this.tail & (this.ringSize - 1);
      const buffer = this.slots[at];
      if (!buffer) break;
      if (left < buffer.length) {
        buffer.offset += left;
        buffer.length -= left;
        return;
      }
      left -= buffer.length;
      buffer.length = 0;
      this.release(at);
      this.tail = (this.tail + 1) >>> 0;
    }
  }

  /** The end of a splice: everything left is released and the indices start again at 0. */
  reset(): void {
    for (let at = 0; at < this.ringSize; at++) if (this.slots[at]) this.release(at);
    this.head = 0;
    this.tail = 0;
  }

  private release(at: number): void {
    const buffer = this.slots[at];
    if (!buffer) return;
    this.kernel.rec.emit.ublk_pipe_buf_release(
      this.page(buffer.segment),
      buffer.length,
      pageRefs(buffer.segment),
    );
    this.slots[at] = undefined;
  }

  private page(segment: Segment): number {
    return this.kernel.rec.trace.wide.word(pageLow(segment.pfn), PAGE_HIGH);
  }
}

/** References of a page: its owner's (a mapping or the page cache), and one more while direct I/O to it is under way. The RFC adds none. */
function pageRefs(segment: Segment): number {
  return segment.buffer.pins > 0 ? 2 : 1;
}
