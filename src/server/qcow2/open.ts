import type { BackingFile } from '../../kernel/file';
import type { Kernel } from '../../kernel/kernel';
import type { IoTask } from '../../kernel/request';
import type { Gen } from '../../kernel/sched';
import {
  HEADER_BYTES,
  l1Bytes,
  l1Entries,
  type Qcow2Header,
  Qcow2Refused,
  readEntry,
  readHeader,
  refcountTableBytes,
  TOP_BLOCK_BYTES,
} from './format';
import type { Qcow2Image } from './target';

/**
 * qcow2_init_tgt and the constructors behind it: the daemon reads the header (twice), the L1 table and the refcount table with
 * plain read(2), before its queue starts. @throws Qcow2Refused
 */
export function* openImage(kernel: Kernel, task: IoTask, file: BackingFile): Gen<Qcow2Image> {
  const read = function* (offset: number, length: number): Gen<Uint8Array> {
    const buffer = kernel.memory.scratch(length);
    yield kernel.costs.syscall;
    const got = yield* file.directAndWait(task, false, offset, [{ buffer, offset: 0, length }]);
    if (got < 0) throw new Qcow2Refused(`read at ${offset} failed: ${got}`);
    const bytes = kernel.memory.touch(buffer, 0, length).slice();
    kernel.memory.free(buffer);
    // a short read leaves the rest as the allocator gave it; zeros here
    return bytes.fill(0, got);
  };
  if (file.size < 512)
    throw new Qcow2Refused(`the file has ${file.size} bytes: return backing file 512 ${file.size}`);
  const header = readHeader(yield* read(0, 512));
  yield* read(0, HEADER_BYTES);
  mustHold(file.size, 'the L1 table', header.l1TableOffset, l1Entries(header) * 8);
  const tableLength = header.refcountTableClusters * 2 ** header.clusterBits;
  mustHold(file.size, 'the refcount table', header.refcountTableOffset, tableLength);
  const l1 = yield* read(header.l1TableOffset, l1Bytes(header));
  // what the image has, or what the size of the disk needs, whichever is less
  const most = refcountTableBytes(header);
  const there = Math.min(tableLength, most);
  const table = new Uint8Array(most);
  table.set(yield* read(header.refcountTableOffset, roundUp(there)));
  mustHoldAll(file.size, l1, 'L2 table');
  mustHoldAll(file.size, table, 'refcount block');
  return { header, l1, refcountTable: table, compressed: compressedClusters(file, header, l1) };
}

/** Compressed clusters, counted in the file itself: the server does not look, the simulator tells what will fail. */
function compressedClusters(file: BackingFile, { clusterBits }: Qcow2Header, l1: Uint8Array): number {
  const tables = new DataView(l1.buffer, l1.byteOffset, l1.byteLength);
  let count = 0;
  for (let i = 0; i * 8 < l1.length; i++) {
    const { offset } = readEntry(tables, i);
    if (offset === 0) continue;
    const bytes = file.content(offset, Math.min(2 ** clusterBits, file.size - offset));
    const entries = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let k = 0; (k + 1) * 8 <= bytes.length; k++) if (readEntry(entries, k).compressed) count++;
  }
  return count;
}

/**
 * Refuses an image that was cut: the server does not look, reads zeros there, and hands out clusters that are in use.
 * @throws Qcow2Refused
 */
function mustHold(size: number, what: string, offset: number, length: number): void {
  if (offset + length <= size) return;
  const place = `0x${offset.toString(16)}`;
  const where = offset < size ? 'reaches' : 'is';
  throw new Qcow2Refused(
    `${what} at ${place} ${where} beyond the end of the file (${size} bytes): it was truncated`,
  );
}

/** The same of what a table points to; of these the server reads slices, and the last may be all that was written. */
function mustHoldAll(size: number, table: Uint8Array, what: string): void {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  for (let i = 0; i * 8 < table.length; i++) {
    const { offset } = readEntry(view, i);
    if (offset > 0) mustHold(size, `${what} ${i}`, offset, 1);
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / TOP_BLOCK_BYTES) * TOP_BLOCK_BYTES;
}
