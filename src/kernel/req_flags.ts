/** Flags of a request as tracepoints print them: the low bits are those of the SQE, the others as computed for 6.1 and recorded on 7.3. */
import { IORING_OP } from '../uapi/io_uring_ops';
import type { IoReq } from './io_req';
import { fileReqFlags } from './open_file';

/** 6.1: REQ_F_CREDS, which every punted request carries. */
const CREDS = 0x00040000;
/** 6.1: REQ_F_HASH_LOCKED, set on the way to io-wq where an attempt without blocking came before. */
const HASH_LOCKED = 0x20000000;
/** 7.3: of operations that keep data of their own beside the request. */
const OWN_DATA = 0x400000;
const OWN_DATA_OPS: ReadonlySet<number> = new Set([IORING_OP.READ, IORING_OP.WRITE, IORING_OP.URING_CMD]);
/** 7.3: credentials, a regular file that supports NOWAIT, and what every punted request has. */
const LATER_CREDS = 0x80000;
const LATER_REGULAR = 0x60000000;
const LATER_PUNTED = 0x10000000000;

/** What io_uring_submit_req prints. */
export function submitFlags(req: IoReq): number {
  return req.flags + (OWN_DATA_OPS.has(req.opcode) ? OWN_DATA : 0);
}

/** What io_uring_queue_async_work prints; `later` in the 64 bits of today. */
export function puntedFlags(req: IoReq, later: boolean): number {
  if (!later)
    return req.flags + (req.file ? fileReqFlags(req.file) : 0) + CREDS + (req.tried ? HASH_LOCKED : 0);
  const regular = req.file?.kind === 'regular' ? LATER_REGULAR : 0;
  return submitFlags(req) + LATER_CREDS + regular + LATER_PUNTED;
}
