import { describe, expect, it } from 'vitest';
import type { Trace } from '../../src/trace/trace';
import { loadRecording, parseTrace } from '../support/oracle';
import { run } from '../simulate/support';

/** The recorded programs as sessions. The files were in the page cache, so a READ comes before; FROM marks where the comparison begins. */
const FILES =
  'truncate -s 65536 a.img\ntruncate -s 65536 b.img\ntruncate -s 6000 s.img\n' +
  'sqe READ a.img 0 64k\nsqe READ b.img 0 64k\nsqe READ s.img 0 6000\nsubmit --wait 3\nmkfifo p\n';
const PROGRAMS: Readonly<Record<string, string>> = {
  link_rwf:
    'sqe READ a.img 0 4k -u 1 --link\nsqe WRITE b.img 8k 4k -u 2 --link\nsqe FSYNC b.img --datasync -u 3\nsubmit --wait 3\n',
  link_short_read:
    'sqe READ s.img 0 8k -u 1 --link\nsqe WRITE b.img 0 8k -u 2 --link\nsqe FSYNC b.img -u 3\nsqe NOP -u 4\nsubmit --wait 4\n',
  hardlink_short_read:
    'sqe READ s.img 0 8k -u 1 --hardlink\nsqe WRITE b.img 0 8k -u 2 --hardlink\nsqe FSYNC b.img -u 3\nsubmit --wait 3\n',
  link_error:
    'sqe READ fd:999 0 4k -u 1 --link\nsqe WRITE b.img 0 4k -u 2 --link\nsqe NOP -u 3\nsubmit --wait 3\n',
  link_prep_error: 'sqe NOP -u 1 --link\nsqe 250 -u 2 --link\nsqe NOP -u 3\nsqe NOP -u 4\nsubmit --wait 1\n',
  splice: 'sqe SPLICE a.img 0 8k p -u 1 --link\nsqe SPLICE p - 8k b.img 0 -u 2\nsubmit --wait 2\n',
  splice_short: 'sqe SPLICE s.img 0 8k p -u 1 --link\nsqe SPLICE p - 8k b.img 0 -u 2\nsubmit --wait 2\n',
  cqe_skip:
    'sqe READ a.img 0 4k -u 1 --link --skip-success\nsqe WRITE b.img 0 4k -u 2 --link --skip-success\nsqe FSYNC b.img -u 3\nsubmit --wait 1\n' +
    'sqe READ fd:999 0 4k -u 11 --link --skip-success\nsqe WRITE b.img 0 4k -u 12 --link --skip-success\nsqe NOP -u 13\nsubmit\nsleep 0.1\n' +
    'sqe READ a.img 60k 8k -u 21 --link --skip-success\nsqe NOP -u 22 --link --skip-success\nsqe NOP -u 23\nsubmit\nsleep 0.1\n' +
    'sqe NOP -u 31 --skip-success\nsubmit\n',
};
const COMPARED =
  /^io_uring_(submit_sqe|file_get|link|fail_link|complete|queue_async_work|req_failed|task_work_run|defer)$|^io_wq_submit_work$/;

/** Events of each task from the first SQE with user_data 1 that `from` allows, in the task's order; workers are numbered as they come. */
function tasks(trace: Trace, from: number): Record<string, string[]> {
  const names = new Map<bigint, string>();
  const workers = new Map<number, string>();
  const out: Record<string, string[]> = {};
  for (let e = from; e < trace.length; e++) {
    const event = trace.nameOf(e);
    if (!COMPARED.test(event)) continue;
    const req = trace.big(e, 'req') ?? 0n;
    const ud = trace.big(e, 'user_data');
    if (event === 'io_uring_submit_sqe' || event === 'io_uring_req_failed') names.set(req, `${ud}`);
    const { comm, pid } = trace.taskOf(trace.task[e]);
    if (comm.startsWith('iou-wrk') && !workers.has(pid)) workers.set(pid, `worker ${workers.size}`);
    const task = workers.get(pid) ?? 'submitter';
    const parts = [event.replace('io_uring_', ''), ud === undefined ? (names.get(req) ?? '') : `${ud}`];
    if (event === 'io_uring_link') parts.push('after', names.get(trace.big(e, 'target') ?? 0n) ?? '');
    if (event === 'io_uring_fail_link') parts.push('cancels', names.get(trace.big(e, 'link') ?? 0n) ?? '');
    if (event === 'io_uring_complete') parts.push(`${trace.num(e, 'result')}`);
    if (event === 'io_uring_req_failed') parts.push(`${trace.num(e, 'error')}`);
    if (event === 'io_uring_task_work_run') parts.push(`${trace.num(e, 'count')} ${trace.num(e, 'loops')}`);
    if (event === 'io_uring_submit_sqe') parts.push(`flags ${trace.num(e, 'flags')}`);
    if (event === 'io_uring_queue_async_work')
      parts.push(trace.big(e, 'flags')?.toString(16) ?? '', trace.str(e, 'queue') ?? '');
    const list = out[task] ?? [];
    list.push(parts.join(' '));
    out[task] = list;
  }
  return out;
}

function firstSqe(trace: Trace): number {
  for (let e = 0; e < trace.length; e++)
    if (trace.nameOf(e) === 'io_uring_submit_sqe' && trace.big(e, 'user_data') === 1n) return e;
  return 0;
}

describe('chains as recorded on 6.1', () => {
  it.each(Object.keys(PROGRAMS))('%s', (name) => {
    const recording = parseTrace(loadRecording(`k6.1-iou-${name}`).text).trace;
    const result = run(`#: kernel 6.1\n${FILES}${PROGRAMS[name]}`);
    expect(tasks(recording, firstSqe(recording)).submitter.length).toBeGreaterThan(5);
    expect(tasks(result.trace, firstSqe(result.trace))).toEqual(tasks(recording, firstSqe(recording)));
  });
});
