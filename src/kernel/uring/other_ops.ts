/** Ops that ring programs reach by number only, with fields that are 0: how they end without having done anything. */
import { IORING_OP } from '../../uapi/io_uring_ops';
import type { Sqe } from '../../uapi/sqe';
import { setFail } from './complete_later';
import { ISSUED, type OpDef, REQ, type Req } from './types';

const E2BIG = -7;
const EBADF = -9;
const EFAULT = -14;
const EINVAL = -22;
const EAFNOSUPPORT = -97;

/** An op that asks nothing of its SQE: what each op adds to, as io_issue_def does. */
export const NO_CHECKS = {
  needsFile: false,
  ioprio: false,
  pollin: false,
  pollout: false,
  hashRegFile: false,
  unboundNonreg: false,
  bufferSelect: false,
  forceAsync: false,
} as const;

type Name = keyof typeof IORING_OP;

/** Refused when they are taken, by error. */
const AT_PREP: readonly (readonly [number, readonly Name[]])[] = [
  [E2BIG, ['PROVIDE_BUFFERS']],
  [EBADF, ['FIXED_FD_INSTALL']],
  [EFAULT, ['SENDMSG', 'RECVMSG', 'OPENAT', 'STATX', 'EPOLL_CTL', 'RENAMEAT', 'UNLINKAT', 'MKDIRAT']],
  [EFAULT, ['SYMLINKAT', 'LINKAT', 'FSETXATTR', 'SETXATTR', 'FGETXATTR', 'GETXATTR']],
  [EINVAL, ['FILES_UPDATE', 'OPENAT2', 'REMOVE_BUFFERS', 'READ_MULTISHOT', 'FUTEX_WAIT', 'FUTEX_WAKE']],
  [EINVAL, ['FUTEX_WAITV', 'RECV_ZC', 'PIPE']],
];

/** They miss their file. */
const NEED_FILE: readonly Name[] = [
  'ACCEPT',
  'CONNECT',
  'FADVISE',
  'SEND',
  'RECV',
  'SHUTDOWN',
  'MSG_RING',
  'URING_CMD',
  'FTRUNCATE',
  'BIND',
  'LISTEN',
  'EPOLL_WAIT',
  'READV_FIXED',
  'WRITEV_FIXED',
];

/** What they come to when they run. */
const WHEN_RUN: readonly (readonly [Name, number])[] = [
  ['CLOSE', EBADF],
  ['SOCKET', EAFNOSUPPORT],
  ['WAITID', EINVAL],
  ['MADVISE', 0],
];

/** Blocking ones, that a worker does. */
const BLOCKING: ReadonlySet<Name> = new Set(['SHUTDOWN', 'FTRUNCATE', 'MADVISE']);

/** No field says more than that there is such an op, and its file does not exist. */
function isBare(sqe: Sqe): boolean {
  const { addr, off, len, opFlags, bufIndex, spliceFdIn, ioprio, pad2 } = sqe;
  if (addr !== 0n || off !== 0n || pad2 !== 0n) return false;
  if ([len, opFlags, bufIndex, spliceFdIn, ioprio].some((field) => field !== 0)) return false;
  return sqe.fd === -1 && (sqe.flags & (REQ.FIXED_FILE | REQ.BUFFER_SELECT)) === 0;
}

function ended(req: Req, res: number): number {
  if (res < 0) setFail(req);
  req.res = res;
  return ISSUED.COMPLETE;
}

/** The defs of these ops by opcode. */
export function otherOps(): readonly (readonly [number, OpDef])[] {
  const def = (name: Name, how: Partial<OpDef>): readonly [number, OpDef] => [
    IORING_OP[name],
    {
      ...NO_CHECKS,
      name,
      forceAsync: BLOCKING.has(name),
      prep: () => 0,
      issue: (_ring, req) => ended(req, EBADF),
      models: isBare,
      ...how,
    },
  ];
  return [
    ...AT_PREP.flatMap(([error, names]) => names.map((name) => def(name, { prep: () => error }))),
    ...NEED_FILE.map((name) => def(name, { needsFile: true })),
    ...WHEN_RUN.map(([name, res]) => def(name, { issue: (_ring, req) => ended(req, res) })),
  ];
}
