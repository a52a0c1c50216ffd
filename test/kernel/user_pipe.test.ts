import { describe, expect, test } from 'vitest';
import { Choices } from '../../src/kernel/choice';
import { NO_FAULTS } from '../../src/kernel/faults';
import { Machine } from '../../src/kernel/machine';
import type { OpenFile } from '../../src/kernel/open_file';
import { kernelProfile } from '../../src/kernel/profile';
import type { Gen } from '../../src/kernel/sched';
import { UserPipe } from '../../src/kernel/user_pipe';
import { UserRing } from '../../src/server/ring_user';
import { Recorder } from '../../src/trace/recorder';
import { IORING_OP } from '../../src/uapi/io_uring_ops';
import { SPLICE_F } from '../../src/uapi/splice';

const NONE = -1;
const SOURCE = 10;
const SINK = 11;
const PIPE_READ = 12;
const PIPE_WRITE = 13;

interface Splice {
  readonly from: number;
  readonly to: number;
  readonly len: number;
  readonly fromOff?: number;
  readonly toOff?: number;
  readonly flags?: number;
}

/** A process with a file of 6000 bytes, an empty file and a pipe, which submits SPLICEs together and waits for all. */
function splice(splices: readonly Splice[], prepare: (pipe: UserPipe) => void = () => undefined) {
  const profile = kernelProfile('6.1');
  if (!profile) throw new Error('no profile');
  const rec = new Recorder();
  const machine = new Machine(rec, new Choices(1n), {
    profile,
    cpus: 2,
    memory: 1 << 26,
    blockSize: 4096,
    rawBacking: false,
    partScan: false,
    faults: NO_FAULTS,
    initial: () => undefined,
    stop: () => false,
  });
  const { kernel, uring } = machine;
  const source = machine.file('a', true);
  const sink = machine.file('b', true);
  if (!source || !sink) throw new Error('no files');
  source.fill(
    0,
    Uint8Array.from({ length: 6000 }, (_, i) => i % 251),
  );
  const pipe = new UserPipe(kernel);
  prepare(pipe);
  const task = kernel.newTask('prog');
  const end: OpenFile = { kind: 'pipe', pipe };
  uring.install(task.tgid, SOURCE, machine.open(source, false));
  uring.install(task.tgid, SINK, machine.open(sink, false));
  uring.install(task.tgid, PIPE_READ, end);
  uring.install(task.tgid, PIPE_WRITE, end);
  const results: [number, number][] = [];
  const body = function* (): Gen<void> {
    const ring = yield* uring.setup(task, 8, undefined, 0, 5);
    const user = new UserRing(kernel, uring, task, ring, false);
    for (const [index, s] of splices.entries()) {
      user.push({
        opcode: IORING_OP.SPLICE,
        flags: 0,
        fd: s.to,
        udLo: index + 1,
        udHi: 0,
        off: s.toOff ?? NONE,
        addr: s.fromOff ?? NONE,
        len: s.len,
        opFlags: s.flags ?? 0,
        spliceFdIn: s.from,
      });
    }
    yield* user.submit();
    while (results.length < splices.length) {
      yield* user.waitOne();
      user.reap((lo, _hi, res) => results.push([lo, res]));
    }
  };
  kernel.sched.start(task, body());
  kernel.sched.run(100_000);
  return { results, sink, pipe };
}

describe('SPLICE with a pipe of user space (6.1)', () => {
  test('file to pipe stops at the end of the file; the data is in the pipe', () => {
    const { results, pipe } = splice([{ from: SOURCE, to: PIPE_WRITE, fromOff: 0, len: 8192 }]);
    expect(results).toEqual([[1, 6000]]);
    expect(pipe.bytes).toBe(6000);
    expect([...pipe.peek(6000)]).toEqual(Array.from({ length: 6000 }, (_, i) => i % 251));
  });

  test('pipe to file submitted first sleeps in its worker until the other SPLICE has filled the pipe', () => {
    const { results, sink } = splice([
      { from: PIPE_READ, to: SINK, toOff: 4096, len: 4096 },
      { from: SOURCE, to: PIPE_WRITE, fromOff: 0, len: 4096 },
    ]);
    expect(results.toSorted()).toEqual([
      [1, 4096],
      [2, 4096],
    ]);
    expect(sink.size).toBe(8192);
  });

  test('a full pipe makes the SPLICE short: 16 buffers of one page', () => {
    const { results, pipe } = splice([{ from: SOURCE, to: PIPE_WRITE, fromOff: 0, len: 6000 }], (p) => {
      while (p.free > 1) p.write(new Uint8Array(1));
    });
    expect(results).toEqual([[1, 4096]]);
    expect(pipe.free).toBe(0);
  });

  test.each([
    ['an offset on the pipe', { from: SOURCE, to: PIPE_WRITE, fromOff: 0, toOff: 0, len: 1 }, -29],
    ['no pipe at either end', { from: SOURCE, to: SINK, fromOff: 0, toOff: 0, len: 1 }, -22],
    [
      'SPLICE_F_DIRECT on a kernel without the RFC',
      { from: SOURCE, to: SINK, fromOff: 0, toOff: 0, len: 1, flags: SPLICE_F.DIRECT },
      -22,
    ],
    [
      'an empty pipe with SPLICE_F_NONBLOCK',
      { from: PIPE_READ, to: SINK, toOff: 0, len: 1, flags: SPLICE_F.NONBLOCK },
      -11,
    ],
    ['a bad descriptor', { from: 99, to: PIPE_WRITE, fromOff: 0, len: 1 }, -9],
  ])('%s is refused', (_what, request, error) => {
    expect(splice([request]).results).toEqual([[1, error]]);
  });

  test('an empty pipe without writers reads as end of file', () => {
    const { results } = splice([{ from: PIPE_READ, to: SINK, toOff: 0, len: 100 }], (p) => p.close('writer'));
    expect(results).toEqual([[1, 0]]);
  });
});
