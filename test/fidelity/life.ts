import type { Trace } from '../../src/trace/trace';
import { type IoWindow, Normaliser, type Scope } from './sequence';

/** Events of one task while a device is set up or taken down, in its own order. */
export interface RoleSequence {
  readonly phase: 'setup' | 'teardown';
  /** Which task: `ublk 1`, `worker of ublk 1`, `kworker`, `interrupt`. */
  readonly role: string;
  readonly events: readonly string[];
}

/**
 * What every task did before the first and after the last client I/O. Tasks run at the same time, so only the order within one
 * task is compared; tasks are told apart by what they are and the order of their first event.
 */
export function lifeSequences(trace: Trace, windows: readonly IoWindow[], scope: Scope): RoleSequence[] {
  const from = Math.min(...windows.map((window) => window.from));
  const to = Math.max(...windows.map((window) => window.to));
  const normaliser = new Normaliser(trace, scope);
  const roles = new Roles();
  const sequences = new Map<string, { phase: 'setup' | 'teardown'; role: string; events: string[] }>();
  for (let e = 0; e < trace.length; e++) {
    const task = trace.taskOf(trace.task[e]);
    const flags = trace.strings.text(trace.flags[e]);
    const role = roles.of(task.comm, task.pid, /[hHZ]/.test(flags[2] ?? ''));
    if (role === undefined) continue;
    const phase = trace.ts[e] < from - 1000 ? 'setup' : trace.ts[e] > to ? 'teardown' : undefined;
    if (phase === undefined) continue;
    const line = normaliser.line(e);
    if (line === undefined || line.startsWith('blk_mq_end_request')) continue;
    const key = `${phase} ${role}`;
    const known = sequences.get(key);
    if (known) known.events.push(line);
    else sequences.set(key, { phase, role, events: [line] });
  }
  return [...sequences.values()];
}

class Roles {
  private readonly ublk = new Map<number, string>();

  of(comm: string, pid: number, interrupt: boolean): string | undefined {
    if (interrupt) return 'interrupt';
    if (comm === 'ublk') return this.name(pid);
    const worker = /^iou-wrk-(\d+)$/.exec(comm);
    if (worker) return `worker of ${this.name(Number(worker[1]))}`;
    return comm.startsWith('kworker/') ? 'kworker' : undefined;
  }

  private name(pid: number): string {
    let name = this.ublk.get(pid);
    if (name === undefined) {
      name = `ublk ${this.ublk.size + 1}`;
      this.ublk.set(pid, name);
    }
    return name;
  }
}
