import type { EventSpec } from './schema_types';

/** Tracepoints of the scheduler that tell of servers. */
export const SCHED_EVENTS = {
  sched_process_exit: {
    system: 'sched',
    kind: 'tracepoint',
    text: ['comm={comm:s} pid={pid:d} prio={prio:d}'],
    fn: 'do_exit',
    contexts: ['daemon'],
    says: 'A thread of the server ends, in order or by a signal. Its descriptors are closed after this, its rings among them; what the driver delivered to it stays with the driver.',
    fields: {
      prio: { unit: 'count', says: 'Priority of the scheduler; 120 is that of a task with nice 0.' },
    },
  },
} as const satisfies Record<string, EventSpec>;
