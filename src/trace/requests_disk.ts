import { OP, STATE, opOfFlags, opOfRwbs } from './requests_block';
import { KIND } from './requests_kinds';
import { type MatchState, OWNER } from './requests_state';
import type { WorkPart } from './requests_work';

/** Key that stands for the sector of a flush, which has none. */
const FLUSH_AT = -2;

/** The block layer's part of matching: block tracepoints and the start of requests in ublk_drv. */
export class DiskPart {
  private readonly rwbs: number[] = [];
  private readonly irq: number[] = [];
  /** Request that took a driver tag last, by disk, queue and tag. */
  private readonly driverTags = new Map<number, number>();
  private readonly endProbes = new Int32Array(0x20000).fill(-1);

  constructor(
    private readonly state: MatchState,
    private readonly work: WorkPart,
  ) {}

  event(kind: number, e: number, task: number): void {
    const { state } = this;
    const dev = state.device(state.num(e, 0), state.num(e, 1));
    const sectors = state.num(e, 4);
    const letters = state.word(e, 2);
    let op = this.rwbs[letters];
    if (op === undefined || sectors === 0) {
      op = opOfRwbs(state.trace.strings.text(letters), sectors);
      if (sectors !== 0) this.rwbs[letters] = op;
    }
    const at = op === OP.flush ? FLUSH_AT : state.num(e, 3);
    switch (kind) {
      case KIND.bioQueue:
      case KIND.split:
        this.bio(kind, e, task, dev, at, sectors);
        return;
      case KIND.getrq:
        this.make(e, task, dev, at, sectors, op);
        return;
      case KIND.merge:
        this.merge(e, task, dev, at, sectors);
        return;
      case KIND.rqMerge:
        this.join(e, dev, at);
        return;
      case KIND.insert: {
        const b = state.blocks.find(dev, at, STATE.made, STATE.queued);
        if (b >= 0) this.own(e, b);
        return;
      }
      case KIND.issue:
        this.issue(e, task, dev, at, sectors, op);
        return;
      case KIND.requeue:
        this.requeue(e, task, dev, at, sectors);
        return;
      default:
        this.complete(e, task, dev, at, sectors, op);
    }
  }

  /** Plug events count where a server does I/O; those of clients hold many requests. */
  plug(e: number, task: number): void {
    const life = this.work.lifeAtWork(e, task);
    if (life >= 0) this.state.owner[e] = life * 4 + OWNER.life;
  }

  /** blk_mq_end_request and blk_mq_requeue_request go with the block event that follows on the same CPU. */
  endProbe(e: number): void {
    this.endProbes[this.level(e)] = e;
  }

  /** ublk_queue_rq: tag, queue and sector at once. */
  queueRq(e: number, task: number): void {
    const { state } = this;
    const { blocks, tasks } = state;
    const qid = state.num(e, 0);
    const tag = state.num(e, 1);
    const sector = state.num(e, 2);
    const op = opOfFlags(state.num(e, 4));
    const at = sector < 0 || (op === OP.flush && state.num(e, 3) === 0) ? FLUSH_AT : sector;
    let found = -1;
    for (let dev = 0; dev < state.devices.length; dev++) {
      const { served, probes } = state.devices[dev];
      if (served > 0 && probes === 0) continue;
      const b = blocks.find(dev, at, STATE.made, STATE.made);
      if (b >= 0 && (found < 0 || probes > state.devices[blocks.dev[found]].probes)) found = b;
    }
    if (found < 0) {
      tasks.startTag[task] = tag;
      tasks.startQid[task] = qid;
      tasks.startEvent[task] = e;
      return;
    }
    blocks.state[found] = STATE.queued;
    if (blocks.op[found] === OP.unknown || blocks.op[found] === OP.writeZeroes) blocks.op[found] = op;
    state.assign(found, blocks.dev[found], qid, tag);
    this.own(e, found);
    tasks.starting[task] = found;
    tasks.owner[task] = found * 4 + OWNER.block;
  }

  /** ublk_prep_req: with ublk_queue_rqs the only line that names the tag of the request issued next. */
  driverStart(e: number, task: number): void {
    const { state } = this;
    const { tasks } = state;
    const tag = state.num(e, 1);
    const b = tasks.starting[task];
    if (b >= 0 && state.blocks.tag[b] === tag) {
      this.own(e, b);
      return;
    }
    if (tasks.startTag[task] === tag && tasks.startQid[task] >= 0) return;
    tasks.startTag[task] = tag;
    tasks.startQid[task] = state.has(e, 0) ? state.num(e, 0) : -1;
    tasks.startEvent[task] = e;
  }

  /** blk_mq_get_driver_tag and blk_mq_put_driver_tag, which the simulator prints for every disk. */
  driverTag(e: number, release: boolean): void {
    const { state } = this;
    const dev = state.device(state.num(e, 0), state.num(e, 1));
    const slot = (dev * 0x1000 + state.num(e, 2)) * 0x10000 + state.num(e, 3);
    if (release) {
      const b = this.driverTags.get(slot);
      if (b !== undefined) this.own(e, b);
      return;
    }
    const sector = state.num(e, 4);
    const b = state.blocks.find(dev, sector < 0 ? FLUSH_AT : sector, STATE.made, STATE.made);
    if (b < 0) return;
    this.driverTags.set(slot, b);
    this.own(e, b);
  }

  private bio(kind: number, e: number, task: number, dev: number, at: number, sectors: number): void {
    const { state } = this;
    if (kind === KIND.bioQueue && sectors > 0 && state.tasks.worker[task] === 1)
      this.work.workerBio(task, at, sectors);
    const life = this.work.lifeAtWork(e, task);
    if (life >= 0) {
      state.owner[e] = life * 4 + OWNER.life;
      if (kind === KIND.bioQueue) {
        state.devices[dev].served++;
        this.work.countBytes(task, sectors * 512);
      }
      return;
    }
    if (kind === KIND.bioQueue) state.tasks.bio[task] = e;
    else state.tasks.split[task] = e;
  }

  private make(e: number, task: number, dev: number, at: number, sectors: number, op: number): void {
    const { state } = this;
    const b = state.blocks.add(dev, at, sectors, op, e, state.trace.cpu[e]);
    state.blocks.parent[b] = this.work.lifeAtWork(e, task);
    this.own(e, b);
    this.takeBio(b, task);
  }

  private takeBio(b: number, task: number): void {
    const { tasks, owner } = this.state;
    if (tasks.bio[task] >= 0) owner[tasks.bio[task]] = b * 4 + OWNER.block;
    if (tasks.split[task] >= 0) owner[tasks.split[task]] = b * 4 + OWNER.block;
    tasks.bio[task] = -1;
    tasks.split[task] = -1;
  }

  private merge(e: number, task: number, dev: number, at: number, sectors: number): void {
    const { state } = this;
    const { blocks } = state;
    const front = (state.plans.detail[state.trace.shape[e]] & 4) !== 0;
    const b = front ? blocks.find(dev, at + sectors, STATE.made, STATE.made) : blocks.endingAt(dev, at);
    if (b < 0) return;
    blocks.sectors[b] += sectors;
    if (front) {
      blocks.sector[b] = at;
      blocks.move(b, at);
    }
    this.own(e, b);
    this.takeBio(b, task);
  }

  /** Two requests became one: the event prints the later one, which is gone. */
  private join(e: number, dev: number, at: number): void {
    const { blocks } = this.state;
    const gone = blocks.find(dev, at, STATE.made, STATE.made);
    const first = gone < 0 ? -1 : blocks.endingAt(dev, blocks.sector[gone]);
    if (first < 0 || first === gone) return;
    blocks.sectors[first] += blocks.sectors[gone];
    blocks.state[gone] = STATE.merged;
    blocks.into[gone] = first;
    this.own(e, first);
  }

  private issue(e: number, task: number, dev: number, at: number, sectors: number, op: number): void {
    const { state } = this;
    const { blocks, tasks } = state;
    let b = tasks.starting[task];
    const probed = b >= 0 && blocks.dev[b] === dev && blocks.at[b] === at;
    const tag = tasks.startTag[task];
    if (!probed) b = blocks.find(dev, at, STATE.made, STATE.queued);
    if (b < 0) {
      b = blocks.add(dev, at, sectors, op, e, state.trace.cpu[e]);
      blocks.parent[b] = this.work.lifeAtWork(e, task);
    }
    if (probed) {
      state.devices[dev].probes++;
    } else if (tag >= 0) {
      const first = tasks.startEvent[task];
      if (tasks.callback[task] >= 0) this.own(tasks.callback[task], b);
      tasks.callback[task] = -1;
      if (blocks.start[b] === e) blocks.start[b] = first;
      this.own(first, b);
      state.assign(b, dev, tasks.startQid[task], tag);
      state.devices[dev].probes++;
      tasks.owner[task] = b * 4 + OWNER.block;
    }
    tasks.starting[task] = -1;
    tasks.startTag[task] = -1;
    blocks.state[b] = STATE.issued;
    blocks.issue[b] = e;
    this.own(e, b);
  }

  private requeue(e: number, task: number, dev: number, at: number, sectors: number): void {
    const { blocks } = this.state;
    let b = this.current(task, dev, at);
    if (b < 0) b = blocks.find(dev, at, STATE.queued, STATE.issued);
    this.takeEndProbe(e, b);
    if (b < 0) return;
    if (blocks.done[b] === 0) blocks.end[b] = e;
    blocks.state[b] = STATE.requeued;
    const again = blocks.add(dev, at, sectors, blocks.op[b], -1, blocks.cpu[b]);
    blocks.parent[again] = blocks.parent[b];
    this.own(e, b);
  }

  private complete(e: number, task: number, dev: number, at: number, sectors: number, op: number): void {
    const { state } = this;
    const { blocks, devices, tasks } = state;
    const device = devices[dev];
    const error = -Math.abs(state.num(e, 5));
    const inIrq = this.level(e) >= 0x10000;
    const commit = inIrq ? -1 : tasks.commit[task];
    let b = inIrq ? -1 : this.current(task, dev, at);
    if (b < 0) b = blocks.find(dev, at, STATE.queued, STATE.issued);
    if (b < 0 && sectors === 0 && device.last >= 0 && op !== OP.flush) {
      // the data-less rest of a flushing request: its flush has completed just before
      const last = device.last;
      this.takeEndProbe(e, last);
      if (blocks.op[last] === OP.flush || blocks.sector[last] === at) this.own(e, last);
      return;
    }
    if (b < 0) b = blocks.find(dev, at, STATE.made, STATE.made);
    if (b < 0) b = blocks.add(dev, at, sectors, op, e, state.trace.cpu[e]);
    this.takeEndProbe(e, b);
    this.own(e, b);
    blocks.end[b] = e;
    blocks.error[b] = error;
    if (error === 0) blocks.done[b] += sectors;
    if (error !== 0 || blocks.done[b] >= blocks.sectors[b]) {
      blocks.state[b] = STATE.done;
      device.last = b;
    } else {
      blocks.state[b] = STATE.issued;
      blocks.move(b, at + sectors);
    }
    if (commit < 0 || blocks.parent[b] >= 0) return;
    device.commits++;
    if (device.served > 0 && device.probes === 0) return;
    if (blocks.life[b] < 0 && state.lives.request[commit] < 0) state.bind(b, commit);
  }

  /** The request that the task is busy with, where it is the one that a block event names. */
  private current(task: number, dev: number, at: number): number {
    const { blocks, tasks, lives } = this.state;
    const owner = tasks.owner[task];
    let b = -1;
    if (tasks.commit[task] >= 0) b = lives.request[tasks.commit[task]];
    else if (owner >= 0 && (owner & 3) === OWNER.block) b = owner >> 2;
    return b >= 0 && blocks.live(b) && blocks.dev[b] === dev && blocks.at[b] === at ? b : -1;
  }

  private takeEndProbe(e: number, b: number): void {
    const level = this.level(e);
    const probe = this.endProbes[level];
    if (probe < 0) return;
    this.endProbes[level] = -1;
    if (b >= 0 && this.state.trace.task[probe] === this.state.trace.task[e])
      this.state.owner[probe] = b * 4 + OWNER.block;
  }

  private own(e: number, b: number): void {
    this.state.owner[e] = b * 4 + OWNER.block;
    if (this.state.blocks.start[b] < 0) this.state.blocks.start[b] = e;
  }

  /** CPU, with bit 16 where the flags column tells of an interrupt. */
  private level(e: number): number {
    const flags = this.state.trace.flags[e];
    let irq = this.irq[flags];
    if (irq === undefined) {
      irq = /^..[hHs]/.test(this.state.trace.flagsText(e)) ? 0x10000 : 0;
      this.irq[flags] = irq;
    }
    return irq | this.state.trace.cpu[e];
  }
}
