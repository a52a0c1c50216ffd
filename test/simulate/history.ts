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

/** Nothing was written: the I/O began behind the end. */
const ENOSPC = -28;
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
    if (io.op === 'read' || io.op === 'flush' || io.result === ENOSPC) continue;
    const length = io.result < 0 || io.op !== 'write' ? io.length : io.result;
    const end = io.offset + length;
    for (let at = io.offset - (io.offset % SECTOR); at < end; at += SECTOR) {
      const list = changes.get(at) ?? [];
      changes.set(at, list);
      const first = Math.max(at, io.offset);
      const last = Math.min(end, at + SECTOR);
      // a part of a sector is written by commands that run alone: the rest is any of what may have been there
      const bases =
        last - first === SECTOR ? [ZEROS] : legal(list, initial.subarray(at, at + SECTOR), from, from);
      for (const base of bases) {
        const bytes = base.slice();
        if (io.op === 'write' && io.data)
          bytes.set(io.data.subarray(first - io.offset, last - io.offset), first - at);
        list.push({ from, to: io.result < 0 ? Number.POSITIVE_INFINITY : to, bytes });
      }
    }
  }
  const check = (what: string, at: number, from: number, to: number, bytes: Uint8Array, skip = 0): void => {
    const values = legal(changes.get(at) ?? [], initial.subarray(at, at + SECTOR), from, to);
    if (
      !values.some((candidate) => Buffer.compare(candidate.subarray(skip, skip + bytes.length), bytes) === 0)
    ) {
      wrong.push(`${what}: sector at ${at} holds none of ${values.length} legal values`);
    }
  };
  for (const [k, io] of run.ios.entries()) {
    if (io.op !== 'read' || io.result <= 0 || !io.data) continue;
    const { from, to } = windows[k];
    const end = io.offset + io.result;
    for (let at = io.offset - (io.offset % SECTOR); at < end; at += SECTOR) {
      const skip = Math.max(0, io.offset - at);
      const bytes = io.data.subarray(at + skip - io.offset, Math.min(end, at + SECTOR) - io.offset);
      check(`read ${k} of line ${io.line}`, at, from, to, bytes, skip);
    }
    if (wrong.length > 10) return wrong;
  }
  if (final) {
    for (let at = 0; at < final.length; at += SECTOR) {
      check(
        'the file at the end',
        at,
        Number.MAX_SAFE_INTEGER,
        Number.POSITIVE_INFINITY,
        final.subarray(at, at + SECTOR),
      );
      if (wrong.length > 10) return wrong;
    }
  }
  return wrong;
}

/** What a sector may hold in a window: a change is gone when another one began after its end and ended before the window. */
function legal(list: readonly Change[], initial: Uint8Array, from: number, to: number): Uint8Array[] {
  let newestStart = -1;
  for (const change of list) if (change.to < from && change.from > newestStart) newestStart = change.from;
  const values = list
    .filter((change) => change.from < to && change.to >= newestStart)
    .map((change) => change.bytes);
  if (newestStart < 0) values.push(initial);
  return values;
}

/** Events at which each client I/O was asked for and done, in the order they were done. */
export function windowsOf(run: SimulateResult): { from: number; to: number }[] {
  const submits = new Map<number, number>();
  for (const i of eventsOf(run.trace, 'app_io_submit')) submits.set(run.trace.num(i, 'id') ?? -1, i);
  return eventsOf(run.trace, 'app_io_done').map((to) => ({
    from: submits.get(run.trace.num(to, 'id') ?? -1) ?? -1,
    to,
  }));
}
