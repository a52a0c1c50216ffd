import { UBLK_CMD } from '../uapi/ublk_cmds';
import { REQUEST } from './state_codes';
import type { Fields, Machine, Rules } from './state_machine';
import { dropLoose, endSlotRequest, linkDisk, nameLoose } from './state_slot';
import { type Disk, type DiskIo, UNKNOWN } from './state_work';

/** Most requests of one disk that are kept as waiting or in flight; older ones are dropped from the lists. */
const MAX_LIST = 4096;

/** Operation letter of RWBS text: behind a leading F of a preflush. */
export function rwbsOp(rwbs: string): string {
  return rwbs.length > 1 && rwbs[0] === 'F' && 'RWDNF'.includes(rwbs[1]) ? rwbs[1] : (rwbs[0] ?? '');
}

/** A request with data that starts at this sector. */
function findSector(list: readonly DiskIo[], sector: number): number {
  for (let k = 0; k < list.length; k++) if (list[k].sector === sector && list[k].sectors > 0) return k;
  return -1;
}

function dropEmpty(list: DiskIo[]): void {
  const k = list.findIndex((io) => io.sectors === 0);
  if (k >= 0) list.splice(k, 1);
}

/**
 * A completion without sectors. The flush machinery issues one request of its own (FF) for all flushes that wait and ends each
 * of them; 6.1 prints only these ends, at sector 0, later kernels also that of FF, at sector -1. At another sector it is
 * the second end of a write whose data is already counted.
 */
function completeFlush(disk: Disk, sector: number): void {
  if (sector > 0) return;
  dropEmpty(disk.inFlight);
  if (sector === 0) dropEmpty(disk.waiting);
}

interface Place {
  readonly major: number;
  readonly minor: number;
  readonly rwbs: number;
  readonly sector: number;
  readonly count: number;
}

const PLACE = ['major', 'minor', 'rwbs:s', 'sector', 'nr_sector'];

function place(f: Fields): Place {
  return {
    major: f.num('major'),
    minor: f.num('minor'),
    rwbs: f.text('rwbs'),
    sector: f.num('sector'),
    count: f.num('nr_sector'),
  };
}

function diskAt(m: Machine, p: Place, at: number): Disk {
  return m.disk(m.num(m.words[at + p.major]), m.num(m.words[at + p.minor]));
}

function add(list: DiskIo[], io: DiskIo): void {
  list.push(io);
  if (list.length > MAX_LIST) list.shift();
}

/** Takes a request out of waiting, and with it those that were merged into it (their merge may have no event). */
function takeWaiting(disk: Disk, sector: number, sectors: number, op: number): void {
  const k = findSector(disk.waiting, sector);
  if (k < 0) return;
  const longer = sectors > disk.waiting[k].sectors;
  disk.waiting.splice(k, 1);
  if (!longer) return;
  disk.waiting = disk.waiting.filter(
    (io) => io.op !== op || io.sector <= sector || io.sector + io.sectors > sector + sectors,
  );
}

/** Ends the slot's request that starts at this sector: the one being committed by the task, or any of the device. */
function endBySector(m: Machine, id: number, disk: Disk, sector: number): void {
  const task = m.w.tasks[id];
  if (task !== undefined && task.cmdTag >= 0) {
    const slot = m.peekSlot(task.cmdDevice, task.cmdQueue, task.cmdTag);
    const mine = disk.device === task.cmdDevice || disk.device < 0;
    if (
      slot &&
      mine &&
      slot.request === REQUEST.committed &&
      (slot.sector === sector || slot.sectors === 0)
    ) {
      endSlotRequest(m, task.cmdDevice, task.cmdQueue, task.cmdTag, REQUEST.none);
      return;
    }
  }
  const device = disk.device < 0 ? undefined : m.w.devices[disk.device];
  if (!device) return;
  for (let qid = 0; qid < device.queues.length; qid++) {
    const slots = device.queues[qid]?.slots ?? [];
    for (let tag = 0; tag < slots.length; tag++) {
      const slot = slots[tag];
      if (
        slot === undefined ||
        slot.sector !== sector ||
        slot.request < REQUEST.queued ||
        slot.request > REQUEST.committed
      )
        continue;
      endSlotRequest(m, disk.device, qid, tag, REQUEST.none);
      return;
    }
  }
}

/** Events of the block layer. */
export const DISK_RULES: Rules = {
  block_getrq: {
    needs: PLACE,
    bind(m, f) {
      const p = place(f);
      return (i, at) => {
        const disk = diskAt(m, p, at);
        const { words } = m;
        add(disk.waiting, {
          op: words[at + p.rwbs],
          sector: m.num(words[at + p.sector]),
          sectors: m.num(words[at + p.count]),
          inserted: false,
        });
        const task = m.w.tasks[m.trace.task[i]];
        // START_DEV reads the partition table of the disk that it adds
        if (task !== undefined && task.ctrlOp === UBLK_CMD.START_DEV && task.ctrlDevice >= 0)
          linkDisk(m, disk.major, disk.minor, task.ctrlDevice, true);
        if (task !== undefined && task.plug >= 0) m.task(m.trace.task[i]).plug++;
      };
    },
  },
  block_rq_insert: {
    needs: PLACE,
    bind(m, f) {
      const p = place(f);
      return (_, at) => {
        const disk = diskAt(m, p, at);
        const { words } = m;
        const sector = m.num(words[at + p.sector]);
        const io = { op: words[at + p.rwbs], sector, sectors: m.num(words[at + p.count]), inserted: true };
        const k = disk.waiting.findIndex((other) => other.sector === sector && !other.inserted);
        if (k < 0) add(disk.waiting, io);
        else disk.waiting[k] = io;
      };
    },
  },
  block_bio_backmerge: {
    needs: PLACE,
    bind(m, f) {
      const p = place(f);
      return (_, at) => {
        const disk = diskAt(m, p, at);
        const sector = m.num(m.words[at + p.sector]);
        const k = disk.waiting.findIndex((io) => io.sector + io.sectors === sector);
        if (k < 0) return;
        const io = disk.waiting[k];
        disk.waiting[k] = { ...io, sectors: io.sectors + m.num(m.words[at + p.count]) };
      };
    },
  },
  block_bio_frontmerge: {
    needs: PLACE,
    bind(m, f) {
      const p = place(f);
      return (_, at) => {
        const disk = diskAt(m, p, at);
        const sector = m.num(m.words[at + p.sector]);
        const count = m.num(m.words[at + p.count]);
        const k = findSector(disk.waiting, sector + count);
        if (k < 0) return;
        const io = disk.waiting[k];
        disk.waiting[k] = { ...io, sector, sectors: io.sectors + count };
      };
    },
  },
  block_rq_merge: {
    needs: PLACE,
    bind(m, f) {
      const p = place(f);
      return (_, at) => {
        const disk = diskAt(m, p, at);
        const k = findSector(disk.waiting, m.num(m.words[at + p.sector]));
        if (k >= 0) disk.waiting.splice(k, 1);
      };
    },
  },
  block_rq_issue: {
    needs: PLACE,
    bind(m, f) {
      const p = place(f);
      return (i, at) => {
        const disk = diskAt(m, p, at);
        const { words } = m;
        const op = words[at + p.rwbs];
        const sector = m.num(words[at + p.sector]);
        const sectors = m.num(words[at + p.count]);
        if (sectors > 0) takeWaiting(disk, sector, sectors, op);
        add(disk.inFlight, { op, sector, sectors, inserted: false });
        const id = m.trace.task[i];
        const known = m.w.tasks[id];
        if (known === undefined) return;
        const task = m.task(id);
        if (task.plug > 0) task.plug--;
        if (task.issueDevice < 0) {
          if (task.issueTag >= 0) nameLoose(m, disk, task.issueQueue, task.issueTag, sector);
          task.issueTag = -1;
          return;
        }
        // blk_mq_start_request runs inside queue_rq of the same task
        linkDisk(m, disk.major, disk.minor, task.issueDevice);
        const slot = m.slot(task.issueDevice, task.issueQueue, task.issueTag);
        if (slot) slot.ioOp = op;
        task.issueDevice = -1;
      };
    },
  },
  block_rq_complete: {
    needs: PLACE,
    bind(m, f) {
      const p = place(f);
      return (i, at) => {
        const disk = diskAt(m, p, at);
        const { words } = m;
        const sector = m.num(words[at + p.sector]);
        const count = m.num(words[at + p.count]);
        const op = rwbsOp(m.trace.strings.text(words[at + p.rwbs]));
        if (op === 'R') disk.bytesRead += count * 512;
        else if (op === 'W') disk.bytesWritten += count * 512;
        const k = count === 0 ? -1 : findSector(disk.inFlight, sector);
        const io = disk.inFlight[k];
        if (io !== undefined && count < io.sectors) {
          disk.inFlight[k] = { ...io, sector: sector + count, sectors: io.sectors - count };
          return;
        }
        if (io !== undefined) disk.inFlight.splice(k, 1);
        else if (count === 0) completeFlush(disk, sector);
        disk.completed++;
        dropLoose(m, disk.major, disk.minor, sector);
        endBySector(m, m.trace.task[i], disk, sector);
      };
    },
  },
  block_rq_requeue: {
    needs: PLACE,
    bind(m, f) {
      const p = place(f);
      return (_, at) => {
        const disk = diskAt(m, p, at);
        disk.requeued++;
        const k = findSector(disk.inFlight, m.num(m.words[at + p.sector]));
        if (k < 0) return;
        add(disk.waiting, { ...disk.inFlight[k], inserted: false });
        disk.inFlight.splice(k, 1);
      };
    },
  },
  block_plug: {
    needs: [],
    bind: (m) => (i) => {
      m.task(m.trace.task[i]).plug = 0;
    },
  },
  block_unplug: {
    needs: [],
    bind: (m) => (i) => {
      const task = m.task(m.trace.task[i]);
      if (task.plug !== UNKNOWN) task.plug = 0;
    },
  },
};
