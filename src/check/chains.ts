import { type Sqe, SQE_FLAG } from './entities';
import type { Observer } from './observer';
import type { Pass, Step } from './pass';
import type { Findings } from './report';

const LINKS = SQE_FLAG.link | SQE_FLAG.hardlink;

/** The SQE that a task handed over last, while the chain that it belongs to is open, and the one before. */
interface Open {
  readonly data: number;
  readonly event: number;
  readonly before: number;
}

/** INV-20: link flags that bind what they are meant to bind. */
export class ChainRules implements Observer {
  private open = new Map<number, Open>();
  private last = new Map<number, number>();

  constructor(
    private readonly pass: Pass,
    private readonly findings: Findings,
  ) {}

  steps(): [string, Step][] {
    return [
      ['sys_enter_io_uring_enter', { fields: [], needs: 0, run: (e) => this.forgetTask(e) }],
      ['sys_exit_io_uring_enter', { fields: [], needs: 0, run: (e) => this.left(e) }],
      ['io_uring_req_failed', { fields: ['flags'], needs: 1, run: (e, f) => this.refused(e, f) }],
    ];
  }

  forget(): void {
    this.open = new Map();
    this.last = new Map();
  }

  submitted(sqe: Sqe, _before: Sqe | undefined, e: number): void {
    const task = this.pass.trace.task[e];
    const bound = this.open.get(task);
    if (bound) this.findings.test('INV-20', true, bound.event, () => '');
    if ((sqe.flags & LINKS) === 0) this.open.delete(task);
    else this.open.set(task, { data: sqe.data, event: e, before: this.last.get(task) ?? -1 });
    this.last.set(task, e);
  }

  /** A malformed SQE is a member of its chain like any other. */
  private refused(e: number, f: readonly number[]): void {
    if ((this.pass.num(e, f[0]) & LINKS) === 0) this.open.delete(this.pass.trace.task[e]);
  }

  private forgetTask(e: number): void {
    const task = this.pass.trace.task[e];
    this.open.delete(task);
    this.last.delete(task);
  }

  /** The submit call is over, and with it every chain. */
  private left(e: number): void {
    const { pass, findings } = this;
    const open = this.open.get(pass.trace.task[e]);
    if (open) {
      findings.test(
        'INV-20',
        false,
        open.event,
        () =>
          `the link of user_data ${pass.data(open.data)} binds nothing: no SQE comes behind it in its submit call, and what stands before it does not wait for it`,
        () => ({ evidence: open.before < 0 ? [] : [open.before] }),
      );
    }
    this.forgetTask(e);
  }
}
