import { type Ring, type Sqe, SQE_FLAG } from './entities';
import type { Model } from './model';
import type { Observer } from './observer';
import type { Pass, Step } from './pass';
import type { Findings } from './report';

const SETUP_SQPOLL = 2;
const CHAIN = SQE_FLAG.link | SQE_FLAG.hardlink;

/** SQEs that user space filled and the kernel has not taken yet. */
interface SqState {
  /** Words of user_data, in order, with the events that filled them. */
  pending: { data: number; event: number }[];
  slots: Map<number, { data: number; event: number }>;
  /** CQEs filled, and those that went to the overflow list; head as user space published it. */
  filled: number;
  overflowed: number;
  head: number;
  headEvent: number;
  /** Event that put the first CQE on the overflow list, until it may have been flushed; -1 for none. */
  waiting: number;
}

/** INV-01 to INV-10: the two rings between a task and the kernel. */
export class RingRules implements Observer {
  private states = new Map<Ring, SqState>();
  private calls = new Map<number, { event: number; toSubmit: number; taken: number }>();
  private readonly facts: boolean;
  private readonly workers: boolean;
  private polled = false;
  private starts = 0;
  /** Punted SQEs that completed, with the event. */
  private finished = 0;

  constructor(
    private readonly pass: Pass,
    private readonly model: Model,
    private readonly findings: Findings,
  ) {
    this.facts = pass.has('io_uring_get_sqe');
    this.workers = pass.has('io_wq_submit_work');
  }

  steps(): [string, Step][] {
    return [
      ['io_uring_create', { fields: ['flags'], needs: 1, run: (e, f) => this.setup(e, f) }],
      [
        'io_uring_get_sqe',
        { fields: ['ring', 'index', 'user_data'], needs: 3, run: (e, f) => this.filled(e, f) },
      ],
      [
        'io_uring_cq_advance',
        { fields: ['ring', 'head', 'count'], needs: 3, run: (e, f) => this.reaped(e, f) },
      ],
      [
        'io_uring_cqe_overflow',
        { fields: ['ring', 'user_data'], needs: 1, run: (e, f) => this.overflow(e, f) },
      ],
      ['io_wq_submit_work', { fields: [], needs: 0, run: () => void this.starts++ }],
      ['sys_enter_io_uring_enter', { fields: ['to_submit'], needs: 1, run: (e, f) => this.enter(e, f) }],
      ['sys_exit_io_uring_enter', { fields: ['ret'], needs: 1, run: (e, f) => this.exit(e, f) }],
    ];
  }

  forget(): void {
    this.states = new Map();
    this.calls = new Map();
    this.starts = Number.MAX_SAFE_INTEGER / 2;
  }

  private state(ring: Ring): SqState {
    let state = this.states.get(ring);
    if (!state) {
      state = {
        pending: [],
        slots: new Map(),
        filled: 0,
        overflowed: 0,
        head: -1,
        headEvent: -1,
        waiting: -1,
      };
      this.states.set(ring, state);
    }
    return state;
  }

  private setup(e: number, f: readonly number[]): void {
    if ((this.pass.num(e, f[0]) & SETUP_SQPOLL) !== 0) this.polled = true;
  }

  private filled(e: number, f: readonly number[]): void {
    const { pass, findings } = this;
    const ring = this.model.ringOf(pass.word(e, f[0]));
    const state = this.state(ring);
    const index = pass.num(e, f[1]);
    const data = pass.word(e, f[2]);
    if (ring.created >= 0 && ring.sqEntries > 0) {
      const slot = index % ring.sqEntries;
      const old = state.slots.get(slot);
      const unread = old !== undefined && state.pending.some((p) => p.event === old.event);
      findings.test(
        'INV-03',
        !unread,
        e,
        () =>
          `SQE slot ${slot} is filled again while its user_data ${pass.data(old?.data ?? 0)} was not taken`,
        () => ({ evidence: [old?.event ?? -1] }),
      );
      state.slots.set(slot, { data, event: e });
    }
    state.pending.push({ data, event: e });
  }

  submitted(sqe: Sqe, before: Sqe | undefined, e: number): void {
    const { pass, findings } = this;
    const call = this.calls.get(pass.trace.task[e]);
    if (call) {
      call.taken++;
      findings.test(
        'INV-01',
        call.taken <= call.toSubmit,
        e,
        () => `${call.taken} SQEs are taken in a call that handed over ${call.toSubmit}`,
        () => ({ evidence: [call.event] }),
      );
    }
    if (this.facts) this.taken(sqe, e);
    if (before && before.submit >= 0 && before.complete < 0 && before.kind !== 'command') {
      const excused = before.maySkip || ((before.flags & CHAIN) !== 0 && this.chainSkips(sqe.ring));
      findings.test(
        'INV-07',
        excused,
        e,
        () =>
          `the SQE ${pass.data(before.data)} is gone without a CQE: its kernel request serves another one`,
        () => ({ evidence: [before.submit] }),
      );
    }
  }

  /** Whether a chain of the ring suppresses CQEs, its own or those of cancelled members. */
  private chainSkips(ring: Ring): boolean {
    for (const sqe of ring.sqes.values()) if (sqe.maySkip) return true;
    return false;
  }

  private taken(sqe: Sqe, e: number): void {
    const { pass, findings } = this;
    const state = this.state(sqe.ring);
    if (sqe.ring.created < 0 && state.pending.length === 0) return;
    const next = state.pending[0];
    const held = findings.test(
      'INV-01',
      next !== undefined,
      e,
      () =>
        `the kernel takes an SQE (user_data ${pass.data(sqe.data)}) though none is left: head passes tail`,
    );
    if (!held) return;
    findings.test(
      'INV-02',
      next.data === sqe.data,
      e,
      () => `the SQE ${pass.data(sqe.data)} is taken, but ${pass.data(next.data)} was filled before it`,
      () => ({ evidence: [next.event] }),
    );
    const at = Math.max(
      0,
      state.pending.findIndex((p) => p.data === sqe.data),
    );
    state.pending.splice(at, 1);
  }

  completed(sqe: Sqe | undefined, ring: Ring, data: number, result: number, more: boolean, e: number): void {
    const { pass, findings } = this;
    this.fill(ring, e);
    if (ring.created >= 0) {
      findings.test(
        'INV-09',
        sqe !== undefined,
        e,
        () => `a CQE with user_data ${pass.data(data)} for an SQE that was never taken`,
      );
    }
    if (!sqe) return;
    if (sqe.submit >= 0 && sqe.complete < 0) {
      findings.test(
        'INV-08',
        sqe.data === data,
        e,
        () => `the CQE carries user_data ${pass.data(data)}, its SQE ${pass.data(sqe.data)}`,
        () => ({ evidence: [sqe.submit] }),
      );
    }
    if (sqe.kind !== 'command') {
      findings.test(
        'INV-07',
        sqe.complete < 0,
        e,
        () => `a second final CQE (result ${result}) for the SQE ${pass.data(sqe.data)}`,
        () => ({ evidence: [sqe.submit, sqe.complete] }),
      );
    }
    if (this.workers && sqe.punted && sqe.complete < 0 && !more) {
      this.finished++;
      findings.test(
        'INV-09',
        this.finished <= this.starts,
        e,
        () => `${this.finished} punted SQEs have completed, but workers have begun ${this.starts}`,
        () => ({ evidence: [sqe.submit] }),
      );
      if (this.finished > this.starts) this.finished = this.starts;
    }
  }

  private fill(ring: Ring, e: number): void {
    const { findings } = this;
    const state = this.state(ring);
    state.filled++;
    if (state.waiting >= 0) {
      findings.test(
        'INV-06',
        false,
        e,
        () => `a CQE goes into the ring while ${state.overflowed} wait on the overflow list`,
        () => ({ evidence: [state.waiting] }),
      );
      state.waiting = -1;
    }
    if (ring.created < 0 || ring.cqEntries <= 0 || !this.pass.has('io_uring_cq_advance')) return;
    const unseen = state.filled - Math.max(0, state.head);
    findings.test(
      'INV-04',
      unseen <= ring.cqEntries,
      e,
      () => `${unseen} CQEs are unseen in a ring of ${ring.cqEntries}`,
      () => ({ evidence: [state.headEvent] }),
    );
  }

  private overflow(e: number, f: readonly number[]): void {
    const ring = this.model.ringOf(this.pass.word(e, f[0]));
    const state = this.state(ring);
    this.findings.test('INV-06', true, e, () => '');
    state.overflowed++;
    if (state.waiting < 0) state.waiting = e;
    if (f[1] < 0) return;
    const data = this.pass.word(e, f[1]);
    for (const sqe of ring.sqes.values()) {
      if (sqe.data !== data || sqe.complete >= 0) continue;
      sqe.complete = e;
      break;
    }
  }

  private reaped(e: number, f: readonly number[]): void {
    const { pass, findings } = this;
    const ring = this.model.ringOf(pass.word(e, f[0]));
    const state = this.state(ring);
    const head = pass.num(e, f[1]);
    const count = pass.num(e, f[2]);
    if (ring.created >= 0) {
      const filled = state.filled + state.overflowed;
      findings.test(
        'INV-05',
        head <= filled,
        e,
        () => `user space has seen ${head} CQEs (${count} now), but only ${filled} were filled`,
        () => ({ evidence: [state.headEvent] }),
      );
    }
    state.head = head;
    state.headEvent = e;
  }

  private enter(e: number, f: readonly number[]): void {
    this.calls.set(this.pass.trace.task[e], { event: e, toSubmit: this.pass.num(e, f[0]), taken: 0 });
    // Entering the kernel may flush the overflow list, of which nothing is recorded.
    for (const state of this.states.values()) state.waiting = -1;
  }

  private exit(e: number, f: readonly number[]): void {
    const { pass } = this;
    const task = pass.trace.task[e];
    const call = this.calls.get(task);
    this.calls.delete(task);
    if (!call) return;
    const ret = pass.num(e, f[0]);
    if (ret < 0 || (call.taken === 0 && this.polled)) return;
    this.findings.test(
      'INV-10',
      ret === call.taken,
      e,
      () => `io_uring_enter returns ${ret}, but ${call.taken} SQEs were taken in it`,
      () => ({ evidence: [call.event] }),
    );
  }
}
