import { type Block, CMD, type DriverCommand, type Ring, type Slot, type Sqe } from './entities';
import { key } from './blocks';
import type { Model } from './model';
import type { Observer } from './observer';
import type { Pass, Step } from './pass';
import type { Findings } from './report';

/** INV-24 to INV-26, INV-34: tags of requests and when they are free again. */
export class TagRules implements Observer {
  /** Tags taken by device, then queue and tag; the event that took them. */
  private taken = new Map<number, Map<number, number>>();
  private readonly bitmap: boolean;
  /** Requests in flight by device and queue. */
  private live = new Map<number, Set<Block>>();

  constructor(
    private readonly pass: Pass,
    private readonly model: Model,
    private readonly findings: Findings,
  ) {
    this.bitmap = pass.has('blk_mq_get_driver_tag');
  }

  steps(): [string, Step][] {
    const fields = ['major', 'minor', 'qid', 'tag'];
    return [
      ['blk_mq_get_driver_tag', { fields, needs: 4, run: (e, f) => this.take(e, f) }],
      ['blk_mq_put_driver_tag', { fields, needs: 4, run: (e, f) => this.put(e, f) }],
    ];
  }

  forget(): void {
    this.taken = new Map();
    this.live = new Map();
  }

  private take(e: number, f: readonly number[]): void {
    const { pass } = this;
    const device = this.model.device(pass.num(e, f[0]), pass.num(e, f[1]));
    const qid = pass.num(e, f[2]);
    const tag = pass.num(e, f[3]);
    const tags = this.tags(device);
    const before = tags.get(key(qid, tag)) ?? -1;
    this.findings.test(
      'INV-24',
      before < 0,
      e,
      () => `tag ${tag} of queue ${qid} is taken while the request that took it at event ${before} has it`,
      () => ({ queue: qid, tag, evidence: [before] }),
    );
    tags.set(key(qid, tag), e);
  }

  private put(e: number, f: readonly number[]): void {
    const { pass } = this;
    const device = this.model.device(pass.num(e, f[0]), pass.num(e, f[1]));
    const qid = pass.num(e, f[2]);
    const tag = pass.num(e, f[3]);
    this.tags(device).delete(key(qid, tag));
    const block = this.model.blockOf(qid, tag, this.model.pid(e));
    if (!block || block.device !== device) return;
    this.findings.test(
      'INV-34',
      block.end >= 0,
      e,
      () => `tag ${tag} of queue ${qid} is freed before its request has ended`,
      () => ({ queue: qid, tag, evidence: [block.start, block.deliver] }),
    );
  }

  private tags(device: number): Map<number, number> {
    const tags = this.taken.get(device) ?? new Map<number, number>();
    this.taken.set(device, tags);
    return tags;
  }

  started(block: Block, before: Block | undefined, e: number): void {
    const { findings } = this;
    const { qid, tag } = block;
    const place =
      (...evidence: number[]) =>
      () => ({ queue: qid, tag, evidence });
    if (!this.bitmap) {
      findings.test(
        'INV-24',
        before === undefined || before.end >= 0,
        e,
        () =>
          `a request starts on tag ${tag} of queue ${qid}, which the request started at event ${before?.start} has`,
        place(before?.start ?? -1, block.start),
      );
    }
    const queue = block.device * 0x10000 + qid;
    const live = this.live.get(queue) ?? new Set<Block>();
    this.live.set(queue, live);
    if (before) live.delete(before);
    live.add(block);
    const depth = this.depth(this.ringOf(block));
    if (depth === 0) return;
    const inFlight = live.size;
    findings.test(
      'INV-25',
      inFlight <= depth,
      e,
      () => `${inFlight} requests of queue ${qid} are in flight; its depth is ${depth}`,
      place(block.start),
    );
    findings.test(
      'INV-26',
      tag < depth,
      e,
      () => `tag ${tag} of a queue of depth ${depth}`,
      place(block.start),
    );
  }

  command(slot: Slot, sqe: Sqe, e: number): void {
    const depth = this.depth(slot.ring);
    if (depth === 0 || sqe.op === CMD.fetch) return;
    this.findings.test(
      'INV-26',
      slot.tag < depth,
      e,
      () => `the server sends a command for tag ${slot.tag} of a queue of depth ${depth}`,
      () => ({ tag: slot.tag }),
    );
  }

  ended(block: Block, _bytes: number, error: number, _command: DriverCommand | undefined, e: number): void {
    this.live.get(block.device * 0x10000 + block.qid)?.delete(block);
    if (error !== 0 || block.deliver < 0) return;
    this.findings.test(
      'INV-34',
      block.commit >= 0,
      e,
      () => `the request of tag ${block.tag} ends well, but its delivery was not committed`,
      () => ({ queue: block.qid, tag: block.tag, evidence: [block.start, block.deliver] }),
    );
  }

  requeued(_device: number, _sector: number, _sectors: number, block: Block | undefined): void {
    if (block) this.live.get(block.device * 0x10000 + block.qid)?.delete(block);
  }

  /** Depth of a queue whose FETCH commands are in the trace; 0 while unknown. */
  private depth(ring: Ring | undefined): number {
    return ring && ring.created >= 0 && ring.firstDelivery >= 0 ? ring.fetched : 0;
  }

  private ringOf(block: Block): Ring | undefined {
    let found: Ring | undefined;
    for (const ring of this.model.rings.values()) {
      if (ring.device === block.device && ring.qid === block.qid) found = ring;
    }
    return found;
  }
}
