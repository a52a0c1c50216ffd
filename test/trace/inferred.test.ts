import { afterAll, describe, expect, it } from 'vitest';
import type { RequestJson } from '../../src/trace/requests_types';
import { listRecordings, loadRecording } from '../support/oracle';
import { requestsOf, withoutProbes } from '../support/requests';

const probed = listRecordings().filter(
  (name) =>
    (loadRecording(name).meta.event_counts.ublk_prep_req ?? 0) > 0 ||
    (loadRecording(name).meta.event_counts.ublk_queue_rq ?? 0) > 0,
);

/** Requests that were alone on the way: no other started before they ended. */
function alone(row: RequestJson, rows: readonly RequestJson[]): boolean {
  const end = row.end_ns ?? Infinity;
  return rows.every(
    (other) => other === row || other.start_ns > end || (other.end_ns ?? Infinity) < row.start_ns,
  );
}

function facts(row: RequestJson): unknown {
  const { queue, tag, op, offset, length, result, end_ns, sqes, commands } = row;
  return { queue, tag, op, offset, length, result, end_ns, sqes, commands };
}

describe('matching without probes', () => {
  const score = { right: 0, delivered: 0 };

  afterAll(() => {
    console.log(
      `without probes ${score.right} of ${score.delivered} delivered requests are matched as with them`,
    );
  });

  it('is told from exact matching', () => {
    expect(probed.length).toBeGreaterThan(40);
  });

  it.each(probed)('%s', (name) => {
    const { text } = loadRecording(name);
    const exact = requestsOf(text);
    const inferred = requestsOf(withoutProbes(text));
    expect(inferred.length).toBe(exact.length);
    let right = 0;
    let delivered = 0;
    for (const row of exact) {
      const twin = inferred.find(
        (other) =>
          other.offset === row.offset &&
          other.op === row.op &&
          other.end_ns === row.end_ns &&
          other.start_ns >= row.start_ns &&
          (other.start_ns === row.start_ns || row.requeued || other.start_ns - row.start_ns < 1e6),
      );
      expect(twin, `${row.op} ${row.offset}`).toBeDefined();
      if (!twin) continue;
      expect(twin.confidence).toBe('inferred');
      if (row.commands.length === 0) {
        // the server never saw it, so nothing but a probe tells the tag
        expect(twin.tag).toBeNull();
        continue;
      }
      delivered++;
      const same = JSON.stringify(facts(twin)) === JSON.stringify(facts(row));
      if (same) right++;
      if (alone(row, exact)) expect(facts(twin)).toEqual(facts(row));
    }
    if (right < delivered)
      console.log(`${name}: ${right} of ${delivered} delivered requests right without probes`);
    score.right += right;
    score.delivered += delivered;
    expect(right).toBeGreaterThanOrEqual(Math.floor(delivered * 0.9));
  });
});
