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
  type SqeKind,
} from './entities';
import { udIsEventfd, udIsTarget } from '../uapi/user_data';
import type { Pass, Step } from './pass';

/** What the rules hear. Each is told before the model takes the event in. */
export interface Observer {
  created?(ring: Ring, e: number): void;
  submitted?(sqe: Sqe, before: Sqe | undefined, e: number): void;
  /** `sqe` is undefined where the SQE is older than the trace or was never seen. */
  completed?(sqe: Sqe | undefined, ring: Ring, data: number, result: number, more: boolean, e: number): void;
  command?(slot: Slot, sqe: Sqe, e: number): void;
  answered?(slot: Slot, sqe: Sqe | undefined, op: number, result: number, e: number): void;
  driverCommand?(command: DriverCommand, slot: Slot | undefined, e: number): void;
  queued?(qid: number, tag: number, before: readonly Block[], e: number): void;
  started?(block: Block, before: Block | undefined, e: number): void;
  /** The driver delivers in the server's task; queue id -1 where the probe does not tell. */
  dispatched?(qid: number, tag: number, e: number): void;
  ended?(block: Block, bytes: number, error: number, command: DriverCommand | undefined, e: number): void;
  requeued?(device: number, sector: number, sectors: number, block: Block | undefined, e: number): void;
  /** Everything known so far may be wrong: events are missing. */
  forget?(): void;
  finish?(): void;
}

const F_MORE = 2;
const F_CANCEL = 0x800;

/** Rings, slots and requests of a trace as they are at the present event, told to observers as they change. */
export class Model {
  readonly rings = new Map<number, Ring>();
  /** Requests in flight by queue and tag; several where devices share both. */
  private blocks = new Map<number, Block[]>();
  private bySector = new Map<number, Block[]>();
  private starting = new Map<
    number,
    { qid: number; tag: number; sector: number; bytes: number; event: number }
  >();
  private commits = new Map<number, Slot>();
  private commands = new Map<number, DriverCommand>();
  private readonly devices = new Map<number, number>();
  private readonly issues: boolean;
  private readonly pids: number[] = [];

  constructor(
    readonly pass: Pass,
    private readonly observers: readonly Observer[],
  ) {
    this.issues = pass.has('block_rq_issue');
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
    const tag: Step = { fields: ['tag', 'qid'], needs: 1, run: (e, f) => this.dispatch(e, f) };
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
        'ublk_queue_rq',
        { fields: ['qid', 'tag', 'sector', 'len'], needs: 4, run: (e, f) => this.queue(e, f) },
      ],
      [
        'block_rq_issue',
        { fields: ['major', 'minor', 'rwbs', 'sector'], needs: 4, run: (e, f) => this.issue(e, f) },
      ],
      [
        'block_rq_complete',
        {
          fields: ['major', 'minor', 'sector', 'nr_sector', 'error'],
          needs: 5,
          run: (e, f) => this.end(e, f),
        },
      ],
      [
        'block_rq_requeue',
        { fields: ['major', 'minor', 'sector', 'nr_sector'], needs: 4, run: (e, f) => this.requeue(e, f) },
      ],
      ['ublk_rq_task_work', tag],
      ['ublk_dispatch_req', tag],
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
    ];
  }

  /** Events are missing: everything is unknown again. */
  forget(): void {
    this.rings.clear();
    this.blocks = new Map();
    this.bySector = new Map();
    this.starting = new Map();
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
    const list = this.blocks.get(key(qid, tag));
    if (!list) return undefined;
    if (list.length === 1) return list[0];
    for (const ring of this.rings.values()) {
      if (ring.pid === pid && ring.device >= 0 && ring.qid === qid)
        return list.find((b) => b.device === ring.device);
    }
    return undefined;
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
    return this.rings.get(word) ?? this.newRing(word, -1, 0, 0);
  }

  /** Small number of a block device. */
  device(major: number, minor: number): number {
    const number = major * 0x100000 + minor;
    const id = this.devices.get(number) ?? this.devices.size;
    this.devices.set(number, id);
    return id;
  }

  private newRing(word: number, created: number, sqEntries: number, cqEntries: number): Ring {
    const ring: Ring = {
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
    this.rings.set(word, ring);
    return ring;
  }

  private slot(ring: Ring, tag: number): Slot {
    const known = ring.slots[tag];
    if (known) return known;
    const slot: Slot = {
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
    ring.slots[tag] = slot;
    return slot;
  }

  private create(e: number, f: readonly number[]): void {
    const { pass } = this;
    const ring = this.newRing(pass.word(e, f[0]), e, pass.num(e, f[1]), pass.num(e, f[2]));
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
    const waiting: Block[] = [];
    for (const list of this.candidates(ring, tag)) {
      for (const block of list) {
        if (block.end >= 0 || block.deliver >= 0 || (ring.device >= 0 && block.device !== ring.device))
          continue;
        waiting.push(block);
      }
    }
    if (waiting.length !== 1) return undefined;
    ring.device = waiting[0].device;
    ring.qid = waiting[0].qid;
    if (ring.pid < 0) ring.pid = this.pid(e);
    return waiting[0];
  }

  private candidates(ring: Ring, tag: number): Block[][] {
    if (ring.qid >= 0) {
      const list = this.blocks.get(key(ring.qid, tag));
      return list ? [list] : [];
    }
    return [...this.blocks].filter(([k]) => (k & 0xffff) === tag).map(([, list]) => list);
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

  private queue(e: number, f: readonly number[]): void {
    const { pass } = this;
    const start = {
      qid: pass.num(e, f[0]),
      tag: pass.num(e, f[1]),
      sector: pass.num(e, f[2]),
      bytes: pass.num(e, f[3]),
      event: e,
    };
    const before = this.blocks.get(key(start.qid, start.tag)) ?? [];
    for (const o of this.observers) o.queued?.(start.qid, start.tag, before, e);
    if (this.issues) this.starting.set(pass.trace.task[e], start);
    else this.start(start, -1, '', e);
  }

  private issue(e: number, f: readonly number[]): void {
    const { pass } = this;
    const task = pass.trace.task[e];
    const start = this.starting.get(task);
    // A flush has no sector; the two events print different ones.
    if (!start || (start.bytes > 0 && start.sector !== pass.num(e, f[3]))) return;
    this.starting.delete(task);
    const rwbs = pass.text(e, f[2]);
    const op = rwbs.startsWith('F') && start.bytes > 0 ? rwbs[1] : rwbs[0];
    this.start(start, this.device(pass.num(e, f[0]), pass.num(e, f[1])), op, e);
  }

  private start(
    {
      qid,
      tag,
      sector,
      bytes,
      event,
    }: { qid: number; tag: number; sector: number; bytes: number; event: number },
    device: number,
    op: string,
    e: number,
  ): void {
    const block: Block = {
      device,
      qid,
      tag,
      sector,
      bytes,
      op,
      start: event,
      deliver: -1,
      commit: -1,
      commitResult: NaN,
      end: -1,
      copied: false,
      uncopied: false,
      fills: [],
      asks: [],
      users: [],
    };
    const place = key(qid, tag);
    const list = this.blocks.get(place);
    const index = list ? list.findIndex((b) => b.device === device) : -1;
    for (const o of this.observers) o.started?.(block, list?.[index], e);
    if (!list) this.blocks.set(place, [block]);
    else if (index < 0) list.push(block);
    else list[index] = block;
    const sectors = sectorKey(device, sector);
    const same = this.bySector.get(sectors);
    if (same) same.push(block);
    else this.bySector.set(sectors, [block]);
  }

  private dispatch(e: number, f: readonly number[]): void {
    const tag = this.pass.num(e, f[0]);
    const qid = f[1] < 0 ? -1 : this.pass.num(e, f[1]);
    for (const o of this.observers) o.dispatched?.(qid, tag, e);
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

  private end(e: number, f: readonly number[]): void {
    const { pass } = this;
    const device = this.device(pass.num(e, f[0]), pass.num(e, f[1]));
    const sector = pass.num(e, f[2]);
    const list = this.bySector.get(sectorKey(device, sector)) ?? this.bySector.get(sectorKey(-1, sector));
    if (!list) return;
    const task = pass.trace.task[e];
    const command = this.commands.get(task);
    const committed = command?.block ?? this.commits.get(task)?.block;
    const block = committed && list.includes(committed) ? committed : list[0];
    const bytes = pass.num(e, f[3]) * 512;
    const error = pass.num(e, f[4]);
    for (const o of this.observers) o.ended?.(block, bytes, error, command, e);
    if (command && command.block === block) command.ended = e;
    this.close(block, e);
  }

  private requeue(e: number, f: readonly number[]): void {
    const { pass } = this;
    const device = this.device(pass.num(e, f[0]), pass.num(e, f[1]));
    const sector = pass.num(e, f[2]);
    const block = this.bySector.get(sectorKey(device, sector))?.[0];
    for (const o of this.observers) o.requeued?.(device, sector, pass.num(e, f[3]), block, e);
    if (block) this.close(block, e);
  }

  private close(block: Block, e: number): void {
    block.end = e;
    const place = sectorKey(block.device, block.sector);
    const list = this.bySector.get(place);
    if (list) {
      const rest = list.filter((b) => b !== block);
      if (rest.length === 0) this.bySector.delete(place);
      else this.bySector.set(place, rest);
    }
    const slot = this.slotOf(block);
    // Ended without a COMMIT: the server is gone, what becomes of the slot is not known.
    if (slot && block.commit < 0 && slot.state === SLOT.owned) slot.state = SLOT.unknown;
  }
}

/** Place of a slot in tables. */
export function key(qid: number, tag: number): number {
  return qid * 0x10000 + tag;
}

function sectorKey(device: number, sector: number): number {
  return (device + 1) * 2 ** 44 + sector;
}

/** What an SQE is to a ublk server. Control commands and other programs use values with other bits set. */
export function kindOf(lo: number, hi: number, opcode: string): SqeKind {
  const op = (lo >>> 16) & 0xff;
  if (udIsEventfd(lo, hi)) return 'other';
  if (udIsTarget(hi)) return (hi & 0x00ffff00) === 0 ? 'target' : 'other';
  if ((hi & 0x00ffffff) !== 0 || lo >>> 24 !== 0 || op < CMD.fetch || op > 0x27) return 'other';
  return opcode === '' || opcode === 'URING_CMD' ? 'command' : 'other';
}
