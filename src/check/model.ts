import {
  type Block,
  CMD,
  type DriverCommand,
  ENODEV,
  type Ring,
  SLOT,
  type Slot,
  type SlotState,
  type Sqe,
  SQE_FLAG,
} from './entities';
import { Blocks } from './blocks';
import { kindOf, newRing, newSlot } from './newcomers';
import type { Observer } from './observer';
import type { Pass, Step } from './pass';

const F_MORE = 2;
const F_CANCEL = 0x800;

/** Rings, slots and requests of a trace as they are at the present event, told to observers as they change. */
export class Model {
  readonly rings = new Map<number, Ring>();
  private readonly blocks: Blocks;
  private commits = new Map<number, Slot>();
  private commands = new Map<number, DriverCommand>();
  private readonly pids: number[] = [];

  constructor(
    readonly pass: Pass,
    private readonly observers: readonly Observer[],
  ) {
    this.blocks = new Blocks(pass, observers, {
      committed: (task) => this.commits.get(task)?.block,
      command: (task) => this.commands.get(task),
      closed: (block) => this.closed(block),
    });
    for (let t = 0; t < pass.trace.taskCount; t++) {
      const task = pass.trace.taskOf(t);
      const worker = /^iou-(?:wrk|sqp)-(\d+)$/.exec(task.comm);
      this.pids.push(worker ? Number(worker[1]) : task.pid);
    }
  }

  /** Thread of the event's task, or of the task whose worker it is. */
  pid(e: number): number {
    return this.pids[this.pass.trace.task[e]] ?? -1;
  }

  /** Steps of the events that the model needs. */
  steps(): [string, Step][] {
    const submit: Step = {
      fields: ['ring', 'req', 'user_data', 'opcode', 'flags'],
      needs: 3,
      run: (e, f) => this.submit(e, f),
    };
    const idle: Step = { fields: [], needs: 0, run: (e) => this.idle(e) };
    return [
      [
        'io_uring_create',
        { fields: ['ring', 'sq_entries', 'cq_entries'], needs: 3, run: (e, f) => this.create(e, f) },
      ],
      ['io_uring_submit_sqe', submit],
      ['io_uring_submit_req', submit],
      ['io_uring_req_failed', { ...submit, fields: ['ring', 'req', 'user_data', 'opcode', 'none'] }],
      [
        'io_uring_complete',
        {
          fields: ['ring', 'req', 'user_data', 'result', 'cflags'],
          needs: 4,
          run: (e, f) => this.complete(e, f),
        },
      ],
      ['io_uring_queue_async_work', { fields: ['ring', 'req'], needs: 2, run: (e, f) => this.punt(e, f) }],
      ['io_uring_cqring_wait', { fields: ['ring'], needs: 1, run: (e, f) => this.wait(e, f) }],
      ['sys_enter_io_uring_enter', idle],
      ['sys_exit_io_uring_enter', idle],
      [
        'ublk_ch_uring_cmd',
        {
          fields: ['op', 'q_id', 'tag', 'result', 'issue_flags'],
          needs: 4,
          run: (e, f) => this.driverCommand(e, f),
        },
      ],
      [
        'ublk_ch_uring_cmd_ret',
        { fields: [], needs: 0, run: (e) => this.commands.delete(this.pass.trace.task[e]) },
      ],
      ...this.blocks.steps(),
    ];
  }

  /** Events are missing: everything is unknown again. */
  forget(): void {
    this.rings.clear();
    this.blocks.forget();
    this.commits = new Map();
    this.commands = new Map();
    for (const o of this.observers) o.forget?.();
  }

  /** The end of the trace. */
  finish(): void {
    for (const o of this.observers) o.finish?.();
  }

  /** The driver command that the task is in. */
  commandOf(e: number): DriverCommand | undefined {
    return this.commands.get(this.pass.trace.task[e]);
  }

  /** The latest request on a queue and tag, as the server of a thread sees it; undefined where it cannot be told. */
  blockOf(qid: number, tag: number, pid: number): Block | undefined {
    const list = this.blocks.at(qid, tag);
    if (list.length < 2) return list[0];
    for (const ring of this.rings.values()) {
      if (ring.pid === pid && ring.device >= 0 && ring.qid === qid)
        return list.find((b) => b.device === ring.device);
    }
    return undefined;
  }

  /** Number of a block device within this trace. */
  device(major: number, minor: number): number {
    return this.blocks.device(major, minor);
  }

  /** The slot that serves a request, where its ring is known. */
  slotOf(block: Block): Slot | undefined {
    for (const ring of this.rings.values()) {
      if (ring.device === block.device && ring.qid === block.qid) {
        const slot = ring.slots[block.tag];
        if (slot?.block === block) return slot;
      }
    }
    return undefined;
  }

  ringOf(word: number): Ring {
    return this.rings.get(word) ?? this.addRing(newRing(word, -1, 0, 0));
  }

  private addRing(ring: Ring): Ring {
    this.rings.set(ring.word, ring);
    return ring;
  }

  private slot(ring: Ring, tag: number): Slot {
    const known = ring.slots[tag];
    if (known) return known;
    const slot = newSlot(ring, tag);
    ring.slots[tag] = slot;
    return slot;
  }

  private create(e: number, f: readonly number[]): void {
    const { pass } = this;
    const ring = this.addRing(newRing(pass.word(e, f[0]), e, pass.num(e, f[1]), pass.num(e, f[2])));
    for (const o of this.observers) o.created?.(ring, e);
  }

  private submit(e: number, f: readonly number[]): void {
    const { pass } = this;
    const ring = this.ringOf(pass.word(e, f[0]));
    const data = pass.word(e, f[2]);
    const opcode = pass.text(e, f[3]);
    const flags = f[4] < 0 ? 0 : pass.trace.wide.lowOf(pass.word(e, f[4]));
    const lo = pass.trace.wide.lowOf(data);
    const kind = kindOf(lo, pass.trace.wide.highOf(data), opcode);
    const tag = lo & 0xffff;
    const last = ring.lastSqe;
    const linked = last !== undefined && (last.flags & (SQE_FLAG.link | SQE_FLAG.hardlink)) !== 0;
    const slot = kind === 'other' ? undefined : this.slot(ring, tag);
    const sqe: Sqe = {
      ring,
      data,
      kind,
      op: (lo >>> 16) & 0xff,
      tag,
      opcode,
      flags,
      submit: e,
      pid: this.pid(e),
      maySkip:
        (flags & SQE_FLAG.skip) !== 0 || (last === undefined ? !ring.callSeen : linked && last.maySkip),
      delivery: slot?.deliver ?? -1,
      punted: false,
      complete: -1,
      result: NaN,
    };
    const req = pass.word(e, f[1]);
    for (const o of this.observers) o.submitted?.(sqe, ring.sqes.get(req), e);
    ring.sqes.set(req, sqe);
    ring.lastSqe = sqe;
    ring.pid = sqe.pid;
    const { task } = pass.trace;
    this.commits.delete(task[e]);
    this.commands.delete(task[e]);
    if (!slot) return;
    if (kind === 'target') {
      if (slot.state === SLOT.owned || slot.state === SLOT.unknown) slot.targets.push(sqe);
      return;
    }
    if (sqe.op > CMD.getData) return;
    if (sqe.op === CMD.commit) this.commits.set(task[e], slot);
    for (const o of this.observers) o.command?.(slot, sqe, e);
    this.arm(slot, sqe, e);
  }

  private arm(slot: Slot, sqe: Sqe, e: number): void {
    if (sqe.op === CMD.fetch && !slot.used && slot.state !== SLOT.armed) slot.ring.fetched++;
    slot.pid = sqe.pid;
    const busy = slot.state === SLOT.armed || slot.state === SLOT.getting || slot.state === SLOT.gone;
    if (busy) return;
    slot.before = slot.state;
    slot.armed = sqe;
    slot.used = true;
    slot.state = sqe.op === CMD.getData ? SLOT.getting : SLOT.armed;
    if (sqe.op !== CMD.commit) return;
    slot.commit = sqe;
    slot.targets = slot.targets.filter((target) => target.complete < 0);
    if (slot.block) slot.block.commit = e;
  }

  private complete(e: number, f: readonly number[]): void {
    const { pass } = this;
    const ring = this.ringOf(pass.word(e, f[0]));
    const data = pass.word(e, f[2]);
    const result = pass.num(e, f[3]);
    const more = f[4] >= 0 && (pass.num(e, f[4]) & F_MORE) !== 0;
    const sqe = ring.sqes.get(pass.word(e, f[1]));
    for (const o of this.observers) o.completed?.(sqe, ring, data, result, more, e);
    const lo = pass.trace.wide.lowOf(data);
    const kind = sqe && sqe.data === data ? sqe.kind : kindOf(lo, pass.trace.wide.highOf(data), '');
    const op = (lo >>> 16) & 0xff;
    if (kind === 'command' && op <= CMD.getData && !more) {
      const slot = this.slot(ring, lo & 0xffff);
      for (const o of this.observers) o.answered?.(slot, sqe, op, result, e);
      if (sqe === undefined || sqe.complete < 0) this.answer(slot, sqe, op, result, e);
    }
    if (more) return;
    if (sqe) {
      sqe.complete = e;
      sqe.result = result;
      return;
    }
    const opcode = kind === 'command' ? 'URING_CMD' : '';
    ring.sqes.set(pass.word(e, f[1]), {
      ring,
      data,
      kind,
      op,
      tag: lo & 0xffff,
      opcode,
      flags: 0,
      submit: -1,
      pid: -1,
      maySkip: false,
      delivery: -1,
      punted: false,
      complete: e,
      result,
    });
  }

  private answer(slot: Slot, sqe: Sqe | undefined, op: number, result: number, e: number): void {
    if (result === ENODEV) {
      slot.state = SLOT.gone;
      slot.armed = undefined;
      return;
    }
    if (result < 0) {
      if (sqe === undefined || slot.armed !== sqe) return;
      slot.state = slot.before;
      slot.armed = undefined;
      if (op === CMD.commit) {
        slot.commit = undefined;
        if (slot.block) slot.block.commit = -1;
      }
      return;
    }
    const first = op !== CMD.getData;
    slot.armed = undefined;
    slot.used = true;
    slot.state = (result === 1 ? SLOT.needData : SLOT.owned) as SlotState;
    if (!first) return;
    const { ring } = slot;
    if (ring.firstDelivery < 0) ring.firstDelivery = e;
    slot.deliver = e;
    slot.commit = undefined;
    slot.targets = [];
    slot.block = this.bind(slot, e);
    if (slot.block) slot.block.deliver = e;
  }

  /** The request that a delivery announces. */
  private bind(slot: Slot, e: number): Block | undefined {
    const { ring, tag } = slot;
    const waiting = this.blocks
      .at(ring.qid, tag)
      .filter((b) => b.end < 0 && b.deliver < 0 && (ring.device < 0 || b.device === ring.device));
    if (waiting.length !== 1) return undefined;
    ring.device = waiting[0].device;
    ring.qid = waiting[0].qid;
    if (ring.pid < 0) ring.pid = this.pid(e);
    return waiting[0];
  }

  private punt(e: number, f: readonly number[]): void {
    const sqe = this.ringOf(this.pass.word(e, f[0])).sqes.get(this.pass.word(e, f[1]));
    if (sqe && sqe.complete < 0) sqe.punted = true;
  }

  private wait(e: number, f: readonly number[]): void {
    this.ringOf(this.pass.word(e, f[0])).lastWait = e;
    this.idle(e);
  }

  private idle(e: number): void {
    const { task } = this.pass.trace;
    this.commits.delete(task[e]);
    this.commands.delete(task[e]);
    const pid = this.pid(e);
    for (const ring of this.rings.values()) {
      if (ring.pid === pid) {
        ring.lastSqe = undefined;
        ring.callSeen = true;
      }
    }
  }

  private driverCommand(e: number, f: readonly number[]): void {
    const { pass } = this;
    if (f[4] >= 0 && (pass.num(e, f[4]) & F_CANCEL) !== 0) return;
    const task = pass.trace.task[e];
    const qid = pass.num(e, f[1]);
    const tag = pass.num(e, f[2]);
    const op = pass.trace.wide.lowOf(pass.word(e, f[0])) & 0xff;
    const slot = this.commits.get(task);
    const own = slot?.tag === tag ? slot : undefined;
    const command: DriverCommand = {
      op,
      qid,
      tag,
      event: e,
      ended: -1,
      result: pass.num(e, f[3]) | 0,
      block: op === CMD.commit ? (own?.block ?? this.blockOf(qid, tag, this.pid(e))) : undefined,
    };
    if (own && own.ring.qid < 0) own.ring.qid = qid;
    for (const o of this.observers) o.driverCommand?.(command, own, e);
    this.commands.set(task, command);
    if (command.block && own?.armed && own.commit === own.armed) command.block.commitResult = command.result;
  }

  private closed(block: Block): void {
    const slot = this.slotOf(block);
    // Ended without a COMMIT: the server is gone, what becomes of the slot is not known.
    if (slot && block.commit < 0 && slot.state === SLOT.owned) slot.state = SLOT.unknown;
  }
}
