/** /dev/null, /dev/zero and /dev/full. */
import type { OpenFile } from './open_files';
import type { UserIter } from './user_memory';

const EFAULT = -14;
const ENOSPC = -28;

/** ->read_iter of a device. */
export function deviceRead(file: OpenFile, iter: UserIter): number {
  if (file.kind === 'null') return 0;
  const want = iter.count;
  const done = iter.fill(want);
  return done === 0 && want > 0 ? EFAULT : done;
}

/** ->write_iter of a device. */
export function deviceWrite(file: OpenFile, iter: UserIter): number {
  if (file.kind === 'full') return ENOSPC;
  return iter.count;
}

/** Whether the file can be an end of a splice whose other end is a pipe. */
export function supportsSplice(file: OpenFile, direction: 'read' | 'write'): boolean {
  if (direction === 'read') return file.kind !== 'null';
  return file.kind !== 'full';
}
