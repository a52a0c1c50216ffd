import { type Block, CMD, ENODEV, SLOT, SLOT_NAMES, type Slot, type Sqe } from './entities';
import type { Model } from './model';
import type { Observer } from './observer';
import type { Pass, Step } from './pass';
import type { Findings, Place } from './report';

const NAMES: Readonly<Record<number, string>> = { 32: 'FETCH', 33: 'COMMIT', 34: 'NEED_GET_DATA' };

/** INV-27 to INV-33 and INV-35 to INV-37: what server and driver do with the slots of a queue. */
export class SlotRules implements Observer {
  private readonly starts: boolean;
  /** The descriptor is filled when the request is queued, not when it is delivered. */
  private readonly filledEarly: boolean;

  constructor(
    private readonly pass: Pass,
    private readonly model: Model,
    private readonly findings: Findings,
  ) {
    this.starts = pass.has('ublk_queue_rq');
    this.filledEarly = !pass.has('ublk_prep_req', 'ublk_dispatch_req');
  }

  steps(): [string, Step][] {
    return [
      ['ublk_dev_state', { fields: ['state', 'queues', 'depth'], needs: 3, run: (e, f) => this.live(e, f) }],
    ];
  }

  submitted(_sqe: Sqe, before: Sqe | undefined, e: number): void {
    if (before?.kind !== 'command' || before.submit < 0 || before.complete >= 0 || before.maySkip) return;
    if (before.op > CMD.getData) return;
    this.findings.test(
      'INV-28',
      false,
      e,
      () => `${NAMES[before.op]} of tag ${before.tag} never got a CQE: its kernel request serves another SQE`,
      () => ({ tag: before.tag, evidence: [before.submit] }),
    );
  }

  command(slot: Slot, sqe: Sqe, e: number): void {
    const { findings } = this;
    const place =
      (...evidence: number[]) =>
      (): Place =>
        this.place(slot, evidence);
    if (slot.pid >= 0) {
      findings.test(
        'INV-33',
        slot.pid === sqe.pid,
        e,
        () =>
          `${NAMES[sqe.op]} of tag ${slot.tag} comes from task ${sqe.pid}, the commands before from ${slot.pid}`,
        place(slot.armed?.submit ?? -1, slot.deliver),
      );
    }
    if (slot.state === SLOT.gone) {
      const message = () => `${NAMES[sqe.op]} of tag ${slot.tag} after -ENODEV was its answer`;
      findings.test('INV-37', false, e, message, place());
      return;
    }
    if (sqe.op === CMD.fetch) this.fetch(slot, e);
    else if (sqe.op === CMD.commit) this.commit(slot, e);
    else {
      findings.test(
        'INV-27',
        slot.state === SLOT.needData || slot.state === SLOT.unknown,
        e,
        () => `NEED_GET_DATA for tag ${slot.tag}, which is ${SLOT_NAMES[slot.state]}`,
        place(slot.deliver),
      );
    }
  }

  private fetch(slot: Slot, e: number): void {
    const { ring } = slot;
    const held = this.findings.test(
      'INV-32',
      !slot.used,
      e,
      () => `FETCH of tag ${slot.tag}, which is ${SLOT_NAMES[slot.state]}`,
      () => this.place(slot, [slot.armed?.submit ?? -1, slot.deliver, slot.commit?.submit ?? -1]),
    );
    if (!held || ring.created < 0) return;
    this.findings.test(
      'INV-36',
      ring.firstDelivery < 0,
      e,
      () => `tag ${slot.tag} is fetched only after the first delivery of its queue`,
      () => this.place(slot, [ring.firstDelivery]),
    );
  }

  private commit(slot: Slot, e: number): void {
    const { findings } = this;
    const { state } = slot;
    const place = () => this.place(slot, [slot.deliver, slot.commit?.submit ?? -1]);
    if (state === SLOT.needData || state === SLOT.getting) {
      findings.test(
        'INV-27',
        false,
        e,
        () => `COMMIT of tag ${slot.tag}, which is ${SLOT_NAMES[state]}`,
        place,
      );
      return;
    }
    const again = state === SLOT.armed && slot.commit !== undefined && slot.armed === slot.commit;
    if (slot.deliver >= 0) {
      const { deliver } = slot;
      findings.test(
        'INV-30',
        !again,
        e,
        () => `a second COMMIT of tag ${slot.tag} for the delivery at event ${deliver}`,
        () => ({ ...place(), firstCause: slot.commit?.submit }),
      );
    }
    if (again || state === SLOT.unknown || this.beyond(slot)) return;
    findings.test(
      'INV-31',
      state === SLOT.owned,
      e,
      () => `COMMIT of tag ${slot.tag}, which is ${SLOT_NAMES[state]}: nothing was delivered there`,
      place,
    );
  }

  /** A tag that does not exist is told by INV-26. */
  private beyond(slot: Slot): boolean {
    return (
      slot.state === SLOT.fresh && slot.ring.firstDelivery >= 0 && slot.tag >= slot.ring.slots.length - 1
    );
  }

  answered(slot: Slot, sqe: Sqe | undefined, op: number, result: number, e: number): void {
    const { findings } = this;
    const { ring } = slot;
    const name = NAMES[op] ?? 'command';
    const place =
      (...evidence: number[]) =>
      (): Place =>
        this.place(slot, evidence);
    if (sqe) {
      findings.test(
        'INV-28',
        sqe.complete < 0,
        e,
        () => `a second CQE (result ${result}) for one ${name} of tag ${slot.tag}`,
        place(sqe.submit, sqe.complete),
      );
      if (sqe.complete >= 0) return;
    }
    findings.test(
      'INV-28',
      result <= 1,
      e,
      () => `${name} of tag ${slot.tag} is answered with ${result}; 0, 1 or an error is possible`,
      place(sqe?.submit ?? -1),
    );
    if (result < 0) {
      if (result === ENODEV) findings.test('INV-37', true, e, () => '');
      return;
    }
    if (result === 1 || op === CMD.getData) {
      findings.test(
        'INV-27',
        op === CMD.getData ? slot.state === SLOT.getting || slot.state === SLOT.unknown : true,
        e,
        () => `NEED_GET_DATA of tag ${slot.tag} is answered, but the slot is ${SLOT_NAMES[slot.state]}`,
        place(sqe?.submit ?? -1),
      );
    }
    if (op === CMD.getData) return;
    const armed = slot.state === SLOT.unknown || (slot.state === SLOT.armed && (!sqe || sqe === slot.armed));
    const held = findings.test(
      'INV-29',
      armed,
      e,
      () =>
        `a request is delivered on tag ${slot.tag} by a command that did not arm it: it is ${SLOT_NAMES[slot.state]}`,
      place(slot.deliver, slot.armed?.submit ?? -1, sqe?.submit ?? -1),
    );
    if (held) this.announced(slot, e);
    if (ring.created >= 0 && ring.firstDelivery < 0) findings.test('INV-36', true, e, () => '');
  }

  /** A delivery announces a request that the driver has started. */
  private announced(slot: Slot, e: number): void {
    const { ring, tag } = slot;
    if (!this.starts || ring.device < 0 || slot.deliver < 0 || slot.commit === undefined) return;
    const block = this.model.blockOf(ring.qid, tag, ring.pid);
    if (!block) return;
    this.findings.test(
      'INV-29',
      block.deliver < 0,
      e,
      () =>
        `tag ${tag} is delivered, but no request was started on it since the delivery at event ${block.deliver}`,
      () => this.place(slot, [block.start, block.deliver]),
    );
  }

  dispatched(qid: number, tag: number, e: number): void {
    if (this.filledEarly || qid < 0) return;
    const block = this.model.blockOf(qid, tag, this.model.pid(e));
    if (block) this.stable(block, e);
  }

  started(_block: Block, before: Block | undefined, e: number): void {
    if (!this.filledEarly) return;
    if (before) this.stable(before, e);
    else this.findings.test('INV-35', true, e, () => '');
  }

  /** The descriptor of the request's slot is written now. */
  private stable(block: Block, e: number): void {
    const owned = block.deliver >= 0 && block.commit < 0 && block.end < 0;
    this.findings.test(
      'INV-35',
      !owned,
      e,
      () =>
        `the descriptor of tag ${block.tag} is written while the server holds the request delivered at event ${block.deliver}`,
      () => ({ queue: block.qid, tag: block.tag, evidence: [block.start, block.deliver] }),
    );
  }

  private live(e: number, f: readonly number[]): void {
    const { pass } = this;
    if (pass.text(e, f[0]) !== 'LIVE') return;
    const wanted = pass.num(e, f[1]) * pass.num(e, f[2]);
    let armed = 0;
    for (const ring of this.model.rings.values()) {
      if (ring.created < 0) return;
      for (const slot of ring.slots)
        if (slot && slot.state !== SLOT.fresh && slot.state !== SLOT.gone) armed++;
    }
    this.findings.test(
      'INV-36',
      armed >= wanted,
      e,
      () => `the device goes LIVE with ${armed} slots fetched, but it has ${wanted}`,
    );
  }

  finish(): void {
    const { pass, model } = this;
    for (const ring of model.rings.values()) {
      const idle = !ring.slots.some((s) => s?.targets.some((t) => t.complete < 0));
      for (const slot of ring.slots) {
        if (!slot || slot.state !== SLOT.owned || slot.deliver < 0 || slot.block === undefined) continue;
        if (slot.block.end >= 0) continue;
        const last = Math.max(slot.deliver, ...slot.targets.map((t) => t.complete));
        const asleep = ring.lastWait > last && (slot.targets.length > 0 || idle) && idle;
        this.findings.test(
          'INV-30',
          !asleep,
          slot.deliver,
          () =>
            `tag ${slot.tag} is never committed: the server goes to sleep at line ${pass.trace.lineOf(ring.lastWait)} with nothing left to wait for`,
          () => this.place(slot, [last, ring.lastWait]),
        );
      }
    }
  }

  private place(slot: Slot, evidence: readonly number[]): Place {
    return {
      tag: slot.tag,
      ...(slot.ring.qid >= 0 ? { queue: slot.ring.qid } : {}),
      evidence,
    };
  }
}
