import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { sniff, unreadable } from '../../src/convert/sniff';

test.each([
  ['empty', new Uint8Array(0)],
  ['gzip', gzipSync('x')],
  ['zstd', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x24)],
  ['xz', Buffer.from('\u00fd7zXZ\0', 'latin1')],
  ['trace.dat', Buffer.from('\u0017\u0008Dtracing6', 'latin1')],
  ['perf.data', Buffer.from('PERFILE2')],
  ['utf-16', Buffer.from('\ufeffa', 'utf16le')],
  ['utf-16', Buffer.from('\ufeffa', 'utf16le').swap16()],
  ['binary', Buffer.from('\u007fELF\u0002\u0001\u0001\0', 'latin1')],
  ['text', Buffer.from('# tracer: nop\n')],
  ['text', Buffer.from('\u0017\u0008Dtracin', 'latin1')],
] as const)('%s', (kind, head) => {
  expect(sniff(head)).toBe(kind);
  expect(unreadable(kind) === undefined).toBe(kind === 'text' || kind === 'gzip');
});
