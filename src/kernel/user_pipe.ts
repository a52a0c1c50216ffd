import { PIPE_DEF_BUFFERS } from '../uapi/splice';
import type { Kernel } from './kernel';
import { type Buffer, PAGE_SIZE } from './memory';
import { WaitQueue } from './sched';

/** One buffer of a user pipe: a range of a page that the pipe holds a reference on. */
export interface UserPipeBuffer {
  readonly page: Buffer;
  offset: number;
  length: number;
}

/** A pipe that user space made (pipe(2)): both ends have descriptors, and tasks wait for data and for room (fs/pipe.c, 6.1). */
export class UserPipe {
  readonly ptr: number;
  readonly buffers: UserPipeBuffer[] = [];
  /** Tasks that wait for data or room. */
  readonly changed: WaitQueue;
  /** Open descriptors of each end. */
  readers = 1;
  writers = 1;

  constructor(
    private readonly kernel: Kernel,
    readonly ringSize = PIPE_DEF_BUFFERS,
  ) {
    this.ptr = kernel.pointer(1024);
    this.changed = new WaitQueue(kernel.sched);
  }

  /** Free slots. */
  get free(): number {
    return this.ringSize - this.buffers.length;
  }

  /** Bytes that wait to be read. */
  get bytes(): number {
    let sum = 0;
    for (const buffer of this.buffers) sum += buffer.length;
    return sum;
  }

  /** Adds a page range; false when every slot is taken. */
  add(buffer: UserPipeBuffer): boolean {
    if (this.free === 0) return false;
    this.buffers.push(buffer);
    this.changed.wakeAll();
    return true;
  }

  /** pipe_write: copies into new pages. Returns the bytes that fitted, 0 when none did. */
  write(data: Uint8Array): number {
    let at = 0;
    while (at < data.length && this.free > 0) {
      const n = Math.min(PAGE_SIZE, data.length - at);
      const page = this.kernel.memory.alloc(PAGE_SIZE);
      this.kernel.memory.touch(page, 0, n).set(data.subarray(at, at + n));
      this.add({ page, offset: 0, length: n });
      at += n;
    }
    return at;
  }

  /** Takes up to `length` bytes from the tail; buffers that are used up leave the pipe. */
  consume(length: number): void {
    let left = length;
    while (left > 0 && this.buffers.length > 0) {
      const buffer = this.buffers[0];
      const n = Math.min(left, buffer.length);
      buffer.offset += n;
      buffer.length -= n;
      left -= n;
      if (buffer.length === 0) this.buffers.shift();
    }
    this.changed.wakeAll();
  }

  /** Copies up to `length` bytes without taking them. */
  peek(length: number): Uint8Array {
    const out = new Uint8Array(Math.min(length, this.bytes));
    let at = 0;
    for (const buffer of this.buffers) {
      if (at === out.length) break;
      const n = Math.min(buffer.length, out.length - at);
      out.set(this.kernel.memory.touch(buffer.page, buffer.offset, n), at);
      at += n;
    }
    return out;
  }

  /** Closes one descriptor of an end. */
  close(end: 'reader' | 'writer'): void {
    if (end === 'reader') this.readers--;
    else this.writers--;
    this.changed.wakeAll();
  }
}
