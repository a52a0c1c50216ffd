import type { SpliceCall, Sqe } from './entities';
import type { Model } from './model';
import type { Observer } from './observer';
import type { Pass, Step } from './pass';
import type { Findings } from './report';
import { type SpliceRules, splicePlace } from './splices';

/** Buffers of an internal pipe; fewer for users above their soft limit. */
const PIPE_BUFFERS = 16;
const MAX_ERRNO = 4095;

/** INV-51 to INV-55, INV-58 and INV-60: the pipes between two files, and the pages in them. */
export class PipeRules implements Observer {
  /** The splice that each task runs, and the result of the last one until its CQE. */
  private calls = new Map<number, SpliceCall>();
  private results = new Map<number, { ret: number; event: number; sqe: Sqe | undefined }>();
  /** SQE that each worker is at. */
  private work = new Map<number, Sqe>();
  /** Task that uses a pipe, and the one that used it before. */
  private pipes = new Map<number, { task: number; before: number; event: number }>();
  private readonly adds: boolean;

  constructor(
    private readonly pass: Pass,
    private readonly model: Model,
    private readonly findings: Findings,
    private readonly splices: SpliceRules,
  ) {
    this.adds = pass.has('add_to_pipe');
  }

  steps(): [string, Step][] {
    const direct = (kind: SpliceCall['kind']): Step => ({
      fields: ['len'],
      needs: 1,
      run: (e, f) => this.begin(kind, e, f),
    });
    const ret: Step = { fields: ['ret'], needs: 1, run: (e, f) => this.finishCall(e, f) };
    const indices: Step = { fields: ['head', 'tail'], needs: 2, run: (e, f) => this.indices(e, f) };
    return [
      ['io_uring_file_get', { fields: ['ring', 'req'], needs: 2, run: (e, f) => this.at(e, f) }],
      ['do_splice_direct', direct('write')],
      ['do_splice_direct_rc', direct('read')],
      ['do_splice', direct('plain')],
      ['do_splice_direct_ret', ret],
      ['do_splice_direct_rc_ret', ret],
      ['do_splice_ret', ret],
      ['splice_direct_to_actor', { fields: ['total_len'], needs: 1, run: (e, f) => this.actor(e, f) }],
      ['splice_direct_to_actor_ret', { fields: ['ret'], needs: 1, run: (e) => this.actorEnds(e) }],
      ['do_splice_to', { fields: ['head', 'tail', 'consumer'], needs: 3, run: (e, f) => this.half(e, f) }],
      ['do_splice_to_ret', { fields: ['ret'], needs: 1, run: (e, f) => this.halfEnds(e, f) }],
      [
        'ublk_splice_read',
        {
          fields: ['pos', 'len', 'flags', 'pipe', 'head', 'tail', 'consumed_by_read'],
          needs: 7,
          run: (e, f) => this.driver(e, f),
        },
      ],
      ['ublk_handled', { fields: ['tag'], needs: 1, run: (e) => this.counted(e) }],
      [
        'add_to_pipe',
        { fields: ['head', 'tail', 'page', 'len', 'page_refs'], needs: 4, run: (e, f) => this.push(e, f) },
      ],
      [
        'ublk_pipe_buf_release',
        { fields: ['page', 'page_refs'], needs: 1, run: (e, f) => this.release(e, f) },
      ],
      ['actor_read_consumer', { fields: ['consumed_by_read'], needs: 1, run: (e, f) => this.consumer(e, f) }],
      ['actor_read_consumer_ret', { fields: ['ret'], needs: 1, run: (e, f) => this.filled(e, f) }],
      ['generic_file_splice_read', indices],
      ['iter_file_splice_write', indices],
      [
        'splice_dismiss_pipe',
        { fields: ['head', 'tail', 'bytes'], needs: 3, run: (e, f) => this.dismiss(e, f) },
      ],
      [
        'free_pipe_info',
        { fields: ['pipe'], needs: 1, run: (e, f) => void this.pipes.delete(this.pass.word(e, f[0])) },
      ],
    ];
  }

  forget(): void {
    this.calls = new Map();
    this.results = new Map();
    this.work = new Map();
    this.pipes = new Map();
  }

  private task(e: number): number {
    return this.pass.trace.task[e];
  }

  private at(e: number, f: readonly number[]): void {
    const sqe = this.model.ringOf(this.pass.word(e, f[0])).sqes.get(this.pass.word(e, f[1]));
    if (sqe) this.work.set(this.task(e), sqe);
  }

  private begin(kind: SpliceCall['kind'], e: number, f: readonly number[]): void {
    const task = this.task(e);
    this.calls.set(task, this.newCall(kind, this.pass.num(e, f[0]), e));
    this.results.delete(task);
  }

  private newCall(kind: SpliceCall['kind'], asked: number, e: number): SpliceCall {
    return {
      event: e,
      kind,
      asked,
      sqe: this.work.get(this.task(e)),
      block: undefined,
      seen: false,
      qid: -1,
      tag: -1,
      offset: 0,
      filled: 0,
      head: 0,
      tail: 0,
      pushed: 0,
      released: 0,
      occupied: 0,
      produced: 0,
      consumer: false,
      fromDriver: false,
      refused: 0,
      pages: new Map(),
    };
  }

  /** sendfile and copy_file_range come here without the calls above. */
  private actor(e: number, f: readonly number[]): void {
    const task = this.task(e);
    if (!this.calls.has(task)) this.calls.set(task, this.newCall('write', this.pass.num(e, f[0]), e));
  }

  private half(e: number, f: readonly number[]): void {
    const call = this.calls.get(this.task(e));
    if (!call || call.kind === 'plain') return;
    this.unrefused(call, e);
    call.consumer = this.pass.num(e, f[2]) !== 0;
    call.produced = 0;
    call.fromDriver = false;
    this.move(call, e, f);
  }

  private indices(e: number, f: readonly number[]): void {
    const call = this.calls.get(this.task(e));
    if (call && call.kind !== 'plain') this.move(call, e, f);
  }

  private move(call: SpliceCall, e: number, f: readonly number[]): void {
    const { findings } = this;
    const head = this.pass.num(e, f[0]);
    const tail = this.pass.num(e, f[1]);
    const place = () => splicePlace(call);
    findings.test(
      'INV-51',
      head - tail >= 0 && head - tail <= PIPE_BUFFERS,
      e,
      () => `the pipe holds ${head - tail} buffers (head ${head}, tail ${tail}); it has ${PIPE_BUFFERS}`,
      place,
    );
    findings.test(
      'INV-52',
      head >= call.head && tail >= call.tail,
      e,
      () => `head ${head} and tail ${tail} went back from ${call.head} and ${call.tail}`,
      place,
    );
    call.head = Math.max(call.head, head);
    call.tail = Math.max(call.tail, tail);
  }

  private driver(e: number, f: readonly number[]): void {
    const { pass, findings } = this;
    const task = this.task(e);
    const pos = pass.num(e, f[0]);
    const flags = pass.num(e, f[2]);
    // Begun before the trace, or by a function without a probe: how much was asked for is not known.
    const call = this.calls.get(task) ?? this.newCall('write', NaN, e);
    this.calls.set(task, call);
    if (call.kind !== 'plain') {
      this.move(call, e, [f[4], f[5]]);
      this.owner(pass.word(e, f[3]), call, e);
      findings.test(
        'INV-55',
        pass.num(e, f[6]) === 0,
        e,
        () => 'the pipe is marked consumed_by_read before the producing half has put anything in',
        () => splicePlace(call),
      );
    }
    call.fromDriver = true;
    this.splices.reached(call, pos, flags, e);
  }

  private counted(e: number): void {
    const call = this.calls.get(this.task(e));
    if (call) this.splices.counted(call);
  }

  private owner(pipe: number, call: SpliceCall, e: number): void {
    const task = this.task(e);
    const known = this.pipes.get(pipe);
    if (!known || known.task === task) {
      this.findings.test('INV-54', true, e, () => '');
      this.pipes.set(pipe, { task, before: known?.before ?? -1, event: e });
      return;
    }
    // A pipe whose task ended may be given to another one; two that take turns share it.
    const busy = this.calls.get(known.task);
    const shared = known.before === task || (busy !== undefined && busy.kind !== 'plain');
    this.findings.test(
      'INV-54',
      !shared,
      e,
      () => `the pipe of ${this.name(known.task)} is used by ${this.name(task)}`,
      () => splicePlace(call, [known.event]),
    );
    this.pipes.set(pipe, { task, before: known.task, event: e });
  }

  private name(task: number): string {
    const { comm, pid } = this.pass.trace.taskOf(task);
    return `${comm}-${pid}`;
  }

  private push(e: number, f: readonly number[]): void {
    const { pass } = this;
    const call = this.calls.get(this.task(e));
    if (!call) return;
    this.unrefused(call, e);
    const full = pass.num(e, f[0]) - pass.num(e, f[1]) >= PIPE_BUFFERS;
    this.move(call, e, f);
    const page = pass.word(e, f[2]);
    const bytes = pass.num(e, f[3]);
    call.pushed++;
    call.pages.set(page, { refs: pass.num(e, f[4]), event: e });
    if (full) call.refused = page;
    else {
      call.occupied += bytes;
      call.produced += bytes;
      call.head++;
    }
  }

  /** A buffer that did not fit is let go before anything else happens in the pipe. */
  private unrefused(call: SpliceCall, e: number): void {
    if (call.refused === 0) return;
    const added = call.pages.get(call.refused)?.event ?? call.event;
    call.refused = 0;
    this.findings.test(
      'INV-51',
      false,
      e,
      () => `the pipe was full, but the page added at event ${added} was not released`,
      () => splicePlace(call, [added]),
    );
  }

  private release(e: number, f: readonly number[]): void {
    const { pass, findings } = this;
    const call = this.calls.get(this.task(e));
    if (!call) return;
    const page = pass.word(e, f[0]);
    if (call.refused === page) call.refused = 0;
    else this.unrefused(call, e);
    call.released++;
    const added = call.pages.get(page);
    const refs = pass.num(e, f[1]);
    // The owner of a request that has ended drops its own references: that is INV-59, not this one.
    const dead = call.block !== undefined && call.block.end >= 0;
    if (!added || dead || Number.isNaN(refs) || Number.isNaN(added.refs)) return;
    findings.test(
      'INV-58',
      refs === added.refs,
      e,
      () => `the page leaves the pipe with ${refs} references; it came with ${added.refs}`,
      () => splicePlace(call, [added.event]),
    );
  }

  private consumer(e: number, f: readonly number[]): void {
    const call = this.calls.get(this.task(e));
    this.findings.test(
      'INV-55',
      this.pass.num(e, f[0]) === 1 && (call === undefined || !this.adds || call.head > call.tail),
      e,
      () => 'the consuming half begins on a pipe that no producer has prepared',
      () => (call ? splicePlace(call) : {}),
    );
  }

  private filled(e: number, f: readonly number[]): void {
    const call = this.calls.get(this.task(e));
    const bytes = this.pass.num(e, f[0]);
    if (!call || !(bytes > 0)) return;
    call.block?.fills.push([call.filled, call.filled + bytes]);
    call.filled += bytes;
  }

  private dismiss(e: number, f: readonly number[]): void {
    const call = this.calls.get(this.task(e));
    if (!call || call.kind === 'plain') return;
    this.move(call, e, f);
    if (!this.adds || !call.seen) return;
    const bytes = this.pass.num(e, f[2]);
    this.findings.test(
      'INV-53',
      bytes <= call.occupied,
      e,
      () => `${bytes} bytes leave the pipe, which holds ${call.occupied}`,
      () => splicePlace(call),
    );
    call.occupied = Math.max(0, call.occupied - bytes);
  }

  private halfEnds(e: number, f: readonly number[]): void {
    const call = this.calls.get(this.task(e));
    if (!call || call.kind === 'plain' || call.consumer || !call.fromDriver || !this.adds) return;
    const { produced } = call;
    const ret = this.pass.num(e, f[0]);
    if (ret <= 0) return;
    this.findings.test(
      'INV-53',
      ret === produced,
      e,
      () => `the producing half returns ${ret}, but put ${produced} bytes into the pipe`,
      () => splicePlace(call),
    );
  }

  private actorEnds(e: number): void {
    const call = this.calls.get(this.task(e));
    if (!call || call.kind === 'plain') return;
    this.unrefused(call, e);
    if (this.adds && call.seen && !Number.isNaN(call.asked)) {
      this.findings.test(
        'INV-52',
        call.pushed === call.released,
        e,
        () => `${call.pushed} buffers were put into the pipe, ${call.released} were released`,
        () => splicePlace(call),
      );
    }
    drop(call);
    const name = this.pass.trace.nameOf(call.event);
    if (name === 'splice_direct_to_actor' || name === 'ublk_splice_read') this.calls.delete(this.task(e));
  }

  private finishCall(e: number, f: readonly number[]): void {
    const task = this.task(e);
    const call = this.calls.get(task);
    if (!call) return;
    const ret = this.pass.num(e, f[0]);
    drop(call);
    this.calls.delete(task);
    this.results.set(task, { ret, event: e, sqe: call.sqe });
    if (Number.isNaN(call.asked)) return;
    this.findings.test(
      'INV-60',
      ret <= call.asked && ret >= -MAX_ERRNO,
      e,
      () => `the splice moved ${ret} bytes, but was asked for ${call.asked}`,
      () => splicePlace(call),
    );
  }

  completed(
    sqe: Sqe | undefined,
    _ring: unknown,
    _data: number,
    result: number,
    _more: boolean,
    e: number,
  ): void {
    const task = this.task(e);
    const last = this.results.get(task);
    if (!last) return;
    this.results.delete(task);
    if (sqe?.opcode !== 'SPLICE' || (last.sqe !== undefined && last.sqe !== sqe)) return;
    this.findings.test(
      'INV-60',
      result === last.ret,
      e,
      () => `the CQE of the SPLICE carries ${result}, but it moved ${last.ret}`,
      () => ({ tag: sqe.tag, evidence: [last.event] }),
    );
  }
}

/** The splice holds no page of its request any more. */
function drop(call: SpliceCall): void {
  const users = call.block?.users;
  const at = users?.indexOf(call) ?? -1;
  if (users && at >= 0) users.splice(at, 1);
}
