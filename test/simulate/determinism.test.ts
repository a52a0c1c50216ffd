import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sessions } from './arbitraries';
import { eventsOf, hash, madeUp, run, traceText } from './support';

const HEAD = (seed: number): string =>
  `#: kernel 6.1\n#: seed ${seed}\ntruncate -s 4M disk.img\nublk add -t loop -f disk.img -q 1 -d 8\n`;
const FIO =
  'fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --rw=randrw --bs=4k --iodepth=8 --number_ios=24\n';

describe('seeds', () => {
  it('give the same trace each time', () => {
    fc.assert(
      fc.property(sessions(), fc.integer({ min: 0, max: 1e9 }), ({ text, fileSize, contentSeed }, seed) => {
        const seeded = text.replace(/#: seed \d+/, `#: seed ${seed}`);
        const content = contentSeed === undefined ? undefined : madeUp(fileSize, contentSeed);
        const options = { realFile: (path: string) => (path === 'disk.img' ? content : undefined) };
        const once = run(seeded, options, false);
        const again = run(seeded, options, false);
        expect(hash(traceText(again.trace))).toBe(hash(traceText(once.trace)));
        expect(again.output).toBe(once.output);
      }),
      { numRuns: Number(process.env.RUNS ?? 200) },
    );
  });

  it('change order and timing, never what a client does or gets', () => {
    const orders = new Set<string>();
    const times = new Set<number>();
    const data = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const result = run(`${HEAD(seed)}${FIO}`);
      expect(result.exitCode).toBe(0);
      orders.add(
        eventsOf(result.trace, 'app_io_done')
          .map((i) => result.trace.num(i, 'id'))
          .join(),
      );
      times.add(result.time);
      const ios = result.ios.map(
        (io) => `${io.op} ${io.offset} ${io.result} ${hash(Buffer.from(io.data ?? []).toString('latin1'))}`,
      );
      data.add(ios.sort().join('\n'));
    }
    expect(orders.size).toBeGreaterThan(20);
    expect(times.size).toBeGreaterThan(150);
    expect(data.size).toBe(1);
  });
});
