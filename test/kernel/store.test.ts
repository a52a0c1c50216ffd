import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutOfMemory, PhysicalMemory } from '../../src/kernel/memory';
import { ByteStore } from '../../src/kernel/store';

const SIZE = 40_000;
const range = fc
  .tuple(fc.nat(SIZE - 1), fc.integer({ min: 1, max: 12_000 }))
  .map(([at, n]) => ({ at, n: Math.min(n, SIZE - at) }));

describe('ByteStore', () => {
  it('holds what was written, zeroed or there before, and tells how much it stores', () => {
    const step = fc.record({
      kind: fc.constantFrom('write', 'zero', 'read'),
      range,
      value: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(
        fc.option(fc.nat(SIZE), { nil: undefined }),
        fc.array(step, { maxLength: 30 }),
        (known, steps) => {
          const before = new Uint8Array(known ?? 0).map((_, i) => (i * 7) % 251);
          const model = new Uint8Array(SIZE);
          model.set(before);
          let charged = 0;
          const initial =
            known === undefined
              ? undefined
              : {
                  size: before.length,
                  read: (offset: number, dst: Uint8Array) =>
                    dst.set(before.subarray(offset, offset + dst.length)),
                };
          const store = new ByteStore(initial, (bytes) => {
            charged += bytes;
          });
          for (const {
            kind,
            range: { at, n },
            value,
          } of steps) {
            if (kind === 'zero') {
              store.zero(at, n);
              model.fill(0, at, at + n);
            } else if (kind === 'write') {
              const bytes = new Uint8Array(n).map((_, i) => value + i);
              store.write(at, bytes);
              model.set(bytes, at);
            }
            const dst = new Uint8Array(n).fill(99);
            store.read(at, dst);
            expect(Buffer.compare(dst, model.subarray(at, at + n))).toBe(0);
            expect(charged).toBeGreaterThanOrEqual(0);
            expect(charged).toBeLessThanOrEqual(SIZE + 4096);
          }
          store.zero(0, SIZE + 8192);
          const all = new Uint8Array(SIZE);
          store.read(0, all);
          expect(all.every((byte) => byte === 0)).toBe(true);
          if (known === undefined) expect(charged).toBe(0);
        },
      ),
    );
  });
});

describe('PhysicalMemory', () => {
  it('finds the buffer of an address, and none between buffers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 20_000 }), fc.nat(4095)), {
          minLength: 1,
          maxLength: 20,
        }),
        fc.nat(),
        (sizes, pick) => {
          const memory = new PhysicalMemory(1 << 30);
          const buffers = sizes.map(([size, offset]) => {
            memory.scratch(5000);
            return memory.alloc(size, offset);
          });
          for (const buffer of buffers) {
            const offset = pick % buffer.size;
            expect(memory.find(buffer.addr + offset)).toEqual({ buffer, offset });
            expect(memory.find(buffer.addr + buffer.size)).toBeUndefined();
            expect(memory.find(buffer.addr - 1)).toBeUndefined();
          }
          const pages = buffers.flatMap((b) =>
            Array.from({ length: Math.ceil((b.size + (b.addr & 4095)) / 4096) }, (_, i) => b.pfn + i),
          );
          expect(new Set(pages).size).toBe(pages.length);
        },
      ),
    );
  });

  it('counts bytes that were touched, and refuses more than there are', () => {
    const memory = new PhysicalMemory(10_000);
    const big = memory.alloc(1 << 30);
    memory.touch(big, 0, 100).fill(7);
    expect(memory.touch(big, 50, 100).subarray(0, 60)).toEqual(
      new Uint8Array([...new Array(50).fill(7), ...new Array(10).fill(0)]),
    );
    expect(() => memory.touch(big, 0, 10_001)).toThrow(OutOfMemory);
    expect(() => memory.touch(memory.alloc(10), 5, 6)).toThrow(RangeError);
  });

  it('has freed pages to give again, and asks caches for theirs', () => {
    const memory = new PhysicalMemory(10_000);
    const page = memory.scratch(8000);
    memory.touch(page, 0, 8000);
    expect(memory.room(5000, 0, 0)).toBe(false);
    memory.reclaimers.push(() => {
      memory.free(page);
      return 8000;
    });
    expect(memory.room(5000, 0, 0)).toBe(true);
  });
});
