import { MARK, SQE_KIND } from './requests_sqe';
import { type MatchState, OWNER } from './requests_state';

/**
 * What tasks work on: the SQE that a server thread is issuing, and the one that an io-wq worker runs. A worker's events name
 * its SQE only at times (file lookup, CQE, a probe with a tag); else punted SQEs are taken in the order of their punts, and
 * corrected when the worker's CQE tells otherwise.
 */
export class WorkPart {
  private readonly punts = new Map<number, number[]>();
  /** Events of workers by the SQE that they are guessed to run. */
  private readonly guessed = new Map<number, number[]>();

  constructor(private readonly state: MatchState) {}

  /** An SQE was handed to the workers of a task. */
  punt(q: number, task: number): void {
    const { sqes, tasks } = this.state;
    sqes.punted[q] = 1;
    const list = this.punts.get(tasks.pid[task]);
    if (!list) {
      this.punts.set(tasks.pid[task], [q]);
      return;
    }
    while (list.length > 0 && sqes.complete[list[0]] >= 0) list.shift();
    list.push(q);
  }

  /** The CQE of an SQE; a worker that posts it is through with it. */
  completed(q: number, task: number, life: number): void {
    const { tasks, sqes } = this.state;
    if (tasks.worker[task] === 1) {
      if (tasks.work[task] >= 0 && tasks.work[task] !== q) this.correct(task, q);
      if (life >= 0) this.flush(task, life);
      tasks.work[task] = -1;
    }
    if (sqes.punted[q] !== 0) this.guessed.delete(q);
  }

  /** Life whose SQE this task is issuing or running, -1 when there is none. */
  lifeAtWork(e: number, task: number): number {
    const { sqes, tasks } = this.state;
    if (tasks.worker[task] === 1) return this.workerLife(e, task);
    const q = tasks.sqe[task];
    return q < 0 || sqes.kind[q] !== SQE_KIND.target ? -1 : sqes.life[q];
  }

  /** An io-wq worker takes the next piece of work. */
  workStart(e: number, task: number): void {
    const { tasks } = this.state;
    tasks.work[task] = -1;
    tasks.waiting[task] = [e];
  }

  /** An event of a worker that names the slot it works for. */
  workFor(e: number, task: number, tag: number): void {
    const { state } = this;
    if (state.tasks.worker[task] === 1 && !this.running(task)) {
      const list = this.punts.get(state.tasks.pid[task]) ?? [];
      const q = list.find(
        (p) => state.sqes.tag[p] === tag && state.sqes.punted[p] === 1 && state.sqes.complete[p] < 0,
      );
      if (q !== undefined) this.begin(task, q, true);
    }
    this.workEvent(e, task);
  }

  /** An event without tag: it belongs to what the task works on. */
  workEvent(e: number, task: number): void {
    const { state } = this;
    const { tasks } = state;
    if (tasks.worker[task] === 0) {
      if (tasks.owner[task] >= 0) state.owner[e] = tasks.owner[task];
      return;
    }
    if (this.running(task)) {
      const life = state.sqes.life[tasks.work[task]];
      if (life >= 0) {
        state.owner[e] = life * 4 + OWNER.life;
        state.lives.marks[life] |= MARK.splice;
      }
    } else {
      const list = tasks.waiting[task];
      if (list) list.push(e);
    }
  }

  /**
   * A worker submits a bio: without a probe that tells, the next punted SQE has begun when the one before has all its bytes,
   * or where their number is not known, when the bio does not go on where the last one ended and another SQE waits.
   */
  workerBio(task: number, sector: number, sectors: number): void {
    const { state } = this;
    const { tasks, sqes, lives, blocks } = state;
    const next = tasks.bioEnd[task];
    tasks.bioEnd[task] = sector + sectors;
    if (!this.running(task)) return;
    const q = tasks.work[task];
    const life = sqes.life[q];
    if (sqes.bytes[q] === 0 || tasks.named[task] === 1) return;
    const b = life < 0 ? -1 : lives.request[life];
    const done = b >= 0 ? sqes.bytes[q] >= blocks.sectors[b] * 512 : sector !== next;
    if (done && this.punts.get(tasks.pid[task])?.some((p) => sqes.punted[p] === 1 && sqes.complete[p] < 0))
      tasks.work[task] = -1;
  }

  /** Adds block I/O of the running SQE, which tells when a worker is through with it. */
  countBytes(task: number, bytes: number): void {
    const { tasks, sqes } = this.state;
    const q = tasks.worker[task] === 1 ? tasks.work[task] : tasks.sqe[task];
    if (q >= 0) sqes.bytes[q] += bytes;
  }

  /** The CQE that a worker posts shows that its work was another than the order of punts suggested. */
  private correct(task: number, q: number): void {
    const { tasks, sqes } = this.state;
    const wrong = tasks.work[task];
    if (tasks.named[task] === 1) return;
    const taken = this.guessed.get(q);
    this.reassign(wrong, q);
    if (!taken) {
      sqes.punted[wrong] = 1;
      this.punts.get(tasks.pid[task])?.unshift(wrong);
      return;
    }
    this.guessed.set(wrong, taken);
    this.give(taken, wrong);
    const other = tasks.work.indexOf(q);
    if (other >= 0) tasks.work[other] = wrong;
  }

  /** Moves what was guessed to be work for one SQE to another. */
  private reassign(from: number, to: number): void {
    const { bytes } = this.state.sqes;
    const events = this.guessed.get(from) ?? [];
    const moved = bytes[from];
    bytes[from] = bytes[to];
    bytes[to] = moved;
    this.guessed.delete(from);
    this.guessed.set(to, events);
    this.give(events, to);
  }

  private give(events: readonly number[], q: number): void {
    const { sqes, owner, blocks } = this.state;
    const life = sqes.life[q];
    for (const e of events) {
      if (owner[e] < 0) continue;
      if ((owner[e] & 3) === OWNER.block) blocks.parent[owner[e] >> 2] = life;
      else owner[e] = life < 0 ? -1 : life * 4 + OWNER.life;
    }
  }

  private workerLife(e: number, task: number): number {
    const { tasks, sqes } = this.state;
    if (!this.running(task)) {
      const list = this.punts.get(tasks.pid[task]);
      let q = list?.shift();
      while (q !== undefined && (sqes.complete[q] >= 0 || sqes.punted[q] !== 1)) q = list?.shift();
      if (q === undefined) return -1;
      this.begin(task, q, false);
    }
    if (tasks.named[task] === 0) this.guessed.get(tasks.work[task])?.push(e);
    return sqes.life[tasks.work[task]];
  }

  private running(task: number): boolean {
    const { tasks, sqes } = this.state;
    const q = tasks.work[task];
    if (q >= 0 && sqes.complete[q] >= 0) tasks.work[task] = -1;
    return tasks.work[task] >= 0;
  }

  /** A worker runs an SQE from here on; `named` where an event says so. */
  begin(task: number, q: number, named: boolean): void {
    const { tasks, sqes } = this.state;
    tasks.work[task] = q;
    tasks.named[task] = named ? 1 : 0;
    if (!named && !this.guessed.has(q)) this.guessed.set(q, []);
    sqes.punted[q] = 2;
    if (sqes.life[q] >= 0) this.flush(task, sqes.life[q]);
  }

  private flush(task: number, life: number): void {
    const list = this.state.tasks.waiting[task];
    if (!list) return;
    for (const e of list) this.state.owner[e] = life * 4 + OWNER.life;
    list.length = 0;
  }
}
