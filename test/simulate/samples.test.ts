import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTraceText } from '../../src/debug/open';
import { parseSession } from '../../src/session/parse';
import { simulate } from '../../src/simulate';
import { TextParser } from '../../src/trace/parse';
import { matchRequests } from '../../src/trace/requests';
import { Trace } from '../../src/trace/trace';
import { kernelText } from '../../src/view/explain';
import { sessions } from './arbitraries';
import { balanceOf, unmatched } from './balance';
import { eventsOf, hash, madeUp, run, traceText } from './support';

const SAMPLES = join(__dirname, '..', '..', 'samples');
const RECORDINGS = join(SAMPLES, 'recordings');

function simulated(name: string): ReturnType<typeof simulate> & { session: ReturnType<typeof parseSession> } {
  const session = parseSession(readFileSync(join(SAMPLES, name), 'utf8'), name);
  return { ...simulate(session), session };
}

function parsed(text: string): Trace {
  const trace = new Trace();
  const parser = new TextParser(trace);
  parser.push(Buffer.from(text));
  parser.end();
  return trace;
}

describe.each(readdirSync(SAMPLES).filter((name) => name.endsWith('.ublk')))('%s', (name) => {
  const { session, ...result } = simulated(name);
  const text = traceText(result.trace);

  it('ends well', () => {
    expect(session.diagnostics).toEqual([]);
    expect([result.exitCode, result.output]).toEqual([
      0,
      expect.not.stringMatching(/hangs|never struck|stopped/),
    ]);
    if (session.ringOnly) expect(result.sqes.length).toBeGreaterThan(0);
    else expect(result.clientIos).toBeGreaterThan(0);
  });

  it('prints text that reads back as the same trace', () => {
    expect(traceText(parsed(text))).toBe(text);
  });

  it('leaves nothing open', () => {
    expect(balanceOf(result.trace)).toEqual([]);
  });
});

describe('leak-overcommit.ublk', () => {
  it('shows the reader what nobody filled', () => {
    const { trace } = simulated('leak-overcommit.ublk');
    const exposed = eventsOf(trace, 'page_expose').map((i) => [
      trace.num(i, 'filled'),
      trace.num(i, 'length'),
    ]);
    expect(exposed.filter(([filled, length]) => filled !== length)).toEqual([[4096, 32768]]);
  });
});

describe('killed-daemon.ublk', () => {
  it('serves in their next life what the dead server had', () => {
    const { trace } = simulated('killed-daemon.ublk');
    const requeued = eventsOf(trace, 'blk_mq_requeue_request');
    expect(requeued).toHaveLength(4);
    const requests = matchRequests(trace);
    const rows = Array.from({ length: requests.length }, (_, r) => requests.toJson(r));
    const sectors = requeued.map((i) => (trace.num(i, 'sector') ?? -1) * 512);
    for (const offset of sectors)
      expect(rows.filter((row) => row.offset === offset).map((row) => row.result)).toEqual([null, 4096]);
  });
});

describe('depth-1-to-32.ublk', () => {
  it('has as many requests in flight as each run says', () => {
    const { trace } = simulated('depth-1-to-32.ublk');
    const requests = matchRequests(trace);
    const rows = Array.from({ length: requests.length }, (_, r) => requests.toJson(r)).slice(-6 * 32);
    const most = [0, 1, 2, 3, 4, 5].map((run) => {
      const these = rows.slice(run * 32, run * 32 + 32);
      return Math.max(
        ...these.map(
          (row) => these.filter((o) => o.start_ns <= row.start_ns && o.end_ns! > row.start_ns).length,
        ),
      );
    });
    expect(most).toEqual([1, 2, 4, 8, 16, 32]);
  });
});

describe.each(readdirSync(RECORDINGS))('recordings/%s', (name) => {
  const text = readFileSync(join(RECORDINGS, name), 'utf8');

  it('says which kernel it was made on', async () => {
    const open = await openTraceText(name, [new TextEncoder().encode(text)], {
      pause: () => Promise.resolve(),
    });
    expect(kernelText(open, (said) => said)).toMatch(/^(6\.1\.0-56|6\.1\.192-rc-rfc|7\.3\.4)/);
  });

  it('is read whole, with every request known by its tag', () => {
    const trace = parsed(text);
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(trace.length).toBe(lines.length);
    const requests = matchRequests(trace);
    expect(requests.length).toBeGreaterThan(5);
    const rows = Array.from({ length: requests.length }, (_, r) => requests.toJson(r));
    expect(rows.filter((row) => row.confidence !== 'exact')).toEqual([]);
    expect(new Set(rows.map((row) => row.path))).toContain(
      { '6.1-loop-copy.ublktrace': 'copy', 'rfc-loop-zc.ublktrace': 'splice' }[name] ?? 'auto-buf',
    );
  });
});

it('README.md lists every sample', () => {
  const readme = readFileSync(join(SAMPLES, 'README.md'), 'utf8');
  const linked = [...readme.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]);
  const files = readdirSync(SAMPLES, { recursive: true }).map(String);
  expect(linked.sort()).toEqual(files.filter((file) => /\.(ublk|ublktrace|ring\.json)$/.test(file)).sort());
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
