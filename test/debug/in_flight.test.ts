import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openTraceText } from '../../src/debug/open';

const ORACLE = join(__dirname, '..', 'fixtures', 'oracle');

test.each(['k7.3-fio-libaio-randrw-kublk', 'k6.1-abort-kill-loop-ublksrvold', 'k6.18-fuse-uring-q4-hp'])(
  'requests in flight of %s',
  async (name) => {
    const bytes = gunzipSync(readFileSync(join(ORACLE, name, 'trace.txt.gz')));
    const { requests, inFlight, length } = await openTraceText(name, [bytes], { pause: async () => {} });
    const spans = Array.from({ length: requests.length }, (_, r) => {
      const events = requests.events(r);
      const { device, queue, tag, status } = requests.get(r);
      let end = events.at(-1) ?? -1;
      if (status === 'open' && tag !== null) {
        let next = Infinity;
        for (let o = r + 1; o < requests.length && next === Infinity; o++) {
          const other = requests.get(o);
          if (other.device === device && other.queue === queue && other.tag === tag)
            next = requests.events(o)[0];
        }
        end = Math.max(end, next - 1);
      }
      return { from: events[0] ?? Infinity, end };
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: length - 1 }), fc.integer({ min: 0, max: 8 }), (event, limit) => {
        const wanted = spans.flatMap(({ from, end }, r) => (from <= event && event <= end ? [r] : []));
        const { rows, more } = inFlight.at(event, limit);
        expect(rows).toEqual(wanted.slice(0, limit));
        expect(more).toBe(Math.max(0, wanted.length - limit));
      }),
    );
  },
);
