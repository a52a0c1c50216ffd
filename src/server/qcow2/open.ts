import type { BackingFile } from '../../kernel/file';
import type { Kernel } from '../../kernel/kernel';
import type { IoTask } from '../../kernel/request';
import type { Gen } from '../../kernel/sched';
import {
  HEADER_BYTES,
  l1Bytes,
  Qcow2Refused,
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
  const l1 = yield* read(header.l1TableOffset, l1Bytes(header));
  // what the image has, or what the size of the disk needs, whichever is less
  const most = refcountTableBytes(header);
  const there = Math.min(header.refcountTableClusters * 2 ** header.clusterBits, most);
  const table = new Uint8Array(most);
  table.set(yield* read(header.refcountTableOffset, roundUp(there)));
  return { header, l1, refcountTable: table };
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / TOP_BLOCK_BYTES) * TOP_BLOCK_BYTES;
}
