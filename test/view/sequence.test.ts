import { describe, expect, it } from 'vitest';
import type { OpenTrace } from '../../src/debug/model';
import { SequenceModel } from '../../src/view/sequence';
import { recording, sample, simulated, timelineOf } from './support';

function modelOf(open: OpenTrace): SequenceModel {
  return new SequenceModel(open, timelineOf(open).lanes);
}

/** `sender -> receiver: label` of the events of a request. */
function lines(open: OpenTrace, request: number): string[] {
  const { actors, rows } = modelOf(open).view(0, 1000, request);
  return rows.map(({ actor, to, label, name }) => {
    const arrow = to < 0 ? '' : ` -> ${actors[to].kind}`;
    return `${name}: ${actors[actor].kind}${arrow}: ${label}`;
  });
}

/** The first request of an op and path that a program asked for, not the kernel's scan of partitions. */
function find(open: OpenTrace, op: string, path: string): number {
  const asked = (r: number): boolean =>
    !/^(iou-wrk|kworker)/.test(open.trace.taskOf(open.trace.task[open.requests.events(r)[0]]).comm);
  for (let r = 0; r < open.requests.length; r++)
    if (open.requests.op(r) === op && open.requests.path(r) === path && asked(r)) return r;
  throw new Error(`no ${op} by ${path}`);
}

describe('rows of the sequence', () => {
  it('tell a READ by splice as messages between client, driver, daemon, ring, worker, pipe and disk', async () => {
    const open = await sample('loop-zc.ublk');
    const told = lines(open, find(open, 'READ', 'splice'));
    const wanted = [
      /^block_rq_insert: client -> kworker: queued: READ 4 KiB/,
      /^ublk_queue_rq: kworker -> kernel: queue_rq tag 2, 4 KiB/,
      /^ublk_rq_task_work: kernel -> daemon: delivers tag 2/,
      /^io_uring_complete: daemon -> kernel: CQE COMMIT_AND_FETCH tag 2: 0/,
      /^io_uring_get_sqe: daemon -> kernel: fills SQE: SPLICE tag 2/,
      /^io_uring_queue_async_work: kernel -> io-wq: punt: SPLICE tag 2/,
      /^ublk_splice_read: io-wq -> kernel: asks for pages: q0 tag 2, 4 KiB/,
      /^add_to_pipe: kernel -> kernel: page …/,
      /^block_rq_issue: io-wq -> device: READ 4 KiB to disk/,
      /^block_rq_complete: device -> io-wq: disk done/,
      /^io_uring_complete: io-wq -> kernel: CQE SPLICE tag 2: 4096/,
      /^ublk_ch_uring_cmd: kernel -> kernel: COMMIT_AND_FETCH tag 2, result 4096/,
      /^block_rq_complete: kernel -> client: done: READ 4 KiB/,
    ];
    let at = -1;
    for (const pattern of wanted) {
      const next = told.findIndex((line, k) => k > at && pattern.test(line));
      expect(next, `${pattern} after line ${at} of\n${told.join('\n')}`).toBeGreaterThan(at);
      at = next;
    }
  });

  it('tell a recorded WRITE in copy mode, with the copy by the driver and the worker that writes', async () => {
    const open = await recording('k7.3-loop-copy-kublk-q1d32');
    const told = lines(open, find(open, 'WRITE', 'copy')).join('\n');
    expect(told).toMatch(/ublk_copy_user_pages_isra_0: kernel -> daemon: copies payload/);
    expect(told).toMatch(/io_uring_submit_req: daemon -> kernel: SQE WRITE tag \d+/);
    expect(told).toMatch(/block_rq_issue: (io-wq|daemon) -> device: WRITE 4 KiB to disk 254,0/);
  });

  it('have a column of their own for tasks that are no clients', async () => {
    const { actors } = modelOf(await recording('k6.12-life-null-kublk-q1d4')).view(0, 1000);
    const of = (kind: string): string[] =>
      actors.filter((each) => each.kind === kind).map(({ name }) => name);
    expect(of('client').every((name) => !name.startsWith('kublk'))).toBe(true);
    expect(of('daemon')).toEqual(['kublk-252']);
    expect(of('other').length).toBe(1);
  });

  it.each(['loop-zc.ublk', 'short-splice.ublk', 'get-data.ublk'])(
    'of %s: one per event, with actors that exist',
    async (name) => {
      const open = await sample(name);
      const model = modelOf(open);
      let next = 0;
      while (next < open.length) {
        const view = model.view(next + 499, 1000);
        expect(view.before + view.rows.length + view.after).toBe(open.length);
        for (const [k, row] of view.rows.entries()) {
          expect(row.event).toBe(view.before + k);
          expect(view.actors[row.actor]).toBeDefined();
          if (row.to >= 0) expect(view.actors[row.to]).toBeDefined();
          expect(row.to).not.toBe(row.actor);
          expect(row.label).not.toBe('');
          expect(row.label).not.toMatch(/undefined|NaN|\{\d\}/);
        }
        next = view.before + view.rows.length;
      }
    },
  );

  it('of one request are its events, with counts of those before and after', async () => {
    const open = await sample('loop-zc.ublk');
    const list = open.requests.events(3);
    const view = modelOf(open).view(list[10], 8, 3);
    expect(view.rows.map((row) => row.event)).toEqual([...list.subarray(view.before, view.before + 8)]);
    expect(view.rows.some((row) => row.event === list[10])).toBe(true);
    expect(view.before + 8 + view.after).toBe(list.length);
    const clients = view.actors.filter((actor) => actor.kind === 'client');
    expect(clients).toHaveLength(1);
  });

  it('mark errors', async () => {
    const open = await recording('k6.1-iou-link_error');
    const { rows } = modelOf(open).view(0, 1000);
    const failed = rows.filter((row) => row.error);
    expect(failed.map((row) => row.name)).toContain('io_uring_complete');
    expect(failed.every((row) => /-\d/.test(row.label))).toBe(true);
  });

  it('are none in a trace without events', async () => {
    const view = modelOf(await simulated('# nothing\n')).view(0, 100);
    expect(view).toEqual({ actors: [], rows: [], before: 0, after: 0 });
  });
});
