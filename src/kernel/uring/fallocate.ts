/** vfs_fallocate and ext4_fallocate, fsync and sync_file_range as far as they can be seen. */
import type { OpenFile } from './open_files';
import { PAGE } from './pages';
import { MAX_FILE_SIZE } from './regular_file';

const EBADF = -9;
const ENODEV = -19;
const EINVAL = -22;
const EFBIG = -27;
const ESPIPE = -29;
const EOPNOTSUPP = -95;

/** Bits of the mode of fallocate. */
export const FALLOC = {
  KEEP_SIZE: 0x01,
  PUNCH_HOLE: 0x02,
  NO_HIDE_STALE: 0x04,
  COLLAPSE_RANGE: 0x08,
  ZERO_RANGE: 0x10,
  INSERT_RANGE: 0x20,
  UNSHARE_RANGE: 0x40,
  WRITE_ZEROES: 0x80,
} as const;

const MODE_MASK =
  FALLOC.PUNCH_HOLE |
  FALLOC.COLLAPSE_RANGE |
  FALLOC.ZERO_RANGE |
  FALLOC.INSERT_RANGE |
  FALLOC.UNSHARE_RANGE |
  FALLOC.WRITE_ZEROES;

/** Checks of vfs_fallocate that do not look at the file: 0 or a negative errno. */
function modeError(mode: number): number {
  if ((mode & ~(MODE_MASK | FALLOC.KEEP_SIZE)) !== 0) return EOPNOTSUPP;
  const keep = (mode & FALLOC.KEEP_SIZE) !== 0;
  switch (mode & MODE_MASK) {
    case 0:
    case FALLOC.UNSHARE_RANGE:
    case FALLOC.ZERO_RANGE:
      return 0;
    case FALLOC.PUNCH_HOLE:
      return keep ? 0 : EOPNOTSUPP;
    case FALLOC.COLLAPSE_RANGE:
    case FALLOC.INSERT_RANGE:
    case FALLOC.WRITE_ZEROES:
      return keep ? EOPNOTSUPP : 0;
    default:
      return EOPNOTSUPP;
  }
}

/** What vfs_fallocate refuses before the file system is asked: 0 or a negative errno. */
export function fallocateError(file: OpenFile, mode: number, offset: number, length: number): number {
  if (offset < 0 || length <= 0) return EINVAL;
  const bad = modeError(mode);
  if (bad !== 0) return bad;
  if (!file.writable) return EBADF;
  if (file.kind === 'pipe') return ESPIPE;
  if (file.pages === undefined) return ENODEV;
  return offset + length > MAX_FILE_SIZE ? EFBIG : 0;
}

/** vfs_fallocate: 0 or a negative errno. */
export function fallocate(
  file: OpenFile,
  mode: number,
  offset: number,
  length: number,
  fsizeLimit: number,
): number {
  const refused = fallocateError(file, mode, offset, length);
  if (refused !== 0) return refused;
  if ((mode & (FALLOC.UNSHARE_RANGE | FALLOC.WRITE_ZEROES)) !== 0) return EOPNOTSUPP;
  const pages = file.pages!;
  const end = offset + length;
  const grows = (mode & FALLOC.KEEP_SIZE) === 0 && end > pages.size;
  switch (mode & MODE_MASK) {
    case FALLOC.PUNCH_HOLE:
      if (offset < pages.size) pages.zero(offset, Math.min(end, Math.ceil(pages.size / PAGE) * PAGE));
      pages.blocks.set(Math.ceil(offset / PAGE), Math.floor(end / PAGE), 'hole');
      return 0;
    case FALLOC.COLLAPSE_RANGE:
      if (offset % PAGE !== 0 || length % PAGE !== 0 || end >= pages.size) return EINVAL;
      pages.shift(end, offset, pages.size - length);
      return 0;
    case FALLOC.INSERT_RANGE:
      if (offset % PAGE !== 0 || length % PAGE !== 0 || offset >= pages.size) return EINVAL;
      if (length > MAX_FILE_SIZE - pages.size) return EFBIG;
      if (pages.size + length > fsizeLimit) return EFBIG;
      pages.shift(offset, end, pages.size + length);
      return 0;
    default:
      if (grows && end > fsizeLimit) return EFBIG;
      if ((mode & FALLOC.ZERO_RANGE) !== 0) {
        pages.zero(offset, Math.min(end, Math.max(pages.size, offset)));
        pages.blocks.set(Math.ceil(offset / PAGE), Math.floor(end / PAGE), 'unwritten');
      }
      pages.blocks.reserve(offset, end);
      if (grows) pages.grow(end);
      pages.dirty = true;
      return 0;
  }
}

/** vfs_fsync_range: 0 or a negative errno. */
export function fsyncError(file: OpenFile): number {
  return file.pages === undefined ? EINVAL : 0;
}

const SYNC_FILE_RANGE_FLAGS = 7;

/** sync_file_range: 0 or a negative errno. */
export function syncRangeError(file: OpenFile, offset: number, length: number, flags: number): number {
  if ((flags & ~SYNC_FILE_RANGE_FLAGS) !== 0) return EINVAL;
  if (offset < 0 || offset + length > Number.MAX_SAFE_INTEGER * 1024) return EINVAL;
  return file.pages === undefined ? ESPIPE : 0;
}
