/** io_uring/opdef.c: what every opcode checks at prep and does when issued. */
import { IORING_OP } from '../../uapi/io_uring_ops';
import { setFail } from './complete_later';
import { taskSubmit } from './core';
import { issueCancel, issuePollRemove, issueTimeoutRemove, CANCEL } from './cancel';
import { DISK } from './disk_times';
import { EPOLL } from './epoll_bits';
import { fallocate, fallocateError, fsyncError, syncRangeError } from './fallocate';
import { fixedFile, normalFile } from './file_get';
import { putFile } from './open_files';
import { failRw, issueRead, issueWrite, prepRw } from './ops_rw';
import { NO_CHECKS, otherOps } from './other_ops';
import { armPoll } from './poll_arm';
import { splice, SPLICE_F, type SpliceResult, tee } from './splice_ops';
import { startTimeout } from './timeout_arm';
import { ISSUE, ISSUED, type OpDef, REQ, type Req, type Uring } from './types';

const EBADF = -9;
const EAGAIN = -11;
const EFAULT = -14;
const EINVAL = -22;
const ECANCELED = -125;

function complete(req: Req, res: number): number {
  req.res = res;
  return ISSUED.COMPLETE;
}

/** Signed 64-bit value of a field as a number; exact below 2^53. */
function signed(value: bigint): number {
  return Number(BigInt.asIntN(64, value));
}

const NOP: OpDef = {
  ...NO_CHECKS,
  name: 'NOP',
  prep: (ring, req) => ((req.sqe.opFlags & ~ring.profile.nopFlags) !== 0 ? EINVAL : 0),
  issue: (_ring, req) => complete(req, 0),
};

function rw(name: string, write: boolean, select: boolean): OpDef {
  return {
    ...NO_CHECKS,
    name,
    needsFile: true,
    ioprio: true,
    pollin: !write,
    pollout: write,
    hashRegFile: write,
    unboundNonreg: true,
    bufferSelect: select,
    prep: prepRw,
    issue: write ? issueWrite : issueRead,
    fail: failRw,
  };
}

/** A blocking op: 6.1 refuses the inline try, later kernels never make it. `moves`: between files, as SPLICE and TEE. */
function blocking(
  name: string,
  prep: OpDef['prep'],
  run: (ring: Uring, req: Req) => number,
  moves = false,
): OpDef {
  return {
    ...NO_CHECKS,
    name,
    needsFile: true,
    hashRegFile: moves,
    unboundNonreg: moves,
    forceAsync: true,
    prep,
    issue: (ring, req, flags) => ((flags & ISSUE.NONBLOCK) !== 0 ? EAGAIN : run(ring, req)),
  };
}

const FSYNC = blocking(
  'FSYNC',
  (ring, { sqe }) => {
    if (sqe.addr !== 0n || sqe.bufIndex !== 0 || sqe.spliceFdIn !== 0) return EINVAL;
    if ((sqe.opFlags & ~1) !== 0) return EINVAL;
    return ring.profile.fsyncChecksOffset && signed(sqe.off) < 0 ? EINVAL : 0;
  },
  (_ring, req) => {
    const file = req.file!;
    const error = fsyncError(file);
    if (error === 0) syncDisk(req);
    return complete(req, error);
  },
);

/** The disk is always told to flush; a commit of the journal comes before that when something was written. */
function syncDisk(req: Req): void {
  const pages = req.file!.pages!;
  req.diskWait = pages.dirty ? DISK.sync.likely : DISK.flush.likely;
  pages.dirty = false;
}

/** Writing out and waiting for it; waiting alone finds nothing under way. */
const SYNC_RANGE_WAITS = 2 | 4;

const SYNC_FILE_RANGE = blocking(
  'SYNC_FILE_RANGE',
  (_ring, { sqe }) => (sqe.addr !== 0n || sqe.bufIndex !== 0 || sqe.spliceFdIn !== 0 ? EINVAL : 0),
  (_ring, req) => {
    const { sqe, file } = req;
    const error = syncRangeError(file!, signed(sqe.off), sqe.len, sqe.opFlags);
    const waits = (sqe.opFlags & SYNC_RANGE_WAITS) === SYNC_RANGE_WAITS;
    if (error === 0 && waits && file!.pages!.dirty) req.diskWait = DISK.write.likely;
    return complete(req, error);
  },
);

const FALLOCATE: OpDef = {
  ...blocking(
    'FALLOCATE',
    (_ring, { sqe }) => (sqe.bufIndex !== 0 || sqe.opFlags !== 0 || sqe.spliceFdIn !== 0 ? EINVAL : 0),
    (ring, req) => {
      const { sqe } = req;
      return complete(req, fallocate(req.file!, sqe.len, signed(sqe.off), signed(sqe.addr), ring.fsizeLimit));
    },
  ),
  refused: ({ file, sqe }) => fallocateError(file!, sqe.len, signed(sqe.off), signed(sqe.addr)) !== 0,
};

/** io_splice and io_tee around what they move. */
function runSplice(ring: Uring, req: Req, move: (input: NonNullable<Req['file']>) => SpliceResult): number {
  const { sqe } = req;
  const fixed = (sqe.opFlags & SPLICE_F.FD_IN_FIXED) !== 0;
  const input =
    req.spliceIn ?? (fixed ? fixedFile(ring, sqe.spliceFdIn) : normalFile(ring, req, sqe.spliceFdIn));
  let result: SpliceResult = { res: EBADF };
  if (input) {
    result = sqe.len === 0 ? { res: 0 } : move(input);
  }
  if (result.wait) {
    req.blockedOn = result.wait;
    req.spliceIn = input;
    return ISSUED.BLOCKED;
  }
  dropSpliceInput(req, input);
  req.blockedOn = undefined;
  if (result.disk) req.diskWait = DISK.read.likely;
  if (result.res !== sqe.len) setFail(req);
  return complete(req, result.res);
}

/** The input file is held from the first try to the end of the call. */
function dropSpliceInput(req: Req, input: Req['file']): void {
  if (input) putFile(input);
  req.spliceIn = undefined;
}

function spliceFlagsError(req: Req): number {
  return (req.sqe.opFlags & ~(SPLICE_F.ALL | SPLICE_F.FD_IN_FIXED)) !== 0 ? EINVAL : 0;
}

const SPLICE = blocking(
  'SPLICE',
  (_ring, req) => spliceFlagsError(req),
  (ring, req) => {
    const { sqe } = req;
    const flags = sqe.opFlags & SPLICE_F.ALL;
    return runSplice(ring, req, (input) =>
      splice(input, signed(sqe.addr), req.file!, signed(sqe.off), sqe.len, flags, ring.fsizeLimit),
    );
  },
  true,
);

const TEE = blocking(
  'TEE',
  (_ring, req) => (req.sqe.addr !== 0n || req.sqe.off !== 0n ? EINVAL : spliceFlagsError(req)),
  (ring, req) => runSplice(ring, req, (input) => tee(input, req.file!, req.sqe.len, req.sqe.opFlags)),
  true,
);

const POLL_MULTI = 1;

const POLL_ADD: OpDef = {
  ...NO_CHECKS,
  name: 'POLL_ADD',
  needsFile: true,
  unboundNonreg: true,
  prep: (_ring, req) => {
    const { sqe } = req;
    if (sqe.bufIndex !== 0 || sqe.off !== 0n || sqe.addr !== 0n) return EINVAL;
    if ((sqe.len & ~POLL_MULTI) !== 0) return EINVAL;
    return (sqe.len & POLL_MULTI) !== 0 && (req.flags & REQ.CQE_SKIP) !== 0 ? EINVAL : 0;
  },
  issue: (ring, req) => {
    const once = (req.sqe.len & POLL_MULTI) === 0;
    const events = ((req.sqe.opFlags & 0x3fff) | EPOLL.ET | (once ? EPOLL.ONESHOT : 0)) >>> 0;
    const armed = armPoll(ring, req, events, taskSubmit);
    if (armed === 'armed') return ISSUED.PENDING;
    return 'mask' in armed ? complete(req, armed.mask & 0xffff) : armed.error;
  },
};

const POLL_REMOVE: OpDef = {
  ...NO_CHECKS,
  name: 'POLL_REMOVE',
  prep: (_ring, { sqe }) => (sqe.bufIndex !== 0 || sqe.spliceFdIn !== 0 || sqe.off !== 0n ? EINVAL : 0),
  issue: issuePollRemove,
  models: (sqe) => sqe.len === 0 && sqe.opFlags === 0,
};

const TIMEOUT_FLAG = { ABS: 1, ETIME_SUCCESS: 0x20, MULTISHOT: 0x40, CLOCKS: 0x0c } as const;

function prepTimeout(ring: Uring, req: Req, isLink: boolean): number {
  const { sqe } = req;
  const off = Number(BigInt.asUintN(32, sqe.off));
  if (sqe.bufIndex !== 0 || sqe.len !== 1 || sqe.spliceFdIn !== 0) return EINVAL;
  if (off !== 0 && isLink) return EINVAL;
  const flags = sqe.opFlags;
  const { ABS, ETIME_SUCCESS, MULTISHOT, CLOCKS } = TIMEOUT_FLAG;
  const known = ABS | CLOCKS | ETIME_SUCCESS | (ring.profile.multishotTimers ? MULTISHOT : 0);
  if ((flags & ~known) !== 0) return EINVAL;
  if ((flags & CLOCKS) === CLOCKS) return EINVAL;
  if ((flags & ABS) !== 0 && (flags & MULTISHOT) !== 0) return EINVAL;
  if (off !== 0) ring.offTimeoutUsed = true;
  const bytes = sqe.addr > 0xffffffffffffn ? new Uint8Array(0) : ring.memory.copyFrom(Number(sqe.addr), 16);
  if (bytes.length < 16) return EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const sec = view.getBigInt64(0, true);
  const nsec = view.getBigInt64(8, true);
  if (sec < 0n || nsec < 0n) return EINVAL;
  req.timeout = {
    ns: Number(sec) * 1e9 + Number(nsec),
    off,
    targetSeq: 0,
    etimeSuccess: (flags & ETIME_SUCCESS) !== 0,
    multishot: (flags & MULTISHOT) !== 0,
    repeats: (flags & MULTISHOT) !== 0 ? off : 0,
    absolute: (flags & ABS) !== 0,
    timer: undefined,
    head: undefined,
    prev: undefined,
  };
  if (!isLink) return 0;
  if (ring.linkHead === undefined || ring.linkLast!.opcode === IORING_OP.LINK_TIMEOUT) return EINVAL;
  req.timeout.head = ring.linkLast;
  ring.linkLast!.flags |= REQ.ARM_LTIMEOUT;
  return 0;
}

const TIMEOUT: OpDef = {
  ...NO_CHECKS,
  name: 'TIMEOUT',
  prep: (ring, req) => prepTimeout(ring, req, false),
  issue: (ring, req) => {
    startTimeout(ring, req);
    return ISSUED.PENDING;
  },
};

const LINK_TIMEOUT: OpDef = {
  ...NO_CHECKS,
  name: 'LINK_TIMEOUT',
  prep: (ring, req) => prepTimeout(ring, req, true),
  issue: () => ECANCELED,
};

const TIMEOUT_REMOVE: OpDef = {
  ...NO_CHECKS,
  name: 'TIMEOUT_REMOVE',
  prep: (_ring, { sqe, flags }) => {
    if ((flags & (REQ.FIXED_FILE | REQ.BUFFER_SELECT)) !== 0) return EINVAL;
    return sqe.bufIndex !== 0 || sqe.len !== 0 || sqe.spliceFdIn !== 0 || sqe.opFlags !== 0 ? EINVAL : 0;
  },
  issue: issueTimeoutRemove,
};

const ASYNC_CANCEL: OpDef = {
  ...NO_CHECKS,
  name: 'ASYNC_CANCEL',
  prep: (ring, { sqe, flags }) => {
    if ((flags & REQ.BUFFER_SELECT) !== 0) return EINVAL;
    if (sqe.off !== 0n || sqe.spliceFdIn !== 0) return EINVAL;
    if ((sqe.opFlags & ~ring.profile.cancelFlags) !== 0) return EINVAL;
    const any = (sqe.opFlags & CANCEL.ANY) !== 0;
    return any && (sqe.opFlags & (CANCEL.FD | CANCEL.OP)) !== 0 ? EINVAL : 0;
  },
  issue: issueCancel,
};

/** The table of ops by opcode; SEND_ZC and SENDMSG_ZC, whose notifications are not modelled, are absent. */
function makeTable(): readonly (OpDef | undefined)[] {
  const table: (OpDef | undefined)[] = [];
  table[IORING_OP.NOP] = NOP;
  table[IORING_OP.READV] = rw('READV', false, true);
  table[IORING_OP.WRITEV] = rw('WRITEV', true, false);
  table[IORING_OP.FSYNC] = FSYNC;
  table[IORING_OP.READ_FIXED] = rw('READ_FIXED', false, false);
  table[IORING_OP.WRITE_FIXED] = rw('WRITE_FIXED', true, false);
  table[IORING_OP.POLL_ADD] = POLL_ADD;
  table[IORING_OP.SYNC_FILE_RANGE] = SYNC_FILE_RANGE;
  table[IORING_OP.TIMEOUT] = TIMEOUT;
  table[IORING_OP.TIMEOUT_REMOVE] = TIMEOUT_REMOVE;
  table[IORING_OP.ASYNC_CANCEL] = ASYNC_CANCEL;
  table[IORING_OP.LINK_TIMEOUT] = LINK_TIMEOUT;
  table[IORING_OP.FALLOCATE] = FALLOCATE;
  table[IORING_OP.READ] = rw('READ', false, true);
  table[IORING_OP.WRITE] = rw('WRITE', true, false);
  table[IORING_OP.SPLICE] = SPLICE;
  table[IORING_OP.TEE] = TEE;
  table[IORING_OP.POLL_REMOVE] = POLL_REMOVE;
  for (const [opcode, def] of otherOps()) table[opcode] = def;
  return table;
}

export const OP_TABLE = makeTable();
