import { describe, expect, it } from 'vitest';
import type { OpenTrace } from '../../src/debug/model';
import { buildTimeline, type Timeline } from '../../src/view/timeline';
import { SPAN_KINDS } from '../../src/webview/protocol_data';
import { recording, sample, timelineOf } from './support';

/** Phases of a request with the names of the events that begin them. */
function phasesOf(open: OpenTrace, { spans, lineOf, tracks }: Timeline, row: number): string[] {
  const found: string[] = [];
  for (let track = 0; track < tracks.kind.length; track++) {
    if (tracks.kind[track] !== 'tag') continue;
    for (let k = spans.at[lineOf[track]!]!; k < spans.at[lineOf[track + 1]!]!; k++)
      if (spans.request[k] === row)
        found.push(`${SPAN_KINDS[spans.kind[k]!]} ${open.trace.nameOf(spans.event[k]!)}`);
  }
  return found;
}

function lanes({ tracks }: Timeline, group: string): string[] {
  return tracks.name.filter((_, k) => tracks.kind[k] === 'context' && tracks.group[k] === group);
}

describe('tracks', () => {
  it('of a simulated session: contexts by what they are, occupancy, tags', async () => {
    const timeline = timelineOf(await sample('loop-zc.ublk'));
    expect(lanes(timeline, 'Clients').every((name) => /^(fio|dd)-/.test(name))).toBe(true);
    expect(lanes(timeline, 'Daemon threads')).toEqual([expect.stringMatching(/^ublk-\d+$/)]);
    expect(lanes(timeline, 'Kernel workers')).toEqual([expect.stringMatching(/^kworker\//)]);
    expect(lanes(timeline, 'io-wq workers').length).toBeGreaterThan(1);
    expect(lanes(timeline, 'Interrupts')).toEqual(['CPU 0']);
    const { kind, key, max, name } = timeline.tracks;
    expect(kind.join(' ').replaceAll(/(\w+)( \1)*/g, '$1')).toBe('context counter tag');
    expect(key.filter((_, k) => kind[k] === 'tag')).toEqual([0, 1, 2, 3].map((tag) => `ublkb0/0/${tag}`));
    expect(max[name.indexOf('Requests in flight, ublkb0')]).toBe(4);
    expect(max[key.indexOf('pipe:0:occupancy')]).toBe(16);
  });

  it('of recordings: probes that trap are no interrupts', async () => {
    const timeline = timelineOf(await recording('rfc-zc-loop-direct-q1d32'));
    expect(lanes(timeline, 'Daemon threads')).toEqual(['zcsrv-58']);
    expect(lanes(timeline, 'Clients')).toContain('zccli-91');
    const worker = timeline.tracks.name.indexOf('iou-wrk-58-60');
    expect(timeline.tracks.rows[worker]).toBeGreaterThan(3);
    const open = [...timeline.spans.end].filter(
      (end, k) => end === Infinity && timeline.spans.request[k] === -1,
    );
    expect(open.length).toBeLessThan(6);
  });
});

describe('what a task is', () => {
  it('a server that parks commands in its ring is one, also without a request', async () => {
    const timeline = timelineOf(await recording('k6.18-fuse-uring-q4-hp'));
    expect(lanes(timeline, 'Daemon threads').sort()).toEqual(['fuse-ring-0-15207', 'fuse-ring-1-15208']);
    expect(lanes(timeline, 'Clients')).toContain('python3-15211');
  });

  it('a program that adds a device is none', async () => {
    const timeline = timelineOf(await recording('k6.12-life-null-kublk-q1d4'));
    expect(lanes(timeline, 'Daemon threads')).toEqual(['kublk-252']);
  });
});

describe('phases of a request', () => {
  it('in a simulated session with zero copy', async () => {
    const open = await sample('loop-zc.ublk');
    const timeline = timelineOf(open);
    const write = Array.from({ length: open.requests.length }, (_, r) => r).find(
      (r) => open.requests.op(r) === 'WRITE',
    );
    expect(phasesOf(open, timeline, write!)).toEqual([
      'queued blk_mq_get_driver_tag',
      'delivered ublk_rq_task_work',
      expect.stringMatching(/^server (sys_exit_io_uring_enter|io_uring_cq_advance)$/),
      'backend io_uring_submit_sqe',
      'commit io_uring_complete',
    ]);
  });

  it('a request that waits for its tag is not drawn on it', async () => {
    const open = await sample('loop-copy.ublk');
    const timeline = timelineOf(open);
    const { spans, lineOf, tracks, times } = timeline;
    let waited = 0;
    for (let track = timeline.firstTag; track < tracks.kind.length; track++) {
      expect(tracks.rows[track], tracks.key[track]).toBe(1);
      for (let k = spans.at[lineOf[track]]; k < spans.at[lineOf[track + 1]]; k++) {
        if (SPAN_KINDS[spans.kind[k]] !== 'queued') continue;
        expect(open.trace.nameOf(spans.event[k])).toBe('blk_mq_get_driver_tag');
        expect(spans.start[k]).toBe(times.at(spans.event[k]));
        if (spans.start[k] > times.since(open.requests.start[spans.request[k]])) waited++;
      }
    }
    expect(waited).toBeGreaterThan(0);
  });

  it('in a recording of 7.3 with kublk', async () => {
    const open = await recording('k7.3-fio-libaio-randrw-kublk');
    const timeline = timelineOf(open);
    expect(phasesOf(open, timeline, 5)).toEqual([
      'queued block_getrq',
      'delivered ublk_cmd_tw_cb',
      'server sys_exit_io_uring_enter',
      'backend io_uring_submit_req',
      'commit io_uring_complete',
    ]);
  });

  it('without a backend end with the command that commits', async () => {
    const open = await sample('null-qd8.ublk');
    const timeline = timelineOf(open);
    const last = open.requests.length - 1;
    const phases = phasesOf(open, timeline, last);
    expect(phases.map((text) => text.split(' ')[0])).toEqual(['queued', 'delivered', 'server', 'commit']);
    expect(phases.at(-1)).toMatch(/^commit io_uring_submit_sqe$/);
  });

  it('of FUSE requests', async () => {
    const open = await recording('k6.18-fuse-uring-q4-hp');
    const timeline = timelineOf(open);
    expect(phasesOf(open, timeline, 5).map((text) => text.split(' ')[0])).toEqual([
      'queued',
      'delivered',
      'server',
      'commit',
    ]);
  });
});

describe('the build', () => {
  it('comes in slices and can be dropped', async () => {
    const open = await sample('loop-copy.ublk');
    const work = buildTimeline(open);
    let shares = 0;
    for (let step = work.next(); step.done !== true; step = work.next()) {
      expect(step.value).toBeGreaterThanOrEqual(0);
      expect(step.value).toBeLessThanOrEqual(1);
      shares++;
    }
    expect(shares).toBeGreaterThan(8);
  });
});
