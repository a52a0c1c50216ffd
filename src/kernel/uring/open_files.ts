/** Open files of a ring program, and what the VFS says about them. */
import { EPOLL } from './epoll_bits';
import type { FilePages } from './pages';
import type { Pipe } from './pipe';

/** What stands behind a descriptor. */
export type FileKind = 'file' | 'pipe' | 'null' | 'zero' | 'full';

/** struct file. */
export interface OpenFile {
  readonly name: string;
  readonly kind: FileKind;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly direct: boolean;
  readonly append: boolean;
  readonly nonblock: boolean;
  /** O_DSYNC or O_SYNC: every write waits for the disk. */
  readonly sync: boolean;
  pos: number;
  /** Pages of a regular file. */
  readonly pages: FilePages | undefined;
  readonly pipe: Pipe | undefined;
  /** Number of the inode: what io-wq hashes by. */
  readonly inode: number;
  /** Descriptor, file table and running requests that hold it. */
  refs: number;
}

/** FMODE_NOWAIT: the file takes IOCB_NOWAIT. */
export function supportsNowait(file: OpenFile, pipeNowait: boolean): boolean {
  return (
    file.kind === 'file' ||
    file.kind === 'null' ||
    file.kind === 'zero' ||
    (file.kind === 'pipe' && pipeNowait)
  );
}

/** Mask of files without a poll function. */
const DEFAULT_POLLMASK = EPOLL.IN | EPOLL.OUT | EPOLL.RDNORM | EPOLL.WRNORM;

/** vfs_poll without a wait. */
export function pollMask(file: OpenFile): number {
  const { pipe } = file;
  if (pipe === undefined) return DEFAULT_POLLMASK;
  pipe.pollUsage = true;
  let mask = 0;
  if (file.readable) {
    if (pipe.slots.length > 0) mask |= EPOLL.IN | EPOLL.RDNORM;
    if (pipe.writers === 0) mask |= EPOLL.HUP;
  }
  if (file.writable) {
    if (!pipe.full) mask |= EPOLL.OUT | EPOLL.WRNORM;
    if (pipe.readers === 0) mask |= EPOLL.ERR;
  }
  return mask;
}

/** Whether waiting for the file by poll is possible (file_can_poll). */
export function canPoll(file: OpenFile): boolean {
  return file.pipe !== undefined;
}

/** fput: the last reference closes a pipe's end. */
export function putFile(file: OpenFile): void {
  file.refs--;
  if (file.refs === 0) file.pipe?.release(file.readable ? 'r' : 'w');
}
