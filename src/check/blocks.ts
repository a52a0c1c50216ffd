import type { Block, DriverCommand } from './entities';
import type { Observer } from './observer';
import type { Pass, Step } from './pass';

/** What the blocks need to know of the servers' side. */
export interface Servers {
  /** The request that the task's COMMIT is about. */
  committed(task: number): Block | undefined;
  /** The driver command that the task is in. */
  command(task: number): DriverCommand | undefined;
  /** The request ended or was given back. */
  closed(block: Block): void;
}

interface Start {
  readonly qid: number;
  readonly tag: number;
  readonly sector: number;
  readonly bytes: number;
  readonly event: number;
}

/** Block requests that the driver has, by queue and tag and by sector. */
export class Blocks {
  /** The latest by queue and tag; several where devices share both. */
  private byTag = new Map<number, Block[]>();
  /** Those in flight. */
  private bySector = new Map<number, Block[]>();
  /** What a task's queue_rq announced, until the request is started. */
  private starting = new Map<number, Start>();
  private readonly devices = new Map<number, number>();
  private readonly issues: boolean;

  constructor(
    private readonly pass: Pass,
    private readonly observers: readonly Observer[],
    private readonly servers: Servers,
  ) {
    this.issues = pass.has('block_rq_issue');
  }

  /** Steps of the events that tell of requests. */
  steps(): [string, Step][] {
    const tag: Step = { fields: ['tag', 'qid'], needs: 1, run: (e, f) => this.dispatch(e, f) };
    const range = ['major', 'minor', 'sector', 'nr_sector'];
    return [
      [
        'ublk_queue_rq',
        { fields: ['qid', 'tag', 'sector', 'len'], needs: 4, run: (e, f) => this.queue(e, f) },
      ],
      [
        'block_rq_issue',
        { fields: ['major', 'minor', 'rwbs', 'sector'], needs: 4, run: (e, f) => this.issue(e, f) },
      ],
      ['block_rq_complete', { fields: [...range, 'error'], needs: 5, run: (e, f) => this.end(e, f) }],
      ['block_rq_requeue', { fields: range, needs: 4, run: (e, f) => this.requeue(e, f) }],
      ['ublk_rq_task_work', tag],
      ['ublk_dispatch_req', tag],
    ];
  }

  forget(): void {
    this.byTag = new Map();
    this.bySector = new Map();
    this.starting = new Map();
  }

  /** The latest requests on a queue and tag, one per device; qid -1: on any queue. */
  at(qid: number, tag: number): readonly Block[] {
    if (qid >= 0) return this.byTag.get(key(qid, tag)) ?? [];
    return [...this.byTag].filter(([k]) => (k & 0xffff) === tag).flatMap(([, list]) => list);
  }

  /** Small number of a block device. */
  device(major: number, minor: number): number {
    const number = major * 0x100000 + minor;
    const id = this.devices.get(number) ?? this.devices.size;
    this.devices.set(number, id);
    return id;
  }

  private queue(e: number, f: readonly number[]): void {
    const { pass } = this;
    const start = {
      qid: pass.num(e, f[0]),
      tag: pass.num(e, f[1]),
      sector: pass.num(e, f[2]),
      bytes: pass.num(e, f[3]),
      event: e,
    };
    if (this.issues) this.starting.set(pass.trace.task[e], start);
    else this.start(start, -1, '', e);
  }

  private issue(e: number, f: readonly number[]): void {
    const { pass } = this;
    const task = pass.trace.task[e];
    const start = this.starting.get(task);
    // A flush has no sector; the two events print different ones.
    if (!start || (start.bytes > 0 && start.sector !== pass.num(e, f[3]))) return;
    this.starting.delete(task);
    const rwbs = pass.text(e, f[2]);
    const op = rwbs.startsWith('F') && start.bytes > 0 ? rwbs[1] : rwbs[0];
    this.start(start, this.device(pass.num(e, f[0]), pass.num(e, f[1])), op, e);
  }

  private start({ qid, tag, sector, bytes, event }: Start, device: number, op: string, e: number): void {
    const block: Block = {
      device,
      qid,
      tag,
      sector,
      bytes,
      op,
      start: event,
      deliver: -1,
      commit: -1,
      commitResult: NaN,
      end: -1,
      copied: false,
      uncopied: false,
      fills: [],
      asks: [],
      users: [],
    };
    const place = key(qid, tag);
    const list = this.byTag.get(place);
    const index = list ? list.findIndex((b) => b.device === device) : -1;
    for (const o of this.observers) o.started?.(block, list?.[index], e);
    if (!list) this.byTag.set(place, [block]);
    else if (index < 0) list.push(block);
    else list[index] = block;
    const sectors = sectorKey(device, sector);
    const same = this.bySector.get(sectors);
    if (same) same.push(block);
    else this.bySector.set(sectors, [block]);
  }

  private dispatch(e: number, f: readonly number[]): void {
    const tag = this.pass.num(e, f[0]);
    const qid = f[1] < 0 ? -1 : this.pass.num(e, f[1]);
    for (const o of this.observers) o.dispatched?.(qid, tag, e);
  }

  private end(e: number, f: readonly number[]): void {
    const { pass } = this;
    const device = this.device(pass.num(e, f[0]), pass.num(e, f[1]));
    const sector = pass.num(e, f[2]);
    const list = this.bySector.get(sectorKey(device, sector)) ?? this.bySector.get(sectorKey(-1, sector));
    if (!list) return;
    const task = pass.trace.task[e];
    const command = this.servers.command(task);
    const committed = command?.block ?? this.servers.committed(task);
    const block = committed && list.includes(committed) ? committed : list[0];
    const bytes = pass.num(e, f[3]) * 512;
    const error = pass.num(e, f[4]);
    for (const o of this.observers) o.ended?.(block, bytes, error, command, e);
    if (command && command.block === block) command.ended = e;
    this.close(block, e);
  }

  private requeue(e: number, f: readonly number[]): void {
    const { pass } = this;
    const device = this.device(pass.num(e, f[0]), pass.num(e, f[1]));
    const sector = pass.num(e, f[2]);
    const block = this.bySector.get(sectorKey(device, sector))?.[0];
    for (const o of this.observers) o.requeued?.(device, sector, pass.num(e, f[3]), block, e);
    if (block) this.close(block, e);
  }

  private close(block: Block, e: number): void {
    block.end = e;
    const place = sectorKey(block.device, block.sector);
    const list = this.bySector.get(place);
    if (list) {
      const rest = list.filter((b) => b !== block);
      if (rest.length === 0) this.bySector.delete(place);
      else this.bySector.set(place, rest);
    }
    this.servers.closed(block);
  }
}

/** Place of a slot in tables. */
export function key(qid: number, tag: number): number {
  return qid * 0x10000 + tag;
}

function sectorKey(device: number, sector: number): number {
  return (device + 1) * 2 ** 44 + sector;
}
