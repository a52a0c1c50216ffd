/** What the first bytes of a file say it is. */
export type ContentKind =
  | 'empty'
  | 'gzip'
  | 'zstd'
  | 'xz'
  | 'trace.dat'
  | 'perf.data'
  | 'utf-16'
  | 'binary'
  | 'text';

/** First bytes needed for a verdict (fewer only where the file itself is shorter). */
export const SNIFF_BYTES = 4096;

const UTF8_BOM = [0xef, 0xbb, 0xbf] as const;

const MAGIC: readonly (readonly [ContentKind, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['trace.dat', [0x17, 0x08, 0x44, 0x74, 0x72, 0x61, 0x63, 0x69, 0x6e, 0x67]],
  ['perf.data', [0x50, 0x45, 0x52, 0x46, 0x49, 0x4c, 0x45, 0x32]],
  ['utf-16', [0xff, 0xfe]],
  ['utf-16', [0xfe, 0xff]],
];

/** Names the kind of a content by its first bytes. A NUL byte among them makes it binary. */
export function sniff(head: Uint8Array): ContentKind {
  if (head.length === 0) return 'empty';
  for (const [kind, magic] of MAGIC) if (startsWith(head, magic)) return kind;
  return head.subarray(0, SNIFF_BYTES).includes(0) ? 'binary' : 'text';
}

/** Length of a UTF-8 byte order mark at the start: 3 or 0. */
export function bomLength(head: Uint8Array): number {
  return startsWith(head, UTF8_BOM) ? UTF8_BOM.length : 0;
}

/** What to tell a person who gave content of this kind as a trace; undefined for what can be read. */
export function unreadable(kind: ContentKind): string | undefined {
  switch (kind) {
    case 'text':
    case 'gzip':
      return undefined;
    case 'empty':
      return 'the file is empty';
    case 'trace.dat':
      return 'this is binary trace.dat; make text of it first: trace-cmd report -t FILE';
    case 'perf.data':
      return 'this is binary perf.data; make text of it first: perf script -i FILE';
    case 'zstd':
      return 'this is zstd-compressed; unpack it first: zstd -d FILE';
    case 'xz':
      return 'this is xz-compressed; unpack it first: xz -d FILE';
    case 'utf-16':
      return 'this is UTF-16 text; convert it first: iconv -f UTF-16 -t UTF-8 FILE';
    case 'binary':
      return 'this is a binary file, not trace text';
  }
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return head.length >= magic.length && magic.every((byte, i) => head[i] === byte);
}
