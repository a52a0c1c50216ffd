import { StateReducer } from '../../src/trace/state';
import type { Trace } from '../../src/trace/trace';
import type { RequestJson } from '../../src/trace/requests_types';
import { checkCounters } from '../trace_state/support';
import { windowsOf } from './history';
import type { Run } from './support';

/**
 * Counts what a trace takes and gives back: driver tags, pipe buffers, block requests; and replays the state, whose counters
 * must stay sound. Returns what is left over at the end, or was wrong on the way. With `overlap` several requests of a
 * disk may begin at one sector, which a trace's block events do not tell apart: these are not counted.
 */
export function balanceOf(trace: Trace, overlap = false): string[] {
  const left: string[] = [];
  const tags = new Set<string>();
  const refs = new Map<string, number>();
  const count = (map: Map<string, number>, key: string, by: number): void => {
    const n = (map.get(key) ?? 0) + by;
    if (n < 0) left.push(`${key} given back once too often`);
    map.set(key, n);
  };
  const reducer = new StateReducer(trace);
  for (let i = 0; i < trace.length; i++) {
    reducer.run(i);
    if (i % 16 === 0) checkCounters(reducer.view.w);
    const disk = `${trace.num(i, 'major')}:${trace.num(i, 'minor')}`;
    switch (trace.nameOf(i)) {
      case 'blk_mq_get_driver_tag':
      case 'blk_mq_put_driver_tag': {
        const tag = `${disk} queue ${trace.num(i, 'qid')} tag ${trace.num(i, 'tag')}`;
        const taken = trace.nameOf(i) === 'blk_mq_get_driver_tag';
        if (tags.has(tag) === taken) left.push(`${tag} taken or freed twice at event ${i}`);
        if (taken) tags.add(tag);
        else tags.delete(tag);
        break;
      }
      case 'add_to_pipe':
        count(refs, `page ${trace.big(i, 'page')}`, 1);
        break;
      case 'ublk_pipe_buf_release':
        count(refs, `page ${trace.big(i, 'page')}`, -1);
        break;
      default:
        break;
    }
  }
  for (const tag of tags) left.push(`${tag} still taken`);
  for (const [page, n] of refs) if (n !== 0) left.push(`${page} has ${n} references left`);
  const state = reducer.state();
  for (const device of state.devices) {
    if (device.inFlight !== 0) left.push(`device ${device.id}: ${device.inFlight} requests in flight`);
    if (device.tagsInUse) left.push(`device ${device.id}: ${device.tagsInUse} tags`);
  }
  for (const disk of overlap ? [] : state.disks) {
    if (disk.inFlight.length > 0)
      left.push(`disk ${disk.major}:${disk.minor}: ${disk.inFlight.length} issued`);
    if (disk.allocated > 0) left.push(`disk ${disk.major}:${disk.minor}: ${disk.allocated} allocated`);
  }
  for (const pipe of state.pipes)
    if (pipe.occupancy) left.push(`pipe ${pipe.ptr}: ${pipe.occupancy} buffers`);
  return left.slice(0, 10);
}

const OPS: Readonly<Record<string, readonly string[]>> = {
  read: ['READ'],
  write: ['WRITE'],
  discard: ['DISCARD'],
  zero: ['WRITE_ZEROES', 'WRITE'],
};

/** Direct client I/Os whose bytes are not all in requests of the same kind that ended in their window. */
export function unmatched(run: Run, text: string, rows: readonly RequestJson[]): string[] {
  const lines = text.split('\n');
  const windows = windowsOf(run);
  const { ts } = run.trace;
  const missing: string[] = [];
  for (const [k, io] of run.ios.entries()) {
    const ops = OPS[io.op];
    if (!ops || io.result < 0 || !/direct|iogen|blkdiscard/.test(lines[io.line - 1])) continue;
    const { from, to } = windows[k];
    const end = io.offset + (io.op === 'read' || io.op === 'write' ? io.result : io.length);
    const parts = rows
      .filter((row) => row.device === io.device && ops.includes(row.op) && (row.end_ns ?? 0) < ts[to])
      .filter((row) => (row.end_ns ?? 0) > ts[from] && row.offset !== null && row.result !== null)
      .sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0));
    let at = io.offset;
    for (const row of parts) {
      const length = row.op === 'READ' || row.op === 'WRITE' ? row.result : row.length;
      if ((row.offset ?? 0) <= at) at = Math.max(at, (row.offset ?? 0) + (length ?? 0));
    }
    if (at < end) missing.push(`${io.op} of line ${io.line} at ${io.offset}+${io.length}: found up to ${at}`);
  }
  return missing.slice(0, 10);
}
