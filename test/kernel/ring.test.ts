import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pipe } from '../../src/kernel/pipe';
import { Ring } from '../../src/kernel/ring';
import { kernel } from './support';

describe('Ring', () => {
  it('gives CQEs in order, none lost, also beyond its size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(0)), { maxLength: 30 }),
        (entries, steps) => {
          const k = kernel();
          const ring = new Ring(k, 4, entries, entries, 0, k.newTask('t'));
          let posted = 0;
          let seen = 0;
          const reap = (): void => {
            for (; ring.cqReady > 0; ring.cqHead = (ring.cqHead + 1) >>> 0) {
              const at = (ring.cqHead & (ring.cqEntries - 1)) * 16;
              expect(ring.cqes.getUint32(at, true)).toBe(seen);
              expect(ring.cqes.getInt32(at + 8, true)).toBe(0 - seen);
              seen++;
            }
          };
          for (const n of steps) {
            if (n === 0) {
              reap();
              ring.flushOverflow();
            }
            for (let i = 0; i < n; i++) {
              ring.post(1, posted, posted, 0, 0 - posted);
              posted++;
            }
            expect(ring.cqReady).toBeLessThanOrEqual(ring.cqEntries);
            expect(ring.cqReady + ring.overflow.length).toBe(posted - seen);
          }
          while (seen < posted) {
            reap();
            ring.flushOverflow();
          }
          expect(ring.overflow.length).toBe(0);
        },
      ),
    );
  });
});

describe('Pipe', () => {
  it('is a queue of at most 16 buffers, consumed from the tail byte by byte', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.record({ add: fc.integer({ min: 1, max: 4096 }) }),
            fc.record({ eat: fc.integer({ min: 1, max: 9000 }) }),
            fc.constant('reset' as const),
          ),
          { maxLength: 60 },
        ),
        (steps) => {
          const k = kernel();
          const pipe = new Pipe(k);
          const buffer = k.memory.alloc(1 << 20);
          let held: number[] = [];
          for (const step of steps) {
            if (step === 'reset') {
              pipe.reset();
              held = [];
            } else if ('add' in step) {
              const fits = held.length < 16;
              expect(pipe.add({ buffer, offset: 0, length: step.add, pfn: buffer.pfn, pageOffset: 0 })).toBe(
                fits,
              );
              if (fits) held.push(step.add);
            } else {
              pipe.dismiss(step.eat);
              let left = step.eat;
              while (left > 0 && held.length > 0) {
                const n = Math.min(left, held[0]);
                left -= n;
                held[0] -= n;
                if (held[0] === 0) held.shift();
              }
            }
            expect(pipe.occupancy).toBe(held.length);
            expect(pipe.buffers(1 << 30).map((b) => b.length)).toEqual(held);
            expect(pipe.buffers(5000).reduce((sum, b) => sum + b.length, 0)).toBe(
              Math.min(
                5000,
                held.reduce((a, b) => a + b, 0),
              ),
            );
          }
        },
      ),
    );
  });
});
