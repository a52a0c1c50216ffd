import { expect, test } from 'vitest';
import { ReadError, readTraceText } from '../../src/convert/read_trace';
import { Printer } from '../../src/trace/print';
import { loadRecording } from '../support/oracle';

const encoder = new TextEncoder();
const line = '  iogen-586   [000] .....    33.394014: block_plug: [iogen]';

async function refusal(content: string | Uint8Array): Promise<ReadError> {
  const bytes = typeof content === 'string' ? encoder.encode(content) : content;
  return readTraceText([bytes]).then(
    () => expect.unreachable('it was read'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(ReadError);
      return error as ReadError;
    },
  );
}

test('pieces of any size give the same trace', async () => {
  const { text } = loadRecording('k7.3-null-kublk-q1d32');
  const bytes = encoder.encode(text);
  const whole = await readTraceText([bytes]);
  for (const size of [1, 7, 4095, 4096, 4097]) {
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    const { trace, counts } = await readTraceText(pieces());
    expect(counts).toEqual(whole.counts);
    expect(new Printer(trace).text()).toBe(new Printer(whole.trace).text());
  }
  expect(whole.counts).toMatchObject({ bytes: bytes.length, damaged: 0, firstDamaged: 0 });
});

test('a byte order mark is not part of the first line', async () => {
  const { counts } = await readTraceText([encoder.encode(`\ufeff# tracer: nop\n${line}\n`)]);
  expect(counts).toMatchObject({ events: 1, damaged: 0 });
});

test('a line of 10 MB is one damaged line, and reading goes on behind it', async () => {
  const { trace, counts } = await readTraceText([
    encoder.encode(`${line}\n${'x'.repeat(10_000_000)}\n${line}\n`),
  ]);
  expect(counts).toMatchObject({ events: 2, damaged: 1, firstDamaged: 2, lines: 3 });
  expect(trace.lineOf(1)).toBe(3);
  expect(trace.notes[0]!.text.length).toBeLessThan(10_000);
});

test('the hook sees every slice of at most 1 MiB and can stop the reading', async () => {
  const bytes = encoder.encode(`${line}\n`.repeat(60_000));
  const seen: number[] = [];
  await readTraceText([bytes], { between: (count) => void seen.push(count) });
  expect(seen.at(-1)).toBe(bytes.length);
  expect(seen).toHaveLength(Math.ceil(bytes.length / (1 << 20)));
  const stop = new Error('stop');
  const stopped = readTraceText([bytes], {
    between: () => {
      throw stop;
    },
  });
  await expect(stopped).rejects.toBe(stop);
});

test('comments alone are a trace to those who take it, other content without an event is not', async () => {
  const read = (text: string): ReturnType<typeof readTraceText> =>
    readTraceText([encoder.encode(text)], { eventless: true });
  const { trace, counts } = await read('# tracer: nop\n#\n');
  expect([trace.length, counts.events, counts.lines]).toEqual([0, 0, 2]);
  await expect(read('')).rejects.toThrow('the file is empty');
  await expect(read('# a\nb\n')).rejects.toThrow("not a line of trace text: 'b'");
});

test('content without an event is refused where it fails', async () => {
  expect(await refusal('')).toMatchObject({ message: 'the file is empty', line: 1, column: 1 });
  expect(await refusal('# a\n#\n#')).toMatchObject({ message: 'no events (3 lines, all comments)', line: 3 });
  expect(await refusal('# a\nb\n')).toMatchObject({
    message: "not a line of trace text: 'b' (and no line is an event)",
    line: 2,
  });
  expect(await refusal(Uint8Array.of(35, 0, 35))).toMatchObject({
    message: 'this is a binary file, not trace text',
  });
  expect((await refusal('\u001b[2J\u202e\r\n'.repeat(3))).message).toMatch(/^[ -~]+$/);
});
