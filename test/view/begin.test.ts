import { describe, expect, it } from 'vitest';
import type { OpenTrace } from '../../src/debug/model';
import { english } from '../../src/view/machine_names';
import { TraceView } from '../../src/view/view';
import { fromText, recording, sample, timelineOf } from './support';

const HEADER = '# tracer: nop\n#\n';
/** A trace without requests. */
const SET_UP = `${HEADER}     a-1 [000] ..... 1.000001: alpha: x=1\n     a-1 [000] ..... 1.000002: alpha: x=2\n`;

function viewOf(open: OpenTrace): TraceView {
  return new TraceView(open, timelineOf(open), english);
}

describe('a view that nobody has moved in', () => {
  it.each([
    ['samples/loop-zc', () => sample('loop-zc.ublk')],
    ['a 7.3 daemon that is killed', () => recording('k7.3-abort-stopped-daemon-loop-kublk')],
  ] as const)('begins with the first event of a request: %s', async (_, load) => {
    const open = await load();
    const { requests, cursor, trace } = open;
    viewOf(open).begin('view');
    const before = Array.from({ length: cursor.event }, (_, event) => requests.requestOf(event));
    expect(before.length).toBeGreaterThan(0);
    expect(before.every((row) => row < 0)).toBe(true);
    expect(requests.requestOf(cursor.event)).toBe(0);
    expect(trace.nameOf(cursor.event)).toBe('block_bio_queue');
    expect(cursor.request).toBeUndefined();
  });

  it('stays where somebody has put the cursor, be it the first event', async () => {
    const open = await sample('loop-zc.ublk');
    open.cursor.move(0, undefined, 'debugger');
    viewOf(open).begin('view');
    expect(open.cursor.event).toBe(0);
    open.cursor.move(7, 2, 'tree');
    viewOf(open).begin('view');
    expect([open.cursor.event, open.cursor.request]).toEqual([7, 2]);
  });

  it('stays at the first event where the trace has no requests', async () => {
    const open = await fromText(SET_UP);
    viewOf(open).begin('view');
    expect(open.cursor.event).toBe(0);
  });
});
