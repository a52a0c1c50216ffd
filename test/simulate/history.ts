import type { SimulateResult } from '../../src/simulate';
import { eventsOf, type Run } from './support';

const SECTOR = 512;

/** A change of one sector: when it may have happened (event numbers) and what it left there. */
interface Change {
  readonly from: number;
  /** Infinity where the I/O failed: it may have happened or not. */
  readonly to: number;
  readonly bytes: Uint8Array;
}

const ZEROS = new Uint8Array(SECTOR);

/**
 * Checks that every read of a run returned, for each sector, something legal in its window: the newest value written before,
 * or any write that overlapped it in time; and that the file holds a legal value at the end. Returns what was wrong.
 */
export function wrongData(run: Run, initial: Uint8Array, final: Uint8Array | undefined): string[] {
  const windows = windowsOf(run);
  const changes = new Map<number, Change[]>();
  const wrong: string[] = [];
  for (const [k, io] of run.ios.entries()) {
    const { from, to } = windows[k];
    if (io.op === 'read' || io.op === 'flush') continue;
    const length = io.result < 0 || io.op !== 'write' ? io.length : io.result;
    for (let at = io.offset; at < io.offset + length; at += SECTOR) {
      const start = at - io.offset;
      const bytes = io.op === 'write' && io.data ? io.data.subarray(start, start + SECTOR) : ZEROS;
      const list = changes.get(at);
      const change = { from, to: io.result < 0 ? Number.POSITIVE_INFINITY : to, bytes };
      if (list) list.push(change);
      else changes.set(at, [change]);
    }
  }
  const check = (what: string, at: number, from: number, to: number, bytes: Uint8Array): void => {
    const list = changes.get(at) ?? [];
    // a change is gone when another one began after its end and ended before the window
    let newestStart = -1;
    for (const change of list) if (change.to < from && change.from > newestStart) newestStart = change.from;
    const legal = list.filter((change) => change.from < to && change.to >= newestStart).map((change) => change.bytes);
    if (newestStart < 0) legal.push(initial.subarray(at, at + SECTOR));
    if (!legal.some((candidate) => Buffer.compare(candidate.subarray(0, bytes.length), bytes) === 0)) {
      wrong.push(`${what}: sector at ${at} holds none of ${legal.length} legal values`);
    }
  };
  for (const [k, io] of run.ios.entries()) {
    if (io.op !== 'read' || io.result <= 0 || !io.data) continue;
    const { from, to } = windows[k];
    for (let at = 0; at < io.result; at += SECTOR) {
      const bytes = io.data.subarray(at, Math.min(at + SECTOR, io.result));
      check(`read ${k} of line ${io.line}`, io.offset + at, from, to, bytes);
    }
    if (wrong.length > 10) return wrong;
  }
  if (final) {
    for (let at = 0; at < final.length; at += SECTOR) {
      check('the file at the end', at, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY, final.subarray(at, at + SECTOR));
      if (wrong.length > 10) return wrong;
    }
  }
  return wrong;
}

/** Events at which each client I/O was asked for and done, in the order they were done. */
export function windowsOf(run: SimulateResult): { from: number; to: number }[] {
  const submits = new Map<number, number>();
  for (const i of eventsOf(run.trace, 'app_io_submit')) submits.set(run.trace.num(i, 'id') ?? -1, i);
  return eventsOf(run.trace, 'app_io_done').map((to) => ({ from: submits.get(run.trace.num(to, 'id') ?? -1) ?? -1, to }));
}
