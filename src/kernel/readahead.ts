/** Pages [start, start + count) to read; reading on reaches `mark` and asks for the next ones (-1: no mark). */
export interface ReadaheadWindow {
  readonly start: number;
  readonly count: number;
  readonly mark: number;
}

/** Largest window, pages (read_ahead_kb 128). */
const MAX = 32;

/**
 * The readahead state of an open file (struct file_ra_state and ondemand_readahead of 6.1), in pages.
 * Divergence: one state per page cache, begun anew when the file is opened, where the kernel has one per open file description.
 */
export class Readahead {
  private start = 0;
  private size = 0;
  private asyncSize = 0;
  /** Page of the position at which the last read ended; -1 before the first. */
  private previous = -1;

  /** The file was opened. */
  reset(): void {
    this.start = 0;
    this.size = 0;
    this.asyncSize = 0;
    this.previous = -1;
  }

  /** A read ended at this byte offset. */
  readUpTo(end: number): void {
    this.previous = Math.floor(end / 4096);
  }

  /** Page `index` is not cached; `wanted` pages are asked for from it on, and `history` pages right before it are cached. */
  miss(index: number, wanted: number, history: number): ReadaheadWindow {
    if (index !== 0) {
      if (
        this.size > 0 &&
        (index === this.start + this.size - this.asyncSize || index === this.start + this.size)
      ) {
        return this.next(this.start + this.size);
      }
      const near = index - this.previous;
      if (wanted <= MAX && !(this.previous >= 0 && near >= 0 && near <= 1)) {
        return history > wanted
          ? this.context(index, wanted, history)
          : { start: index, count: wanted, mark: -1 };
      }
    }
    this.start = index;
    this.size = initialSize(wanted);
    this.asyncSize = this.size > wanted ? this.size - wanted : this.size;
    return this.window(index);
  }

  /** Page `index` carries a mark of an earlier window; the pages of [index, missing) are cached. */
  hit(index: number, missing: number, wanted: number): ReadaheadWindow {
    if (index === this.start + this.size - this.asyncSize || index === this.start + this.size) {
      return this.next(this.start + this.size);
    }
    this.start = missing;
    this.size = nextSize(missing - index + wanted);
    this.asyncSize = this.size;
    return this.window(-1);
  }

  /** try_context_readahead: what lies before the page looks like a sequential read. */
  private context(index: number, wanted: number, history: number): ReadaheadWindow {
    this.start = index;
    this.size = Math.min((history >= index ? history * 2 : history) + wanted, MAX);
    this.asyncSize = 1;
    return this.window(index);
  }

  private next(start: number): ReadaheadWindow {
    this.start = start;
    this.size = nextSize(this.size);
    this.asyncSize = this.size;
    return this.window(-1);
  }

  /** A window that would be asked for again at once takes the next one with it. */
  private window(missed: number): ReadaheadWindow {
    if (missed === this.start && this.size === this.asyncSize) {
      const more = nextSize(this.size);
      if (this.size + more <= MAX) {
        this.asyncSize = more;
        this.size += more;
      } else {
        this.size = MAX;
        this.asyncSize = MAX >> 1;
      }
    }
    return { start: this.start, count: this.size, mark: this.start + this.size - this.asyncSize };
  }
}

/** get_init_ra_size */
function initialSize(wanted: number): number {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, wanted)));
  if (size <= MAX / 32) return size * 4;
  return size <= MAX / 4 ? size * 2 : MAX;
}

/** get_next_ra_size */
function nextSize(size: number): number {
  if (size < MAX / 16) return size * 4;
  return size <= MAX / 2 ? size * 2 : MAX;
}
