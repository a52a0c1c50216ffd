import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { cliUnderTest } from '../support/cli';
import { loadRecording } from '../support/oracle';

const cli = cliUnderTest();
const text = loadRecording('k7.3-loop-copy-kublk-q1d32').text;
const events = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
const packed = gzipSync(text);

beforeAll(() => {
  const put = (name: string, content: string | Uint8Array): void =>
    writeFileSync(join(cli.folder(), name), content);
  put('good.txt', text);
  put('good.txt.gz', packed);
  put('short.gz', packed.subarray(0, packed.length >> 1));
  put(
    'bad.gz',
    packed.map((byte, i) => (i > 2000 && i < 2040 ? byte ^ 0x55 : byte)),
  );
  put('twice.gz', gzipSync(packed));
  put('empty', '');
  put('comments', '# tracer: nop\n#\n');
  put('prose', 'Dear Sir,\nI write to you.\n');
  put('trace.dat', Buffer.from('\u0017\u0008Dtracing6\0\0\0', 'latin1'));
  put('perf.data', 'PERFILE2abc');
  put('utf16', Buffer.from('\ufeff# tracer: nop\n', 'utf16le'));
  put(
    'binary',
    Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) & 255),
  );
  put(
    'some-bad.txt',
    text.replace('\n           iogen', '\nwhat is this?\n           iogen').concat('and this?\n'),
  );
  put('new\nline', '');
  mkdirSync(join(cli.folder(), 'folder'));
});

test.each([
  ['missing', 'missing:1:1: no such file or folder'],
  ['good.txt/x', 'good.txt/x:1:1: a part of the path is not a directory'],
  ['folder', 'folder:1:1: is a directory'],
  ['empty', 'empty:1:1: the file is empty'],
  ['comments', 'comments:2:1: no events (2 lines, all comments)'],
  ['prose', "prose:1:1: not a line of trace text: 'Dear Sir,' (and no line is an event; damaged lines: 2)"],
  ['trace.dat', 'trace.dat:1:1: this is binary trace.dat; make text of it first: trace-cmd report -t FILE'],
  ['perf.data', 'perf.data:1:1: this is binary perf.data; make text of it first: perf script -i FILE'],
  ['utf16', 'utf16:1:1: this is UTF-16 text; convert it first: iconv -f UTF-16 -t UTF-8 FILE'],
  ['binary', 'binary:1:1: this is a binary file, not trace text'],
  ['twice.gz', 'twice.gz:1:1: gzip data within gzip data'],
  ['new\nline', 'new?line:1:1: the file is empty'],
])('%j is refused', async (file, message) => {
  expect(await cli.run(['show', file])).toEqual({ code: 2, stdout: '', stderr: `${message}\n` });
});

test('a gzip file that ends early is refused with the byte where it ends', async () => {
  const { code, stdout, stderr } = await cli.run(['show', 'short.gz']);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(
    new RegExp(
      `^short\\.gz:1:1: gzip data ends early, at byte ${packed.length >> 1} \\(\\d+ events before it\\)\n$`,
    ),
  );
});

test('damaged gzip data is refused', async () => {
  const { code, stdout, stderr } = await cli.run(['show', 'bad.gz']);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^bad\.gz:1:1: gzip data is damaged near byte \d+ \(\d+ events before it\)\n$/);
});

test('text, gzip, and both through stdin give the same', async () => {
  const plain = await cli.run(['show', 'good.txt']);
  expect(plain).toMatchObject({ code: 0, stderr: '' });
  expect(plain.stdout.trimEnd().split('\n')).toHaveLength(events);
  expect(await cli.run(['show', 'good.txt.gz'])).toEqual(plain);
  expect(await cli.run(['show', '-'], { stdin: text })).toEqual(plain);
  expect(await cli.run(['show', '-'], { stdin: packed })).toEqual(plain);
});

test('nothing on stdin is an empty file', async () => {
  expect(await cli.run(['show', '-'])).toEqual({
    code: 2,
    stdout: '',
    stderr: '<stdin>:1:1: the file is empty\n',
  });
});

test('damaged lines among good ones are counted on stderr, and the rest is shown', async () => {
  const { code, stdout, stderr } = await cli.run(['show', 'some-bad.txt']);
  expect(code).toBe(0);
  expect(stdout.trimEnd().split('\n')).toHaveLength(events);
  expect(stderr).toBe('some-bad.txt:13:1: 2 damaged lines, first here\n');
});

test('a reader that goes away ends the program without a word', async () => {
  const { code, stderr, stdout } = await cli.run(['show', 'good.txt'], { readOnly: 1 });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.length).toBeGreaterThan(0);
});

test('colours come only when they are asked for, or on a terminal', async () => {
  const start = '\u001b[';
  expect((await cli.run(['show', 'good.txt'], { env: { FORCE_COLOR: '1' } })).stdout).toContain(start);
  expect((await cli.run(['show', 'good.txt'])).stdout).not.toContain(start);
  expect((await cli.run(['show', 'good.txt'], { env: { FORCE_COLOR: '0' } })).stdout).not.toContain(start);
});
