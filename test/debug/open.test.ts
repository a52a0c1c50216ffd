import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Opened } from '../../src/debug/dap_session';
import { Sources } from '../../src/debug/dap_sources';
import { type OpenHost, openSession, openTraceText } from '../../src/debug/open';
import { Client, testHost } from './client';

const FIXTURE = join(__dirname, '..', 'fixtures', 'dap', 'loop-zc.ublktrace.gz');
const BYTES = gunzipSync(readFileSync(FIXTURE));
const LONG =
  'truncate -s 64M d\nublk add -t loop -f d -q 1 -d 4\ndd if=/dev/ublkb0 of=/dev/null bs=64k iflag=direct\nublk del -n 0\n';

function host(more: Partial<OpenHost> = {}): OpenHost {
  return { pause: async () => {}, ...more };
}

describe('opening', () => {
  test('a session is simulated in slices that can be cancelled', async () => {
    let pauses = 0;
    const pause = async (): Promise<void> => {
      pauses++;
    };
    const open = await openSession('a.ublk', LONG, host({ pause }));
    expect(pauses).toBeGreaterThan(4);
    expect(open.requests.length).toBeGreaterThan(1000);
    const stop = openSession('a.ublk', LONG, host({ cancelled: () => true }));
    await expect(stop).rejects.toMatchObject({ name: 'OpenCancelled' });
  });

  test('errors of a session name file, line and column', async () => {
    const bad = openSession('a.ublk', 'truncate -s 64M d\nublk add -t loop -y\n', host());
    await expect(bad).rejects.toThrow(/^a\.ublk:2:\d+: /);
  });

  test('files that a session names are read once each', async () => {
    const asked: string[] = [];
    const readFile = async (path: string): Promise<undefined> => void asked.push(path);
    await openSession('a.ublk', LONG, { ...host(), readFile });
    expect(asked).toEqual(['d']);
  });

  test('lines and events of the text map both ways', async () => {
    const open = await openTraceText('t', [BYTES], host());
    const lines = new TextDecoder().decode(BYTES).split('\n');
    for (let i = 0; i < open.length; i += 37) {
      expect(lines[open.lineOf(i) - 1]).toBe(open.printer.line(i));
      expect(open.eventAtLine(open.lineOf(i))).toBe(i);
    }
    expect(open.eventAtLine(1)).toBe(0);
    expect(open.eventAtLine(lines.length + 1)).toBe(-1);
    expect(open.source).toMatchObject({ kind: 'text', session: 'samples/loop-zc.ublk', damaged: 0 });
  });

  test('the cursor tells of moves, once each, and stays within the trace', async () => {
    const { cursor, length } = await openTraceText('t', [BYTES], host());
    const moves: number[] = [];
    const listening = cursor.onDidChange(({ event, from }) => moves.push(from.event, event));
    cursor.move(5, undefined);
    cursor.move(5, undefined);
    cursor.move(length + 10, 2);
    listening.dispose();
    cursor.move(0, undefined);
    expect(moves).toEqual([0, 5, 5, length - 1]);
  });
});

describe('excerpts', () => {
  /** A trace of three excerpts, with notes between its events. */
  async function large(): Promise<Opened> {
    const [head, ...rest] = splitHead(new TextDecoder().decode(BYTES));
    const body = rest.join('\n');
    const text = [head, body, '# a note', body, body, '# and another', '# at once', body, body, body].join(
      '\n',
    );
    return { open: await openTraceText('big.txt', [new TextEncoder().encode(`${text}\n`)], host()) };
  }

  function splitHead(text: string): string[] {
    const lines = text.trimEnd().split('\n');
    const first = lines.findIndex((line) => !line.startsWith('#'));
    return [lines.slice(0, first).join('\n'), ...lines.slice(first)];
  }

  test('each event stands on its line of its excerpt, and is found there', async () => {
    const opened = await large();
    const { open } = opened;
    const sources = new Sources(opened, testHost());
    expect(sources.byExcerpts).toBe(true);
    const texts = new Map<number, string[]>();
    for (let i = 0; i < open.length; i++) {
      const { source, line } = sources.ofEvent(i);
      const reference = source.sourceReference!;
      if (!texts.has(reference)) texts.set(reference, sources.text(reference)!.split('\n'));
      expect(texts.get(reference)![line - 1]).toBe(open.printer.line(i));
      if (i % 97 === 0) expect(sources.target(source, line)).toEqual({ kind: 'trace', line, events: [i] });
    }
    expect(texts.size).toBe(3);
    const all = [...texts.values()].flat();
    expect(all.length).toBe(open.lineCount);
    expect(sources.text(99)).toBeUndefined();
  });

  test('breakpoints hold in them', async () => {
    const opened = await large();
    const client = new Client({ ...testHost(), open: async () => opened });
    await client.start({ program: 'big.txt' });
    await client.move('ublk-goto', { event: 6000 });
    const { stackFrames } = await client.ask<{
      stackFrames: { source: { sourceReference: number }; line: number }[];
    }>('stackTrace', { threadId: 1 });
    const { source, line } = stackFrames[1];
    expect(source.sourceReference).toBe(2);
    const { content } = await client.ask<{ content: string }>('source', { source, sourceReference: 2 });
    expect(content.split('\n')[line - 1]).toBe(opened.open.printer.line(6000));
    await client.ask('setBreakpoints', { source, breakpoints: [{ line: line + 10 }] });
    expect((await client.move('continue')).reason).toBe('breakpoint');
    expect((await client.where()).event).toBe(6010);
  });
});
