import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IoWq } from '../../src/kernel/io_wq';
import type { Gen } from '../../src/kernel/sched';
import { PARK } from '../../src/kernel/sched';
import { kernel } from './support';

describe('IoWq', () => {
  it('runs all work; hashed work of one key in order and one at a time; never more workers than the bound', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ hash: fc.constantFrom(0, 0, 1, 2), at: fc.nat(100_000), sleep: fc.nat(50_000) }),
          { maxLength: 40 },
        ),
        fc.integer({ min: 1, max: 16 }),
        (works, entries) => {
          const k = kernel();
          const keys = [undefined, {}, {}];
          const wq = new IoWq(k, k.newTask('owner'), entries, () => undefined);
          const started: number[][] = [[], [], []];
          const running = [0, 0, 0];
          let ended = 0;
          for (const [n, work] of works.entries()) {
            k.sched.at(n * 10 + work.at, () =>
              wq.enqueue({
                hash: keys[work.hash],
                *run(worker): Gen<void> {
                  started[work.hash].push(k.rec.now);
                  running[work.hash]++;
                  if (work.hash > 0) expect(running[work.hash]).toBe(1);
                  let done = false;
                  k.sched.at(k.rec.now + work.sleep, () => {
                    done = true;
                    k.sched.wake(worker);
                  });
                  worker.onSleep?.();
                  while (!done) yield PARK;
                  worker.onWake?.();
                  running[work.hash]--;
                  ended++;
                },
              }),
            );
          }
          let workers = 0;
          k.sched.at(60_000, () => {
            workers = wq.size;
          });
          k.sched.run();
          expect(ended).toBe(works.length);
          expect(Math.max(workers, wq.size)).toBeLessThanOrEqual(Math.min(entries, 8));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('keeps the order of hashed work', () => {
    const k = kernel();
    const key = {};
    const wq = new IoWq(k, k.newTask('owner'), 8, () => undefined);
    const order: number[] = [];
    for (let n = 0; n < 20; n++) {
      wq.enqueue({
        hash: key,
        *run(): Gen<void> {
          yield 1000 - n * 40;
          order.push(n);
        },
      });
    }
    k.sched.run();
    expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('ends its workers after what they run, and drops what waits', () => {
    const k = kernel();
    let gone = 0;
    let ran = 0;
    let told = false;
    const wq = new IoWq(k, k.newTask('owner'), 8, () => gone++);
    for (let n = 0; n < 5; n++) {
      wq.enqueue({
        hash: wq,
        *run(): Gen<void> {
          yield 100_000;
          ran++;
        },
      });
    }
    k.sched.at(60_000, () =>
      wq.exit(() => {
        told = true;
        expect(wq.size).toBe(0);
      }),
    );
    k.sched.run();
    expect([ran, told, wq.size]).toEqual([1, true, 0]);
    expect(gone).toBeGreaterThan(0);
  });
});
