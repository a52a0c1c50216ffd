/** Reads and writes of regular files on ext4, buffered and direct, at page granularity. */
import type { OpenFile } from './open_files';
import { PAGE, Page } from './pages';
import type { UserIter } from './user_memory';

const EFAULT = -14;
const EINVAL = -22;
const EFBIG = -27;

/** Largest file of ext4 with 4096 byte blocks. */
export const MAX_FILE_SIZE = 0xffffffff000;
/** Logical sector of the disk. */
const SECTOR = 512;

/** filemap_read: bytes, or a negative errno. */
export function bufferedRead(file: OpenFile, pos: number, iter: UserIter): number {
  const pages = file.pages!;
  const length = Math.min(iter.count, pages.size - pos);
  if (length <= 0) return 0;
  let done = 0;
  let fault = false;
  pages.each(pos, length, (page, at, n) => {
    const copied = iter.put(page.bytes.subarray(at, at + n));
    done += copied;
    fault = copied < n;
    return !fault;
  });
  return fault && done === 0 ? EFAULT : done;
}

/** Whether the range of a read has pages that are not in memory. */
export function isUncached(file: OpenFile, pos: number, length: number): boolean {
  const { uncached, size } = file.pages!;
  if (uncached.size === 0) return false;
  const end = Math.min(pos + length, size);
  for (let i = Math.floor(pos / PAGE); i * PAGE < end; i++) if (uncached.has(i)) return true;
  return false;
}

/** The pages of a range, and what readahead adds to them, come into memory. */
export function fillCache(file: OpenFile): void {
  file.pages!.uncached.clear();
}

/** The check that iomap makes of a direct transfer. */
export function directAligned(pos: number, count: number, iter: UserIter): boolean {
  return pos % SECTOR === 0 && count % SECTOR === 0 && iter.aligned(SECTOR);
}

/** What a direct read will give: bytes, or -EINVAL; it must be aligned where it reads at all. */
export function directReadSize(file: OpenFile, pos: number, iter: UserIter): number {
  const { size } = file.pages!;
  if (iter.count === 0 || pos >= size) return 0;
  return directAligned(pos, iter.count, iter) ? Math.min(iter.count, size - pos) : EINVAL;
}

/** What the disk puts into memory: the bytes up to the end of the file, and zeros to the end of its last block. */
export function directTransfer(file: OpenFile, pos: number, iter: UserIter): void {
  const done = bufferedRead(file, pos, iter);
  const blockEnd = Math.ceil(file.pages!.size / PAGE) * PAGE;
  if (done > 0) iter.fill(Math.min(iter.count, blockEnd - pos - done));
}

/** generic_write_checks: where and how much may be written; a negative errno in `error`. */
export function writeChecks(
  file: OpenFile,
  pos: number,
  count: number,
  append: boolean,
  fsizeLimit: number,
): { pos: number; count: number; error: number } {
  if (count === 0) return { pos, count, error: 0 };
  const at = append ? file.pages!.size : pos;
  if (at >= fsizeLimit) return { pos: at, count: 0, error: EFBIG };
  const limited = Math.min(count, fsizeLimit - at);
  if (at >= MAX_FILE_SIZE) return { pos: at, count: 0, error: EFBIG };
  return { pos: at, count: Math.min(limited, MAX_FILE_SIZE - at), error: 0 };
}

/** Writes `count` bytes of an iterator into the page cache; short on a fault. */
export function bufferedWrite(file: OpenFile, pos: number, count: number, iter: UserIter): number {
  const pages = file.pages!;
  let done = 0;
  while (done < count) {
    const bytes = iter.take(count - done);
    if (bytes.length === 0) break;
    pages.put(pos + done, bytes);
    done += bytes.length;
  }
  if (done > 0) pages.size = Math.max(pages.size, pos + done);
  return done === 0 && count > 0 ? EFAULT : done;
}

/** Writes past the page cache: pages of the range are new ones, so that borrowed ones keep what they had. */
export function directWrite(file: OpenFile, pos: number, count: number, iter: UserIter): number {
  const pages = file.pages!;
  for (let i = Math.floor(pos / PAGE); i * PAGE < pos + count; i++) {
    pages.replace(i, new Page(pages.page(i).bytes, false));
  }
  return bufferedWrite(file, pos, count, iter);
}
