/** io_uring/rw.c: READ, WRITE, READV, WRITEV, READ_FIXED, WRITE_FIXED. */
import { IORING_OP } from '../../uapi/io_uring_ops';
import { addTaskWork } from './task_work_list';
import { taskSubmit } from './core';
import { done, doneWrite, fromDisk, holdsDirect } from './rw_end';
import { deviceRead, deviceWrite } from './devices';
import {
  type DirectMemory,
  type DirectPlan,
  directTransfer,
  directWrite,
  fillHoles,
  overwriteDirect,
  planDirect,
} from './direct_io';
import { EPOLL } from './epoll_bits';
import { canPoll, type OpenFile, pollMask, supportsNowait } from './open_files';
import { bufferedRead, bufferedWrite, fillCache, isUncached, writeChecks } from './regular_file';
import { DISK, DISK_NEXT, TICK } from './disk_times';
import { BLOCK } from './file_blocks';
import { PAGE } from './pages';
import { importFixed, importRange, importVector } from './import_iov';
import { ioprioError } from './ioprio';
import { ISSUE, ISSUED, REQ, type Req, type RwState, type Uring, WORK } from './types';
import type { UserIter } from './user_memory';

const EBADF = -9;
const EAGAIN = -11;
const EFAULT = -14;
const EINVAL = -22;
const EOPNOTSUPP = -95;
const ENOBUFS = -105;

const RWF = {
  HIPRI: 1,
  DSYNC: 2,
  SYNC: 4,
  NOWAIT: 8,
  APPEND: 16,
  NOAPPEND: 32,
  ATOMIC: 64,
  DONTCACHE: 128,
} as const;

/** What prep of every read and write does first. */
export function prepRw(ring: Uring, req: Req): number {
  const { sqe } = req;
  const bad = ioprioError(sqe.ioprio);
  if (bad !== 0) return bad;
  req.rw = {
    pos: Number(BigInt.asIntN(64, sqe.off)),
    iter: undefined,
    bytesDone: 0,
    want: 0,
    kflags: sqe.opFlags,
    direct: undefined,
  };
  if (sqe.pad2 !== 0n) return EINVAL;
  switch (req.opcode) {
    case IORING_OP.READV:
    case IORING_OP.WRITEV:
      return importVector(ring, req, req.rw);
    case IORING_OP.READ_FIXED:
    case IORING_OP.WRITE_FIXED:
      if (ring.profile.fixedAtPrep === 'range') return importFixed(ring, req, req.rw);
      return ring.profile.fixedAtPrep === 'index' && !ring.fixedBuffers[sqe.bufIndex] ? EFAULT : 0;
    default:
      return importRange(ring, req, req.rw);
  }
}

/** io_rw_init_file: 0 or a negative errno. */
function initFile(ring: Uring, req: Req, rw: RwState, writing: boolean): number {
  const file = req.file!;
  if (writing ? !file.writable : !file.readable) return EBADF;
  const flags = rw.kflags;
  if ((flags & ~ring.profile.rwfSupported) !== 0) return EOPNOTSUPP;
  if ((flags & RWF.APPEND) !== 0 && (flags & RWF.NOAPPEND) !== 0) return EINVAL;
  const nowait = supportsNowait(file, ring.profile.pipeNowait);
  if ((flags & RWF.NOWAIT) !== 0 && !nowait) return EOPNOTSUPP;
  if ((flags & RWF.ATOMIC) !== 0) return EOPNOTSUPP;
  if ((flags & RWF.DONTCACHE) !== 0 && file.kind !== 'file') return EOPNOTSUPP;
  if ((flags & RWF.NOWAIT) !== 0 || (file.nonblock && !nowait)) req.flags |= REQ.NOWAIT;
  if ((flags & RWF.HIPRI) !== 0) return ring.profile.hipriError;
  return 0;
}

/** io_file_supports_nowait */
function mayTryInline(ring: Uring, file: OpenFile, wanted: number): boolean {
  if (supportsNowait(file, ring.profile.pipeNowait)) return true;
  return canPoll(file) && (pollMask(file) & wanted) !== 0;
}

/** io_kiocb_update_pos and rw_verify_area: 0 or a negative errno. */
function takePosition(req: Req, rw: RwState, count: number): number {
  const file = req.file!;
  if (rw.pos === -1) {
    if (file.pipe !== undefined) {
      rw.pos = 0;
      return 0;
    }
    req.flags |= REQ.CUR_POS;
    rw.pos = file.pos;
  }
  if (rw.pos < 0) return EINVAL;
  return rw.pos + count > Number.MAX_SAFE_INTEGER * 1024 ? EINVAL : 0;
}

/**
 * A worker looks at the file position before it does the rest, without a lock: others may use and move the same one between.
 * Returns whether it took one.
 */
export function takePositionFirst(req: Req): boolean {
  const { rw, file } = req;
  if (rw?.pos !== -1 || file?.kind !== 'file') return false;
  takePosition(req, rw, 0);
  return true;
}

/** ->fail of reads and writes: what earlier tries did counts. */
export function failRw(req: Req): void {
  const rw = req.rw;
  if (rw && rw.bytesDone > 0) req.res = req.res < 0 ? rw.bytesDone : req.res + rw.bytesDone;
}

/** A direct read: a submit call may hold it back, to start it in the order of the disk. */
function readFromDisk(ring: Uring, req: Req, pos: number, plan: DirectPlan, nonblock: boolean): void {
  const file = req.file!;
  const start = (after: number): void => {
    const likely = DISK.read.likely + after * DISK_NEXT;
    fromDisk(ring, req, { ...DISK.read, likely }, plan.res, holdsDirect(ring, nonblock), () =>
      directTransfer(file, pos, plan, req.rw!.iter!),
    );
  };
  if (nonblock && ring.plug) ring.plug.push({ inode: file.inode, pos, end: pos + req.rw!.want, start });
  else start(0);
}

/** Issue of READ, READV and READ_FIXED. */
export function issueRead(ring: Uring, req: Req, flags: number): number {
  const rw = req.rw!;
  const file = () => req.file!;
  if (req.opcode === IORING_OP.READ_FIXED) {
    const bad = importFixed(ring, req, rw);
    if (bad !== 0) return bad;
  }
  const bad = initFile(ring, req, rw, false);
  if (bad !== 0) return bad;
  if (rw.iter === undefined) return ENOBUFS;
  const nonblock = (flags & ISSUE.NONBLOCK) !== 0;
  if (nonblock && !mayTryInline(ring, file(), EPOLL.IN)) return EAGAIN;
  const { iter } = rw;
  rw.want = iter.count;
  const unpositioned = takePosition(req, rw, iter.count);
  if (unpositioned !== 0) return unpositioned;
  const { kind } = file();
  if (kind === 'pipe') return readPipe(req, rw, nonblock);
  if (kind !== 'file') return done(req, rw, deviceRead(file(), iter));
  return readFile(ring, req, rw, nonblock);
}

function readPipe(req: Req, rw: RwState, nonblock: boolean): number {
  const { pipe, nonblock: fileNonblock } = req.file!;
  const tried = pipe!.read(rw.iter!, req.blockedOn !== undefined);
  if (!tried.blocked) {
    req.blockedOn = undefined;
    if (tried.done === 0 && tried.error < 0) return tried.error;
    return done(req, rw, tried.done);
  }
  // A worker that may block does so even for RWF_NOWAIT.
  if (nonblock || fileNonblock) return EAGAIN;
  req.blockedOn = pipe!.readWait;
  return ISSUED.BLOCKED;
}

function readFile(ring: Uring, req: Req, rw: RwState, nonblock: boolean): number {
  const file = req.file!;
  const iter = rw.iter!;
  if (file.direct) return readDirect(ring, req, rw, nonblock);
  if (isUncached(file, rw.pos, iter.count)) {
    if (nonblock && (req.flags & REQ.NOWAIT) !== 0) return EAGAIN;
    if (nonblock) {
      // Async buffered read: the unlocked page queues the request again.
      req.cause = 'page';
      ring.world.after(`page ${req.id}`, DISK.read, () => {
        fillCache(file);
        addTaskWork(ring, WORK.SUBMIT, req, () => taskSubmit(ring, req));
      });
      return ISSUED.PENDING;
    }
    fillCache(file);
    req.diskWait = DISK.read.likely;
  }
  // Not even a wake-up is promised for pages that nobody reads: a worker has to.
  if (nonblock && file.pages!.hasStale(rw.pos, iter.count)) return readUntilStale(req, rw);
  file.pages!.freshen(rw.pos, iter.count);
  const ret = bufferedRead(file, rw.pos, iter);
  if (ret < 0) return ret;
  rw.pos += ret;
  return done(req, rw, ret);
}

/** RWF_NOWAIT takes what comes before the first page without its bytes. */
function readUntilStale(req: Req, rw: RwState): number {
  const pages = req.file!.pages!;
  const first = Math.min(...[...pages.stale].filter((index) => (index + 1) * PAGE > rw.pos));
  const ready = first * PAGE - rw.pos;
  if ((req.flags & REQ.NOWAIT) === 0 || ready <= 0) return EAGAIN;
  const ret = bufferedRead(req.file!, rw.pos, rw.iter!, ready);
  if (ret < 0) return ret;
  rw.pos += ret;
  return done(req, rw, ret);
}

function memoryOf(req: Req, { segments }: UserIter): DirectMemory {
  const registered = req.opcode === IORING_OP.READ_FIXED || req.opcode === IORING_OP.WRITE_FIXED;
  return { segments, registered };
}

function readDirect(ring: Uring, req: Req, rw: RwState, nonblock: boolean): number {
  const file = req.file!;
  const iter = rw.iter!;
  const start = rw.pos;
  const plan = planDirect(file, start, iter.count, memoryOf(req, iter), false);
  fillHoles(plan, iter);
  if (!plan.disk) {
    if (plan.res < 0) return plan.res;
    rw.pos = start + plan.res;
    return done(req, rw, plan.res);
  }
  readFromDisk(ring, req, start, plan, nonblock);
  return ISSUED.PENDING;
}

/** Issue of WRITE, WRITEV and WRITE_FIXED. */
export function issueWrite(ring: Uring, req: Req, flags: number): number {
  const rw = req.rw!;
  if (req.opcode === IORING_OP.WRITE_FIXED) {
    const bad = importFixed(ring, req, rw);
    if (bad !== 0) return bad;
  }
  const bad = initFile(ring, req, rw, true);
  if (bad !== 0) return bad;
  if (rw.iter === undefined) return ENOBUFS;
  const file = req.file!;
  const nonblock = (flags & ISSUE.NONBLOCK) !== 0;
  const { iter } = rw;
  rw.want = iter.count;
  if (nonblock) {
    if (!mayTryInline(ring, file, EPOLL.OUT)) return EAGAIN;
    if (file.kind === 'file' && !file.direct) return EAGAIN;
  }
  const unpositioned = takePosition(req, rw, iter.count);
  if (unpositioned !== 0) return unpositioned;
  switch (file.kind) {
    case 'pipe':
      return writePipe(ring, req, rw, nonblock);
    case 'file':
      return writeFile(ring, req, rw, nonblock);
    default:
      return doneWrite(ring, req, rw, iter.count === 0 ? 0 : deviceWrite(file, iter));
  }
}

function writePipe(ring: Uring, req: Req, rw: RwState, nonblock: boolean): number {
  const { pipe, nonblock: fileNonblock } = req.file!;
  const resumed = req.blockedOn !== undefined;
  const tried = pipe!.write(rw.iter!, resumed);
  const before = rw.bytesDone;
  if (tried.blocked) {
    if (!nonblock && !fileNonblock) {
      rw.bytesDone += tried.done;
      req.blockedOn = pipe!.writeWait;
      return ISSUED.BLOCKED;
    }
    if (tried.done === 0) {
      if ((req.flags & REQ.NOWAIT) !== 0 || !nonblock) return doneWrite(ring, req, rw, EAGAIN);
      return EAGAIN;
    }
  }
  req.blockedOn = undefined;
  rw.want += before;
  rw.bytesDone = 0;
  const total = before + tried.done;
  return doneWrite(ring, req, rw, total === 0 ? tried.error : total);
}

function writeFile(ring: Uring, req: Req, rw: RwState, nonblock: boolean): number {
  const file = req.file!;
  const iter = rw.iter!;
  if (nonblock && !writesInline(ring, req, rw)) return refusedInline(ring, req, rw);
  const append = file.append ? (rw.kflags & RWF.NOAPPEND) === 0 : (rw.kflags & RWF.APPEND) !== 0;
  const allowed = writeChecks(file, rw.pos, iter.count, append, ring.fsizeLimit);
  if (allowed.error !== 0) return doneWrite(ring, req, rw, allowed.error);
  rw.pos = allowed.pos;
  const synced = file.sync || (rw.kflags & (RWF.DSYNC | RWF.SYNC)) !== 0;
  if (file.direct && allowed.count > 0)
    return writeDirect(ring, req, rw, { count: allowed.count, synced, nonblock });
  const ret = allowed.count === 0 ? 0 : bufferedWrite(file, allowed.pos, allowed.count, iter);
  if (ret >= 0) rw.pos += ret;
  if (ret > 0 && synced) req.diskWait = DISK.sync.likely;
  return endWrite(ring, req, rw, ret);
}

/** What is short is tried again for the rest. */
function endWrite(ring: Uring, req: Req, rw: RwState, ret: number): number {
  if (ret < 0 || ret >= rw.want) return doneWrite(ring, req, rw, ret);
  rw.bytesDone += ret;
  return EAGAIN;
}

/**
 * ext4_dio_write_checks: whether a direct write waits for the disk. What makes the file longer does; so does what is not of
 * whole blocks (of the file, and of memory), unless it goes into one extent that holds data.
 */
function waitsForDisk(ring: Uring, req: Req, pos: number, count: number): boolean {
  const { size, blocks } = req.file!.pages!;
  if (pos + count > size) return true;
  const memory = req.rw!.iter!.segments.filter(({ len }) => len > 0);
  const unaligned = [pos, ...memory.flatMap(({ addr, len }) => [addr, len])].some((n) => n % BLOCK !== 0);
  if (!unaligned || !ring.profile.partialDioEndsLater) return unaligned;
  const { state, length } = blocks.extent(pos, count);
  return state !== 'written' || length < count;
}

/**
 * A direct write that must not block is left to a worker when the time stamp of the file has to change, or when it needs the
 * inode for itself. Stamps change with the timer tick: who comes soon after another write finds nothing to change. When
 * exploring a worker does it: it can be as quick.
 */
function writesInline(ring: Uring, req: Req, rw: RwState): boolean {
  const { direct, append, pages } = req.file!;
  if (!direct || append || (rw.kflags & RWF.APPEND) !== 0 || ring.world.exploring) return false;
  if (pages!.stampedAt === undefined || ring.world.now - pages!.stampedAt > TICK / 2) return false;
  const { count } = rw.iter!;
  const { state, length } = pages!.blocks.extent(rw.pos, count);
  return count > 0 && state === 'written' && length === count && !waitsForDisk(ring, req, rw.pos, count);
}

/** ext4_dio_write_iter: waits for the disk, or ends when the disk says so. */
function writeDirect(
  ring: Uring,
  req: Req,
  rw: RwState,
  { count, synced, nonblock }: { count: number; synced: boolean; nonblock: boolean },
): number {
  const file = req.file!;
  const iter = rw.iter!;
  const { pos } = rw;
  const plan = planDirect(file, pos, count, memoryOf(req, iter), true);
  const waits = waitsForDisk(ring, req, pos, count);
  if (!ring.world.exploring) file.pages!.stampedAt = ring.world.now;
  const likely = synced ? DISK.sync.likely : DISK.direct.likely;
  if (plan.disk && plan.res === rw.want && !waits) {
    fromDisk(ring, req, { ...DISK.direct, likely }, plan.res, holdsDirect(ring, nonblock), () => {
      directWrite(file, pos, plan.res, iter);
    });
    return ISSUED.PENDING;
  }
  if (plan.res < 0) overwriteDirect(file, pos, plan, iter);
  else directWrite(file, pos, plan.res, iter);
  if (plan.disk) req.diskWait = likely;
  if (plan.res > 0) rw.pos += plan.res;
  return endWrite(ring, req, rw, plan.res);
}

/** A direct write tried inline that would block. */
function refusedInline(ring: Uring, req: Req, rw: RwState): number {
  return (req.flags & REQ.NOWAIT) !== 0 ? doneWrite(ring, req, rw, EAGAIN) : EAGAIN;
}
