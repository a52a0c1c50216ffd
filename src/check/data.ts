import { type Block, CMD, type DriverCommand, SLOT, type Slot, type Sqe } from './entities';
import type { Model } from './model';
import type { Observer } from './observer';
import type { Pass, Step } from './pass';
import { firstHole } from './ranges';
import type { Findings, Place } from './report';

const BACKEND = new Set([
  'READ',
  'WRITE',
  'READV',
  'WRITEV',
  'READ_FIXED',
  'WRITE_FIXED',
  'SPLICE',
  'FSYNC',
  'FALLOCATE',
  'SYNC_FILE_RANGE',
]);
const READS = new Set(['READ', 'READV', 'READ_FIXED', 'SPLICE']);
const MAX_ERRNO = 4095;

/** What a task does while it may copy for a request, and that it does not. */
interface CopyWindow {
  readonly kind: 'dispatch' | 'user-copy' | 'closed';
  readonly event: number;
}

/** INV-40 to INV-43 and INV-48: the bytes of requests. */
export class DataRules implements Observer {
  private windows = new Map<number, CopyWindow>();
  /** What a task's COMMIT left to be requeued. */
  private rests = new Map<number, { block: Block; from: number; sectors: number; event: number }>();
  /** Each delivery has a probe of its own, so that its window ends with its CQE. */
  private readonly single: boolean;
  private readonly modern: boolean;
  private readonly requeues: boolean;
  private readonly exposes: boolean;

  constructor(
    private readonly pass: Pass,
    private readonly model: Model,
    private readonly findings: Findings,
  ) {
    this.single = pass.has('ublk_rq_task_work', 'ublk_dispatch_req');
    this.modern = pass.has('ublk_prep_req', 'ublk_dispatch_req');
    this.requeues = pass.has('block_rq_requeue');
    this.exposes = pass.has('page_expose');
  }

  steps(): [string, Step][] {
    const copy: Step = { fields: ['tag', 'to_server', 'len'], needs: 0, run: (e, f) => this.copy(e, f) };
    const dispatch: Step = { fields: [], needs: 0, run: (e) => this.open('dispatch', e) };
    const user: Step = { fields: [], needs: 0, run: (e) => this.open('user-copy', e) };
    const close: Step = { fields: [], needs: 0, run: (e) => this.open('closed', e) };
    return [
      ['ublk_copy_user_pages', copy],
      ['ublk_copy_user_pages_isra_0', copy],
      ['ublk_rq_task_work_cb', dispatch],
      ['ublk_rq_task_work', dispatch],
      ['ublk_dispatch_req', dispatch],
      ['ublk_start_io', dispatch],
      ['ublk_user_copy', user],
      ['ublk_ch_read_iter', user],
      ['ublk_ch_write_iter', user],
      ['io_uring_task_work_run', close],
      ['sys_enter_io_uring_enter', close],
      ['sys_exit_io_uring_enter', close],
      ['ublk_unmap_io_ret', { fields: ['ret'], needs: 1, run: (e, f) => this.unmapped(e, f) }],
      ['ublk_ch_uring_cmd_ret', { fields: [], needs: 0, run: (e) => this.commandEnds(e) }],
      [
        'page_expose',
        { fields: ['qid', 'tag', 'length', 'filled'], needs: 4, run: (e, f) => this.expose(e, f) },
      ],
    ];
  }

  forget(): void {
    this.windows = new Map();
    this.rests = new Map();
  }

  private open(kind: CopyWindow['kind'], e: number): void {
    this.windows.set(this.pass.trace.task[e], { kind, event: e });
  }

  completed(
    _sqe: Sqe | undefined,
    _ring: unknown,
    _data: number,
    _result: number,
    _more: boolean,
    e: number,
  ): void {
    if (this.single) this.open('closed', e);
  }

  command(slot: Slot, sqe: Sqe, e: number): void {
    this.open('closed', e);
    if (sqe.op !== CMD.commit || slot.state !== SLOT.owned) return;
    const backend = slot.targets.filter((t) => BACKEND.has(t.opcode));
    if (backend.length === 0) return;
    const open = backend.find((t) => t.complete < 0);
    this.findings.test(
      'INV-42',
      open === undefined,
      e,
      () =>
        `tag ${slot.tag} is committed while its ${open?.opcode} (${this.pass.data(open?.data ?? 0)}) is in flight`,
      () => this.place(slot, [slot.deliver, open?.submit ?? -1], open?.submit),
    );
  }

  driverCommand(command: DriverCommand, slot: Slot | undefined, e: number): void {
    const { block, result } = command;
    if (command.op !== CMD.commit || !block || block.end >= 0) return;
    const payload = block.op === 'R' || block.op === 'W' || block.op === '';
    const { bytes, tag } = block;
    if (payload && bytes > 0) {
      this.findings.test(
        'INV-41',
        result <= bytes && result >= -MAX_ERRNO,
        e,
        () => `tag ${tag} is committed with ${result}; its request has ${bytes} bytes`,
        () => ({ queue: block.qid, tag, evidence: [block.start, block.deliver] }),
      );
    }
    const accepted = slot !== undefined && slot.commit !== undefined && slot.armed === slot.commit;
    if (!accepted || block.op !== 'R' || slot.block !== block || block.deliver < 0) return;
    this.transferred(command, slot, block, e);
  }

  /** A READ is committed with no more than its backend moved. */
  private transferred(command: DriverCommand, slot: Slot, block: Block, e: number): void {
    const all = this.targets.get(slot) ?? [];
    const reads = all.filter((t) => READS.has(t.opcode));
    if (reads.length === 0 || reads.length !== all.length || reads.some((t) => t.complete < 0)) return;
    const moved = reads.reduce((sum, t) => sum + Math.max(0, t.result), 0);
    this.findings.test(
      'INV-42',
      command.result <= moved,
      e,
      () => `tag ${slot.tag} is committed with ${command.result} bytes, but its backend moved ${moved}`,
      () => ({
        ...this.place(slot, [block.deliver, ...reads.map((t) => t.complete)]),
        firstCause: reads.at(-1)?.complete,
      }),
    );
  }

  /** Backend SQEs of the present delivery of each slot; they outlive its COMMIT. */
  private targets = new Map<Slot, Sqe[]>();

  answered(slot: Slot, _sqe: Sqe | undefined, op: number, result: number): void {
    if (result >= 0 && op !== CMD.getData) this.targets.delete(slot);
  }

  submitted(sqe: Sqe): void {
    if (sqe.kind !== 'target' || !BACKEND.has(sqe.opcode)) return;
    const slot = sqe.ring.slots[sqe.tag];
    if (!slot || slot.deliver < 0 || slot.state !== SLOT.owned) return;
    const list = this.targets.get(slot);
    if (list) list.push(sqe);
    else this.targets.set(slot, [sqe]);
  }

  private copy(e: number, f: readonly number[]): void {
    const { pass, findings } = this;
    const task = pass.trace.task[e];
    const command = this.model.commandOf(e);
    const window = this.windows.get(task);
    if (command && (command.op === CMD.commit || command.op === CMD.getData || command.op === CMD.fetch)) {
      const { block, tag, qid } = command;
      if (block) block.copied = true;
      const place = () => ({ queue: qid, tag, evidence: [command.event, command.ended] });
      findings.test(
        'INV-43',
        command.op !== CMD.fetch && command.ended < 0,
        e,
        () =>
          command.op === CMD.fetch
            ? `data is copied inside a FETCH of tag ${tag}`
            : `data of tag ${tag} is copied after its request has ended`,
        place,
      );
      const length = pass.num(e, f[2]);
      if (command.op !== CMD.commit || Number.isNaN(length) || !block) return;
      findings.test(
        'INV-43',
        length === Math.min(command.result, block.bytes),
        e,
        () => `${length} bytes of tag ${tag} are copied, but ${command.result} were committed`,
        place,
      );
      return;
    }
    // Nothing is known of the task before: the copy may belong to what began before the trace.
    if (!window) return;
    findings.test(
      'INV-43',
      window.kind !== 'closed',
      e,
      () => 'data is copied outside of a delivery and of a COMMIT',
      () => (f[0] < 0 ? {} : { tag: pass.num(e, f[0]) }),
    );
  }

  private unmapped(e: number, f: readonly number[]): void {
    const block = this.model.commandOf(e)?.block;
    if (block && !block.copied && this.pass.num(e, f[0]) > 0) block.uncopied = true;
  }

  private expose(e: number, f: readonly number[]): void {
    const { pass } = this;
    const qid = pass.num(e, f[0]);
    const tag = pass.num(e, f[1]);
    const length = pass.num(e, f[2]);
    const filled = pass.num(e, f[3]);
    const block = this.model.blockOf(qid, tag, this.model.pid(e));
    const hole = block && block.fills.length > 0 ? firstHole(block.fills, length) : undefined;
    this.findings.test(
      'INV-48',
      filled >= length,
      e,
      () =>
        `the reader gets ${length} bytes of tag ${tag}, of which the backend filled ${filled}` +
        (hole ? `; bytes ${hole[0]} to ${hole[1] - 1} hold what the pages held before` : ''),
      () => ({
        queue: qid,
        tag,
        evidence: [block?.start ?? -1, block?.deliver ?? -1, block?.commit ?? -1],
        firstCause: block?.commit,
      }),
    );
  }

  ended(block: Block, bytes: number, error: number, command: DriverCommand | undefined, e: number): void {
    if (error !== 0) return;
    if (command && command.block === block) this.whole(block, bytes, command, e);
    if (block.op !== 'R' || this.exposes || block.deliver < 0) return;
    if (block.copied || !(block.asks.length > 0 || block.uncopied)) return;
    const hole = firstHole(block.fills, bytes);
    this.findings.test(
      'INV-48',
      hole === undefined,
      e,
      () =>
        `the reader gets ${bytes} bytes of tag ${block.tag}, but bytes ${hole?.[0]} to ${(hole?.[1] ?? 0) - 1} were never filled`,
      () => ({
        queue: block.qid,
        tag: block.tag,
        evidence: [block.start, block.deliver, block.commit],
        firstCause: block.commit,
      }),
    );
  }

  /** What a COMMIT completes, and what it leaves. */
  private whole(block: Block, bytes: number, command: DriverCommand, e: number): void {
    const { findings } = this;
    const { result } = command;
    if ((block.op !== 'R' && block.op !== 'W') || result < 0 || block.bytes === 0) return;
    const wanted = result >= block.bytes ? block.bytes : Math.floor(result / 512) * 512;
    // Since 7.x a WRITE, and a READ that needs no copy, ends as a whole whatever was committed.
    const held = findings.test(
      'INV-40',
      bytes === wanted || (this.modern && bytes === block.bytes),
      e,
      () => `${bytes} bytes of tag ${block.tag} end, but ${result} of ${block.bytes} were committed`,
      () => ({ queue: block.qid, tag: block.tag, evidence: [block.start, block.deliver, command.event] }),
    );
    if (!held || bytes >= block.bytes || !this.requeues) return;
    this.rests.set(this.pass.trace.task[e], {
      block,
      from: block.sector + bytes / 512,
      sectors: (block.bytes - bytes) / 512,
      event: e,
    });
  }

  requeued(_device: number, sector: number, sectors: number, _block: Block | undefined, e: number): void {
    const task = this.pass.trace.task[e];
    const rest = this.rests.get(task);
    if (!rest) return;
    this.rests.delete(task);
    const { block } = rest;
    this.findings.test(
      'INV-40',
      sector === rest.from && sectors === rest.sectors,
      e,
      () =>
        `sectors ${sector} + ${sectors} are requeued; what was left of tag ${block.tag} is ${rest.from} + ${rest.sectors}`,
      () => ({ queue: block.qid, tag: block.tag, evidence: [block.start, rest.event] }),
    );
  }

  private commandEnds(e: number): void {
    const task = this.pass.trace.task[e];
    const rest = this.rests.get(task);
    if (!rest) return;
    this.rests.delete(task);
    const { block } = rest;
    this.findings.test(
      'INV-40',
      false,
      e,
      () => `the last ${rest.sectors} sectors of tag ${block.tag} were not committed and are not requeued`,
      () => ({ queue: block.qid, tag: block.tag, evidence: [block.start, rest.event] }),
    );
  }

  private place(slot: Slot, evidence: readonly number[], firstCause?: number): Place {
    return {
      tag: slot.tag,
      ...(slot.ring.qid >= 0 ? { queue: slot.ring.qid } : {}),
      evidence,
      ...(firstCause === undefined ? {} : { firstCause }),
    };
  }
}
