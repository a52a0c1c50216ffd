/** Names and bits of what an SQE, a ring and an open file can hold: one table for ring programs and sessions. */

/** What a field of an SQE holds. */
export type FieldKind = 'file' | 'name' | 'i64' | 'u64' | 'u32' | 'u16' | 'i32' | 'ns' | 'iov' | 'flags';

/** One field of an op. */
export interface FieldSpec {
  readonly kind: FieldKind;
  readonly required?: boolean;
  /** Flag lists: name to bit. */
  readonly bits?: Readonly<Record<string, number>>;
}

/** Fields every op takes. */
export const COMMON_FIELDS: Readonly<Record<string, FieldSpec>> = {
  flags: {
    kind: 'flags',
    bits: { FIXED_FILE: 1, IO_DRAIN: 2, IO_LINK: 4, IO_HARDLINK: 8, ASYNC: 16, CQE_SKIP_SUCCESS: 64 },
  },
  fd: { kind: 'i32' },
  splice_fd_in: { kind: 'i32' },
  addr: { kind: 'i64' },
  ioprio: { kind: 'u16' },
  buf_index: { kind: 'u16' },
  personality: { kind: 'u16' },
};

const RWF: FieldSpec = { kind: 'flags', bits: { HIPRI: 1, DSYNC: 2, SYNC: 4, NOWAIT: 8, APPEND: 16 } };
const RW: Readonly<Record<string, FieldSpec>> = {
  file: { kind: 'file' },
  off: { kind: 'i64' },
  buf: { kind: 'name' },
  buf_off: { kind: 'u32' },
  len: { kind: 'i64', required: true },
  rw_flags: RWF,
};
const RWV: Readonly<Record<string, FieldSpec>> = {
  file: { kind: 'file' },
  off: { kind: 'i64' },
  iov: { kind: 'iov' },
  len: { kind: 'i64' },
  rw_flags: RWF,
};
const SPLICE_FLAGS: FieldSpec = {
  kind: 'flags',
  bits: { MOVE: 1, NONBLOCK: 2, MORE: 4, GIFT: 8, FD_IN_FIXED: 0x80000000 },
};
const PIPES: Readonly<Record<string, FieldSpec>> = {
  file_in: { kind: 'file' },
  off_in: { kind: 'i64' },
  file: { kind: 'file' },
  off: { kind: 'i64' },
  len: { kind: 'i64', required: true },
  splice_flags: SPLICE_FLAGS,
};

/** Own fields of every op that a program can name. */
export const OP_FIELDS: Readonly<Record<string, Readonly<Record<string, FieldSpec>>>> = {
  NOP: {},
  READ: RW,
  WRITE: RW,
  READ_FIXED: RW,
  WRITE_FIXED: RW,
  READV: RWV,
  WRITEV: RWV,
  FSYNC: {
    file: { kind: 'file' },
    off: { kind: 'i64' },
    len: { kind: 'i64' },
    fsync_flags: { kind: 'flags', bits: { DATASYNC: 1 } },
  },
  SYNC_FILE_RANGE: {
    file: { kind: 'file' },
    off: { kind: 'i64' },
    len: { kind: 'i64' },
    sync_range_flags: { kind: 'flags', bits: { WAIT_BEFORE: 1, WRITE: 2, WAIT_AFTER: 4 } },
  },
  FALLOCATE: {
    file: { kind: 'file' },
    off: { kind: 'i64' },
    len: { kind: 'i64', required: true },
    mode: {
      kind: 'flags',
      bits: { KEEP_SIZE: 1, PUNCH_HOLE: 2, COLLAPSE_RANGE: 8, ZERO_RANGE: 16, INSERT_RANGE: 32 },
    },
  },
  SPLICE: PIPES,
  TEE: PIPES,
  POLL_ADD: {
    file: { kind: 'file' },
    poll_events: {
      kind: 'flags',
      required: true,
      bits: { IN: 1, PRI: 2, OUT: 4, ERR: 8, HUP: 16, RDHUP: 0x2000 },
    },
    poll_flags: { kind: 'flags', bits: { ADD_MULTI: 1 } },
  },
  TIMEOUT: {
    ns: { kind: 'ns', required: true },
    count: { kind: 'u32' },
    timeout_flags: { kind: 'flags', bits: { ETIME_SUCCESS: 0x20 } },
  },
  LINK_TIMEOUT: { ns: { kind: 'ns', required: true } },
  TIMEOUT_REMOVE: { target: { kind: 'u64', required: true } },
  ASYNC_CANCEL: {
    target: { kind: 'u64' },
    file: { kind: 'file' },
    cancel_flags: { kind: 'flags', bits: { ALL: 1, FD: 2, ANY: 4, FD_FIXED: 8, USERDATA: 16, OP: 32 } },
  },
};

/** Setup flags of a ring. */
export const SETUP_BITS: Readonly<Record<string, number>> = {
  SUBMIT_ALL: 0x80,
  COOP_TASKRUN: 0x100,
  TASKRUN_FLAG: 0x200,
  SINGLE_ISSUER: 0x1000,
  DEFER_TASKRUN: 0x2000,
  SQPOLL: 0x2,
  CLAMP: 0x10,
};

/** Flags that a file can be opened with. */
export const OPEN_FLAGS = ['RDONLY', 'WRONLY', 'DIRECT', 'APPEND', 'NONBLOCK', 'DSYNC', 'SYNC'] as const;

/** Kinds of files. */
export const FILE_KINDS = ['file', 'pipe', 'null', 'zero', 'full'] as const;
