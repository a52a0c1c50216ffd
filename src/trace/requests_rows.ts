import { STATE } from './requests_block';
import { diskOwners } from './requests_owners';
import type { Device, MatchState, Ring } from './requests_state';
import type { Sliced } from './slices';

/** How far behind the oldest waiting request another is looked for: no queue is deeper. */
const WINDOW = 4096;
/** Lives of one slice: each may look at as many requests as the window has. */
const SLICE = 1024;

/** Disk names that a trace tells, by device number `major,minor`. */
export type DiskNames = ReadonlyMap<string, string>;

/**
 * Names of disks: those of `# disk NAME MAJOR,MINOR` comments; `ublkbN` where events show which device N a disk belongs to, or where
 * one disk and one device are left.
 */
export function diskNames(state: MatchState, served: readonly boolean[]): DiskNames {
  const names = new Map<string, string>();
  for (const note of state.trace.notes) {
    if (note.kind !== 'comment') continue;
    const match = /^#:?\s*(?:disk|device):?\s+([A-Za-z]\w*)\s+(?:is\s+)?(\d+)[,:](\d+)/.exec(note.text);
    if (match) names.set(`${match[2]},${match[3]}`, match[1]);
  }
  const disks = state.devices.filter((_, id) => served[id]).map(deviceNumber);
  const { ids, owners } = diskOwners(state.trace);
  for (const disk of disks) {
    const owner = owners.get(disk);
    // one number for several devices, one after the other, has no name of its own
    if (owner?.size === 1 && !names.has(disk)) names.set(disk, `ublkb${[...owner][0]}`);
  }
  const nameless = disks.filter((disk) => !names.has(disk) && !owners.has(disk));
  const taken = new Set(names.values());
  const left = [...ids].filter((id) => !taken.has(`ublkb${id}`));
  if (nameless.length === 1 && left.length === 1) names.set(nameless[0], `ublkb${left[0]}`);
  return names;
}

/** `major,minor` of a device. */
export function deviceNumber(device: Device): string {
  return `${device.major},${device.minor}`;
}

/**
 * Which devices are ublk disks: those whose starts the driver's probes announce, else those whose requests end inside COMMIT
 * commands while no server does I/O to them. Without either, the only disk left beside those that servers use.
 */
export function servedDevices(state: MatchState): boolean[] {
  const { devices, blocks } = state;
  const served = devices.map((d) => d.probes > 0 || (d.commits > 0 && d.served === 0));
  if (served.includes(true) || !state.rings.some((ring) => ring.server)) return served;
  const starts = devices.map(() => 0);
  for (let b = 0; b < blocks.count; b++)
    if (blocks.issue[b] >= 0 && blocks.parent[b] < 0) starts[blocks.dev[b]]++;
  const rest = devices.map((_, id) => id).filter((id) => devices[id].served === 0 && starts[id] > 0);
  if (rest.length === 1) served[rest[0]] = true;
  return served;
}

/**
 * Joins requests and lives that neither a probe nor a completion inside COMMIT joined (aborted ones, and those open at the
 * end): the driver delivers in the order in which it was given requests, so the oldest delivery takes the oldest request.
 */
export function* inferRest(state: MatchState, served: readonly boolean[]): Sliced<void> {
  const { blocks, lives } = state;
  const waiting: number[] = [];
  for (let b = 0; b < blocks.count; b++) {
    if (blocks.life[b] < 0 && blocks.tag[b] < 0 && blocks.issue[b] >= 0 && served[blocks.dev[b]])
      waiting.push(b);
  }
  if (waiting.length === 0) return;
  waiting.sort((a, b) => blocks.issue[a] - blocks.issue[b]);
  const taken = new Uint8Array(waiting.length);
  let head = 0;
  for (let s = 0; s < lives.count; s++) {
    if ((s & (SLICE - 1)) === SLICE - 1) yield s / lives.count;
    const delivered = lives.deliver[s];
    if (lives.request[s] >= 0 || lives.fuse[s] === 1 || delivered < 0) continue;
    while (head < waiting.length && (taken[head] === 1 || endedBefore(state, waiting[head], delivered)))
      head++;
    for (let i = head; i < waiting.length && i < head + WINDOW; i++) {
      if (blocks.issue[waiting[i]] > delivered) break;
      if (taken[i] === 1 || endedBefore(state, waiting[i], delivered)) continue;
      taken[i] = 1;
      state.bind(waiting[i], s);
      break;
    }
  }
}

function endedBefore(state: MatchState, b: number, e: number): boolean {
  const end = state.blocks.end[b];
  return end >= 0 && end < e && state.blocks.state[b] >= STATE.done;
}

/**
 * Queue id of every ring that serves ublk: what user_data or a probe told, else the order of its thread among the rings that
 * were in use at the same time.
 */
export function ringQueues(state: MatchState): Int32Array {
  const ids = new Int32Array(state.rings.length).fill(-1);
  const open = state.rings.map((ring, id) => ({ ring, id })).filter(({ ring }) => ring.server);
  for (const { ring, id } of open) ids[id] = ring.queue >= 0 ? state.queues[ring.queue].qid : ring.qid;
  open.sort((a, b) => a.ring.pid - b.ring.pid || a.id - b.id);
  for (const { ring, id } of open) {
    if (ids[id] >= 0) continue;
    const used = new Set(open.filter((o) => overlap(o.ring, ring)).map((o) => ids[o.id]));
    let qid = 0;
    while (used.has(qid)) qid++;
    ids[id] = qid;
  }
  return ids;
}

function overlap(a: Ring, b: Ring): boolean {
  return a.first <= b.last && b.first <= a.last;
}
