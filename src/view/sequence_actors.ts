import { indexAfter } from '../debug/sorted';
import type { RequestTable } from '../trace/requests';
import type { Actor } from '../webview/protocol_faces';
import type { Lanes } from './contexts';
import type { Translate } from './machine_names';

/** Where a message starts or ends: a context by its kind, or a part of the kernel. `here` is the context of the event. */
export type Place =
  | 'here'
  | 'client'
  | 'other'
  | 'kworker'
  | 'daemon'
  | 'io-wq'
  | 'driver'
  | 'ring'
  | 'pipe'
  | 'disk'
  | 'fuse';

type Column = Exclude<Place, 'here'>;

/** Columns from left to right. */
const ORDER: readonly Column[] = [
  'client',
  'other',
  'fuse',
  'kworker',
  'driver',
  'daemon',
  'ring',
  'io-wq',
  'pipe',
  'disk',
];
/** Most contexts of a kind with a column each; more of them share one. */
const MOST: Readonly<Partial<Record<Column, number>>> = {
  client: 2,
  other: 1,
  daemon: 4,
  'io-wq': 2,
  kworker: 1,
};

const KIND: Readonly<Record<Column, Actor['kind']>> = {
  client: 'client',
  other: 'other',
  kworker: 'kworker',
  daemon: 'daemon',
  'io-wq': 'io-wq',
  driver: 'kernel',
  ring: 'kernel',
  pipe: 'kernel',
  fuse: 'kernel',
  disk: 'device',
};

/** The columns of a sequence drawing, and the column of a place. */
export class Actors {
  readonly list: Actor[] = [];
  private readonly ofLane = new Map<number, number>();
  private readonly ofPlace = new Map<Column, number>();
  private readonly shared = new Set<number>();

  /** `places` and `lanes` are those that occur. */
  constructor(lanes: Lanes, used: ReadonlySet<number>, places: ReadonlySet<Place>, t: Translate) {
    for (const column of ORDER) {
      const own = [...used].filter((lane) => columnOf(lanes.all[lane].kind) === column);
      if (own.length === 0 && !places.has(column)) continue;
      const separate = own.length > 0 && own.length <= (MOST[column] ?? 0) && column !== 'disk';
      if (separate) {
        for (const lane of own) this.ofLane.set(lane, this.add(column, lanes.all[lane].name, t));
        this.ofPlace.set(column, this.ofLane.get(own[0]) ?? 0);
        continue;
      }
      const id = this.add(
        column,
        own.length > 1 && MOST[column] !== undefined ? plural(column, t) : named(column, t),
        t,
      );
      if (own.length > 1) this.shared.add(id);
      this.ofPlace.set(column, id);
      for (const lane of own) this.ofLane.set(lane, id);
    }
  }

  /** Column of a context; the first one for a context that has none. */
  lane(lane: number): number {
    return this.ofLane.get(lane) ?? 0;
  }

  /** Column of a place, of several contexts the first; -1 where the drawing has none. */
  place(place: Column): number {
    return this.ofPlace.get(place) ?? -1;
  }

  /** Whether several contexts share the column, so that a message should say which one it was. */
  isShared(column: number): boolean {
    return this.shared.has(column);
  }

  private add(column: Column, name: string, t: Translate): number {
    this.list.push({ id: this.list.length, name, kind: KIND[column], help: helpOf(column, t) });
    return this.list.length - 1;
  }
}

/** The column in which contexts of a kind stand. */
export function columnOf(kind: Lanes['all'][number]['kind']): Column {
  return kind === 'interrupt' ? 'disk' : kind;
}

function plural(column: Column, t: Translate): string {
  switch (column) {
    case 'client':
      return t('clients');
    case 'other':
      return t('other tasks');
    case 'daemon':
      return t('daemon threads');
    case 'io-wq':
      return t('io-wq workers');
    default:
      return t('kworkers');
  }
}

function named(column: Column, t: Translate): string {
  switch (column) {
    case 'client':
      return t('client');
    case 'other':
      return t('other task');
    case 'kworker':
      return t('kworker');
    case 'daemon':
      return t('daemon');
    case 'io-wq':
      return t('io-wq worker');
    case 'driver':
      return t('ublk driver');
    case 'ring':
      return t('io_uring');
    case 'pipe':
      return t('pipe');
    case 'fuse':
      return t('FUSE');
    case 'disk':
      return t('disk, interrupts');
  }
}

function helpOf(column: Column, t: Translate): string {
  switch (column) {
    case 'client':
      return t('A program that does I/O or commands: it submits bios and sleeps until they end.');
    case 'other':
      return t('A task that neither asks for I/O nor serves it, as far as the trace tells.');
    case 'kworker':
      return t(
        'A kernel thread of blk-mq: it takes requests from the scheduler, gives them a tag and calls the driver.',
      );
    case 'daemon':
      return t(
        'The thread of the ublk server that owns a queue and its ring; deliveries run in it as task work.',
      );
    case 'io-wq':
      return t('A kernel thread of io_uring that runs what would block.');
    case 'driver':
      return t('ublk_drv: slots with one parked command per tag, and the descriptors that the server reads.');
    case 'ring':
      return t('The submission and completion queues in memory that kernel and server share.');
    case 'pipe':
      return t('A pipe inside the kernel: it carries references to pages, no bytes.');
    case 'fuse':
      return t('The FUSE file system in the kernel.');
    case 'disk':
      return t('The disk of the backing file, and the interrupts by which it answers.');
  }
}

/** The context of the first event of a request from an event on that runs in a kind of context; -1 where it has none. */
export function laneInRequest(
  requests: RequestTable,
  lanes: Lanes,
  row: number,
  column: Place,
  from: number,
): number {
  if (row < 0) return -1;
  const list = requests.events(row);
  for (let k = indexAfter(list, from - 1); k < list.length; k++) {
    const lane = lanes.of(list[k]);
    if (columnOf(lanes.all[lane].kind) === column) return lane;
  }
  return -1;
}
