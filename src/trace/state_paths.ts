import type { CqeState, MachineState, SlotState } from './state_types';
import { accessOf } from './state_access';
import type { Still } from './state_still';
import type { Machine } from './state_machine';

/** A value at a path; null where the trace does not say. */
export type Leaf = string | number | boolean | null;

/** One path whose value differs between two states; undefined where the thing does not exist. */
export interface StateChange {
  readonly path: string;
  readonly before: Leaf | undefined;
  readonly after: Leaf | undefined;
}

/**
 * Paths name things by ids that last as long as the thing does, whatever the event:
 * `slot:0:3:state` (queue 0, tag 3 of the first device; of the second: `slot:1@0:3:state`), `slot:0:3:iod.op`, `device:0:state`,
 * `ring:0:cq.tail` (rings and pipes in order of appearance), `req:0:0xffff88:state` (ring and request pointer),
 * `pipe:0:occupancy`, `page:0xffff88:refs`, `disk:259,0:inFlight.count`, `task:58:syscall` (pid), `io:7:length`, `command:3:text`,
 * `fuse:4:opcode`, `totals::copies`. A list has a `.count`, and its items are one text.
 */
export type StatePath = string;

/** All paths of a state with their values, in the order of the state. */
export function stateLeaves(state: MachineState): Map<StatePath, Leaf> {
  const leaves = new Map<StatePath, Leaf>();
  for (const [id, entity] of entities(state)) flatten(`${id}:`, entity, leaves);
  return leaves;
}

/** All paths of a state. */
export function statePaths(state: MachineState): StatePath[] {
  return [...stateLeaves(state).keys()];
}

/** The value at a path; undefined where the state has no such thing or field. */
export function readPath(state: MachineState, path: StatePath): Leaf | undefined {
  const [id, field] = splitPath(path);
  for (const [entityId, entity] of entities(state)) if (entityId === id) return fieldOf(entity, field);
  return undefined;
}

/**
 * What differs between two states of the same trace, in the order of the later one; things that ended come last. Things that
 * both states share cost next to nothing.
 */
export function diffState(before: MachineState, after: MachineState): StateChange[] {
  const [were, are] = unshared(before, after);
  const old = new Map(entities(were));
  const changes: StateChange[] = [];
  for (const [id, entity] of entities(are)) {
    const was = old.get(id);
    old.delete(id);
    if (was === entity) continue;
    if (was !== undefined) compare(`${id}:`, was, entity, changes);
    else
      for (const [path, value] of leavesOf(id, entity))
        changes.push({ path, before: undefined, after: value });
  }
  for (const [id, entity] of old) {
    for (const [path, value] of leavesOf(id, entity)) changes.push({ path, before: value, after: undefined });
  }
  return changes;
}

/** Two states without those of their many things that are the same object in both. */
function unshared(before: MachineState, after: MachineState): [MachineState, MachineState] {
  const slots = apart(before.slots, after.slots);
  const requests = apart(before.requests, after.requests);
  const pages = apart(before.pages, after.pages);
  return [
    { ...before, slots: slots[0], requests: requests[0], pages: pages[0] },
    { ...after, slots: slots[1], requests: requests[1], pages: pages[1] },
  ];
}

/**
 * What is left of two lists when items that both have are taken out of both, as far as they are found by going along the two: an
 * item that came, went or changed is passed over. What is left may still have items in common.
 */
function apart<T>(before: readonly T[], after: readonly T[]): [T[], T[]] {
  const [were, are]: [T[], T[]] = [[], []];
  let a = 0;
  let b = 0;
  while (a < before.length && b < after.length) {
    if (before[a] === after[b]) {
      a++;
      b++;
    } else if (a + 1 < before.length && before[a + 1] === after[b]) were.push(before[a++]);
    else if (b + 1 < after.length && before[a] === after[b + 1]) are.push(after[b++]);
    else {
      were.push(before[a++]);
      are.push(after[b++]);
    }
  }
  while (a < before.length) were.push(before[a++]);
  while (b < after.length) are.push(after[b++]);
  return [were, are];
}

function leavesOf(id: string, entity: object): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  flatten(`${id}:`, entity, leaves);
  return leaves;
}

/** Two views of one thing have the same fields; only what differs becomes text. */
function compare(prefix: string, before: object, after: object, changes: StateChange[]): void {
  for (const key of Object.keys(after)) {
    const a: unknown = (before as Record<string, unknown>)[key];
    const b: unknown = (after as Record<string, unknown>)[key];
    if (a === b) continue;
    if (Array.isArray(a) && Array.isArray(b)) {
      if (a.length === 0 && b.length === 0) continue;
      if (a.length !== b.length)
        changes.push({ path: `${prefix}${key}.count`, before: a.length, after: b.length });
      const [was, is] = [listText(a), listText(b)];
      if (was !== is) changes.push({ path: `${prefix}${key}.items`, before: was, after: is });
    } else if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
      compare(`${prefix}${key}.`, a, b, changes);
    } else {
      changes.push({ path: prefix + key, before: a as Leaf, after: b as Leaf });
    }
  }
}

/** The id that paths of a slot begin with. */
export function slotId(slot: Pick<SlotState, 'device' | 'queue' | 'tag'>): string {
  return `slot:${slot.device === 0 ? '' : `${slot.device}@`}${slot.queue}:${slot.tag}`;
}

/**
 * A function that reads one path from the state being replayed, without building the rest of it:
 * for data breakpoints over many events. It gives the same value as {@link readPath}.
 */
export function pathReader(path: StatePath): (m: Machine) => Leaf | undefined {
  const [id, field] = splitPath(path);
  const view = accessOf(id)?.view;
  return (m) => {
    const entity = view?.(m);
    return entity === undefined ? undefined : fieldOf(entity, field);
  };
}

/**
 * A cheap function of the state being replayed: while its answer stays the same, so does the value at the path. undefined where there
 * is no such shortcut.
 */
export function pathSign(path: StatePath): ((m: Machine) => unknown) | undefined {
  const [id, field] = splitPath(path);
  return accessOf(id)?.sign(field);
}

/** What tells that the value at a path did not change between two snapshots. */
export function pathStill(path: StatePath): Still | undefined {
  const [id, field] = splitPath(path);
  return accessOf(id)?.still(field);
}

function* entities(state: MachineState): Generator<[string, object]> {
  for (const device of state.devices) yield [`device:${device.index}`, device];
  for (const slot of state.slots) yield [slotId(slot), slot];
  for (const ring of state.rings) yield [`ring:${ring.id}`, ring];
  for (const req of state.requests) yield [`req:${req.ring}:${req.req}`, req];
  for (const pipe of state.pipes) yield [`pipe:${pipe.id}`, pipe];
  for (const page of state.pages) yield [`page:${page.ptr}`, page];
  for (const disk of state.disks) yield [`disk:${disk.major},${disk.minor}`, disk];
  const seen = new Set<number>();
  for (const task of state.tasks) {
    // one pid under two names (comm changed): the first one speaks for it
    if (!seen.has(task.pid)) yield [`task:${task.pid}`, task];
    seen.add(task.pid);
  }
  for (const io of state.ios) yield [`io:${io.id}`, io];
  for (const command of state.commands) yield [`command:${command.line}`, command];
  for (const io of state.fuse) yield [`fuse:${io.unique}`, io];
  yield ['totals:', state.totals];
}

function splitPath(path: string): [string, string] {
  const cut = path.lastIndexOf(':');
  return cut < 0 ? [path, ''] : [path.slice(0, cut), path.slice(cut + 1)];
}

function flatten(prefix: string, value: object, leaves: Map<string, Leaf>): void {
  for (const [key, part] of Object.entries(value)) {
    if (Array.isArray(part)) {
      leaves.set(`${prefix}${key}.count`, part.length);
      leaves.set(`${prefix}${key}.items`, listText(part));
    } else if (part !== null && typeof part === 'object') {
      flatten(`${prefix}${key}.`, part, leaves);
    } else {
      leaves.set(prefix + key, part);
    }
  }
}

function fieldOf(entity: object, field: string): Leaf | undefined {
  let value: unknown = entity;
  for (const key of field.split('.')) {
    if (Array.isArray(value))
      return key === 'count' ? value.length : key === 'items' ? listText(value) : undefined;
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
    ? value
    : undefined;
}

function isCqe(item: unknown): item is CqeState {
  return typeof item === 'object' && item !== null && 'res' in item && 'userData' in item;
}

function listText(list: readonly unknown[]): string {
  return list
    .map((item) => {
      if (isCqe(item)) return `${item.userData}=${item.res}`;
      if (typeof item !== 'object' || item === null) return String(item);
      return Object.values(item).join('/');
    })
    .join(' ');
}
