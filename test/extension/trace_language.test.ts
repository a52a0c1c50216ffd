import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpenTrace } from '../../src/debug/model';
import { eventHover, sessionLineText, stoppedText, traceFolds } from '../../src/extension/trace/describe';
import { parseSession } from '../../src/session/parse';
import { simulate } from '../../src/simulate';
import { english } from './english';

const text = readFileSync(new URL('../../samples/loop-zc.ublk', import.meta.url), 'utf8');
const session = parseSession(text, 'loop-zc.ublk');
const { trace, output, exitCode } = simulate(session);
const open = new OpenTrace(trace, { kind: 'session', path: 'loop-zc.ublk', session, output, exitCode });

function first(name: string): number {
  for (let event = 0; event < trace.length; event++) if (trace.nameOf(event) === name) return event;
  throw new Error(`no ${name}`);
}

describe('hover of an event', () => {
  it('says what it means, its fields with units, and its request', () => {
    const hover = eventHover(open, first('ublk_queue_rq'), english);
    expect(hover).toContain('`ublk_queue_rq()`');
    expect(hover).toContain('blk-mq hands the request to ublk_drv');
    expect(hover).toMatch(/- `len` = `4096 bytes \(4 KiB\)`: payload/);
    expect(hover).toMatch(/q0 tag \d+ \w+ .*\(event \d+ of \d+/);
    expect(hover).not.toContain('`loc`');
  });

  it('says something of every event', () => {
    for (let event = 0; event < trace.length; event++) {
      expect(eventHover(open, event, english).startsWith(`**${trace.nameOf(event)}**`)).toBe(true);
    }
  });
});

describe('folding of trace text', () => {
  const lines = open.printer.text().split('\n');

  it('begins with the header', () => {
    const [header] = traceFolds(open, 1000);
    expect(header).toEqual({ start: 0, end: open.lineOf(0) - 2, kind: 'header' });
    expect(lines.slice(0, header!.end + 1).every((line) => line.startsWith('#'))).toBe(true);
  });

  it('holds runs of one request each, in order, apart from each other, at most so many', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (limit) => {
        const folds = traceFolds(open, limit).filter((fold) => fold.kind === 'request');
        expect(folds.length).toBeLessThanOrEqual(limit);
        expect(folds.length).toBeGreaterThan(0);
        let last = -1;
        for (const { start, end } of folds) {
          expect(start).toBeGreaterThan(last);
          last = end;
          const rows = new Set<number>();
          for (let line = start; line <= end; line++)
            rows.add(open.requests.requestOf(open.eventAtLine(line + 1)));
          expect(rows.size).toBe(1);
          expect([...rows][0]).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe('values behind lines', () => {
  it('tell how far a request is', () => {
    const events = open.requests.events(0);
    expect(stoppedText(open, events[1]!, english)).toMatch(
      new RegExp(`^q0 tag \\d+ .* #1, event 2 of ${events.length}, \\+[\\d.]+ (ns|µs)$`),
    );
  });

  it('tell how many I/Os of a session line are out', () => {
    const line = text.split('\n').findIndex((each) => each.startsWith('fio')) + 1;
    const events = open.sessionLines.events(line);
    expect(sessionLineText(open, line, 0, english)).toBe('not reached');
    expect(sessionLineText(open, line, events[1]!, english)).toBe('1 of 8 I/Os issued');
    expect(sessionLineText(open, line, trace.length, english)).toBe('8 of 8 I/Os issued');
    expect(sessionLineText(open, 1, 0, english)).toBe('');
  });
});
