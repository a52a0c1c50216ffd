/** Reads and writes of regular files on ext4 through the page cache. */
import type { OpenFile } from './open_files';
import { PAGE } from './pages';
import type { UserIter } from './user_memory';

const EFAULT = -14;
const EFBIG = -27;

/** Largest file of ext4 with 4096 byte blocks. */
export const MAX_FILE_SIZE = 0xffffffff000;

/** filemap_read of at most `most` bytes: bytes, or a negative errno. */
export function bufferedRead(file: OpenFile, pos: number, iter: UserIter, most = iter.count): number {
  const pages = file.pages!;
  const length = Math.min(most, iter.count, pages.size - pos);
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
