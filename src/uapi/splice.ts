/** Splice and pipe numbers: flags of splice(2) and IORING_OP_SPLICE, pipe buffer flags, ring sizes. */
import { flagNames } from './bytes';

/**
 * splice_flags. DIRECT and READ_TO_READ exist only with the RFC patches of Nov 2022; FD_IN_FIXED only in
 * io_uring.
 */
export const SPLICE_F = {
  MOVE: 0x01,
  NONBLOCK: 0x02,
  MORE: 0x04,
  GIFT: 0x08,
  DIRECT: 0x10,
  READ_TO_READ: 0x20,
  FD_IN_FIXED: 0x80000000,
} as const;

/** Flags the splice system call accepts. */
export const SPLICE_F_ALL = 0x0f;

/** struct pipe_buffer flags. */
export const PIPE_BUF_FLAG = {
  LRU: 0x01,
  ATOMIC: 0x02,
  GIFT: 0x04,
  PACKET: 0x08,
  CAN_MERGE: 0x10,
  WHOLE: 0x20,
  LOSS: 0x40,
} as const;

/** Slots of a new pipe. */
export const PIPE_DEF_BUFFERS = 16;
/** Slots left to a user above the soft page limit. */
export const PIPE_MIN_DEF_BUFFERS = 2;
/** Largest pipe an unprivileged user can ask for, in bytes (fs.pipe-max-size). */
export const PIPE_MAX_SIZE = 1048576;
/** Offset value meaning "no offset": use the file position, required for pipes. */
export const SPLICE_NO_OFFSET = 0xffffffffffffffffn;

/** 'DIRECT|READ_TO_READ'; '0' when no flag is set; unknown bits as hex. */
export function spliceFlagsText(flags: number): string {
  return flagNames(flags, SPLICE_F).join('|') || '0';
}
