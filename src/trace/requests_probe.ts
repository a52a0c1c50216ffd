import { KIND } from './requests_kinds';
import { MARK } from './requests_sqe';
import { type MatchState, OWNER } from './requests_state';
import type { WorkPart } from './requests_work';

const USER_COPY_BASE = 0x80000000;
const IO_URING_F_CANCEL = 0x800;
const CMD_FETCH = 0x20;
const CMD_COMMIT = 0x21;
const CMD_GET_DATA = 0x22;
const CMD_REGISTER = 0x23;
const CMD_UNREGISTER = 0x24;

/** Function probes of ublk_drv and of the splice path. */
export class ProbePart {
  constructor(
    private readonly state: MatchState,
    private readonly work: WorkPart,
  ) {}

  event(kind: number, e: number, task: number): void {
    const { state } = this;
    switch (kind) {
      case KIND.tagProbe:
      case KIND.fact:
        this.named(e, task, kind === KIND.tagProbe);
        return;
      case KIND.copyProbe:
        if (state.has(e, 1)) this.named(e, task, true);
        else this.bare(e, task);
        this.mark(e, MARK.copy);
        return;
      case KIND.twCallback:
        state.tasks.callback[task] = e;
        return;
      case KIND.uringCmd:
        this.command(e, task);
        return;
      case KIND.uringCmdRet:
        if (state.tasks.command[task] >= 0) state.owner[e] = state.tasks.command[task];
        state.tasks.command[task] = -1;
        return;
      case KIND.posProbe:
        this.userCopy(e, task);
        return;
      case KIND.spliceTag:
        this.splice(e, task);
        return;
      case KIND.spliceProbe:
        this.work.workEvent(e, task);
        return;
      default:
        this.bare(e, task);
    }
  }

  /** A probe that names the tag, and perhaps the queue. */
  private named(e: number, task: number, takes: boolean): void {
    const { state } = this;
    const { tasks } = state;
    const b = state.blockOf(state.has(e, 0) ? state.num(e, 0) : -1, state.num(e, 1), task);
    if (b < 0) return;
    const code = b * 4 + OWNER.block;
    state.owner[e] = code;
    if (!takes) return;
    tasks.owner[task] = code;
    if (tasks.callback[task] >= 0) {
      state.owner[tasks.callback[task]] = code;
      tasks.callback[task] = -1;
    }
  }

  /** A probe without a tag belongs to the request that the task is busy with. */
  private bare(e: number, task: number): void {
    const { state } = this;
    if (state.tasks.worker[task] === 1) this.work.workEvent(e, task);
    else if (state.tasks.owner[task] >= 0) state.owner[e] = state.tasks.owner[task];
  }

  private command(e: number, task: number): void {
    const { state } = this;
    const { tasks, sqes } = state;
    tasks.command[task] = -1;
    // called to cancel: the SQE's memory was used again, so tag and op are stale
    if ((state.num(e, 3) & IO_URING_F_CANCEL) !== 0) return;
    const qid = state.num(e, 0);
    const tag = state.num(e, 1);
    const op = state.num(e, 2) & 0xff;
    const q = tasks.sqe[task];
    if (q >= 0 && sqes.tag[q] === tag && op >= CMD_FETCH && op <= CMD_GET_DATA) {
      const ring = state.rings[sqes.ring[q]];
      if (ring.qid < 0) ring.qid = qid;
    }
    let code = tasks.owner[task];
    if (op === CMD_REGISTER || op === CMD_UNREGISTER) {
      const b = state.blockOf(qid, tag, task);
      if (b >= 0) code = b * 4 + OWNER.block;
    }
    if (code < 0 || op === CMD_FETCH) return;
    state.owner[e] = code;
    tasks.owner[task] = code;
    tasks.command[task] = code;
    // only the copying paths hand over a buffer with COMMIT
    if (op === CMD_COMMIT && state.has(e, 4) && state.word(e, 4) !== 0) this.mark(e, MARK.copy);
  }

  private userCopy(e: number, task: number): void {
    const { state } = this;
    const place = state.num(e, 0) - USER_COPY_BASE;
    if (place < 0) {
      state.tasks.owner[task] = -1;
      return;
    }
    const tag = Math.floor(place / 2 ** 25) % 2 ** 16;
    const b = state.blockOf(Math.floor(place / 2 ** 41) % 2 ** 12, tag, task);
    if (b < 0) return;
    state.owner[e] = b * 4 + OWNER.block;
    if (state.tasks.worker[task] === 0) state.tasks.owner[task] = state.owner[e];
    this.mark(e, MARK.userCopy);
  }

  private splice(e: number, task: number): void {
    const { state } = this;
    const tag = state.has(e, 1) ? state.num(e, 1) : Math.floor(state.num(e, 0) / 2 ** 30) % 2 ** 12;
    this.work.workFor(e, task, tag);
  }

  /** Notes what a line says about the data path of the life it belongs to. */
  private mark(e: number, mark: number): void {
    const { state } = this;
    const code = state.owner[e];
    if (code < 0) return;
    if ((code & 3) === OWNER.life) state.lives.marks[code >> 2] |= mark;
    else if ((code & 3) === OWNER.block) state.blocks.marks[code >> 2] |= mark;
  }
}
