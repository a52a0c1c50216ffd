import { IOSQE } from '../uapi/io_uring_abi';
import type { IoReq } from './io_req';
import type { Ring } from './ring';

/** Result of a request whose chain broke before it ran. */
export const ECANCELED = -125;
const EOPNOTSUPP = -95;
const LINK_FLAGS = IOSQE.IO_LINK | IOSQE.IO_HARDLINK;

/** Whether the next SQE of the same submit call belongs to the chain of this one. */
export function linksOn(req: IoReq): boolean {
  return (req.flags & LINK_FLAGS) !== 0;
}

/** req_set_fail: the chain behind it is broken, and silence on success no longer holds. */
export function setFailed(req: IoReq, res: number): void {
  req.failed = true;
  req.res = res;
  if (!(req.flags & IOSQE.CQE_SKIP_SUCCESS)) return;
  req.flags &= ~IOSQE.CQE_SKIP_SUCCESS;
  req.skipLinkCqes = true;
}

/** The members behind a failed request; they post CQEs exactly if the failed one did not ask for silence. */
export function failLinks(req: IoReq): IoReq[] {
  const rest: IoReq[] = [];
  for (let member = req.link; member; member = member.link) {
    if (req.skipLinkCqes) member.flags |= IOSQE.CQE_SKIP_SUCCESS;
    else member.flags &= ~IOSQE.CQE_SKIP_SUCCESS;
    rest.push(member);
  }
  return rest;
}

/** The chain that a submit call is assembling (struct io_submit_link). Chains never span submit calls. */
export class Chain {
  head: IoReq | undefined;
  last: IoReq | undefined;

  /** Adds a member, or begins the chain. */
  add(req: IoReq): void {
    if (this.last) this.last.link = req;
    else this.head = req;
    this.last = req;
  }

  /** The whole chain by its head; the next request begins another. */
  take(): IoReq | undefined {
    const { head } = this;
    this.head = undefined;
    this.last = undefined;
    return head;
  }
}

interface Deferred {
  readonly req: IoReq;
  /** SQEs taken before it. */
  readonly seq: number;
}

/**
 * IOSQE_IO_DRAIN of 6.1: the request waits until as many CQEs were made as SQEs were taken before it. What comes behind goes the
 * slow way while a drain waits, and starts together with it.
 */
export class Drains {
  private readonly lists = new Map<Ring, Deferred[]>();

  /** The part of io_init_req that knows drains: 0 or -errno. `head`: of the chain under assembly. */
  init(req: IoReq, head: IoReq | undefined): number {
    const { ring } = req;
    if (req.flags & IOSQE.CQE_SKIP_SUCCESS) ring.drainDisabled = true;
    if (req.flags & IOSQE.IO_DRAIN) {
      if (ring.drainDisabled) return EOPNOTSUPP;
      ring.drainActive = true;
      if (head) {
        head.flags |= IOSQE.IO_DRAIN | IOSQE.ASYNC;
        ring.drainNext = true;
      }
    }
    if (ring.drainActive) req.flags |= IOSQE.ASYNC;
    if (ring.drainNext && !head) {
      ring.drainNext = false;
      ring.drainActive = true;
      req.flags |= IOSQE.IO_DRAIN | IOSQE.ASYNC;
    }
    return 0;
  }

  /** io_drain_req: true when the request has to wait. */
  defers(req: IoReq): boolean {
    const list = this.lists.get(req.ring) ?? [];
    let seq = req.ring.taken;
    for (let member: IoReq | undefined = req; member; member = member.link) seq--;
    const entry: Deferred = { req, seq: seq >>> 0 };
    if (!waits(entry) && list.length === 0) {
      req.ring.drainActive = false;
      return false;
    }
    list.push(entry);
    this.lists.set(req.ring, list);
    return true;
  }

  /** io_queue_deferred: the requests that need not wait any more, in order. */
  ready(ring: Ring): IoReq[] {
    const list = this.lists.get(ring);
    const out: IoReq[] = [];
    while (list && list.length > 0 && !waits(list[0])) out.push((list.shift() as Deferred).req);
    return out;
  }
}

function waits({ req, seq }: Deferred): boolean {
  return (req.flags & IOSQE.IO_DRAIN) !== 0 && seq !== req.ring.posted;
}
