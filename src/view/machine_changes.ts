import type { MachineState, StateChange } from '../trace/state';
import type { Exploded } from '../webview/protocol_faces';
import { sqeText, shortPointer, type Translate } from './machine_names';
import type { Changes } from './machine_values';

/** Values whose change says nothing beyond another one that changed with it. */
const ECHO = /\.items$/;

/**
 * What an event changed, for reading: a line for each value that differs, one line for each thing that came or went. A list is
 * named by its length where that changed.
 */
export function changeLines(
  changes: Changes,
  before: MachineState | undefined,
  after: MachineState,
): Exploded[] {
  const { t } = changes;
  const lines: Exploded[] = [];
  const whole = new Set<string>();
  const counted = new Set(changes.list.map((change) => change.path));
  for (const change of changes.list) {
    const { path } = change;
    const cut = path.lastIndexOf(':');
    const id = path.slice(0, cut);
    const came = change.before === undefined;
    if (came || change.after === undefined) {
      if (whole.has(id)) continue;
      whole.add(id);
      const name = entityName(id, came ? after : (before ?? after), t);
      lines.push(
        came
          ? { name, value: t('new'), previous: '', path: '' }
          : { name, value: t('gone'), previous: t('there'), path: '' },
      );
      continue;
    }
    if (ECHO.test(path) && counted.has(path.replace(ECHO, '.count'))) continue;
    lines.push(line(change, id, path.slice(cut + 1), after, changes));
  }
  return lines
    .map((one, k) => ({ one, k }))
    .sort((a, b) => rank(a.one) - rank(b.one) || a.k - b.k)
    .map(({ one }) => one);
}

/** What a person wants to read first: states and pointers, then what came and went, then the rest, counts last. */
const FIRST =
  /:(state|request|refs|occupancy|fill|handled|filled|result|inFlight\.count|syscall|waiting|(sq|cq)\.(head|tail|overflow))$/;

function rank({ path }: Exploded): number {
  if (path === '') return 1;
  if (path.startsWith('totals:')) return 4;
  if (FIRST.test(path)) return path.startsWith('device:') ? 2 : 0;
  return path.includes(':command.') ? 3 : 2;
}

function line(
  change: StateChange,
  id: string,
  field: string,
  after: MachineState,
  changes: Changes,
): Exploded {
  const name = `${entityName(id, after, changes.t)} ${fieldName(field)}`.trim();
  return {
    name,
    value: changes.at(change.path, change.after ?? null),
    previous: changes.at(change.path, change.before ?? null),
    path: change.path,
  };
}

/** `cq.tail` as `CQ tail`, `iod.startSector` as `descriptor start sector`. */
export function fieldName(field: string): string {
  return field
    .replace(/^iod\./, 'descriptor ')
    .replace(/^sq\.sqes/, 'SQ entries')
    .replace(/^cq\.cqes/, 'CQ entries')
    .replace(/^(sq|cq)\./, (_, which: string) => `${which.toUpperCase()} `)
    .replace(/\.(count|items)$/, '')
    .replaceAll('.', ' ')
    .replace(/[a-z][A-Z]/g, (two) => `${two[0]} ${two[1].toLowerCase()}`);
}

/** A thing of the state by the id of its paths, in words. */
export function entityName(id: string, state: MachineState, t: Translate): string {
  const [kind, a, b] = id.split(':');
  switch (kind) {
    case 'slot': {
      const [device, queue] = a.includes('@') ? a.split('@') : ['0', a];
      return `${device === '0' ? '' : t('device {0} ', device)}${t('q{0} tag {1}', queue, b)}`;
    }
    case 'device':
      return `ublk${state.devices[Number(a)]?.id ?? '?'}`;
    case 'ring':
      return t('ring {0}', a);
    case 'req': {
      const req = state.requests.find((r) => r.ring === Number(a) && r.req === b);
      const text = req === undefined ? b : sqeText(req.opcode ?? '', BigInt(req.userData ?? 0), t);
      return t('SQE {0}', text);
    }
    case 'pipe':
      return t('pipe {0}', a);
    case 'page':
      return t('page {0}', shortPointer(a));
    case 'disk':
      return t('disk {0}', a);
    case 'task': {
      const task = state.tasks.find((one) => String(one.pid) === a);
      return task === undefined ? t('task {0}', a) : `${task.comm}-${a}`;
    }
    case 'io':
      return t('I/O {0}', a);
    case 'command':
      return t('command of line {0}', a);
    case 'fuse':
      return t('FUSE request {0}', a);
    default:
      return t('total');
  }
}
