import type { Machine } from './state_machine';
import type { StateViews } from './state_reuse';
import type { MachineState, RingRequestState, RingState, SlotState, TaskState } from './state_types';
import { viewTask } from './state_view';
import { UNKNOWN } from './state_work';

/** The working state as plain data. What is as in the state that `views` saw last is the same object as in that one. */
export function viewState(m: Machine, views: StateViews): MachineState {
  const { w, trace } = m;
  views.turn();
  const slots: SlotState[] = [];
  for (const device of w.devices) {
    for (let q = 0; q < device.queues.length; q++) {
      const queue = device.queues[q];
      if (queue !== undefined) for (const slot of views.slots(device.index, q, queue)) slots.push(slot);
    }
  }
  const rings: RingState[] = [];
  const requests: RingRequestState[] = [];
  for (const ring of [...w.rings.values()].sort((a, b) => a.id - b.id)) {
    const made = views.ring(ring);
    rings.push(made.view);
    for (const req of made.requests) requests.push(req);
  }
  const tasks: TaskState[] = [];
  for (let id = 0; id < w.tasks.length; id++) {
    const task = w.tasks[id];
    if (task !== undefined) tasks.push(viewTask(m, id, task));
  }
  const { totals } = w;
  return {
    event: w.event,
    time: w.event < 0 ? null : trace.ts[w.event],
    simulated: m.simulated,
    devices: w.devices.map((device) => views.device(device)),
    slots,
    rings,
    requests,
    pipes: [...w.pipes.values()].map((pipe) => views.pipe(pipe)),
    pages: [...w.pages.values()].map((page) => views.page(page)),
    disks: [...w.disks.values()].map((disk) => views.disk(disk)),
    tasks,
    ios: [...w.ios].map(([id, io]) => ({
      id,
      line: io.line,
      op: m.trace.strings.text(io.op),
      offset: io.offset,
      length: io.length,
    })),
    commands: [...w.commands].map(([line, id]) => ({ line, text: m.trace.strings.text(id) })),
    fuse: [...w.fuse.values()].map((io) => ({
      connection: io.connection,
      unique: io.unique,
      opcode: m.trace.strings.text(io.opcode),
      len: io.len,
    })),
    totals: { ...totals, copiedBytes: totals.copiedBytes === UNKNOWN ? null : totals.copiedBytes },
  };
}
