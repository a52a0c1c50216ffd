import { expect } from 'vitest';
import { UNKNOWN, type Work } from '../../src/trace/state_work';
import { Recorder } from '../../src/trace/recorder';
import { Trace } from '../../src/trace/trace';

/** Numbers below `limit` that depend on the text only. */
export function randomNumbers(text: string, count: number, limit: number): number[] {
  let seed = 7;
  for (const c of text) seed = (Math.imul(seed, 31) + c.charCodeAt(0)) >>> 0;
  return Array.from({ length: count }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 0x100000000) * limit);
  });
}

/** What holds after every event in a right order. */
export function checkCounters(w: Work): void {
  for (const ring of w.rings.values()) {
    const counters = [
      ring.sqHead,
      ring.sqPending,
      ring.cqTail,
      ring.cqReady,
      ring.overflow,
      ring.waiting,
      ring.skips,
    ];
    if (counters.some((value) => value < 0 && value !== UNKNOWN)) expect(counters).toEqual('never negative');
    if (ring.cqEntries !== UNKNOWN && ring.cqReady > ring.cqEntries)
      expect(ring.cqReady).toBeLessThanOrEqual(ring.cqEntries);
  }
  for (const pipe of w.pipes.values()) {
    if (pipe.head === UNKNOWN) continue;
    const occupancy = pipe.head - pipe.tail;
    const size = pipe.ringSize === UNKNOWN ? 16 : pipe.ringSize;
    if (occupancy < 0 || occupancy > size || pipe.buffers.length > occupancy)
      expect([occupancy, size]).toEqual('within the ring');
  }
  for (const disk of w.disks.values()) {
    if (disk.tagsInUse < 0 && disk.tagsInUse !== UNKNOWN) expect(disk.tagsInUse).toBeGreaterThanOrEqual(0);
  }
}

/** A trace with the events of another one in the given order; strings, wide values and shapes are those of a copy of its text. */
export function reordered(source: Trace, order: readonly number[]): Trace {
  const trace = new Trace();
  for (let id = 1; id < source.strings.size; id++) trace.strings.id(source.strings.text(id));
  const shapes = new Map<number, number>();
  for (const i of order) {
    const shape = source.shapeOf(i);
    let id = shapes.get(shape.id);
    if (id === undefined) {
      id = trace.shapes.learn(shape.name, shape.line, shape.template.source, shape.raw)?.id ?? 0;
      shapes.set(shape.id, id);
    }
    const { formats } = shape.template;
    const at = trace.reserve(formats.length);
    for (let k = 0; k < formats.length; k++) {
      const word = source.word(i, k);
      trace.words[at + k] =
        formats[k] === 's'
          ? trace.strings.id(source.strings.text(word))
          : trace.wide.ofBig(source.wide.big(word));
    }
    const task = source.taskOf(source.task[i]);
    trace.commit(
      source.ts[i],
      id,
      trace.taskId(task.comm, task.pid, task.tgid),
      source.cpu[i],
      0,
      formats.length,
    );
  }
  return trace;
}

/** One READ of a ublk device with the facts of the simulator, and the numbers of some of its events. */
export function simulatedRead(): { trace: Trace } & Record<
  'tagged' | 'issued' | 'delivered' | 'fill' | 'commit' | 'done',
  number
> {
  const recorder = new Recorder();
  const { emit, trace, stamp } = recorder;
  const text = (value: string): number => trace.strings.id(value);
  const ring = trace.wide.ofBig(0xffff888000000100n);
  const req = trace.wide.ofBig(0xffff888000000200n);
  stamp.task = trace.taskId('ublk', 100);
  emit.ublk_dev_state(3, text('DEAD'), 1, 2, 0x42);
  emit.io_uring_get_sqe(ring, 0, 0x200001, text('2e'));
  emit.io_uring_submit_sqe(ring, req, 0x200001, text('URING_CMD'), 1, 1, 0);
  emit.ublk_ch_uring_cmd(0x20, 0, 1, 0, 0x80000005);
  emit.ublk_ch_uring_cmd_ret(trace.wide.ofNumber(-529));
  emit.ublk_dev_state(3, text('LIVE'), 1, 2, 0x42);
  stamp.task = trace.taskId('fio', 200);
  emit.app_io_submit(7, 3, text('READ'), 8192, 4096);
  emit.block_getrq(259, 0, text('R'), 16, 8, text('fio'));
  const tagged = emit.blk_mq_get_driver_tag(259, 0, 0, 1, 16, 4096);
  emit.ublk_queue_rq(0, 1, 16, 4096, 0);
  const issued = emit.block_rq_issue(259, 0, text('R'), 4096, text(''), 16, 8, text('fio'));
  stamp.task = trace.taskId('ublk', 100);
  const delivered = emit.io_uring_complete(ring, req, 0x200001, 0, 0, 0, 0);
  const fill = emit.page_fill(3, 0, 1, 0, 4096, text('file 8192'));
  emit.io_uring_submit_sqe(ring, req, 0x210001, text('URING_CMD'), 1, 1, 0);
  const commit = emit.ublk_ch_uring_cmd(0x21, 0, 1, 4096, 0x80000005);
  emit.block_rq_complete(259, 0, text('R'), text(''), 16, 8, 0);
  emit.blk_mq_put_driver_tag(259, 0, 0, 1);
  const done = emit.app_io_done(7, 4096);
  return { trace, tagged, issued, delivered, fill, commit, done };
}
