import type { Trace } from '../trace/trace';

/** Stretches of a request's life, in order. */
const PHASES = ['queued', 'delivered', 'backend', 'commit'] as const;
type PhaseName = (typeof PHASES)[number];

/** One stretch, ns. */
export interface Phase {
  readonly name: PhaseName;
  readonly start: number;
  readonly end: number;
}

/** Events with which a request reaches the server. */
const DELIVERY = new Set([
  'ublk_dispatch_req',
  'ublk_rq_task_work',
  '__ublk_rq_task_work',
  'ublk_cmd_tw_cb',
  'ublk_start_io',
]);

/**
 * The phases of a request as far as its events tell: queued until it is delivered to the server, delivered until the server
 * submits its first SQE for the backend, backend until the last of those completes, commit until the end. Where the trace
 * does not show a border, the phases beside it are left out.
 */
export function phasesOf(trace: Trace, events: readonly number[], start: number, end: number): Phase[] {
  let delivered: number | undefined;
  let submitted: number | undefined;
  let completed: number | undefined;
  const open = new Set<bigint>();
  for (const i of events) {
    const name = trace.nameOf(i);
    const time = trace.ts[i]!;
    if (DELIVERY.has(name)) delivered ??= time;
    if (name === 'io_uring_submit_req' && trace.str(i, 'opcode') !== 'URING_CMD') {
      submitted ??= time;
      open.add(trace.big(i, 'user_data') ?? -1n);
    }
    if (name === 'io_uring_complete' && open.delete(trace.big(i, 'user_data') ?? -1n)) completed = time;
  }
  const borders = [start, delivered, submitted, completed, end];
  const phases: Phase[] = [];
  for (const [k, name] of PHASES.entries()) {
    const from = borders[k];
    const to = borders[k + 1];
    if (from !== undefined && to !== undefined && start <= from && from <= to && to <= end) {
      phases.push({ name, start: from, end: to });
    }
  }
  return phases;
}
