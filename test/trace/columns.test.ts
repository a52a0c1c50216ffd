import { expect, it } from 'vitest';
import { TextParser } from '../../src/trace/parse';
import { Printer } from '../../src/trace/print';
import { Trace } from '../../src/trace/trace';

it('keeps a flags column that comes behind 70,000 other strings', () => {
  const lines: string[] = [];
  for (let i = 0; i < 70_000; i++)
    lines.push(
      `            comm-1       [000] ..... ${String(i).padStart(5)}.000000: some_event: name=n${i}x`,
    );
  lines.push('          <idle>-0       [001] d.h2. 90000.000000: some_event: name=last');
  const text = `${lines.join('\n')}\n`;
  const trace = new Trace();
  const parser = new TextParser(trace);
  parser.push(new TextEncoder().encode(text));
  expect(parser.end().damaged).toBe(0);
  expect(trace.strings.size).toBeGreaterThan(70_000);
  expect(trace.flagsText(70_000)).toBe('d.h2.');
  expect(new Printer(trace).text() === text).toBe(true);
});

it('refuses a flags column that its table has no room for', () => {
  const trace = new Trace();
  for (let k = 1; k <= 0xffff; k++) trace.flagsId(trace.strings.id(`f${k}`));
  const parser = new TextParser(trace);
  parser.push(new TextEncoder().encode('  comm-1  [000] ..... 1.000000: some_event: a=1\n'));
  expect(parser.end().damaged).toBe(1);
  expect(trace.length).toBe(0);
  trace.reserve(0);
  expect(() => trace.commit(0, 0, 0, 0, trace.strings.id('more'), 0)).toThrow(RangeError);
});

it('reads pieces whose memory is used again for the next piece', () => {
  const text = Array.from(
    { length: 50 },
    (_, i) => `            comm-${i}       [000] ..... ${i}.000000: some_event: a=${i}\n`,
  ).join('');
  const bytes = Buffer.from(text);
  const memory = Buffer.alloc(37);
  const trace = new Trace();
  const parser = new TextParser(trace);
  for (let at = 0; at < bytes.length; at += memory.length) {
    const length = bytes.copy(memory, 0, at, at + memory.length);
    parser.push(memory.subarray(0, length));
  }
  expect(parser.end()).toEqual({ lines: 50, unknown: 50, damaged: 0, lost: 0 });
  expect(trace.length).toBe(50);
  expect(Array.from({ length: 50 }, (_, i) => trace.num(i, 'a'))).toEqual(
    Array.from({ length: 50 }, (_, i) => i),
  );
});
