import { describe, expect, it } from 'vitest';
import type { RequestJson } from '../../src/trace/requests_types';
import { type ExpectedIo, listRecordings, loadRecording, type RecordingMeta } from '../support/oracle';
import { requestsOf } from '../support/requests';

/** Stamps of text have microseconds, those of the client nanoseconds. */
const SLACK = 1000;

const OPS: Readonly<Record<string, readonly string[]>> = {
  read: ['READ'],
  write: ['WRITE'],
  flush: ['FLUSH'],
  discard: ['DISCARD'],
  write_zeroes: ['WRITE_ZEROES', 'WRITE'],
};

/** Why the block layer answered this I/O without a request, as the facts of the recording tell; undefined where it did not. */
function answeredAbove(io: ExpectedIo, meta: RecordingMeta): string | undefined {
  const { queue_limits: limits } = meta;
  if (io.op === 'flush' && limits?.write_cache === 'write through')
    return 'no volatile cache: a flush has nothing to do';
  if (io.op === 'discard' && io.res === -95 && limits?.discard_max_bytes === '0')
    return 'the disk offers no discard';
  const dying = (meta.expected_ios ?? []).some(
    (other) => other.res === -5 && other.t_done_ns < io.t_submit_ns,
  );
  if (io.op === 'read' && io.res === 0 && dying) return 'the disk is gone: its size is 0';
  return undefined;
}

function within(row: RequestJson, io: ExpectedIo): boolean {
  if (row.start_ns < io.t_submit_ns - SLACK) return false;
  return row.end_ns !== null && row.end_ns <= io.t_done_ns + SLACK;
}

function touches(row: RequestJson, io: ExpectedIo): boolean {
  if (io.op === 'flush') return true;
  const { offset, length } = row;
  return offset !== null && length !== null && offset < io.offset + io.length && offset + length > io.offset;
}

/** Requests that filled the page cache before a buffered client asked: it need not read those bytes again. */
function cached(rows: readonly RequestJson[], io: ExpectedIo, meta: RecordingMeta): RequestJson[] {
  const { workload } = meta as { workload?: { client?: string } };
  if (io.op !== 'read' || !workload?.client?.includes('buffered I/O')) return [];
  return rows.filter((row) => row.op === 'READ' && row.end_ns !== null && row.end_ns < io.t_submit_ns);
}

/** First byte of the I/O that no request of the list moved, -1 when all are there. */
function firstMissing(rows: readonly RequestJson[], io: ExpectedIo): number {
  let at = io.offset;
  const end = io.offset + (io.res > 0 ? io.res : io.length);
  const done = rows.filter((row) => row.offset !== null && (row.result ?? -1) > 0);
  while (at < end) {
    const next = done.find((row) => (row.offset ?? 0) <= at && (row.offset ?? 0) + (row.result ?? 0) > at);
    if (!next) return at;
    at = (next.offset ?? 0) + (next.result ?? 0);
  }
  return -1;
}

const recordings = listRecordings().filter(
  (name) => (loadRecording(name).meta.expected_ios ?? []).length > 0,
);

describe('every I/O of a client', () => {
  it('is known for many recordings', () => {
    expect(recordings.length).toBeGreaterThan(40);
  });

  it.each(recordings)('%s', (name) => {
    const { meta, text } = loadRecording(name);
    const rows = requestsOf(text);
    for (const io of meta.expected_ios ?? []) {
      const label = `${io.op} ${io.offset}+${io.length} = ${io.res} at ${io.t_submit_ns}`;
      const mine = rows.filter((row) => OPS[io.op].includes(row.op) && touches(row, io) && within(row, io));
      if (answeredAbove(io, meta)) {
        expect(mine, label).toEqual([]);
        continue;
      }
      expect(mine.length, label).toBeGreaterThan(0);
      if (io.res < 0)
        expect(
          mine.map((row) => row.result),
          label,
        ).toContain(io.res);
      else if (io.op === 'flush')
        expect(
          mine.some((row) => row.result === 0),
          label,
        ).toBe(true);
      else expect(firstMissing([...mine, ...cached(rows, io, meta)], io), label).toBe(-1);
    }
  });
});

describe('rows of recordings', () => {
  it.each(recordings)('%s: exact with probes, inferred without', (name) => {
    const { meta, text } = loadRecording(name);
    const rows = requestsOf(text);
    const probes = (meta.event_counts.ublk_queue_rq ?? 0) + (meta.event_counts.ublk_queue_rqs ?? 0) > 0;
    expect(new Set(rows.map((row) => row.confidence))).toEqual(new Set([probes ? 'exact' : 'inferred']));
    const depth = meta.queue_depth ?? 0;
    for (const row of rows) {
      expect(row.queue).toBeGreaterThanOrEqual(0);
      expect(row.tag).toBeGreaterThanOrEqual(0);
      expect(row.tag).toBeLessThan(depth);
      expect(row.events).toEqual([...row.events].sort((a, b) => a - b));
    }
    const keys = rows.map((row) => `${row.device} ${row.queue} ${row.tag} ${row.life}`);
    expect(new Set(keys).size).toBe(rows.length);
    const owned = rows.flatMap((row) => row.events);
    expect(new Set(owned).size).toBe(owned.length);
  });
});
