import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackingFile } from '../../src/kernel/file';
import type { PageCache } from '../../src/kernel/page_cache';
import type { Gen } from '../../src/kernel/sched';
import { machine, runTasks } from './support';

const PAGES = 24;
const SIZE = PAGES * 4096;

interface Step {
  readonly kind: 'write' | 'read' | 'punch' | 'truncate' | 'fill' | 'sync' | 'cached-write' | 'cached-read';
  readonly sector: number;
  readonly sectors: number;
  readonly value: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('write', 'read', 'punch', 'truncate', 'fill'),
  sector: fc.nat(SIZE / 512 - 1),
  sectors: fc.integer({ min: 1, max: 60 }),
  value: fc.integer({ min: 1, max: 255 }),
});

/** Applies the steps to a file and to plain bytes; every read must agree. */
function compare(steps: readonly Step[], blockSize: number, raw: boolean, known: number | undefined): void {
  const before = new Uint8Array(known ?? 0).map((_, i) => (i * 13) % 251);
  const m = machine({
    blockSize,
    rawBacking: raw,
    initial: () =>
      known === undefined
        ? undefined
        : { size: known, read: (offset, dst) => dst.set(before.subarray(offset, offset + dst.length)) },
  });
  const file = m.file('disk.img', true) as BackingFile;
  if (file.size < SIZE) file.truncate(SIZE);
  let model = new Uint8Array(SIZE);
  model.set(before);
  runTasks(m.kernel, function* (task): Gen<void> {
    for (const { kind, sector, sectors, value } of steps) {
      const offset = sector * 512;
      const length = Math.min(sectors * 512, Math.max(0, model.length - offset));
      if (kind === 'truncate') {
        const next = new Uint8Array(Math.max(4096, offset + 100));
        next.set(model.subarray(0, Math.min(model.length, next.length)));
        model = next;
        m.truncate(file, next.length);
        expect(file.size).toBe(next.length);
        continue;
      }
      if (length === 0) continue;
      const buffer = m.kernel.memory.alloc(sectors * 512);
      const bytes = m.kernel.memory.touch(buffer, 0, sectors * 512);
      if (kind === 'punch') {
        file.punch(offset, length);
        model.fill(0, offset, offset + length);
      } else if (kind === 'fill') {
        bytes.fill(value);
        file.fill(offset, bytes.subarray(0, length));
        model.fill(value, offset, offset + length);
      } else if (kind === 'write' && length % 512 === 0) {
        bytes.fill(value);
        expect(yield* file.directAndWait(task, true, offset, [{ buffer, offset: 0, length }])).toBe(length);
        model.fill(value, offset, offset + length);
      } else {
        bytes.fill(99);
        expect(
          yield* file.directAndWait(task, false, offset, [{ buffer, offset: 0, length: sectors * 512 }]),
        ).toBe(length);
        expect(
          Buffer.compare(m.kernel.memory.touch(buffer, 0, length), model.subarray(offset, offset + length)),
        ).toBe(0);
      }
    }
  });
  expect(Buffer.compare(m.contentOf(file, 0, file.size), model)).toBe(0);
  const saved = new Uint8Array(file.size);
  for (const range of m.rangesOf(file)) saved.set(range.bytes, range.offset);
  expect(Buffer.compare(saved, model)).toBe(0);
}

describe('BackingFile', () => {
  it('holds what was written, punched, cut or there before', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 20 }),
        fc.constantFrom(512, 1024, 4096, 65536),
        fc.boolean(),
        fc.option(fc.nat(SIZE), { nil: undefined }),
        compare,
      ),
      { numRuns: 150 },
    );
  });

  it('reads holes without the disk', () => {
    const m = machine();
    const file = m.file('a', true) as BackingFile;
    file.truncate(SIZE);
    const reads = (): number => {
      let n = 0;
      for (let i = 0; i < m.kernel.rec.trace.length; i++)
        if (m.kernel.rec.trace.nameOf(i) === 'block_rq_issue') n++;
      return n;
    };
    const body = function* (task: Parameters<typeof file.directAndWait>[0]): Gen<void> {
      const buffer = m.kernel.memory.alloc(8192);
      yield* file.directAndWait(task, false, 4096, [{ buffer, offset: 0, length: 8192 }]);
    };
    runTasks(m.kernel, body);
    expect(reads()).toBe(0);
    file.fill(8192, new Uint8Array(512));
    runTasks(m.kernel, body);
    expect(reads()).toBe(1);
  });
});

describe('PageCache', () => {
  const cachedStep: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom('cached-write', 'cached-read', 'sync', 'punch'),
    sector: fc.nat(SIZE - 1),
    sectors: fc.integer({ min: 1, max: 20_000 }),
    value: fc.integer({ min: 1, max: 255 }),
  });

  it('gives what was written last, at byte granularity, whatever was written back or dropped', () => {
    fc.assert(
      fc.property(
        fc.array(cachedStep, { maxLength: 25 }),
        fc.constantFrom(1 << 26, 256 << 10),
        (steps, memory) => {
          const m = machine({ memory });
          const file = m.file('disk.img', true) as BackingFile;
          file.truncate(SIZE);
          const cache: PageCache = m.cacheOf(file);
          const model = new Uint8Array(SIZE);
          runTasks(m.kernel, function* (task): Gen<void> {
            for (const { kind, sector: offset, sectors, value } of steps) {
              const length = Math.min(sectors, SIZE - offset);
              if (kind === 'sync') expect(yield* cache.writeBack(task)).toBe(0);
              else if (kind === 'punch') {
                yield* cache.discard(task, offset, length);
                file.punch(offset, length);
                model.fill(0, offset, offset + length);
              } else if (kind === 'cached-write') {
                expect(yield* cache.write(task, offset, new Uint8Array(length).fill(value))).toBe(length);
                model.fill(value, offset, offset + length);
              } else {
                expect(yield* cache.fillAndWait(task, offset, length)).toBe(0);
                const got = new Uint8Array(length);
                expect(cache.copyOut(offset, got)).toBe(length);
                expect(Buffer.compare(got, model.subarray(offset, offset + length))).toBe(0);
              }
            }
          });
          expect(Buffer.compare(m.contentOf(file, 0, SIZE), model)).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('waits for pages that another task is reading, and keeps a write that meets the read', () => {
    const before = new Uint8Array(SIZE).fill(5);
    const m = machine({
      initial: () => ({
        size: SIZE,
        read: (offset, dst) => dst.set(before.subarray(offset, offset + dst.length)),
      }),
    });
    const file = m.file('disk.img', true) as BackingFile;
    const cache = m.cacheOf(file);
    const got: number[] = [];
    const reader = function* (task: Parameters<typeof cache.fillAndWait>[0]): Gen<void> {
      expect(yield* cache.fillAndWait(task, 0, 8192)).toBe(0);
      const bytes = new Uint8Array(8192);
      cache.copyOut(0, bytes);
      got.push(bytes[0], bytes[8191]);
    };
    const writer = function* (task: Parameters<typeof cache.fillAndWait>[0]): Gen<void> {
      yield 20_000;
      yield* cache.write(task, 4096, new Uint8Array(4096).fill(9));
    };
    runTasks(m.kernel, reader, reader, writer);
    expect(got[0]).toBe(5);
    expect(got.length).toBe(4);
    const bytes = new Uint8Array(8192);
    cache.copyOut(0, bytes);
    expect([bytes[4095], bytes[4096], bytes[8191]]).toEqual([5, 9, 9]);
  });

  it('leaves the newest content on disk when pages are written while they are written back', () => {
    const m = machine();
    const file = m.file('disk.img', true) as BackingFile;
    file.truncate(SIZE);
    const cache = m.cacheOf(file);
    const flusher = (delay: number) =>
      function* (task: Parameters<typeof cache.writeBack>[0]): Gen<void> {
        yield delay;
        yield* cache.writeBack(task);
      };
    runTasks(
      m.kernel,
      function* (task): Gen<void> {
        for (let n = 1; n <= 50; n++) {
          yield* cache.write(task, 0, new Uint8Array(4096).fill(n));
          yield 7000;
        }
      },
      ...Array.from({ length: 30 }, (_, n) => flusher(n * 11_000)),
    );
    runTasks(m.kernel, flusher(0));
    expect(cache.hasDirty).toBe(false);
    expect(file.content(0, 4096).every((byte) => byte === 50)).toBe(true);
  });
});
