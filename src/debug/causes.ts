import type { RequestTable } from '../trace/requests';
import type { Trace } from '../trace/trace';
import { CauseDisks } from './cause_disks';
import { CauseLinks } from './cause_links';
import { BELOW } from './cause_names';
import { OwnDiskIo } from './cause_own_io';
import { bounded, CauseRoles, HOPS, isCommand, LISTED, REACH, type Role, SUBMITS, WIDE } from './cause_roles';
import { indexAfter } from './sorted';
import { SharedWork, type Work } from './work';

/** Longest chain that is shown whole, and most steps to the command at its end. */
const LONGEST = 128;
const FARTHEST = 1 << 14;
/** Where an SQE is filled. */
const SQE: readonly string[] = ['io_uring_get_sqe'];
/** Commands that end programs, whatever the programs are called. */
const KILLERS: readonly string[] = ['kill', 'pkill', 'killall'];

/**
 * What brought an event about. Inside one task the call around it counts, between tasks the steps of the request; before the
 * request the I/O that its client asked for and the command of the session, which only a simulated trace tells.
 */
export class Causes {
  private readonly roles: CauseRoles;
  private readonly linking: SharedWork<CauseLinks>;
  private readonly disks: CauseDisks;
  private readonly own: OwnDiskIo;

  constructor(
    private readonly trace: Trace,
    private readonly requests: RequestTable,
  ) {
    this.roles = new CauseRoles(trace);
    this.linking = new SharedWork(CauseLinks.build(trace, (shape) => this.roles.ofShape(shape), LISTED));
    this.disks = new CauseDisks(trace);
    this.own = new OwnDiskIo(trace, this.roles, this.disks);
  }

  /** Does in slices what the first question would do at once. false where `work` was cancelled. */
  async prepare(work: Work): Promise<boolean> {
    return (await this.linking.wait(work)) !== undefined;
  }

  /** The event that brought event e about, always an earlier one; -1 where the trace does not tell. */
  parent(e: number): number {
    const role = this.roles.of(e);
    switch (role.name) {
      case 'session_command':
        return -1;
      case 'app_io_submit':
      case 'session_command_done':
        return this.command(e);
      case 'command_output':
        return this.sameTask(e, ['session_command']);
      case 'sched_process_exit':
        return this.commandOfProgram(e, KILLERS);
    }
    const row = this.requests.requestOf(e);
    const list = row < 0 ? undefined : this.requests.events(row);
    if (role.name === 'app_io_done') return this.answered(e);
    const below = list === undefined ? undefined : this.below(e, role, list);
    if (below !== undefined && below >= 0) return below;
    if (!HOPS.has(role.name)) {
      const around = this.around(e, role, list);
      if (around >= 0) return around;
    }
    return list === undefined ? this.outside(e, role) : this.inRequest(e, role, list);
  }

  /**
   * e, what brought it about, and so on down to the command of the session or the start of what the trace knows. Of a chain that is
   * too long the command at its end follows what is shown.
   */
  chain(e: number): number[] {
    const chain: number[] = [];
    let at = e;
    for (; at >= 0 && chain.length < LONGEST; at = this.parent(at)) chain.push(at);
    for (let k = 0; at >= 0 && k < FARTHEST; k++, at = this.parent(at)) {
      if (this.roles.of(at).name !== 'session_command') continue;
      chain.push(at);
      break;
    }
    return chain;
  }

  /** Whether a block event is about a disk below the one that its request is for; undefined where the trace does not tell. */
  isBelow(e: number): boolean | undefined {
    const { disks, requests } = this;
    const row = requests.requestOf(e);
    if (row < 0) return undefined;
    const list = requests.events(row);
    const own = disks.own(list);
    const disk = disks.of(e, list, indexAfter(list, e - 1), own);
    return own < 0 || disk < 0 ? undefined : disk !== own;
  }

  /** The first event that event e brought about; -1 where there is none within reach. */
  caused(e: number): number {
    const row = this.requests.requestOf(e);
    let limit = Math.min(this.trace.length, e + REACH);
    if (row >= 0) {
      const list = this.requests.events(row);
      for (let k = indexAfter(list, e); k < list.length; k++) {
        if (this.parent(list[k]) !== e) continue;
        limit = Math.min(limit, list[k]);
        break;
      }
    }
    const { requests, trace } = this;
    const wide = WIDE.has(this.roles.of(e).name);
    const near = wide ? limit : Math.min(limit, e + 256);
    for (let f = e + 1; f < near; f++) {
      const other = requests.requestOf(f);
      if (row >= 0 && other === row) continue;
      // only the same task, or a step that looks for such an event, can name it as its cause
      if (trace.task[f] !== trace.task[e] && this.roles.of(f).wanted[trace.shape[e]] === 0) continue;
      if (this.parent(f) === e) return f;
    }
    return limit < this.trace.length && this.parent(limit) === e ? limit : -1;
  }

  /** The call or context in whose course event e happened; for the end of a call its beginning. */
  private around(e: number, role: Role, list: Uint32Array | undefined): number {
    return list === undefined ? this.aroundInTask(e, role) : this.aroundInRequest(e, role, list);
  }

  private aroundInTask(e: number, role: Role): number {
    const { around } = this.links;
    for (let i = around[e]; i >= 0 && i >= e - REACH; i = around[i]) {
      const other = this.roles.of(i);
      if (other.opens) {
        if (role.ends === '' || other.name === role.ends) return i;
      } else {
        return bounded(role, other) ? i : -1;
      }
    }
    return -1;
  }

  /** The same, seeing only events of one request. */
  private aroundInRequest(e: number, role: Role, list: Uint32Array): number {
    const { trace } = this;
    const task = trace.task[e];
    const closed = new Map<string, number>();
    for (let j = indexAfter(list, e - 1) - 1; j >= 0; j--) {
      const i = list[j];
      if (trace.task[i] !== task) continue;
      const other = this.roles.of(i);
      if (other.ends !== '') {
        closed.set(other.ends, (closed.get(other.ends) ?? 0) + 1);
      } else if (other.opens) {
        const ends = closed.get(other.name) ?? 0;
        if (ends > 0) closed.set(other.name, ends - 1);
        else if (role.ends === '' || other.name === role.ends) return i;
      } else if (other.bounds) {
        return bounded(role, other) ? i : -1;
      }
    }
    return -1;
  }

  /** The end of the request that carried the I/O whose end is event e; the I/O itself where its request is unknown. */
  private answered(e: number): number {
    const { trace, requests } = this;
    const id = trace.num(e, 'id');
    let submit = -1;
    for (const i of this.listed('app_io_submit', e, e - REACH)) {
      if (trace.num(i, 'id') !== id) continue;
      submit = i;
      break;
    }
    if (submit < 0) return -1;
    let row = -1;
    for (let i = submit + 1; i < e && i < submit + 64; i++) {
      if (trace.task[i] !== trace.task[submit]) continue;
      if (this.roles.of(i).name === 'app_io_submit') break;
      if (requests.requestOf(i) >= 0) row = requests.requestOf(i);
    }
    if (row < 0) return submit;
    const list = requests.events(row);
    for (let j = indexAfter(list, e - 1) - 1; j >= 0; j--) {
      if (this.roles.of(list[j]).name !== 'block_rq_complete') continue;
      if (this.disks.named(list[j]) === this.disks.own(list)) return list[j];
    }
    return submit;
  }

  /** Cause of what happens at a disk below, and of the CQE of an SQE that had I/O there; -1 where other rules tell. */
  private below(e: number, role: Role, list: Uint32Array): number {
    const { disks } = this;
    const completes = role.name === 'io_uring_complete';
    if (!completes && !Object.hasOwn(BELOW, role.name)) return -1;
    const own = disks.own(list);
    const k = indexAfter(list, e - 1) - 1;
    if (completes) return this.lastEndOf(e, role, list, k, own);
    const disk = disks.of(e, list, k + 1, own);
    if (disk === own) return -1;
    for (const group of BELOW[role.name]) {
      let loose = -1;
      for (let j = k; j >= 0; j--) {
        const i = list[j];
        if (!group.includes(this.roles.of(i).name) || disks.of(i, list, j, own) !== disk) continue;
        if (disks.overlap(i, disks.named(e) < 0 ? this.endAfter(list, k + 1, e) : e)) return i;
        if (loose < 0) loose = i;
      }
      if (loose >= 0) return loose;
    }
    // the I/O of an SQE: commands to a driver have none, so it is that of the SQE issued before them
    const around = this.around(e, role, list);
    const by = around >= 0 && !SUBMITS.has(this.roles.of(around).name) ? around : this.submitOfIo(e, list, k);
    return by >= 0 ? by : around;
  }

  /** The block event that tells what an end without sectors is about; the end itself where none follows. */
  private endAfter(list: Uint32Array, from: number, e: number): number {
    for (let j = from + 1; j < list.length && j < from + 8; j++)
      if (this.trace.cpu[list[j]] === this.trace.cpu[e] && this.disks.ends(list[j])) return list[j];
    return e;
  }

  /** The nearest SQE with I/O that the same task has submitted and that has no CQE yet; -1 for none. */
  private submitOfIo(e: number, list: Uint32Array, k: number): number {
    const { trace } = this;
    const completed = new Set<number>();
    for (let j = k; j >= 0; j--) {
      const i = list[j];
      const other = this.roles.of(i);
      if (other.req < 0) continue;
      const req = trace.word(i, other.req);
      if (other.name === 'io_uring_complete') completed.add(req);
      if (!SUBMITS.has(other.name) || completed.has(req) || trace.task[i] !== trace.task[e]) continue;
      if (!isCommand(trace, i)) return i;
    }
    return -1;
  }

  /** The last end at a disk below of I/O that the SQE of a CQE had there; -1 where it had none, or ran in a worker. */
  private lastEndOf(e: number, role: Role, list: Uint32Array, k: number, own: number): number {
    const { disks, trace } = this;
    const req = trace.word(e, role.req);
    let ends = false;
    let submit = -1;
    for (let j = k; j >= 0 && submit < 0; j--) {
      const other = this.roles.of(list[j]);
      if (other.name === 'io_wq_submit_work' && trace.task[list[j]] === trace.task[e]) return -1;
      if (SUBMITS.has(other.name) && trace.word(list[j], other.req) === req) submit = list[j];
      else if (disks.ends(list[j]) && disks.named(list[j]) !== own) ends = true;
    }
    if (submit < 0 || !ends || isCommand(trace, submit)) return -1;
    for (let j = k; j >= 0 && list[j] > submit; j--) {
      if (!disks.ends(list[j]) || disks.named(list[j]) === own) continue;
      let at = list[j];
      while (at > submit) at = this.parent(at);
      if (at === submit) return list[j];
    }
    return -1;
  }

  private inRequest(e: number, role: Role, list: Uint32Array): number {
    const { trace } = this;
    const k = indexAfter(list, e - 1) - 1;
    const req = role.req < 0 ? -1 : trace.word(e, role.req);
    const own = this.disks.own(list);
    const disk = this.disks.of(e, list, k + 1, own);
    for (const group of role.wants) {
      let loose = -1;
      for (let j = k; j >= 0; j--) {
        const other = this.roles.of(list[j]);
        if (!group.includes(other.name) || this.disks.of(list[j], list, j, own) !== disk) continue;
        if (req < 0 || other.req < 0 || trace.word(list[j], other.req) === req) return list[j];
        if (loose < 0) loose = list[j];
      }
      if (loose >= 0) return loose;
    }
    if (k < 0 && role.wants.length > 0) {
      const filled = SUBMITS.has(role.name) ? this.sqeOf(e) : -1;
      if (filled >= 0) return filled;
      const before = this.sameTask(e, role.wants.flat());
      if (before >= 0) return before;
    }
    // the first events of a request come from its client
    if (k < 0 || role.name === 'block_bio_queue') return this.client(e);
    for (let j = k; j >= 0; j--) if (trace.task[list[j]] === trace.task[e]) return list[j];
    return list[k];
  }

  private client(e: number): number {
    const io = this.sameTask(e, ['app_io_submit', 'session_command']);
    if (io >= 0) return io;
    const around = this.around(e, this.roles.of(e), undefined);
    return around >= 0 ? around : this.outside(e, this.roles.of(e));
  }

  /** Cause of an event that belongs to no request. */
  private outside(e: number, role: Role): number {
    const { trace } = this;
    const submits = SUBMITS.has(role.name);
    if (submits || role.name === 'io_uring_get_sqe') {
      const by = submits ? this.sqeOf(e) : -1;
      if (by >= 0) return by;
      // a command asks the driver one thing after the other: the answer to one does not bring about the next
      const command = this.sameTask(e, ['session_command', 'app_io_submit']);
      if (command >= 0) return command;
    }
    if (role.req >= 0) {
      const req = trace.word(e, role.req);
      const any = role.wants.length === 0;
      for (let i = e - 1; i >= Math.max(0, e - REACH); i--) {
        if (!any && role.wanted[trace.shape[i]] === 0) continue;
        const other = this.roles.of(i);
        if (other.req < 0 || trace.word(i, other.req) !== req) continue;
        // memory of a request is used again, by other rings too
        if (!submits || trace.num(i, 'ring') === trace.num(e, 'ring')) return i;
      }
    }
    const step = this.requests.requestOf(e) < 0 ? this.own.before(e, role) : -1;
    if (step >= 0) return step;
    const disk = this.disks.named(e);
    const wanted = role.wants.flat();
    if (disk >= 0 && wanted.length > 0) {
      for (let i = e - 1; i >= Math.max(0, e - REACH); i--) {
        if (role.wanted[trace.shape[i]] === 0 || this.disks.named(i) !== disk) continue;
        if (this.disks.overlap(i, e)) return i;
      }
    } else if (wanted.length > 0) {
      const same = this.sameTask(e, wanted);
      if (same >= 0) return same;
    }
    if (role.starts) {
      for (let i = e - 1; i >= Math.max(0, e - REACH); i--)
        if (role.wanted[this.trace.shape[i]] === 1 && this.requests.requestOf(i) < 0) return i;
    }
    const own = this.sameTask(e, ['session_command', 'app_io_submit']);
    if (own >= 0) return own;
    const program = this.commandOfProgram(e, role.name === 'ublk_ch_release' ? KILLERS : []);
    return program >= 0 ? program : this.own.flushed(e, role);
  }

  /** The filling of the SQE that event e submits, where the same task did it; -1 for none. */
  private sqeOf(e: number): number {
    const { trace } = this;
    const wanted = trace.num(e, 'user_data');
    for (let i = this.sameTask(e, SQE); i >= 0 && i >= e - REACH; i = this.sameTask(i, SQE))
      if (trace.num(i, 'user_data') === wanted) return i;
    return -1;
  }

  /** The nearest earlier event of the same task with one of these names. */
  private sameTask(e: number, names: readonly string[]): number {
    const { trace, links } = this;
    const wanted = this.roles.shapesOf(names);
    const task = trace.task[e];
    let found = false;
    for (let id = 0; id < wanted.length && !found; id++) found = wanted[id] === 1 && links.has(task, id);
    if (!found) return -1;
    const { previous } = links;
    for (let i = previous[e]; i >= 0 && i >= e - REACH; i = previous[i])
      if (wanted[trace.shape[i]] === 1) return i;
    return -1;
  }

  /** The command of the session on the line that event e names. */
  private command(e: number): number {
    const line = this.trace.num(e, 'line');
    if (line === undefined) return -1;
    for (const i of this.listed('session_command', e, 0)) if (this.trace.num(i, 'line') === line) return i;
    return -1;
  }

  /** The command that started a program of this name, daemons go on under the name of the command; or one of `others`. */
  private commandOfProgram(e: number, others: readonly string[]): number {
    const { trace } = this;
    const { comm } = trace.taskOf(trace.task[e]);
    for (const i of this.listed('session_command', e, e - REACH)) {
      const by = trace.taskOf(trace.task[i]).comm;
      if (by === comm || others.includes(by)) return i;
    }
    return -1;
  }

  /** Events of a listed name before event e, from the nearest back to `first`. */
  private *listed(name: (typeof LISTED)[number], e: number, first: number): Generator<number> {
    const list = this.links.all(name);
    for (let j = indexAfter(list, e - 1) - 1; j >= 0 && list[j] >= first; j--) yield list[j];
  }

  private get links(): CauseLinks {
    return this.linking.value ?? this.linking.finish();
  }
}
