/** io_uring flags and constants other than opcodes. */

/** sqe.flags. */
export const IOSQE = {
  FIXED_FILE: 0x01,
  IO_DRAIN: 0x02,
  IO_LINK: 0x04,
  IO_HARDLINK: 0x08,
  ASYNC: 0x10,
  BUFFER_SELECT: 0x20,
  CQE_SKIP_SUCCESS: 0x40,
} as const;

/** All valid sqe.flags bits; any other bit is refused with -EINVAL. */
export const IOSQE_ALL = 0x7f;

/** io_uring_params.flags at setup. */
export const IORING_SETUP = {
  IOPOLL: 0x1,
  SQPOLL: 0x2,
  SQ_AFF: 0x4,
  CQSIZE: 0x8,
  CLAMP: 0x10,
  ATTACH_WQ: 0x20,
  R_DISABLED: 0x40,
  SUBMIT_ALL: 0x80,
  COOP_TASKRUN: 0x100,
  TASKRUN_FLAG: 0x200,
  SQE128: 0x400,
  CQE32: 0x800,
  SINGLE_ISSUER: 0x1000,
  DEFER_TASKRUN: 0x2000,
  NO_MMAP: 0x4000,
  REGISTERED_FD_ONLY: 0x8000,
  NO_SQARRAY: 0x10000,
  HYBRID_IOPOLL: 0x20000,
  CQE_MIXED: 0x40000,
  SQE_MIXED: 0x80000,
  SQ_REWIND: 0x100000,
} as const;

/** flags of io_uring_enter. */
export const IORING_ENTER = {
  GETEVENTS: 1,
  SQ_WAKEUP: 2,
  SQ_WAIT: 4,
  EXT_ARG: 8,
  REGISTERED_RING: 16,
  ABS_TIMER: 32,
  EXT_ARG_REG: 64,
  NO_IOWAIT: 128,
} as const;

/** cqe.flags; with BUFFER set the buffer id is in bits 16-31. */
export const IORING_CQE_F = {
  BUFFER: 0x1,
  MORE: 0x2,
  SOCK_NONEMPTY: 0x4,
  NOTIF: 0x8,
  BUF_MORE: 0x10,
  SKIP: 0x20,
  F32: 0x8000,
} as const;

/** Bit where the buffer id starts in cqe.flags. */
export const IORING_CQE_BUFFER_SHIFT = 16;

/** sq_flags word of the shared ring header. */
export const IORING_SQ = { NEED_WAKEUP: 1, CQ_OVERFLOW: 2, TASKRUN: 4 } as const;

/** cq_flags word of the shared ring header (written by the application). */
export const IORING_CQ = { EVENTFD_DISABLED: 1 } as const;

/** mmap offsets of a ring file descriptor. */
export const IORING_OFF = { SQ_RING: 0, CQ_RING: 0x8000000, SQES: 0x10000000 } as const;

/**
 * Byte offsets in the shared header (x86-64, 64-byte cache lines); the u32 SQ index array follows the CQEs.
 */
export const IO_RINGS_OFFSET = {
  SQ_HEAD: 0,
  SQ_TAIL: 64,
  CQ_HEAD: 128,
  CQ_TAIL: 192,
  SQ_RING_MASK: 256,
  CQ_RING_MASK: 260,
  SQ_RING_ENTRIES: 264,
  CQ_RING_ENTRIES: 268,
  SQ_DROPPED: 272,
  SQ_FLAGS: 276,
  CQ_FLAGS: 280,
  CQ_OVERFLOW: 284,
  CQES: 320,
} as const;

export const IORING_MAX_ENTRIES = 32768;
export const IORING_MAX_CQ_ENTRIES = 65536;

/** Opcodes of io_uring_register. */
export const IORING_REGISTER = {
  REGISTER_BUFFERS: 0,
  UNREGISTER_BUFFERS: 1,
  REGISTER_FILES: 2,
  UNREGISTER_FILES: 3,
  REGISTER_EVENTFD: 4,
  UNREGISTER_EVENTFD: 5,
  REGISTER_FILES_UPDATE: 6,
  REGISTER_EVENTFD_ASYNC: 7,
  REGISTER_PROBE: 8,
  REGISTER_PERSONALITY: 9,
  UNREGISTER_PERSONALITY: 10,
  REGISTER_RESTRICTIONS: 11,
  REGISTER_ENABLE_RINGS: 12,
  REGISTER_FILES2: 13,
  REGISTER_FILES_UPDATE2: 14,
  REGISTER_BUFFERS2: 15,
  REGISTER_BUFFERS_UPDATE: 16,
  REGISTER_IOWQ_AFF: 17,
  UNREGISTER_IOWQ_AFF: 18,
  REGISTER_IOWQ_MAX_WORKERS: 19,
  REGISTER_RING_FDS: 20,
  UNREGISTER_RING_FDS: 21,
  REGISTER_PBUF_RING: 22,
  UNREGISTER_PBUF_RING: 23,
  REGISTER_SYNC_CANCEL: 24,
  REGISTER_FILE_ALLOC_RANGE: 25,
} as const;

/** fsync_flags. */
export const IORING_FSYNC_DATASYNC = 1;
/** timeout_flags. */
export const IORING_TIMEOUT = {
  ABS: 0x1,
  UPDATE: 0x2,
  BOOTTIME: 0x4,
  REALTIME: 0x8,
  LINK_TIMEOUT_UPDATE: 0x10,
  ETIME_SUCCESS: 0x20,
  MULTISHOT: 0x40,
} as const;
/** cancel_flags. */
export const IORING_ASYNC_CANCEL = { ALL: 1, FD: 2, ANY: 4, FD_FIXED: 8, USERDATA: 16, OP: 32 } as const;
/** uring_cmd_flags. */
export const IORING_URING_CMD = { FIXED: 1, MULTISHOT: 2 } as const;
/** rw_flags. */
export const RWF = { HIPRI: 0x1, DSYNC: 0x2, SYNC: 0x4, NOWAIT: 0x8, APPEND: 0x10 } as const;
/** sync_range_flags. */
export const SYNC_FILE_RANGE = { WAIT_BEFORE: 1, WRITE: 2, WAIT_AFTER: 4 } as const;
/** Mode of fallocate (in sqe.len). */
export const FALLOC_FL = {
  KEEP_SIZE: 0x1,
  PUNCH_HOLE: 0x2,
  COLLAPSE_RANGE: 0x8,
  ZERO_RANGE: 0x10,
  INSERT_RANGE: 0x20,
  UNSHARE_RANGE: 0x40,
} as const;

/** off value of READ/WRITE meaning "use the file position". */
export const IORING_USE_FILE_POS = 0xffffffffffffffffn;

/**
 * Largest power of two ring that holds `entries`, as io_uring_setup rounds. @throws RangeError outside
 * 1..2^31.
 */
export function ringEntries(entries: number): number {
  if (!Number.isInteger(entries) || entries < 1 || entries > 0x80000000) {
    throw new RangeError(`ring size ${entries} is not in 1..2^31`);
  }
  let size = 1;
  while (size < entries) size *= 2;
  return size;
}
