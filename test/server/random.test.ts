import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pattern, Shuffle } from '../../src/server/client_random';

describe('Shuffle', () => {
  it('meets every block once a round, in an order that depends on the seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer(), (n, seed) => {
        const shuffle = new Shuffle(n, seed);
        for (let round = 0; round < 2; round++) {
          const values = new Set(Array.from({ length: n }, (_, i) => shuffle.at(i)));
          expect(values.size).toBe(n);
          expect(Math.max(...values)).toBe(n - 1);
        }
      }),
    );
    const order = (seed: number): string =>
      Array.from({ length: 64 }, (_, i) => new Shuffle(64, seed).at(i)).join();
    expect(new Set(Array.from({ length: 50 }, (_, seed) => order(seed))).size).toBeGreaterThan(45);
  });

  it('reaches all of a region of 2^34 blocks', () => {
    const shuffle = new Shuffle(2 ** 34, 3);
    const values = Array.from({ length: 1000 }, (_, i) => shuffle.at(i));
    expect(new Set(values).size).toBe(1000);
    expect(Math.max(...values)).toBeGreaterThan(2 ** 33);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
  });
});

describe('Pattern', () => {
  it('tells writes and places apart', () => {
    const data = (offset: number, n: number): string => {
      const bytes = new Uint8Array(512);
      new Pattern(1).fill(bytes, offset, n);
      return Buffer.from(bytes).toString('hex');
    };
    const all = new Set<string>();
    for (let n = 0; n < 30; n++) for (let block = 0; block < 30; block++) all.add(data(block * 512, n));
    expect(all.size).toBe(900);
  });
});
