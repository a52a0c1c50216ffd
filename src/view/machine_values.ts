import { diffState, type Leaf, type MachineState, type StateChange } from '../trace/state';
import type { Exploded } from '../webview/protocol_faces';
import type { Translate } from './machine_names';

/** What an event changed, by path, and the words for values of the state. */
export class Changes {
  readonly list: readonly StateChange[];
  private readonly before: ReadonlyMap<string, Leaf | undefined>;
  private readonly touched = new Set<string>();

  constructor(
    before: MachineState | undefined,
    after: MachineState,
    readonly t: Translate,
  ) {
    this.list = before === undefined ? [] : diffState(before, after);
    this.before = new Map(this.list.map((change) => [change.path, change.before]));
    for (const { path } of this.list) this.touched.add(path.slice(0, path.lastIndexOf(':')));
  }

  /** Whether anything of the thing with this id (`slot:0:3`) changed, came or went. */
  of(id: string): boolean {
    return this.touched.has(id);
  }

  /**
   * Last parts of the ids of the things of a kind (`slot`) that changed, came or went: what is not among them need not be asked for
   * by its whole id.
   */
  lasts(kind: string): ReadonlySet<string> {
    const found = new Set<string>();
    for (const id of this.touched)
      if (id.startsWith(`${kind}:`)) found.add(id.slice(id.lastIndexOf(':') + 1));
    return found;
  }

  /** Whether a value below a path prefix changed. */
  below(prefix: string): boolean {
    return this.list.some((change) => change.path.startsWith(prefix));
  }

  /** One value with its path and, where the event changed it, what it was. */
  value(path: string, name: string, value: Leaf, help?: string): Exploded {
    return {
      name,
      value: this.at(path, value),
      ...(this.before.has(path) && { previous: this.was(path) }),
      path,
      ...(help !== undefined && { help }),
    };
  }

  /** The named fields of an entity; a dotted name reaches into a part, the name of a list gives its length. */
  fields(
    id: string,
    entity: object,
    names: readonly (readonly [field: string, name: string, help?: string])[],
  ): Exploded[] {
    return names.map(([field, name, help]) => {
      const value = reach(entity, field);
      const list = Array.isArray(value);
      return this.value(
        `${id}:${field}${list ? '.count' : ''}`,
        name,
        list ? value.length : (value as Leaf),
        help,
      );
    });
  }

  /** A value in words: `unknown` where the trace does not say. */
  show(value: Leaf): string {
    const { t } = this;
    if (value === null) return t('unknown');
    if (typeof value === 'boolean') return value ? t('yes') : t('no');
    return value === '' ? t('nothing') : String(value);
  }

  /** The value at a path in words: `none` where nothing there means that there is no such thing. */
  at(path: string, value: Leaf): string {
    return value === null && ABSENT.test(path) ? this.t('none') : this.show(value);
  }

  private was(path: string): string {
    const value = this.before.get(path);
    return value === undefined ? '' : this.at(path, value);
  }
}

/** Values that are null when there is no such thing, not when nobody knows: what a task does, a slot without its command. */
const ABSENT = /^task:.*:(syscall|ring|plug|request|pipe)$|^req:.*:(link|queue)$|^slot:.*:command\./;

function reach(entity: object, field: string): unknown {
  let value: unknown = entity;
  for (const key of field.split('.')) value = (value as Record<string, unknown> | null)?.[key];
  return value ?? null;
}
