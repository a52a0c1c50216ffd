import type { Trace } from '../trace/trace';
import type { LinkRole } from './cause_links';
import { CAUSES, CONTEXT_STARTS } from './cause_names';

/** Roles of a shape in the search for causes. */
export interface Role extends LinkRole {
  readonly starts: boolean;
  readonly wants: readonly (readonly string[])[];
  /** Shapes that one of `wants` names. */
  readonly wanted: Uint8Array;
  /** Index of the field `req`, -1 where there is none. */
  readonly req: number;
}

/** What each shape of one trace is in the search for causes; made when first asked for. */
export class CauseRoles {
  private readonly roles: Role[] = [];
  private names: ReadonlySet<string> | undefined;
  private readonly masks = new Map<string, Uint8Array>();

  constructor(private readonly trace: Trace) {}

  /** Shapes of the events with one of these names. */
  shapesOf(names: readonly string[]): Uint8Array {
    const key = names.join(' ');
    let shapes = this.masks.get(key);
    if (shapes === undefined) {
      const { shapes: all } = this.trace;
      shapes = Uint8Array.from({ length: all.size }, (_, id) => (names.includes(all.get(id).name) ? 1 : 0));
      this.masks.set(key, shapes);
    }
    return shapes;
  }

  /** Whether the trace has an event of this name. */
  has(name: string): boolean {
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

  /** Role of event e. */
  of(e: number): Role {
    const id = this.trace.shape[e];
    return this.roles[id] ?? this.ofShape(id);
  }

  /** Role of the events of one shape. */
  ofShape(id: number): Role {
    const known = this.roles[id];
    if (known !== undefined) return known;
    const { name, fields } = this.trace.shapes.get(id);
    const enter = name.startsWith('sys_enter_') ? `sys_exit_${name.slice(10)}` : `${name}_ret`;
    const starts = CONTEXT_STARTS.includes(name);
    const wants = Object.hasOwn(CAUSES, name) ? CAUSES[name] : [];
    const role: Role = {
      name,
      ends: name.startsWith('sys_exit_')
        ? `sys_enter_${name.slice(9)}`
        : name.endsWith('_ret') && this.has(name.slice(0, -4))
          ? name.slice(0, -4)
          : '',
      opens: this.has(enter),
      starts,
      bounds: starts || SUBMITS.has(name),
      wants,
      wanted: this.shapesOf(wants.flat()),
      req: fields.get('req') ?? -1,
    };
    this.roles[id] = role;
    return role;
  }
}

/** Whether an event happened in the course of the context or submission before it. */
export function bounded(role: Role, by: Role): boolean {
  if (role.ends !== '') return false;
  return by.starts ? !role.starts : role.wants.length === 0;
}

/** Whether an SQE is a command to a driver; every other one does its I/O. */
export function isCommand(trace: Trace, submit: number): boolean {
  return /^(URING_CMD|46|0x2e)/.test(trace.str(submit, 'opcode') ?? '');
}

/** Most events that a search looks at; what lies farther away is reported as unknown. */
export const REACH = 20000;
/** Events that are looked for over the whole trace. */
export const LISTED = ['session_command', 'app_io_submit'] as const;
export const SUBMITS: ReadonlySet<string> = new Set(['io_uring_submit_sqe', 'io_uring_submit_req']);
/** Steps from user space to the kernel or between contexts: no call around them brought them about. */
export const HOPS: ReadonlySet<string> = new Set([
  ...SUBMITS,
  ...CONTEXT_STARTS,
  'io_uring_get_sqe',
  'ublk_queue_rq',
  'ublk_queue_rqs',
  'block_rq_issue',
]);
/** Events whose effects may be far away. */
export const WIDE: ReadonlySet<string> = new Set([
  'session_command',
  'app_io_submit',
  'io_uring_queue_async_work',
]);
