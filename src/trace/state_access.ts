import type { Machine } from './state_machine';
import {
  counts,
  type Still,
  STEADY_DEVICE,
  STEADY_DISK,
  STEADY_RING,
  STEADY_TOTALS,
  still,
} from './state_still';
import type { Trace } from './trace';
import {
  viewDevice,
  viewDisk,
  viewPage,
  viewPipe,
  viewRequest,
  viewRing,
  viewSlot,
  viewTask,
} from './state_view';
import {
  type ClientIo,
  type Device,
  type Disk,
  type FuseIo,
  type Page,
  type Pipe,
  type Req,
  type Ring,
  type Slot,
  type TaskWork,
  type Totals,
  UNKNOWN,
  type Work,
} from './state_work';

/** How one thing of the state is read while one trace is replayed. */
export interface Access {
  /** The thing as plain data; undefined while it does not exist. */
  readonly view: (m: Machine) => object | undefined;
  /** What decides the value of a field, cheaply: equal answers mean equal values. undefined for fields without such a shortcut. */
  readonly sign: (field: string) => ((m: Machine) => unknown) | undefined;
  /** What tells without replay that a field kept its value; undefined where nothing does. */
  readonly still: (field: string) => Still | undefined;
}

type Signs<T> = Readonly<Record<string, (of: T, m: Machine) => unknown>>;

const SLOT: Signs<Slot> = {
  state: (s) => s.state,
  inferred: (s) => s.inferred,
  'command.ring': (s, m) => m.w.rings.get(s.ring)?.id,
  'command.req': (s) => s.req,
  'command.userData': (s) => s.userData,
  'command.op': (s) => s.op,
  result: (s) => s.result,
  request: (s) => s.request,
  deliveries: (s) => s.deliveries,
  handled: (s) => s.handled,
  filled: (s) => s.filled,
  'iod.op': (s) => s.ioOp,
  'iod.flags': (s) => s.ioFlags,
  'iod.startSector': (s) => s.sector,
  'iod.nrSectors': (s) => s.sectors,
  'iod.addr': (s) => s.addr,
};

const DEVICE: Signs<Device> = {
  id: (d) => d.id,
  state: (d) => d.state,
  queues: (d) => d.nrQueues,
  depth: (d) => d.depth,
  flags: (d) => d.flags,
  tagsInUse: (d, m) => m.w.disks.get(d.disk)?.tagsInUse,
};

const RING: Signs<Ring> = {
  fd: (r) => r.fd,
  owner: (r) => r.owner,
  flags: (r) => r.flags,
  'sq.entries': (r) => r.sqEntries,
  'sq.head': (r) => r.sqHead,
  'sq.pending': (r) => r.sqPending,
  'sq.tail': (r) => (r.sqHead === UNKNOWN || r.sqPending === UNKNOWN ? -1 : (r.sqHead + r.sqPending) >>> 0),
  'sq.sqes.count': (r) => r.sqes.length,
  'cq.entries': (r) => r.cqEntries,
  'cq.tail': (r) => r.cqTail,
  'cq.ready': (r) => r.cqReady,
  'cq.head': (r) => (r.cqTail === UNKNOWN || r.cqReady === UNKNOWN ? -1 : (r.cqTail - r.cqReady) >>> 0),
  'cq.overflow': (r) => r.overflow,
  'cq.cqes.count': (r) => r.cqes.length,
  inFlight: (r) => r.reqs.size,
  waiting: (r) => r.waiting,
};

const REQ: Signs<Req> = {
  userData: (r) => r.userData,
  opcode: (r) => r.opcode,
  state: (r) => r.phase,
  since: (r) => r.since,
  skip: (r) => r.skip,
  link: (r) => r.link,
  queue: (r) => r.queue,
};

const PIPE: Signs<Pipe> = {
  owner: (p) => p.owner,
  ringSize: (p) => p.ringSize,
  head: (p) => p.head,
  tail: (p) => p.tail,
  occupancy: (p) => (p.head === UNKNOWN || p.tail === UNKNOWN ? UNKNOWN : p.head - p.tail),
  consumedByRead: (p) => p.byRead,
  'buffers.count': (p) => p.buffers.length,
};

const PAGE: Signs<Page> = {
  refs: (p) => p.refs,
  device: (p) => p.device,
  queue: (p) => p.qid,
  tag: (p) => p.tag,
  requestOffset: (p) => p.offset,
  fill: (p) => p.fill,
};

const DISK: Signs<Disk> = {
  device: (d) => d.device,
  allocated: (d) => d.waiting.length,
  'inFlight.count': (d) => d.inFlight.length,
  requeued: (d) => d.requeued,
  completed: (d) => d.completed,
  bytesRead: (d) => d.bytesRead,
  bytesWritten: (d) => d.bytesWritten,
};

const TASK: Signs<TaskWork> = {
  syscall: (t) => t.syscall,
  waiting: (t) => t.waiting,
  plug: (t) => t.plug,
};

const TOTALS: Signs<Totals> = {
  sqes: (t) => t.sqes,
  cqes: (t) => t.cqes,
  punts: (t) => t.punts,
  copies: (t) => t.copies,
  copiedBytes: (t) => t.copiedBytes,
  splices: (t) => t.splices,
  splicedBytes: (t) => t.splicedBytes,
};

/** How the thing of an id such as `slot:0:3` is read; undefined for a text that is no id. */
export function accessOf(id: string): Access | undefined {
  const [kind, a = '', b = ''] = id.split(':');
  switch (kind) {
    case 'slot': {
      const [, device = '0', queue = ''] = /^(?:(\d+)@)?(\d+)$/.exec(a) ?? [];
      const [d, q, t] = [Number(device), Number(queue), Number(b)];
      return access(
        (m) => m.peekSlot(d, q, t),
        (m, slot) => viewSlot(m, d, q, t, slot),
        SLOT,
        () => ({
          stamp: (w) => {
            const slot = w.devices[d]?.queues[q]?.slots[t];
            return [slot, slot && w.rings.get(slot.ring)?.id, ...counts(w)];
          },
        }),
      );
    }
    case 'device':
      return access(
        (m) => m.w.devices[Number(a)],
        viewDevice,
        DEVICE,
        still(
          (w) => w.devices[Number(a)],
          STEADY_DEVICE,
          (w) => {
            const device = w.devices[Number(a)];
            return [device, device && w.disks.get(device.disk)];
          },
        ),
      );
    case 'ring': {
      const find = (w: Work): Ring | undefined => ringOf(w, Number(a));
      return access((m) => find(m.w), viewRing, RING, still(find, STEADY_RING));
    }
    case 'req': {
      const word = wordOf(b);
      return access(
        (m) => ringOf(m.w, Number(a))?.reqs.get(word(m)),
        (m, req) => viewRequest(m, m.w.rings.get(req.ring)!, req),
        REQ,
        () => ({
          stamp: (w, trace) => [ringOf(w, Number(a))?.reqs.get(word({ trace })), ...counts(w)],
          naming: (trace) => word({ trace }),
        }),
      );
    }
    case 'pipe': {
      const find = (w: Work): Pipe | undefined => {
        for (const pipe of w.pipes.values()) if (pipe.id === Number(a)) return pipe;
        return undefined;
      };
      return access((m) => find(m.w), viewPipe, PIPE, still(find, {}));
    }
    case 'page': {
      const word = wordOf(a);
      return access(
        (m) => m.w.pages.get(word(m)),
        viewPage,
        PAGE,
        () => ({
          stamp: (w, trace) => {
            const page = w.pages.get(word({ trace }));
            return [page, page && w.pipes.get(page.pipe), ...counts(w)];
          },
          naming: (trace) => word({ trace }),
        }),
      );
    }
    case 'disk': {
      const [major, minor] = a.split(',').map(Number);
      const find = (w: Work): Disk | undefined => {
        for (const disk of w.disks.values()) if (disk.major === major && disk.minor === minor) return disk;
        return undefined;
      };
      return access((m) => find(m.w), viewDisk, DISK, still(find, STEADY_DISK));
    }
    case 'task':
      return taskAccess(Number(a));
    default:
      return plainAccess(kind, Number(a));
  }
}

/** One pid under two names (comm changed): the first one that did something speaks for it. */
function taskAccess(pid: number): Access {
  const ids: number[] = [];
  let known = 0;
  const idsIn = (trace: Trace): readonly number[] => {
    for (; known < trace.taskCount; known++) if (trace.taskOf(known).pid === pid) ids.push(known);
    return ids;
  };
  const find = (m: Machine): number => {
    for (const id of idsIn(m.trace)) if (m.w.tasks[id] !== undefined) return id;
    return -1;
  };
  return {
    view: (m) => {
      const id = find(m);
      const task = m.w.tasks[id];
      return task && viewTask(m, id, task);
    },
    sign: (field) => {
      const sign = own(TASK, field);
      return (
        sign &&
        ((m) => {
          const task = m.w.tasks[find(m)];
          return task === undefined ? null : sign(task, m);
        })
      );
    },
    // a task is never forgotten, so one that is in neither snapshot did not come; its ring and its pipe may go
    still: () => ({
      stamp: (w, trace) => [
        ...idsIn(trace).flatMap((id) => {
          const task = w.tasks[id];
          return [task, task && w.rings.get(task.ring)?.id, task && w.pipes.get(task.pipe)?.id];
        }),
        ...counts(w),
      ],
    }),
  };
}

/** Things whose working form is their plain form but for a text. */
function plainAccess(kind: string | undefined, id: number): Access | undefined {
  switch (kind) {
    case 'io':
      return access(
        (m): ClientIo | undefined => m.w.ios.get(id),
        (m, io) => ({ ...io, id, op: m.trace.strings.text(io.op) }),
        {},
        () => ({ stamp: (w) => [w.ios.get(id)], naming: (trace) => trace.wide.ofNumber(id) }),
      );
    case 'command':
      return access(
        (m) => m.w.commands.get(id),
        (m, text) => ({ line: id, text: m.trace.strings.text(text) }),
        {},
        () => ({ stamp: (w) => [w.commands.get(id)], without: ['session_command', 'session_command_done'] }),
      );
    case 'fuse':
      return access(
        (m): FuseIo | undefined => m.w.fuse.get(id),
        (m, io) => ({ ...io, opcode: m.trace.strings.text(io.opcode) }),
        {},
        () => ({ stamp: (w) => [w.fuse.get(id)], naming: (trace) => trace.wide.ofNumber(id) }),
      );
    case 'totals':
      return access(
        (m) => m.w.totals,
        (_, totals) => ({ ...totals, copiedBytes: totals.copiedBytes < 0 ? null : totals.copiedBytes }),
        TOTALS,
        still((w) => w.totals, STEADY_TOTALS),
      );
    default:
      return undefined;
  }
}

function access<T>(
  find: (m: Machine) => T | undefined,
  view: (m: Machine, of: T) => object,
  signs: Signs<T>,
  unchanged: Access['still'],
): Access {
  return {
    view: (m) => {
      const thing = find(m);
      return thing === undefined ? undefined : view(m, thing);
    },
    sign: (field) => {
      const sign = own(signs, field);
      if (sign === undefined) return undefined;
      return (m) => {
        const thing = find(m);
        return thing === undefined ? null : sign(thing, m);
      };
    },
    still: unchanged,
  };
}

function own<T>(signs: Signs<T>, field: string): Signs<T>[string] | undefined {
  return Object.hasOwn(signs, field) ? signs[field] : undefined;
}

function ringOf(w: Work, id: number): Ring | undefined {
  for (const ring of w.rings.values()) if (ring.id === id) return ring;
  return undefined;
}

/** The word, as keys of tables have it, of a pointer written as `0x` text. */
function wordOf(text: string): (m: { readonly trace: Trace }) => number {
  if (!/^0x[0-9a-f]+$/i.test(text)) return () => Number.NaN;
  const pointer = BigInt(text);
  let word: number | undefined;
  return (m) => {
    word ??= m.trace.wide.ofBig(pointer) | 0;
    return word;
  };
}
