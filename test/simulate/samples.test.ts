import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSession } from '../../src/session/parse';
import { simulate } from '../../src/simulate';
import { TextParser } from '../../src/trace/parse';
import { matchRequests } from '../../src/trace/requests';
import { Trace } from '../../src/trace/trace';
import { sessions } from './arbitraries';
import { balanceOf, unmatched } from './balance';
import { hash, madeUp, run, traceText } from './support';

const SAMPLES = join(__dirname, '..', '..', 'samples');

function parsed(text: string): Trace {
  const trace = new Trace();
  const parser = new TextParser(trace);
  parser.push(Buffer.from(text));
  parser.end();
  return trace;
}

describe.each(readdirSync(SAMPLES).filter((name) => name.endsWith('.ublk')))('%s', (name) => {
  const session = parseSession(readFileSync(join(SAMPLES, name), 'utf8'), name);
  const result = simulate(session);
  const text = traceText(result.trace);

  it('ends well', () => {
    expect(session.diagnostics).toEqual([]);
    expect([result.exitCode, result.output]).toEqual([
      0,
      expect.not.stringMatching(/hangs|never struck|stopped/),
    ]);
    expect(result.clientIos).toBeGreaterThan(0);
  });

  it('prints text that reads back as the same trace', () => {
    expect(traceText(parsed(text))).toBe(text);
  });

  it('leaves nothing open', () => {
    expect(balanceOf(result.trace)).toEqual([]);
  });
});

describe('the trace of any session', () => {
  it('reads back, replays, matches its requests and leaves nothing open', () => {
    fc.assert(
      fc.property(sessions(), ({ text, fileSize, contentSeed }) => {
        const content = contentSeed === undefined ? undefined : madeUp(fileSize, contentSeed);
        const result = run(text, { realFile: (path) => (path === 'disk.img' ? content : undefined) }, false);
        const printed = traceText(result.trace);
        expect(hash(traceText(parsed(printed)))).toBe(hash(printed));
        expect(balanceOf(result.trace, true)).toEqual([]);
      }),
      { numRuns: Number(process.env.RUNS ?? 30) },
    );
  });

  it('tells every request of the clients, with certainty', () => {
    fc.assert(
      fc.property(sessions(false), ({ text, fileSize, contentSeed }) => {
        const content = contentSeed === undefined ? undefined : madeUp(fileSize, contentSeed);
        const result = run(text, { realFile: (path) => (path === 'disk.img' ? content : undefined) }, false);
        expect(balanceOf(result.trace)).toEqual([]);
        const table = matchRequests(result.trace);
        const rows = Array.from({ length: table.length }, (_, r) => table.toJson(r));
        expect(
          rows.filter((row) => row.confidence !== 'exact' || row.end_ns === null || row.result === null),
        ).toEqual([]);
        expect(unmatched(result, text, rows)).toEqual([]);
      }),
      { numRuns: Number(process.env.RUNS ?? 30) },
    );
  });
});
