import { describe, expect, it } from 'vitest';
import { Printer } from '../../src/trace/print';
import { listRecordings, loadRecording, parseTrace } from '../support/oracle';

const names = listRecordings();

describe('recordings as text', () => {
  it('are all there', () => {
    expect(names.length).toBe(97);
  });

  it.each(names)('%s reads and prints without loss', (name) => {
    const { text, meta } = loadRecording(name);
    const { trace, counts } = parseTrace(text);
    expect(counts).toMatchObject({ damaged: 0, lost: 0, unknown: 0 });
    expect(trace.length).toBe(meta.events);
    const seen: Record<string, number> = {};
    for (let e = 0; e < trace.length; e++) seen[trace.nameOf(e)] = (seen[trace.nameOf(e)] ?? 0) + 1;
    expect(seen).toEqual(meta.event_counts);
    const printed = new Printer(trace).text();
    if (printed !== text) {
      const got = printed.split('\n');
      text.split('\n').forEach((line, i) => {
        expect(got[i]).toBe(line);
      });
    }
    expect(printed === text).toBe(true);
  });

  it('give the same events in pieces of any size', () => {
    const { text } = loadRecording('k7.3-loop-zc-regbuf-kublk-q1d32');
    const whole = parseTrace(text).trace;
    for (const size of [1, 7, 1000, 65536]) {
      const { trace } = parseTrace(text, size);
      expect(new Printer(trace).text() === new Printer(whole).text()).toBe(true);
    }
  });
});
