import { udIsEventfd, udIsTarget } from '../uapi/user_data';
import { CMD, type Ring, SLOT, type Slot, type SqeKind } from './entities';

/** A ring; `created` -1 where it is older than what is known, sizes 0 where unknown. */
export function newRing(word: number, created: number, sqEntries: number, cqEntries: number): Ring {
  return {
    word,
    created,
    sqEntries,
    cqEntries,
    slots: [],
    sqes: new Map(),
    device: -1,
    qid: -1,
    pid: -1,
    fetched: 0,
    firstDelivery: -1,
    lastSqe: undefined,
    callSeen: created >= 0,
    lastWait: -1,
  };
}

/** A slot of which nothing is known but whether its ring began in the trace. */
export function newSlot(ring: Ring, tag: number): Slot {
  return {
    ring,
    tag,
    state: ring.created >= 0 ? SLOT.fresh : SLOT.unknown,
    armed: undefined,
    before: SLOT.unknown,
    used: false,
    deliver: -1,
    commit: undefined,
    targets: [],
    block: undefined,
    pid: -1,
  };
}

/** What an SQE is to a ublk server. Control commands and other programs use values with other bits set. */
export function kindOf(lo: number, hi: number, opcode: string): SqeKind {
  const op = (lo >>> 16) & 0xff;
  if (udIsEventfd(lo, hi)) return 'other';
  if (udIsTarget(hi)) return (hi & 0x00ffff00) === 0 ? 'target' : 'other';
  if ((hi & 0x00ffffff) !== 0 || lo >>> 24 !== 0 || op < CMD.fetch || op > 0x27) return 'other';
  return opcode === '' || opcode === 'URING_CMD' ? 'command' : 'other';
}
