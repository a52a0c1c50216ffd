import type { RequestTable } from '../trace/requests';
import type { Trace } from '../trace/trace';
import { CAUSES, CONTEXT_STARTS } from './cause_names';

/** Most events that a search looks at; what lies farther away is reported as unknown. */
const REACH = 20000;
/** Longest chain. */
const LONGEST = 128;

/** Roles of a shape in the search for causes. */
interface Role {
  readonly name: string;
  /** Shape names of the call that this event ends; empty where it ends none. */
  readonly ends: string;
  /** The trace has events for the end of this call. */
  readonly opens: boolean;
  readonly starts: boolean;
  readonly wants: readonly (readonly string[])[];
  /** Index of the field `req`, -1 where there is none. */
  readonly req: number;
}

/**
 * What brought an event about. Inside one task the call around it counts, between tasks the steps of the request; before the
 * request the I/O that its client asked for and the command of the session, which only a simulated trace tells.
 */
export class Causes {
  private readonly roles: Role[] = [];
  private names: ReadonlySet<string> | undefined;

  constructor(
    private readonly trace: Trace,
    private readonly requests: RequestTable,
  ) {}

  /** The event that brought event e about, always an earlier one; -1 where the trace does not tell. */
  parent(e: number): number {
    const role = this.role(e);
    switch (role.name) {
      case 'session_command':
        return -1;
      case 'app_io_submit':
      case 'session_command_done':
        return this.command(e);
      case 'command_output':
        return this.sameTask(e, ['session_command']);
    }
    const row = this.requests.requestOf(e);
    const list = row < 0 ? undefined : this.requests.events(row);
    if (role.name === 'app_io_done') return this.answered(e);
    if (!HOPS.has(role.name)) {
      const around = this.around(e, role, list);
      if (around >= 0) return around;
    }
    return list === undefined ? this.outside(e, role) : this.inRequest(e, role, list);
  }

  /** e, what brought it about, and so on down to the command of the session or the start of what the trace knows. */
  chain(e: number): number[] {
    const chain: number[] = [];
    for (let at = e; at >= 0 && chain.length < LONGEST; at = this.parent(at)) chain.push(at);
    return chain;
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
    const { name } = this.role(e);
    const wide = WIDE.has(name);
    const near = wide ? limit : Math.min(limit, e + 256);
    for (let f = e + 1; f < near; f++) {
      const other = requests.requestOf(f);
      if (row >= 0 && other === row) continue;
      // only the same task, or a step that looks for such an event, can name it as its cause
      if (trace.task[f] !== trace.task[e] && !this.wants(f, name)) continue;
      if (this.parent(f) === e) return f;
    }
    return limit < this.trace.length && this.parent(limit) === e ? limit : -1;
  }

  private wants(e: number, name: string): boolean {
    return this.role(e).wants.some((group) => group.includes(name));
  }

  /** The call or context in whose course event e happened; for the end of a call its beginning. */
  private around(e: number, role: Role, list: Uint32Array | undefined): number {
    const { trace } = this;
    const task = trace.task[e];
    const ending = role.ends;
    const closed = new Map<string, number>();
    if (ending !== '') closed.set(ending, 0);
    for (const i of this.backwards(e, list)) {
      if (trace.task[i] !== task) continue;
      const other = this.role(i);
      if (other.ends !== '') {
        closed.set(other.ends, (closed.get(other.ends) ?? 0) + 1);
        continue;
      }
      if (other.opens) {
        const ends = closed.get(other.name) ?? 0;
        if (ends > 0) {
          closed.set(other.name, ends - 1);
          continue;
        }
        if (ending === '' || other.name === ending) return i;
        continue;
      }
      if (other.starts) return ending === '' && !role.starts ? i : -1;
      if (SUBMITS.has(other.name)) return ending === '' && role.wants.length === 0 ? i : -1;
    }
    return -1;
  }

  /** The end of the request that carried the I/O whose end is event e; the I/O itself where its request is unknown. */
  private answered(e: number): number {
    const { trace, requests } = this;
    const id = trace.num(e, 'id');
    let submit = -1;
    for (let i = e - 1; i >= Math.max(0, e - REACH) && submit < 0; i--) {
      if (this.role(i).name === 'app_io_submit' && trace.num(i, 'id') === id) submit = i;
    }
    if (submit < 0) return -1;
    let row = -1;
    for (let i = submit + 1; i < e && i < submit + 64; i++) {
      if (trace.task[i] !== trace.task[submit]) continue;
      if (this.role(i).name === 'app_io_submit') break;
      if (requests.requestOf(i) >= 0) row = requests.requestOf(i);
    }
    if (row < 0) return submit;
    const list = requests.events(row);
    for (let j = indexAfter(list, e - 1) - 1; j >= 0; j--) {
      if (this.role(list[j]).name === 'block_rq_complete') return list[j];
    }
    return submit;
  }

  private inRequest(e: number, role: Role, list: Uint32Array): number {
    const { trace } = this;
    const k = indexAfter(list, e - 1) - 1;
    const req = role.req < 0 ? -1 : trace.word(e, role.req);
    for (const group of role.wants) {
      let loose = -1;
      for (let j = k; j >= 0; j--) {
        const other = this.role(list[j]);
        if (!group.includes(other.name)) continue;
        if (req < 0 || other.req < 0 || trace.word(list[j], other.req) === req) return list[j];
        if (loose < 0) loose = list[j];
      }
      if (loose >= 0) return loose;
    }
    if (k < 0 && role.wants.length > 0) {
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
    const around = this.around(e, this.role(e), undefined);
    return around >= 0 ? around : this.outside(e, this.role(e));
  }

  /** Cause of an event that belongs to no request. */
  private outside(e: number, role: Role): number {
    const { trace } = this;
    if (role.req >= 0) {
      const req = trace.word(e, role.req);
      const wanted = role.wants.flat();
      for (let i = e - 1; i >= Math.max(0, e - REACH); i--) {
        const other = this.role(i);
        if (
          other.req >= 0 &&
          trace.word(i, other.req) === req &&
          (wanted.length === 0 || wanted.includes(other.name))
        )
          return i;
      }
    }
    const wanted = role.wants.flat();
    if (wanted.length > 0) {
      const same = this.sameTask(e, wanted);
      if (same >= 0) return same;
    }
    if (role.starts) {
      for (let i = e - 1; i >= Math.max(0, e - REACH); i--)
        if (wanted.includes(this.role(i).name) && this.requests.requestOf(i) < 0) return i;
    }
    const own = this.sameTask(e, ['session_command', 'app_io_submit']);
    if (own >= 0) return own;
    return this.commandOfProgram(e);
  }

  /** The nearest earlier event of the same task with one of these names. */
  private sameTask(e: number, names: readonly string[]): number {
    const { trace } = this;
    const task = trace.task[e];
    if (!names.some((name) => this.has(name))) return -1;
    for (let i = e - 1; i >= Math.max(0, e - REACH); i--) {
      if (trace.task[i] === task && names.includes(this.role(i).name)) return i;
    }
    return -1;
  }

  /** The command of the session on the line that event e names. */
  private command(e: number): number {
    const line = this.trace.num(e, 'line');
    if (!this.has('session_command') || line === undefined) return -1;
    for (let i = e - 1; i >= 0; i--) {
      if (this.role(i).name === 'session_command' && this.trace.num(i, 'line') === line) return i;
    }
    return -1;
  }

  /** The command that started a program of this name: daemons go on under the name of the command. */
  private commandOfProgram(e: number): number {
    if (!this.has('session_command')) return -1;
    const { trace } = this;
    const { comm } = trace.taskOf(trace.task[e]);
    for (let i = e - 1; i >= Math.max(0, e - REACH); i--) {
      if (this.role(i).name === 'session_command' && trace.taskOf(trace.task[i]).comm === comm) return i;
    }
    return -1;
  }

  private *backwards(e: number, list: Uint32Array | undefined): Generator<number> {
    if (list === undefined) {
      for (let i = e - 1; i >= Math.max(0, e - REACH); i--) yield i;
    } else {
      for (let j = indexAfter(list, e - 1) - 1; j >= 0; j--) yield list[j];
    }
  }

  private has(name: string): boolean {
    this.names ??= this.occurring();
    return this.names.has(name);
  }

  private occurring(): Set<string> {
    const { trace } = this;
    const seen = new Uint8Array(trace.shapes.size);
    for (let i = 0; i < trace.length; i++) seen[trace.shape[i]] = 1;
    const names = new Set<string>();
    for (let id = 0; id < seen.length; id++) if (seen[id] === 1) names.add(trace.shapes.get(id).name);
    return names;
  }

  private role(e: number): Role {
    const id = this.trace.shape[e];
    const known = this.roles[id];
    if (known !== undefined) return known;
    const { name, fields } = this.trace.shapes.get(id);
    const enter = name.startsWith('sys_enter_') ? `sys_exit_${name.slice(10)}` : `${name}_ret`;
    const role: Role = {
      name,
      ends: name.startsWith('sys_exit_')
        ? `sys_enter_${name.slice(9)}`
        : name.endsWith('_ret') && this.has(name.slice(0, -4))
          ? name.slice(0, -4)
          : '',
      opens: this.has(enter),
      starts: CONTEXT_STARTS.includes(name),
      wants: Object.hasOwn(CAUSES, name) ? CAUSES[name] : [],
      req: fields.get('req') ?? -1,
    };
    this.roles[id] = role;
    return role;
  }
}

const SUBMITS: ReadonlySet<string> = new Set(['io_uring_submit_sqe', 'io_uring_submit_req']);
/** Steps from user space to the kernel or between contexts: no call around them brought them about. */
const HOPS: ReadonlySet<string> = new Set([
  ...SUBMITS,
  ...CONTEXT_STARTS,
  'io_uring_get_sqe',
  'ublk_queue_rq',
  'ublk_queue_rqs',
  'block_rq_issue',
]);
/** Events whose effects may be far away. */
const WIDE: ReadonlySet<string> = new Set(['session_command', 'app_io_submit', 'io_uring_queue_async_work']);

/** Index of the first element above `value` in an ascending list. */
export function indexAfter(list: Uint32Array | readonly number[], value: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
