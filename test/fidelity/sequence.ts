import { matchRequests, type RequestTable } from '../../src/trace/requests';
import type { Trace } from '../../src/trace/trace';
import type { ExpectedIo } from '../support/oracle';
import { DROPPED_EVENTS, DROPPED_FIELDS } from './dropped';

/** One I/O of the client with the events of its requests, each as a line of what is compared. */
export interface IoSequence {
  readonly op: string;
  /** Bytes. */
  readonly offset: number;
  readonly length: number;
  readonly events: readonly string[];
  /** For each READ and WRITE SQE: the disk's answer came before the call that issued it returned, so its issuer completed it. */
  readonly early: readonly boolean[];
}

/** A window in which the client did one I/O. Times are ns on the clock of the trace. */
export interface IoWindow {
  readonly op: string;
  readonly offset: number;
  readonly length: number;
  readonly from: number;
  readonly to: number;
}

/** What may be compared between two traces. */
export interface Scope {
  /** Probes that were set when the recording was made. */
  readonly probes: ReadonlySet<string>;
  readonly side: 'recorded' | 'simulated';
  /** The recorded backing file lay on no disk at all (tmpfs), so its disk is left out. */
  readonly noBackingDisk: boolean;
}

/** Major number of ublk disks on the recorded machines. */
export const UBLK_MAJOR = 259;
const OPS: Readonly<Record<string, RegExp>> = {
  read: /^READ$/,
  write: /^WRITE$/,
  discard: /^DISCARD$/,
  zero: /^WRITE/,
  write_zeroes: /^WRITE/,
  flush: /^FLUSH$/,
};

/** Prints events in the form in which they are compared; undefined for those that are not. */
export class Normaliser {
  private readonly fields = new Map<
    number,
    readonly { readonly k: number; readonly name: string; readonly format: string }[]
  >();

  constructor(
    private readonly trace: Trace,
    private readonly scope: Scope,
  ) {}

  line(e: number): string | undefined {
    const { trace } = this;
    const shape = trace.shapeOf(e);
    if (this.isDropped(shape.name, shape.spec?.kind)) return undefined;
    const major = trace.num(e, 'major');
    const backing = major !== undefined && major !== UBLK_MAJOR;
    if (backing && (this.scope.noBackingDisk || trace.num(e, 'nr_sector') === 0)) return undefined;
    if (backing && trace.str(e, 'rwbs')?.includes('M')) return undefined;
    const name = shape.name === 'ublk_copy_user_pages_isra_0' ? 'ublk_copy_user_pages' : shape.name;
    let text = name;
    for (const { k, name: field, format } of this.fieldsOf(trace.shape[e], name)) {
      if (backing && (field === 'sector' || field === 'new_sector' || field === 'minor')) continue;
      const word = trace.word(e, k);
      text += ` ${field}=`;
      if (format === 's') text += trace.strings.text(word);
      else if (field === 'user_data') text += armed(name, userData(trace.wide.big(word)));
      else if (field === 'pos') text += position(trace.wide.big(word));
      else text += format === 'd' ? trace.wide.signed(word).toString() : trace.wide.big(word).toString(16);
    }
    return text;
  }

  private isDropped(name: string, kind: string | undefined): boolean {
    if (kind === undefined) return true;
    if (kind === 'probe' && this.scope.side === 'simulated' && !this.scope.probes.has(name)) return true;
    return DROPPED_EVENTS.some(
      (row) => (row.side === 'both' || row.side === this.scope.side) && row.events.test(name),
    );
  }

  private fieldsOf(
    shapeId: number,
    name: string,
  ): readonly { readonly k: number; readonly name: string; readonly format: string }[] {
    const known = this.fields.get(shapeId);
    if (known) return known;
    const { template } = this.trace.shapes.get(shapeId);
    const list = template.names
      .map((field, k) => ({ k, name: field, format: template.formats[k] }))
      .filter(
        (f) =>
          f.format !== 'p' && !DROPPED_FIELDS.some((row) => row.events.test(name) && row.field.test(f.name)),
      );
    this.fields.set(shapeId, list);
    return list;
  }
}

/** user_data without the tag. */
function userData(value: bigint): string {
  // commands of the control ring carry the address of their own SQE
  if (value >> 40n !== 0n && value >> 62n === 0n) return 'address';
  return (value & ~0xffffn).toString(16);
}

/** The CQE that delivers a request: FETCH and COMMIT_AND_FETCH are one, see dropped.ts. */
function armed(event: string, value: string): string {
  return event === 'io_uring_complete' && (value === '200000' || value === '210000') ? 'armed' : value;
}

/** A splice position without the tag; other positions have none there. */
function position(value: bigint): string {
  return (value & ~(0xfffn << 30n)).toString(16);
}

/** Windows of the client's I/Os of a simulated trace, in the order in which they were asked for. */
export function simulatedWindows(trace: Trace): IoWindow[] {
  const windows = new Map<number, { op: string; offset: number; length: number; from: number; to: number }>();
  for (let e = 0; e < trace.length; e++) {
    const name = trace.nameOf(e);
    const id = trace.num(e, 'id') ?? -1;
    if (name === 'app_io_submit') {
      windows.set(id, {
        op: trace.str(e, 'op') ?? '',
        offset: trace.num(e, 'offset') ?? 0,
        length: trace.num(e, 'length') ?? 0,
        from: trace.ts[e],
        to: Number.POSITIVE_INFINITY,
      });
    } else if (name === 'app_io_done') {
      const window = windows.get(id);
      if (window) window.to = trace.ts[e];
    }
  }
  return [...windows.values()];
}

/** Windows of the client's I/Os of a recording, in the order of its list. */
export function recordedWindows(ios: readonly ExpectedIo[]): IoWindow[] {
  return ios.map((io) => ({
    op: io.op,
    offset: io.offset,
    length: io.length,
    from: io.t_submit_ns,
    to: io.t_done_ns,
  }));
}

/** The sequence of each window: the events of all requests that the I/O was made of, in their order, then how its SQEs ended. */
export function sequencesOf(
  trace: Trace,
  windows: readonly IoWindow[] | undefined,
  scope: Scope,
): IoSequence[] {
  const table = matchRequests(trace);
  const normaliser = new Normaliser(trace, scope);
  if (!windows) {
    return Array.from({ length: table.length }, (_, r) => ({
      op: table.op(r).toLowerCase(),
      offset: table.offset[r],
      length: table.size[r],
      events: linesOf(table, normaliser, [r]),
      early: earlyOf(table, [r]),
    }));
  }
  const taken = new Uint8Array(table.length);
  return windows.map((window) => {
    const rows: number[] = [];
    for (let r = 0; r < table.length; r++) {
      if (taken[r] || !belongs(table, r, window)) continue;
      taken[r] = 1;
      rows.push(r);
    }
    const { op, offset, length } = window;
    return { op, offset, length, events: linesOf(table, normaliser, rows), early: earlyOf(table, rows) };
  });
}

function earlyOf(table: RequestTable, rows: readonly number[]): boolean[] {
  const sqes = rows
    .flatMap((r) => table.sqes(r))
    .filter((sqe) => sqe.opcode === 'READ' || sqe.opcode === 'WRITE');
  return sqes.map((sqe) => sqe.via === 'inline' || (sqe.via === 'io-wq' && sqe.opcode === 'WRITE'));
}

function belongs(table: RequestTable, r: number, window: IoWindow): boolean {
  // trace text has microseconds, the client's list nanoseconds
  if (table.start[r] < window.from - 1000 || table.start[r] > window.to) return false;
  if (!OPS[window.op]?.test(table.op(r))) return false;
  return table.offset[r] >= window.offset && table.offset[r] < window.offset + window.length;
}

/** Request by request: requests of one I/O run at the same time, so only the order within each is given. */
function linesOf(table: RequestTable, normaliser: Normaliser, rows: readonly number[]): string[] {
  const lines: string[] = [];
  for (const r of rows) {
    const from = lines.length;
    for (const e of table.events(r)) {
      const line = normaliser.line(e);
      if (line === undefined) continue;
      // the probe prints no device: kept only where the ublk request ends right behind it
      const end = lines.length > from && lines.at(-1)?.startsWith('blk_mq_end_request');
      if (end && !line.startsWith(`block_rq_complete major=${UBLK_MAJOR}`)) lines.pop();
      lines.push(line);
    }
    for (const sqe of table.sqes(r)) {
      lines.push(`SQE ${userData(BigInt(sqe.user_data))} ${sqe.opcode} result=${sqe.result} via=${sqe.via}`);
    }
  }
  return lines;
}
