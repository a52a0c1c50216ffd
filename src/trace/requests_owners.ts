import { UBLK_CMD, UBLK_IO } from '../uapi/ublk_cmds';
import type { Trace } from './trace';

/** What events say of ublk devices and their disks. */
export interface DiskOwners {
  /** Device ids that the trace names. */
  readonly ids: ReadonlySet<number>;
  /** Device ids by disk (`major,minor`): several where one number was given again. */
  readonly owners: ReadonlyMap<string, ReadonlySet<number>>;
}

const WHAT = {
  control: 1,
  state: 2,
  getrq: 3,
  complete: 4,
  expose: 5,
  cqe: 6,
  command: 7,
  answered: 8,
} as const;
const KINDS: Readonly<Record<string, number>> = {
  ublk_ctrl_uring_cmd: WHAT.control,
  ublk_dev_state: WHAT.state,
  block_getrq: WHAT.getrq,
  block_rq_complete: WHAT.complete,
  page_expose: WHAT.expose,
  io_uring_complete: WHAT.cqe,
  ublk_ch_uring_cmd: WHAT.command,
  ublk_ch_uring_cmd_ret: WHAT.answered,
};

/**
 * Which disk belongs to which device: START_DEV reads the partition table of the disk that it adds; a read of a device is exposed
 * right before its request of the disk ends, in the same task; requests end inside the COMMIT of the thread that fetched while its
 * device was the only one that waited for a server.
 */
export function diskOwners(trace: Trace): DiskOwners {
  const ids = new Set<number>();
  const owners = new Map<string, Set<number>>();
  const { size } = trace.shapes;
  const kinds = new Uint8Array(size);
  const a = new Int32Array(size).fill(-1);
  const b = new Int32Array(size).fill(-1);
  let told = false;
  for (let id = 0; id < size; id++) {
    const { name, fields } = trace.shapes.get(id);
    const kind = KINDS[name] ?? 0;
    const disk = kind === WHAT.getrq || kind === WHAT.complete;
    a[id] = fields.get(disk ? 'major' : 'dev_id') ?? -1;
    b[id] = fields.get(disk ? 'minor' : kind === WHAT.state ? 'state' : 'op') ?? -1;
    if (kind === WHAT.cqe || kind === WHAT.answered || (kind === WHAT.command && b[id] >= 0) || a[id] >= 0)
      kinds[id] = kind;
    if (a[id] >= 0 && !disk && kind > 0) told = true;
  }
  if (!told) return { ids, owners };
  // id of the device that each task starts, and of the one whose request it is about to end
  const starting = new Float64Array(trace.taskCount).fill(-1);
  const ending = new Float64Array(trace.taskCount).fill(-1);
  const serves = new Float64Array(trace.taskCount).fill(-1);
  const inside = new Uint8Array(trace.taskCount);
  const adding = new Uint8Array(trace.taskCount);
  const awaited = new Set<number>();
  const num = (e: number, field: number): number => trace.wide.number(trace.word(e, field));
  const own = (e: number, id: number): void => {
    const shape = trace.shape[e];
    const disk = `${num(e, a[shape])},${num(e, b[shape])}`;
    const known = owners.get(disk);
    if (known === undefined) owners.set(disk, new Set([id]));
    else known.add(id);
  };
  for (let e = 0; e < trace.length; e++) {
    const shape = trace.shape[e];
    const kind = kinds[shape];
    if (kind === 0) continue;
    const task = trace.task[e];
    if (kind === WHAT.getrq) {
      if (starting[task] >= 0) own(e, starting[task]);
      continue;
    }
    if (kind === WHAT.command) {
      const op = trace.wide.lowOf(trace.word(e, b[shape])) & 0xff;
      inside[task] = 1;
      if (op === UBLK_IO.FETCH_REQ && serves[task] < 0 && awaited.size === 1) serves[task] = [...awaited][0];
      continue;
    }
    if (kind === WHAT.answered) {
      inside[task] = 0;
      continue;
    }
    if (kind === WHAT.complete) {
      const id = ending[task] >= 0 ? ending[task] : inside[task] === 1 ? serves[task] : -1;
      if (id >= 0) own(e, id);
      ending[task] = -1;
      continue;
    }
    starting[task] = kind === WHAT.state ? starting[task] : -1;
    ending[task] = -1;
    if (kind === WHAT.cqe) continue;
    if (kind === WHAT.control) adding[task] = 0;
    const op = kind === WHAT.control && b[shape] >= 0 ? trace.wide.lowOf(trace.word(e, b[shape])) & 0xff : -1;
    if (op === UBLK_CMD.ADD_DEV) adding[task] = 1;
    const id = num(e, a[shape]);
    if (!(id >= 0 && id < 0xffffffff)) continue;
    ids.add(id);
    if (kind === WHAT.expose) ending[task] = id;
    else if (op === UBLK_CMD.START_DEV) starting[task] = id;
    else if (kind === WHAT.state) {
      if (adding[task] === 1) awaited.add(id);
      else awaited.delete(id);
    }
  }
  return { ids, owners };
}
