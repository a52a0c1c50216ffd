/** io_uring opcodes and the names the kernel prints for them. */

/** Opcode numbers up to Linux 7.3. */
export const IORING_OP = {
  NOP: 0,
  READV: 1,
  WRITEV: 2,
  FSYNC: 3,
  READ_FIXED: 4,
  WRITE_FIXED: 5,
  POLL_ADD: 6,
  POLL_REMOVE: 7,
  SYNC_FILE_RANGE: 8,
  SENDMSG: 9,
  RECVMSG: 10,
  TIMEOUT: 11,
  TIMEOUT_REMOVE: 12,
  ACCEPT: 13,
  ASYNC_CANCEL: 14,
  LINK_TIMEOUT: 15,
  CONNECT: 16,
  FALLOCATE: 17,
  OPENAT: 18,
  CLOSE: 19,
  FILES_UPDATE: 20,
  STATX: 21,
  READ: 22,
  WRITE: 23,
  FADVISE: 24,
  MADVISE: 25,
  SEND: 26,
  RECV: 27,
  OPENAT2: 28,
  EPOLL_CTL: 29,
  SPLICE: 30,
  PROVIDE_BUFFERS: 31,
  REMOVE_BUFFERS: 32,
  TEE: 33,
  SHUTDOWN: 34,
  RENAMEAT: 35,
  UNLINKAT: 36,
  MKDIRAT: 37,
  SYMLINKAT: 38,
  LINKAT: 39,
  MSG_RING: 40,
  FSETXATTR: 41,
  SETXATTR: 42,
  FGETXATTR: 43,
  GETXATTR: 44,
  SOCKET: 45,
  URING_CMD: 46,
  SEND_ZC: 47,
  SENDMSG_ZC: 48,
  READ_MULTISHOT: 49,
  WAITID: 50,
  FUTEX_WAIT: 51,
  FUTEX_WAKE: 52,
  FUTEX_WAITV: 53,
  FIXED_FD_INSTALL: 54,
  FTRUNCATE: 55,
  BIND: 56,
  LISTEN: 57,
  RECV_ZC: 58,
  EPOLL_WAIT: 59,
  READV_FIXED: 60,
  WRITEV_FIXED: 61,
  PIPE: 62,
  NOP128: 63,
  URING_CMD128: 64,
} as const;

/** Name of an opcode, as the kernel prints it. */
export type OpcodeName = keyof typeof IORING_OP;
/** Number of a known opcode. */
export type Opcode = (typeof IORING_OP)[OpcodeName];

/** How many opcodes each kernel knows; the first unknown number. */
export const IORING_OP_LAST = { '6.1': 49, '6.12': 58, '6.18': 63, '7.3': 65 } as const;

/** What the kernel prints for an opcode it does not know. */
export const INVALID_OPCODE_NAME = 'INVALID';

const NAMES: readonly string[] = Object.entries(IORING_OP)
  .sort((a, b) => a[1] - b[1])
  .map(([name]) => name);
const NUMBERS: ReadonlyMap<string, Opcode> = new Map(Object.entries(IORING_OP));

/**
 * Printed name of an opcode; 'INVALID' at or above `last` (one of IORING_OP_LAST; default: the newest
 * kernel).
 */
export function opcodeName(opcode: number, last: number = IORING_OP_LAST['7.3']): string {
  return opcode < last ? (NAMES[opcode] ?? INVALID_OPCODE_NAME) : INVALID_OPCODE_NAME;
}

/** Number of a printed name; undefined for 'INVALID' and for anything the kernel does not print. */
export function opcodeByName(name: string): Opcode | undefined {
  return NUMBERS.get(name);
}

/** Whether the opcode takes a 128-byte SQE on a SQE_MIXED ring. */
export function isOpcode128(opcode: number): boolean {
  return opcode === IORING_OP.NOP128 || opcode === IORING_OP.URING_CMD128;
}
