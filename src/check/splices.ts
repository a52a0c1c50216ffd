import type { Block, DriverCommand, SpliceCall } from './entities';
import type { Model } from './model';
import type { Observer } from './observer';
import type { Pass } from './pass';
import { overlap } from './ranges';
import type { Findings, Place } from './report';

const DIRECT = 0x10;
const READ_TO_READ = 0x20;
/** Set by the kernel itself while more rounds follow. */
const MORE = 0x4;

/** INV-56, INV-57 and INV-59: what the server asks of the pages of a request, and when. */
export class SpliceRules implements Observer {
  constructor(
    private readonly pass: Pass,
    private readonly model: Model,
    private readonly findings: Findings,
  ) {}

  /** A splice asks the driver for pages, in every round anew. `pos` names queue, tag and offset. */
  reached(call: SpliceCall, pos: number, flags: number, e: number): void {
    if (call.seen) {
      this.alive(call, e);
      return;
    }
    call.seen = true;
    if (pos < 0) {
      const message = () => `position ${pos} names no request`;
      this.findings.test('INV-57', false, e, message, () => splicePlace(call));
      return;
    }
    call.qid = Math.floor(pos / 2 ** 42);
    call.tag = Math.floor(pos / 2 ** 30) % 4096;
    call.offset = pos % 2 ** 30;
    call.filled = call.offset;
    const block = this.model.blockOf(call.qid, call.tag, this.model.pid(e));
    if (!block) return;
    const delivery = call.sqe?.delivery ?? -1;
    const stale = delivery >= 0 && block.deliver >= 0 && delivery !== block.deliver;
    call.block = block;
    this.alive(call, e, stale);
    if (block.end >= 0 || stale) return;
    block.users.push(call);
    this.asked(call, block, flags, e);
  }

  /** A request is used only while it lives. */
  private alive(call: SpliceCall, e: number, stale = false): void {
    const { block } = call;
    if (!block) return;
    this.findings.test(
      'INV-59',
      block.end < 0 && !stale,
      e,
      () =>
        stale
          ? `a SPLICE for an earlier request of tag ${call.tag} reaches the one started at event ${block.start}`
          : `a SPLICE asks for pages of tag ${call.tag}, whose request ended at event ${block.end}`,
      () => ({ ...splicePlace(call, [block.start, block.commit, block.end]), firstCause: block.commit }),
    );
  }

  private asked(call: SpliceCall, block: Block, flags: number, e: number): void {
    const { findings } = this;
    const { offset, asked } = call;
    const place = () => splicePlace(call, [block.start, block.deliver]);
    const want = block.op === 'R' ? DIRECT | READ_TO_READ : DIRECT;
    const kind = block.op === 'R' ? 'READ' : 'WRITE';
    if (block.op === 'R' || block.op === 'W') {
      findings.test(
        'INV-57',
        (flags & (DIRECT | READ_TO_READ)) === want,
        e,
        () =>
          `a ${kind} is spliced with flags 0x${(flags & ~MORE).toString(16)}; it needs 0x${want.toString(16)}`,
        place,
      );
    }
    const inside = findings.test(
      'INV-57',
      offset < block.bytes,
      e,
      () => `a SPLICE begins at byte ${offset} of a request of ${block.bytes}`,
      place,
    );
    if (!inside || Number.isNaN(asked)) return;
    findings.test(
      'INV-56',
      offset + asked <= block.bytes,
      e,
      () => `a SPLICE asks for bytes ${offset} to ${offset + asked - 1} of a request of ${block.bytes}`,
      place,
    );
    const range = [offset, offset + asked] as const;
    const again = block.asks.find((ask) => ask.counted && overlap(ask.range, range));
    findings.test(
      'INV-56',
      again === undefined,
      e,
      () => `bytes ${offset} to ${offset + asked - 1} are spliced again within one delivery`,
      () => ({ ...splicePlace(call, [block.deliver, again?.event ?? -1]), firstCause: again?.event }),
    );
    block.asks.push({ range, event: call.event, counted: !this.pass.has('ublk_handled') });
  }

  /** The driver has counted the bytes asked for, whether it then hands them out or not. */
  counted(call: SpliceCall): void {
    const ask = call.block?.asks.find((a) => a.event === call.event);
    if (ask) ask.counted = true;
  }

  ended(block: Block, _bytes: number, _error: number, _command: DriverCommand | undefined, e: number): void {
    for (const call of block.users) {
      this.findings.test(
        'INV-59',
        false,
        e,
        () => `the request of tag ${block.tag} ends while a SPLICE uses its pages`,
        () => ({ ...splicePlace(call, [block.start, block.commit, call.event]), firstCause: block.commit }),
      );
    }
  }
}

/** Where a splice is, and what shows it. */
export function splicePlace(call: SpliceCall, evidence: readonly number[] = []): Place {
  return {
    ...(call.tag >= 0 ? { queue: call.qid, tag: call.tag } : {}),
    evidence: [call.event, ...evidence],
  };
}
