import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sbitmap } from '../../src/kernel/sbitmap';

/** The tags as sbitmap_queue of 6.1 gives them, written down without cleverness: sets of bits per word. */
class Model {
  readonly shift: number;
  readonly taken = new Set<number>();
  readonly cleared = new Set<number>();
  readonly hints: number[];

  constructor(
    readonly depth: number,
    hints: number[],
  ) {
    this.shift = depth < 4 ? 6 : Math.min(6, Math.max(0, Math.floor(Math.log2(depth)) - 2));
    this.hints = [...hints];
  }

  get(cpu: number): number {
    const words = Math.ceil(this.depth / 2 ** this.shift);
    const hint = this.hints[cpu];
    const first = Math.floor(hint / 2 ** this.shift);
    for (let k = 0; k < words; k++) {
      const word = (first + k) % words;
      const bits = Array.from({ length: 2 ** this.shift }, (_, i) => word * 2 ** this.shift + i).filter(
        (b) => b < this.depth,
      );
      let bit = bits.find((b) => !this.taken.has(b));
      if (bit === undefined && bits.some((b) => this.cleared.has(b))) {
        for (const b of bits) if (this.cleared.delete(b)) this.taken.delete(b);
        bit = bits.find((b) => !this.taken.has(b));
      }
      if (bit === undefined) continue;
      this.taken.add(bit);
      if (bit === hint) this.hints[cpu] = bit + 1 >= this.depth - 1 ? 0 : bit + 1;
      return bit;
    }
    this.hints[cpu] = 0;
    return -1;
  }

  put(bit: number, cpu: number): void {
    this.cleared.add(bit);
    this.hints[cpu] = bit;
  }
}

describe('Sbitmap', () => {
  it('walks the tags as its model does, and never gives one out twice', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.nat(1000), { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.boolean(), fc.nat(1000), fc.nat(3)), { maxLength: 400 }),
        (depth, seeds, steps) => {
          const hints = seeds.map((seed) => seed % depth);
          let next = 0;
          const bitmap = new Sbitmap(depth, hints.length, () => hints[next++]);
          const model = new Model(depth, hints);
          const held: number[] = [];
          for (const [take, pick, at] of steps) {
            const cpu = at % hints.length;
            if (take) {
              const bit = bitmap.get(cpu);
              expect(bit).toBe(model.get(cpu));
              if (bit < 0) expect(held.length).toBe(depth);
              else {
                expect(held).not.toContain(bit);
                held.push(bit);
              }
            } else if (held.length > 0) {
              const [bit] = held.splice(pick % held.length, 1);
              bitmap.put(bit, cpu);
              model.put(bit, cpu);
            }
            expect(bitmap.inUse).toBe(held.length);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('uses a freed tag again only when its word is exhausted', () => {
    const bitmap = new Sbitmap(8, 1, () => 0);
    // words of two bits: 0 and 1 stay in the first word until both are cleared and wanted
    const order = Array.from({ length: 5 }, () => {
      const bit = bitmap.get(0);
      bitmap.put(bit, 0);
      return bit;
    });
    expect(order).toEqual([0, 1, 0, 1, 0]);
  });
});
