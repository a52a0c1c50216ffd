import { IntMap } from './int_map';
import { STATE } from './requests_block';
import { MARK, SQE_KIND, VIA } from './requests_sqe';
import { type MatchState, OWNER } from './requests_state';
import type { WorkPart } from './requests_work';

/** Commands of ublk as user_data carries them: the low byte of the command number. */
const CMD = {
  fetch: 0x20,
  commit: 0x21,
  getData: 0x22,
  register: 0x23,
  batchFirst: 0x25,
  batchLast: 0x27,
} as const;
const ENODEV = -19;
const F_MORE = 2;

/** What FUSE needs to hear of uring commands that are not ublk's. */
export interface CommandListener {
  submitted(e: number, task: number, sqe: number, ring: number, data: number): void;
  completed(e: number, task: number, sqe: number, ring: number, data: number): void;
}

/** The io_uring part of matching: SQEs, the and the lives of slots. */
export class RingPart {
  /** Set once the trace has a FUSE event. */
  listener: CommandListener | undefined;
  private readonly requests = new IntMap(1024);
  private readonly opRead: number;
  private readonly opWrite: number;
  private readonly opSplice: number;
  private readonly opReadFixed: number;
  private readonly opWriteFixed: number;
  private readonly opCommand: number;

  constructor(
    private readonly state: MatchState,
    private readonly work: WorkPart,
  ) {
    const { strings } = state.trace;
    const id = (text: string): number => strings.find(text) ?? -1;
    this.opRead = id('READ');
    this.opWrite = id('WRITE');
    this.opSplice = id('SPLICE');
    this.opReadFixed = id('READ_FIXED');
    this.opWriteFixed = id('WRITE_FIXED');
    this.opCommand = id('URING_CMD');
  }

  submit(e: number, task: number): void {
    const { state } = this;
    const { sqes, tasks, lives } = state;
    const ring = state.ring(state.word(e, 0), e);
    const data = state.word(e, 2);
    const opcode = state.word(e, 3);
    const q = this.make(e, ring, data, opcode);
    sqes.submit[q] = e;
    this.requests.set(state.word(e, 1), q);
    tasks.sqe[task] = q;
    tasks.owner[task] = -1;
    tasks.commit[task] = -1;
    const kind = sqes.kind[q];
    if (kind === SQE_KIND.other) {
      state.owner[e] = q * 4 + OWNER.sqe;
      if (this.listener && (opcode === this.opCommand || opcode === 0))
        this.listener.submitted(e, task, q, ring, data);
      return;
    }
    const info = state.rings[ring];
    info.server = true;
    info.last = e;
    const slot = (ring << 16) | sqes.tag[q];
    let life = state.slotLife.get(slot);
    if (kind === SQE_KIND.target) {
      if (life < 0) {
        life = lives.add(ring, sqes.tag[q], e);
        state.slotLife.set(slot, life);
      }
      if (lives.open[life] === 0) return;
      lives.append(life, q, sqes);
      this.mark(life, q, opcode);
    } else {
      life = this.command(q, slot, life, ring, e);
      if (life < 0) return;
      sqes.life[q] = life;
      if (sqes.op[q] === CMD.commit) tasks.commit[task] = life;
    }
    state.owner[e] = life * 4 + OWNER.life;
    tasks.owner[task] = state.owner[e];
  }

  /** Life that a command belongs to as it is submitted, -1 for FETCH and others that end none. */
  private command(q: number, slot: number, current: number, ring: number, e: number): number {
    const { state } = this;
    const { sqes, lives } = state;
    const op = sqes.op[q];
    if (op >= CMD.batchFirst && op <= CMD.batchLast) state.batch = true;
    let life = current;
    if (op === CMD.getData) {
      if (life < 0 || lives.open[life] === 0) return -1;
      lives.getData[life] = q;
      lives.marks[life] |= MARK.getData;
      return life;
    }
    if (op !== CMD.commit) return -1;
    if (life < 0) {
      life = lives.add(ring, sqes.tag[q], e);
      state.slotLife.set(slot, life);
    }
    if (lives.open[life] === 0) return -1;
    lives.commit[life] = q;
    lives.open[life] = 0;
    return life;
  }

  complete(e: number, task: number): void {
    const { state } = this;
    const { sqes, tasks } = state;
    const ring = state.ring(state.word(e, 0), e);
    const data = state.word(e, 2);
    let q = this.requests.get(state.word(e, 1));
    if (q < 0 || sqes.data[q] !== data || sqes.ring[q] !== ring || sqes.complete[q] >= 0) {
      q = this.make(e, ring, data, 0);
      this.requests.set(state.word(e, 1), q);
    }
    const result = state.num(e, 4);
    if ((state.num(e, 5) & F_MORE) === 0) sqes.complete[q] = e;
    sqes.result[q] = result;
    sqes.via[q] = this.way(q, task);
    const kind = sqes.kind[q];
    if (kind === SQE_KIND.other || kind === SQE_KIND.fuse) {
      state.owner[e] = q * 4 + OWNER.sqe;
      if (this.listener) this.listener.completed(e, task, q, ring, data);
    } else {
      const info = state.rings[ring];
      info.server = true;
      info.last = e;
      if (kind === SQE_KIND.command) this.answered(e, q, ring, result, task);
    }
    const life = kind === SQE_KIND.target ? sqes.life[q] : -1;
    if (life >= 0 && state.owner[e] < 0) state.owner[e] = life * 4 + OWNER.life;
    this.work.completed(q, task, life);
    if (tasks.worker[task] === 1) return;
    // the next member of the chain is issued right behind the completion of the one before
    const next = sqes.link[q];
    tasks.sqe[task] = next;
    tasks.owner[task] = next >= 0 && sqes.life[next] >= 0 ? sqes.life[next] * 4 + OWNER.life : -1;
  }

  /** A CQE of FETCH, COMMIT_AND_FETCH or NEED_GET_DATA. */
  private answered(e: number, q: number, ring: number, result: number, task: number): void {
    const { state } = this;
    const { sqes, lives } = state;
    const op = sqes.op[q];
    if (op < CMD.fetch || op > CMD.getData) return;
    const slot = (ring << 16) | sqes.tag[q];
    let life = state.slotLife.get(slot);
    if (result < 0) {
      if (sqes.life[q] >= 0) life = sqes.life[q];
      if (result === ENODEV || life < 0 || op === CMD.fetch) return;
      this.refused(q, life);
      state.owner[e] = life * 4 + OWNER.life;
      return;
    }
    if (op === CMD.getData && life >= 0 && lives.open[life] === 1) {
      state.owner[e] = life * 4 + OWNER.life;
      return;
    }
    if (life >= 0) lives.open[life] = 0;
    life = lives.add(ring, sqes.tag[q], e);
    lives.deliver[life] = e;
    lives.fetch[life] = q;
    if (result === 1) lives.marks[life] |= MARK.getData;
    state.slotLife.set(slot, life);
    state.owner[e] = life * 4 + OWNER.life;
    const callback = state.tasks.callback[task];
    if (callback >= 0) {
      state.owner[callback] = state.owner[e];
      state.tasks.callback[task] = -1;
    }
    this.attach(life, ring, sqes.tag[q], task);
  }

  /** The driver refused a command: what it was to do has not happened. */
  private refused(q: number, life: number): void {
    const { lives, sqes, owner, refused } = this.state;
    const list = refused.get(life);
    if (list) list.push(q);
    else refused.set(life, [q]);
    if (sqes.submit[q] >= 0) owner[sqes.submit[q]] = life * 4 + OWNER.life;
    if (lives.getData[life] === q) lives.getData[life] = -1;
    if (lives.commit[life] !== q) return;
    lives.commit[life] = -1;
    lives.open[life] = 1;
  }

  /** Joins a delivered life with the request that a probe put on its tag. */
  private attach(life: number, ring: number, tag: number, task: number): void {
    const { state } = this;
    const info = state.rings[ring];
    if (state.queues.length === 0) return;
    if (info.queue < 0) {
      for (let id = 0; id < state.queues.length; id++) {
        if (info.qid >= 0 && state.queues[id].qid !== info.qid) continue;
        if (!this.waits(state.slotBlock.get((id << 16) | tag))) continue;
        info.queue = id;
        info.qid = state.queues[id].qid;
        break;
      }
      if (info.queue < 0) return;
    }
    state.tasks.queue[task] = info.queue;
    const b = state.slotBlock.get((info.queue << 16) | tag);
    if (this.waits(b)) state.bind(b, life);
  }

  private waits(b: number): boolean {
    const { blocks } = this.state;
    return b >= 0 && blocks.life[b] < 0 && blocks.live(b) && blocks.state[b] >= STATE.queued;
  }

  /** Other events of an SQE: punt, file lookup, poll, drain, failed chain. */
  other(e: number, task: number, failed: boolean): void {
    const { state } = this;
    const { sqes, tasks } = state;
    const ring = state.ring(state.word(e, 0), e);
    const data = state.word(e, 2);
    let q = this.requests.get(state.word(e, 1));
    // a plain SQE that has failed is heard of once more when its chain breaks
    const over = q >= 0 && sqes.complete[q] >= 0 && sqes.kind[q] !== SQE_KIND.other;
    if (q < 0 || sqes.data[q] !== data || over) {
      // what a server sends is known by its CQE; of a plain SQE this is the only sign that it was taken
      if (failed && kindOf(state.wide.lowOf(data), state.wide.highOf(data)) !== SQE_KIND.other) return;
      q = this.make(e, ring, data, state.has(e, 3) ? state.word(e, 3) : 0);
      if (failed) sqes.submit[q] = e;
      this.requests.set(state.word(e, 1), q);
    }
    const life = sqes.life[q];
    state.owner[e] = life >= 0 ? life * 4 + OWNER.life : q * 4 + OWNER.sqe;
    const detail = state.plans.detail[state.trace.shape[e]];
    if ((detail & 1) !== 0) this.work.punt(q, task);
    else if ((detail & 2) !== 0 && tasks.worker[task] === 1) this.work.begin(task, q, true);
  }

  /** io_uring_link: one SQE stands behind another in a chain (6.1 names the head of the chain instead). */
  link(e: number, task: number): void {
    const { state } = this;
    const { sqes, tasks } = state;
    const q = this.requests.get(state.word(e, 1));
    const head = this.requests.get(state.word(e, 2));
    if (q < 0 || head < 0 || q === head) return;
    let p = head;
    while (sqes.link[p] >= 0 && sqes.link[p] !== q) p = sqes.link[p];
    sqes.link[p] = q;
    const life = sqes.life[q];
    state.owner[e] = life >= 0 ? life * 4 + OWNER.life : q * 4 + OWNER.sqe;
    if (tasks.sqe[task] === q) tasks.sqe[task] = head;
  }

  /** Task work ran: that many of the last completions came by it. */
  taskWork(e: number, task: number): void {
    const { state } = this;
    const list = state.tasks.inline[task];
    state.tasks.callback[task] = -1;
    if (!list) return;
    for (let n = Math.max(1, state.num(e, 0)); n > 0; n--) {
      const q = list.pop();
      if (q === undefined) break;
      state.sqes.via[q] = VIA.taskWork;
    }
    list.length = 0;
  }

  /** The task enters, leaves or waits: nothing is being issued any more. */
  pause(task: number): void {
    const { tasks } = this.state;
    tasks.sqe[task] = -1;
    tasks.owner[task] = -1;
    tasks.commit[task] = -1;
    const list = tasks.inline[task];
    if (list) list.length = 0;
  }

  /** User space filled an SQE. */
  getSqe(e: number): void {
    const { state } = this;
    const data = state.word(e, 1);
    const hi = state.wide.highOf(data);
    const lo = state.wide.lowOf(data);
    if (kindOf(lo, hi) === SQE_KIND.other) return;
    const life = state.slotLife.get((state.ring(state.word(e, 0), e) << 16) | (lo & 0xffff));
    if (life >= 0 && state.lives.open[life] === 1) state.owner[e] = life * 4 + OWNER.life;
  }

  private way(q: number, task: number): number {
    const { tasks, sqes } = this.state;
    if (tasks.worker[task] === 1 || sqes.punted[q] !== 0) return VIA.ioWq;
    if (sqes.submit[q] < 0 || tasks.sqe[task] < 0) return VIA.taskWork;
    const list = tasks.inline[task];
    if (list) list.push(q);
    else tasks.inline[task] = [q];
    return VIA.inline;
  }

  private make(e: number, ring: number, data: number, opcode: number): number {
    const { state } = this;
    const lo = state.wide.lowOf(data);
    const hi = state.wide.highOf(data);
    const known = opcode === 0 || state.trace.strings.text(opcode) !== '';
    let kind: number = kindOf(lo, hi);
    if (kind === SQE_KIND.command && opcode !== 0 && known && opcode !== this.opCommand)
      kind = SQE_KIND.other;
    const q = state.sqes.add(data, ring, kind, (lo >>> 16) & 0xff, lo & 0xffff);
    state.sqes.opcode[q] = opcode;
    if (kind === SQE_KIND.command || kind === SQE_KIND.target) {
      const info = state.rings[ring];
      const qid = (hi >>> 24) & 0x7f;
      if (info.qid < 0 && qid > 0) info.qid = qid;
      if (!info.server) info.first = e;
    }
    return q;
  }

  private mark(life: number, q: number, opcode: number): void {
    const { marks } = this.state.lives;
    if (opcode === this.opRead || opcode === this.opWrite) marks[life] |= MARK.plain;
    else if (opcode === this.opSplice) marks[life] |= MARK.splice;
    else if (opcode === this.opReadFixed || opcode === this.opWriteFixed) marks[life] |= MARK.fixed;
    else if (opcode === this.opCommand && this.state.sqes.op[q] === CMD.register)
      marks[life] |= MARK.registered;
  }
}

/** What a value is to a ublk server: a command, target I/O, or not a server's value at all. */
function kindOf(lo: number, hi: number): number {
  if ((hi & 0x00ffff00) !== 0) return SQE_KIND.other;
  if (hi >>> 31 === 1) return lo === 0 && hi === 0xc0000000 ? SQE_KIND.other : SQE_KIND.target;
  const op = (lo >>> 16) & 0xff;
  return op >= CMD.fetch && op <= CMD.batchLast && lo >>> 24 === 0 && (hi & 0xff) === 0
    ? SQE_KIND.command
    : SQE_KIND.other;
}
