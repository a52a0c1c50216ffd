/**
 * The tag bitmap of blk-mq (lib/sbitmap.c, 6.1): words of bits, a hint per CPU that selects the word, the lowest free
 * bit inside it, and freed bits that become free only when their word has run out.
 */
export class Sbitmap {
  private readonly shift: number;
  private readonly words: number;
  /** 1 where a bit is taken or freed but not yet cleared. */
  private readonly taken: Uint8Array;
  private readonly cleared: Uint8Array;
  private readonly hints: number[];
  private used = 0;

  constructor(
    readonly depth: number,
    cpus: number,
    hint: (depth: number) => number,
  ) {
    let shift = 6;
    if (depth >= 4) while (4 << shift > depth) shift--;
    this.shift = shift;
    this.words = Math.ceil(depth / (1 << shift));
    this.taken = new Uint8Array(depth);
    this.cleared = new Uint8Array(depth);
    this.hints = Array.from({ length: cpus }, () => hint(depth));
  }

  /** Tags in use. */
  get inUse(): number {
    return this.used;
  }

  /** Takes a bit, or returns -1 when all are in use (__sbitmap_queue_get). */
  get(cpu: number): number {
    const hint = this.hints[cpu] < this.depth ? this.hints[cpu] : 0;
    let word = hint >> this.shift;
    for (let i = 0; i < this.words; i++) {
      const bit = this.findInWord(word);
      if (bit >= 0) {
        this.taken[bit] = 1;
        this.used++;
        if (bit === hint) this.hints[cpu] = hint + 1 >= this.depth - 1 ? 0 : hint + 1;
        return bit;
      }
      word = word + 1 >= this.words ? 0 : word + 1;
    }
    this.hints[cpu] = 0;
    return -1;
  }

  /** Gives a bit back (sbitmap_queue_clear): it is usable again once its word is exhausted. */
  put(bit: number, cpu: number): void {
    this.cleared[bit] = 1;
    this.used--;
    this.hints[cpu] = bit;
  }

  private findInWord(word: number): number {
    const from = word << this.shift;
    const to = Math.min(from + (1 << this.shift), this.depth);
    for (;;) {
      for (let bit = from; bit < to; bit++) if (this.taken[bit] === 0) return bit;
      let any = false;
      for (let bit = from; bit < to; bit++) {
        if (this.cleared[bit] === 0) continue;
        this.cleared[bit] = 0;
        this.taken[bit] = 0;
        any = true;
      }
      if (!any) return -1;
    }
  }
}
