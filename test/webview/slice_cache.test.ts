import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Slice } from '../../src/webview/protocol_data';
import {
  askFor,
  quantise,
  type SliceAsk,
  SliceCache,
  type Wanted,
} from '../../src/webview/timeline/slice_cache';
import { eachSpan, indexSlice } from '../../src/webview/timeline/slice_index';
import { sliceOf } from './slices';

const wanted = (from: number, to: number, tracks: readonly number[] = [0]): Wanted => ({
  from,
  to,
  nsPerPixel: (to - from) / 1000,
  tracks,
});

/** A host that answers when told to. */
function slowHost(length: number, tracks = 1) {
  const asked: SliceAsk[] = [];
  const answers: { resolve: (slice: Slice) => void; reject: (error: Error) => void }[] = [];
  const errors: unknown[] = [];
  let arrivals = 0;
  const cache = new SliceCache(
    tracks,
    length,
    (ask) => {
      asked.push(ask);
      return new Promise((resolve, reject) => answers.push({ resolve, reject }));
    },
    () => arrivals++,
    (error) => errors.push(error),
  );
  const settle = async (act: () => void): Promise<void> => {
    act();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { asked, answers, errors, cache, settle, arrivals: () => arrivals };
}

describe('what is asked of the host', () => {
  it('covers the screen and a screen on both sides, at least as fine as the screen', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 1e-9, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 2 ** 53 - 1 }),
        (at, share, length) => {
          const span = Math.max(20, length * share);
          const view = wanted(at * length, at * length + span);
          const ask = askFor(view, length, []);
          expect(ask.from).toBeLessThanOrEqual(Math.max(0, view.from - span * 0.99));
          expect(ask.to).toBeGreaterThanOrEqual(Math.min(length, view.to + span * 0.99));
          expect(ask.from).toBeGreaterThanOrEqual(0);
          expect(ask.to - ask.from).toBeLessThanOrEqual(span * 5 + 2);
          expect(ask.nsPerPixel).toBeLessThanOrEqual(view.nsPerPixel);
          expect(ask.nsPerPixel * 2).toBeGreaterThan(view.nsPerPixel);
        },
      ),
    );
  });

  it('is the same for a small pan, and holds the tracks near by once each', () => {
    const ask = askFor(wanted(50_000, 51_000, [3, 4]), 100_000, [2, 3, 4, 5]);
    expect(askFor(wanted(50_001, 51_001, [3, 4]), 100_000, [2, 3, 4, 5])).toEqual(ask);
    expect(ask.tracks).toEqual([2, 3, 4, 5]);
  });

  it('keeps its resolution positive at any zoom', () => {
    expect(quantise(0)).toBeGreaterThan(0);
    expect(quantise(1000)).toBe(512);
  });
});

describe('the cache', () => {
  it('has one request under way, and asks the newest wish next', async () => {
    const host = slowHost(1_000_000);
    host.cache.want(wanted(0, 1000), []);
    host.cache.want(wanted(200_000, 201_000), []);
    host.cache.want(wanted(500_000, 501_000), []);
    expect(host.asked).toHaveLength(1);
    await host.settle(() => host.answers[0]!.resolve(sliceOf([])));
    expect(host.asked).toHaveLength(2);
    expect(host.asked[1]!.from).toBeGreaterThan(400_000);
    await host.settle(() => host.answers[1]!.resolve(sliceOf([])));
    expect(host.asked).toHaveLength(2);
    expect(host.arrivals()).toBe(2);
  });

  it('asks nothing for what it has, even where the host answered coarser', async () => {
    const host = slowHost(1_000_000);
    host.cache.want(wanted(0, 1000), []);
    await host.settle(() => host.answers[0]!.resolve({ ...sliceOf([]), nsPerPixel: 64 }));
    host.cache.want(wanted(300, 1300), []);
    expect(host.asked).toHaveLength(1);
    host.cache.want(wanted(0, 300), []);
    expect(host.asked).toHaveLength(2);
  });

  it('draws old data until better is there', async () => {
    const host = slowHost(1_000_000);
    host.cache.want(wanted(0, 1_000_000), []);
    const coarse = sliceOf([{ track: 0, start: 0, end: 10 }]);
    await host.settle(() => host.answers[0]!.resolve(coarse));
    const close = wanted(1000, 2000);
    expect([...host.cache.best(close).keys()].map((index) => index.slice)).toEqual([coarse]);
    host.cache.want(close, []);
    const fine = sliceOf([]);
    await host.settle(() => host.answers[1]!.resolve(fine));
    expect([...host.cache.best(close).keys()].map((index) => index.slice)).toEqual([fine]);
    expect([...host.cache.best(wanted(0, 1_000_000)).keys()].map((index) => index.slice)).toEqual([coarse]);
  });

  it('serves each track from a slice that has it', async () => {
    const host = slowHost(1000, 4);
    host.cache.want(wanted(0, 1000, [0, 1]), []);
    await host.settle(() => host.answers[0]!.resolve(sliceOf([])));
    host.cache.want(wanted(0, 1000, [2, 3]), []);
    await host.settle(() => host.answers[1]!.resolve(sliceOf([])));
    const best = host.cache.best(wanted(0, 1000, [1, 2]));
    expect([...best.values()]).toEqual([[1], [2]]);
  });

  it('tells of an error and goes on with the next wish; stopped, it says nothing', async () => {
    const host = slowHost(1000);
    host.cache.want(wanted(0, 1000), []);
    await host.settle(() => host.answers[0]!.reject(new Error('gone')));
    expect(host.errors).toHaveLength(1);
    host.cache.want(wanted(0, 1000), []);
    expect(host.asked).toHaveLength(2);
    host.cache.stop();
    await host.settle(() => host.answers[1]!.resolve(sliceOf([])));
    expect(host.arrivals()).toBe(0);
    host.cache.want(wanted(0, 500), []);
    expect(host.asked).toHaveLength(2);
  });
});

describe('the index of a slice', () => {
  const spans = fc.array(
    fc.record({
      track: fc.integer({ min: 0, max: 3 }),
      row: fc.integer({ min: 0, max: 2 }),
      start: fc.integer({ min: 0, max: 500 }),
      size: fc.integer({ min: 1, max: 60 }),
    }),
    { maxLength: 60 },
  );

  it('finds exactly the spans of a track that overlap a range, whatever order they came in', () => {
    fc.assert(
      fc.property(
        spans,
        fc.integer({ min: 0, max: 500 }),
        fc.integer({ min: 0, max: 100 }),
        (list, from, width) => {
          // Spans of one row do not overlap.
          const free = new Map<string, number>();
          const apart = [...list]
            .sort((a, b) => a.start - b.start)
            .map(({ track, row, start, size }) => {
              const key = `${track} ${row}`;
              const begin = Math.max(start, free.get(key) ?? 0);
              free.set(key, begin + size);
              return { track, row, start: begin, end: begin + size };
            });
          const order = list.length % 2 === 0 ? apart : apart.toReversed();
          const index = indexSlice(sliceOf(order), 4);
          for (let track = 0; track < 4; track++) {
            const found: number[] = [];
            eachSpan(index, track, from, from + width, (span) => found.push(span));
            const expected = [...order.keys()].filter((k) => {
              const span = order[k]!;
              return span.track === track && span.end >= from && span.start <= from + width;
            });
            expect(found.sort((a, b) => a - b)).toEqual(expected);
          }
        },
      ),
    );
  });

  it('leaves out tracks that it does not know', () => {
    const index = indexSlice(sliceOf([{ track: 9, start: 0, end: 1 }]), 2);
    expect(index.spans.items).toHaveLength(0);
  });
});
