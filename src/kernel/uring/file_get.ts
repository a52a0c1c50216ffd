/** Looking up the file of a request. */
import type { OpenFile } from './open_files';
import type { Req, Uring } from './types';
import { emit } from './uring_trace';

/** io_file_get_normal */
export function normalFile(ring: Uring, req: Req, fd: number): OpenFile | undefined {
  emit(ring, 'file_get', req, {}, undefined, fd);
  const file = ring.fds.get(fd);
  if (file) file.refs++;
  return file;
}

/** io_file_get_fixed */
export function fixedFile(ring: Uring, index: number): OpenFile | undefined {
  const file = ring.fixedFiles[index];
  if (file) file.refs++;
  return file;
}
