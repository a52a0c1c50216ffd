/** Which memory a read or write of io_uring works on. */
import { REQ, type Req, type RwState, type Uring } from './types';
import { MAX_RW_COUNT, type Segment, TASK_SIZE, UserIter } from './user_memory';

const EFAULT = -14;
const EINVAL = -22;
/** Most ranges of one vector. */
const UIO_MAXIOV = 1024;

/** import_ubuf: the one range that a READ or WRITE names. 0 or a negative errno. */
export function importRange(ring: Uring, req: Req, rw: RwState): number {
  if ((req.flags & REQ.BUFFER_SELECT) !== 0) return 0;
  const { addr, len } = req.sqe;
  const size = Math.min(len, MAX_RW_COUNT);
  if (!accessOk(addr, size)) return EFAULT;
  rw.iter = iterOf(ring, [{ addr: Number(addr), len: size }]);
  return 0;
}

function accessOk(addr: bigint, size: number): boolean {
  return addr + BigInt(size) <= BigInt(TASK_SIZE);
}

function iterOf(ring: Uring, segments: Segment[]): UserIter {
  return new UserIter(segments, ring.memory);
}

/** The ranges that a READV or WRITEV points to. 0 or a negative errno. */
export function importVector(ring: Uring, req: Req, rw: RwState): number {
  const { addr, len } = req.sqe;
  if ((req.flags & REQ.BUFFER_SELECT) !== 0) return len === 1 ? 0 : EINVAL;
  if (len > UIO_MAXIOV) return EINVAL;
  const bytes = len === 0 ? new Uint8Array(0) : ring.memory.copyFrom(Number(addr), len * 16);
  if (bytes.length < len * 16) return EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const segments: Segment[] = [];
  let left = MAX_RW_COUNT;
  for (let i = 0; i < len; i++) {
    const base = view.getBigUint64(i * 16, true);
    const size = view.getBigInt64(i * 16 + 8, true);
    if (size < 0n) return EINVAL;
    const n = Math.min(Number(size), left);
    if (!accessOk(base, n)) return EFAULT;
    segments.push({ addr: Number(base), len: n });
    left -= n;
  }
  rw.iter = iterOf(ring, segments);
  return 0;
}

/** io_init_rw_fixed: a range of a registered buffer. 0 or a negative errno. */
export function importFixed(ring: Uring, req: Req, rw: RwState): number {
  if (rw.iter) return 0;
  const buffer = ring.fixedBuffers[req.sqe.bufIndex];
  if (buffer === undefined) return EFAULT;
  const addr = Number(req.sqe.addr);
  const { len } = req.sqe;
  if (addr < buffer.addr || addr + len > buffer.addr + buffer.len) return EFAULT;
  rw.iter = iterOf(ring, [{ addr, len }]);
  return 0;
}
