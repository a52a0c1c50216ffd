import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpenTrace } from '../../src/debug/model';
import { isPlaceMark, markOf, placeOf } from '../../src/extension/places';
import { parseSession } from '../../src/session/parse';
import { simulate } from '../../src/simulate';

const text = readFileSync(new URL('../../samples/loop-zc.ublk', import.meta.url), 'utf8');

function run(session: string): OpenTrace {
  const parsed = parseSession(session, 'a.ublk');
  const { trace, output, exitCode } = simulate(parsed);
  return new OpenTrace(trace, { kind: 'session', path: 'a.ublk', session: parsed, output, exitCode });
}

const open = run(text);

describe('places', () => {
  it('are found again in the next run of the same program, whatever they are', () => {
    const next = run(text);
    fc.assert(
      fc.property(fc.nat(open.length - 1), fc.boolean(), (event, whole) => {
        const row = open.requests.requestOf(event);
        const place = whole && row >= 0 ? { row, event: -1 } : { row, event };
        // Bios that were merged into a request are no events of its list.
        if (row >= 0 && !open.requests.events(row).includes(event)) return;
        const stored: unknown = JSON.parse(JSON.stringify(markOf(open, place)));
        expect(isPlaceMark(stored) && placeOf(next, stored)).toEqual(place);
      }),
      { numRuns: 200 },
    );
  });

  it('are found when other commands were put before them', () => {
    const edited = run(text.replace(/^ublk add/m, 'truncate -s 1M other.img\nublk add'));
    const row = 3;
    const event = open.requests.events(row)[4]!;
    const found = placeOf(edited, markOf(open, { row, event }))!;
    expect(found.event).not.toBe(event);
    expect(edited.trace.nameOf(found.event)).toBe(open.trace.nameOf(event));
    const key = (of: OpenTrace, at: number): unknown[] => [
      of.requests.queue[at],
      of.requests.tag[at],
      of.requests.life[at],
    ];
    expect(key(edited, found.row)).toEqual(key(open, row));
  });

  it('are not found where there is nothing of the kind', () => {
    expect(placeOf(open, { request: { device: 'ublkb0', queue: 0, tag: 0, life: 99999 } })).toBeUndefined();
    expect(placeOf(open, { name: 'no_such_event', nth: 0 })).toBeUndefined();
  });

  it.each([
    undefined,
    {},
    { name: 'a' },
    { name: 1, nth: 0 },
    { request: {} },
    { request: { device: 'd', queue: '0', tag: 0, life: 1 } },
  ])('are not read from %j', (value) => {
    expect(isPlaceMark(value)).toBe(false);
  });
});
