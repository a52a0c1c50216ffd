/**
 * FUSE over io_uring: commands, states and byte layouts (mainline since 6.14; the 7.3 form where they
 * differ).
 */
import { structLayout } from './layout';
import type { ValueOf } from './layout';

/** sqe.cmd_op on /dev/fuse. ADD_QUEUE and ADD_BUFPOOL exist in 7.3. */
export const FUSE_IO_URING_CMD = { REGISTER: 1, COMMIT_AND_FETCH: 2, ADD_QUEUE: 3, ADD_BUFPOOL: 4 } as const;

/** INIT flag FUSE_OVER_IO_URING. */
export const FUSE_OVER_IO_URING = 1n << 41n;

/** Ring entry states of the kernel (7.3 values). */
export const FUSE_ENTRY_STATE = {
  INVALID: 0,
  COMMIT: 1,
  AVAILABLE: 2,
  FUSE_REQ: 3,
  USERSPACE: 4,
  TEARDOWN: 5,
  RELEASED: 6,
} as const;

/** Request opcodes of the FUSE protocol that a passthrough file system meets. */
export const FUSE_OPCODE = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  GETLK: 31,
  SETLK: 32,
  SETLKW: 33,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  BMAP: 37,
  DESTROY: 38,
  IOCTL: 39,
  POLL: 40,
  NOTIFY_REPLY: 41,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
} as const;

/** struct fuse_uring_cmd_req of 6.14: 24 bytes at SQE byte 48 (so the ring needs SQE128). */
export const FUSE_CMD_REQ_LAYOUT = structLayout(
  'fuse_uring_cmd_req',
  24,
  {
    flags: ['u64', 0],
    commitId: ['u64', 8],
    qid: ['u16', 16],
  },
  [{ offset: 18, size: 6 }],
);
export type FuseCmdReq = ValueOf<typeof FUSE_CMD_REQ_LAYOUT>;

/** struct fuse_uring_cmd_req of 7.3 with the buffer pool arm of its union: 40 bytes. */
export const FUSE_CMD_REQ_73_LAYOUT = structLayout(
  'fuse_uring_cmd_req',
  40,
  {
    flags: ['u64', 0],
    commitId: ['u64', 8],
    qid: ['u16', 16],
    bufpoolUaddr: ['u64', 24],
    bufpoolLen: ['u32', 32],
  },
  [
    { offset: 18, size: 6 },
    { offset: 36, size: 4 },
  ],
);
export type FuseCmdReq73 = ValueOf<typeof FUSE_CMD_REQ_73_LAYOUT>;

/** Size of the header buffer and the offsets of its three parts. */
export const FUSE_REQ_HEADER_SIZE = 288;
export const FUSE_REQ_HEADER_OFFSET = { IN_OUT: 0, OP_IN: 128, RING_ENT: 256 } as const;

/** struct fuse_uring_ent_in_out: 32 bytes. bufpoolOffset is padding before 7.3. */
export const FUSE_ENT_IN_OUT_LAYOUT = structLayout(
  'fuse_uring_ent_in_out',
  32,
  {
    flags: ['u64', 0],
    commitId: ['u64', 8],
    payloadSz: ['u32', 16],
    bufpoolOffset: ['u32', 20],
  },
  [{ offset: 24, size: 8 }],
);
export type FuseEntInOut = ValueOf<typeof FUSE_ENT_IN_OUT_LAYOUT>;

/** struct fuse_in_header: 40 bytes. */
export const FUSE_IN_HEADER_LAYOUT = structLayout(
  'fuse_in_header',
  40,
  {
    len: ['u32', 0],
    opcode: ['u32', 4],
    unique: ['u64', 8],
    nodeid: ['u64', 16],
    uid: ['u32', 24],
    gid: ['u32', 28],
    pid: ['u32', 32],
    totalExtlen: ['u16', 36],
  },
  [{ offset: 38, size: 2 }],
);
export type FuseInHeader = ValueOf<typeof FUSE_IN_HEADER_LAYOUT>;

/** struct fuse_out_header: 16 bytes; error is 0 or a negative errno. */
export const FUSE_OUT_HEADER_LAYOUT = structLayout('fuse_out_header', 16, {
  len: ['u32', 0],
  error: ['s32', 4],
  unique: ['u64', 8],
});
export type FuseOutHeader = ValueOf<typeof FUSE_OUT_HEADER_LAYOUT>;

/** struct fuse_read_in: 40 bytes. */
export const FUSE_READ_IN_LAYOUT = structLayout(
  'fuse_read_in',
  40,
  {
    fh: ['u64', 0],
    offset: ['u64', 8],
    size: ['u32', 16],
    readFlags: ['u32', 20],
    lockOwner: ['u64', 24],
    flags: ['u32', 32],
  },
  [{ offset: 36, size: 4 }],
);
export type FuseReadIn = ValueOf<typeof FUSE_READ_IN_LAYOUT>;

/** struct fuse_write_in: 40 bytes. */
export const FUSE_WRITE_IN_LAYOUT = structLayout(
  'fuse_write_in',
  40,
  {
    fh: ['u64', 0],
    offset: ['u64', 8],
    size: ['u32', 16],
    writeFlags: ['u32', 20],
    lockOwner: ['u64', 24],
    flags: ['u32', 32],
  },
  [{ offset: 36, size: 4 }],
);
export type FuseWriteIn = ValueOf<typeof FUSE_WRITE_IN_LAYOUT>;
