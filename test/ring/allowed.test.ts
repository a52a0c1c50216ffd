import { describe, expect, it } from 'vitest';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { explore } from '../../src/ring/explore';
import type { Outcome } from '../../src/ring/outcome';
import { runProgram } from '../../src/ring/run';
import { readProgram } from '../../src/ring/read_program';

const profile = uringProfile('6.18')!;
const LIMITS = { schedules: 30_000, time: Number.POSITIVE_INFINITY, outcomes: Number.POSITIVE_INFINITY };

function allowed(program: object): readonly Outcome[] {
  const text = JSON.stringify({ name: 'p', buffers: { b: { size: 8192 } }, ...program });
  const { found, complete } = explore(readProgram(text), profile, () => 0, LIMITS);
  expect(complete).toBe(true);
  return found.map(({ outcome }) => outcome);
}

/** CQEs of every step, an overflow before them. */
function inWords({ steps }: Outcome): string {
  return steps
    .map(({ cqes, overflow }) => {
      const each = (cqes ?? []).map(({ user_data, res }) => `${user_data}:${res}`);
      return [...(overflow ? ['overflow'] : []), ...each].join(' ');
    })
    .join(' | ');
}

const words = (program: object): string[] => [...new Set(allowed(program).map(inWords))].sort();

// what a kernel 6.18.44 did in some of 60 runs
describe('allowed outcomes that a real kernel gives now and then', () => {
  it('a request that is cancelled while a worker has it', () => {
    const submit = [
      { op: 'READ', file: 'f', off: 0, buf: 'b', len: 4096, flags: ['ASYNC'], user_data: '1' },
      { op: 'ASYNC_CANCEL', target: '1', user_data: '2' },
    ];
    const files = { f: { kind: 'file', size: 8192 } };
    expect(words({ ring: { entries: 8 }, files, steps: [{ submit }, { reap: 'all' }] })).toEqual([
      ' | 1:4096 2:-114',
      ' | 1:4096 2:-2',
      ' | 2:-114 1:-125',
      ' | 2:-114 1:4096',
      ' | 2:0 1:-125',
    ]);
  });

  it('a direct write that the disk ends before its worker looks moves the file position', () => {
    const submit = [{ op: 'WRITE', file: 'd', off: -1, buf: 'b', len: 4096, user_data: '1' }];
    const files = { d: { kind: 'file', size: 16384, open: ['DIRECT'] } };
    const outcomes = allowed({ ring: { entries: 8 }, files, steps: [{ submit }, { reap: 'all' }] });
    expect(outcomes.map((outcome) => outcome.files.d?.pos)).toEqual([undefined, 4096]);
  });

  it('COOP_TASKRUN: what a worker handed in runs at the end of the call that is under way', () => {
    const fail = { op: 'SPLICE', file_in: 'p.r', file: 'f', off: 0, len: 10, splice_flags: ['NONBLOCK'] };
    const steps = [
      {
        submit: [
          { ...fail, flags: ['IO_LINK'], user_data: '1' },
          { op: 'NOP', user_data: '2' },
        ],
      },
      { submit: [{ op: 'NOP', user_data: '3' }] },
      { reap: 'all' },
    ];
    const files = { f: { kind: 'file', size: 0 }, p: { kind: 'pipe' } };
    expect(words({ ring: { entries: 8, setup: ['COOP_TASKRUN'] }, files, steps })).toContain(
      ' |  | 1:-11 2:-125 3:0',
    );
  });

  it('task work that interrupts the application several times before it looks at CQ_OVERFLOW', () => {
    const write = { op: 'WRITE', file: 'f', off: 0, buf: 'b', len: 10 };
    const read = { op: 'READ', file: 'f', off: 0, buf: 'b', len: 10 };
    const submit = [
      { ...read, flags: ['IO_LINK'], user_data: '1' },
      { ...write, user_data: '2' },
      { ...read, flags: ['IO_DRAIN'], user_data: '3' },
    ];
    const files = { f: { kind: 'file', size: 100 } };
    expect(words({ ring: { entries: 4, cq_entries: 4 }, files, steps: steps(submit) })).toContain(
      ' | overflow | 1:10 2:10 3:10 4:0 5:0',
    );
    function steps(first: object[]): object[] {
      return [
        { submit: first },
        {
          submit: [
            { op: 'NOP', flags: ['IO_LINK'], user_data: '4' },
            { op: 'NOP', user_data: '5' },
          ],
        },
        { reap: 'all' },
      ];
    }
  });

  it('a chain that its submit call cuts is with a worker before the call posts what it completed', () => {
    const read = { op: 'READ', file: 'f', off: 0, buf: 'b', len: 10 };
    const submit = [
      { ...read, user_data: '1' },
      { op: 'FSYNC', file: 'f', flags: ['IO_LINK'], user_data: '2' },
    ];
    const files = { f: { kind: 'file', size: 100 } };
    expect(words({ ring: { entries: 8 }, files, steps: [{ submit }, { reap: 'all' }] })).toEqual([
      ' | 1:10 2:0',
      ' | 2:0 1:10',
    ]);
  });

  it('a chain that breaks while task work runs is cancelled by the next round of it', () => {
    const tee = { op: 'TEE', file_in: 'p.r', file: 'q.w', len: 4096, splice_flags: ['NONBLOCK'] };
    const submit = [
      { op: 'ASYNC_CANCEL', target: '9', flags: ['IO_LINK'], user_data: '1' },
      { op: 'NOP', user_data: '2' },
      { ...tee, flags: ['IO_LINK'], user_data: '3' },
      { op: 'NOP', user_data: '4' },
      { op: 'WRITE', file: 'f', off: 0, buf: 'b', len: 10, flags: ['IO_LINK'], user_data: '5' },
    ];
    const files = {
      f: { kind: 'file', size: 100 },
      p: { kind: 'pipe', fill: 100 },
      q: { kind: 'pipe' },
    };
    expect(words({ ring: { entries: 8 }, files, steps: [{ submit }, { reap: 'all' }] })).toContain(
      ' | 1:-2 3:100 2:-125 5:10 4:-125',
    );
  });

  // 1 of 15 runs on a busy machine
  it('a worker that does not get a CPU for longer than two sleeps', () => {
    const steps = [
      { submit: [{ op: 'NOP', flags: ['ASYNC'], user_data: '1' }] },
      { sleep_us: 25_000 },
      { submit: [] },
      { sleep_us: 25_000 },
      { submit: [{ op: 'NOP', user_data: '2' }] },
      { reap: 'all' },
    ];
    expect(words({ ring: { entries: 8 }, steps })).toEqual([
      ' |  |  |  |  | 1:0 2:0',
      ' |  |  |  |  | 2:0 1:0',
    ]);
  });

  it('a timer fires between two calls that take completions', () => {
    const submit = [
      {
        op: 'SPLICE',
        file_in: 'p.r',
        file: 'f',
        off: 0,
        len: 10,
        splice_flags: ['NONBLOCK'],
        flags: ['IO_LINK'],
      },
      { op: 'NOP' },
      { op: 'TIMEOUT', ns: 5_000_000, count: 2 },
    ].map((sqe, i) => ({ ...sqe, user_data: String(i + 1) }));
    const files = { f: { kind: 'file', size: 100 }, p: { kind: 'pipe' } };
    const ring = { entries: 8, setup: ['SINGLE_ISSUER', 'DEFER_TASKRUN'] };
    expect(words({ ring, files, steps: [{ submit }, { reap: 'all' }] })).toContain(' | 1:-11 2:-125 3:-62');
  });

  it('a cancel in a worker hands in its CQE after the one that it cancelled', () => {
    const steps = [
      {
        submit: [
          { op: 'FSYNC', file: 'f', user_data: '1' },
          { op: 'ASYNC_CANCEL', target: '1', flags: ['ASYNC'], user_data: '2' },
        ],
        wait: 1,
      },
      { submit: [{ op: 'NOP', user_data: '3' }] },
      { reap: 'all' },
    ];
    const files = { f: { kind: 'file', size: 100 } };
    expect(words({ ring: { entries: 8 }, files, steps })).toContain(' |  | 1:-125 3:0 2:-114');
  });

  it('a request that has its file when that is closed', () => {
    const tee = { op: 'TEE', file_in: 'p.r', file: 'q.w', len: 10, splice_flags: ['NONBLOCK'] };
    const steps = [
      { submit: [{ ...tee, user_data: '1' }] },
      { close: 'q.w' },
      { submit: [{ op: 'NOP', user_data: '2' }] },
      { reap: 'all' },
    ];
    const files = { p: { kind: 'pipe', fill: 100 }, q: { kind: 'pipe' } };
    expect(words({ ring: { entries: 8 }, files, steps })).toContain(' |  |  | 2:0 1:10');
  });
});

// 12 of 12 runs of a kernel 6.18.44
describe('what a repeating request posts', () => {
  const tee = { op: 'TEE', file_in: 'p.r', file: 'q.w', len: 10, splice_flags: ['NONBLOCK'] };
  const text = JSON.stringify({
    name: 'p',
    ring: { entries: 8, setup: ['SINGLE_ISSUER', 'DEFER_TASKRUN'] },
    files: { p: { kind: 'pipe', fill: 100 }, q: { kind: 'pipe' } },
    steps: [
      { submit: [{ ...tee, user_data: '1' }] },
      { sleep_us: 1000 },
      {
        submit: [
          { op: 'POLL_ADD', file: 'p.r', poll_events: ['IN'], poll_flags: ['ADD_MULTI'], user_data: '2' },
        ],
      },
      { reap: 'all' },
    ],
  });

  it.each([
    ['6.12', ['1:10', '2:1']],
    ['6.18', ['1:10', '2:1']],
    ['7.3', ['1:10', '2:1']],
  ])('on %s', (name, order) => {
    const { steps } = runProgram(readProgram(text), { profile: uringProfile(name)! });
    expect(steps.at(-1)!.cqes!.map(({ user_data, res }) => `${user_data}:${res}`)).toEqual(order);
  });
});

it('reap n that hangs lists what came while it waited', () => {
  const text = JSON.stringify({
    name: 'p',
    ring: { entries: 8 },
    files: { f: { kind: 'file', size: 100 } },
    steps: [{ submit: [{ op: 'FSYNC', file: 'f', user_data: '1' }] }, { reap: 2 }],
  });
  const { steps } = runProgram(readProgram(text), { profile });
  expect(steps).toEqual([{ submitted: 1 }, { cqes: [{ user_data: '1', res: 0, flags: 0 }], hang: true }]);
});

describe('locks that stay while the disk works', () => {
  const order = (files: object, calls: readonly object[][]): string[] => {
    const steps = [...calls.map((submit) => ({ submit })), { reap: 'all' }];
    const text = JSON.stringify({
      name: 'p',
      ring: { entries: 8 },
      files,
      buffers: { b: { size: 8192 } },
      steps,
    });
    const { steps: done } = runProgram(readProgram(text), { profile });
    return done.at(-1)!.cqes!.map(({ user_data }) => user_data);
  };
  const direct = { kind: 'file', size: 0, open: ['DIRECT'] };

  // 18 of 20 runs of a kernel 6.18.44
  it('a direct read waits for a direct write that makes the file longer', () => {
    const write = { op: 'WRITE', file: 'd', off: 0, buf: 'b', len: 4096, user_data: '1' };
    const read = { op: 'READ', file: 'd', off: 6000, buf: 'b', len: 1, flags: ['ASYNC'], user_data: '2' };
    expect(order({ d: direct }, [[write], [read]])).toEqual(['1', '2']);
  });

  // 12 of 12 runs
  it('a splice that finds its pipe empty does not wait for its file', () => {
    const write = { op: 'WRITE', file: 'd', off: 0, buf: 'b', len: 4096, user_data: '1' };
    const splice = { op: 'SPLICE', file_in: 'p.r', file: 'd', off: 0, len: 1, splice_flags: ['NONBLOCK'] };
    expect(order({ d: direct, p: { kind: 'pipe' } }, [[write, { ...splice, user_data: '2' }]])).toEqual([
      '2',
      '1',
    ]);
  });

  // 20 of 20 runs
  it('a read of a pipe waits for a splice that writes from it to the disk', () => {
    const splice = { op: 'SPLICE', file_in: 'p.r', file: 'd', off: 0, len: 4096, user_data: '1' };
    const read = { op: 'READ', file: 'p.r', buf: 'b', len: 5000, flags: ['ASYNC'], user_data: '2' };
    expect(order({ d: direct, p: { kind: 'pipe', size: 8192, fill: 8192 } }, [[splice], [read]])).toEqual([
      '1',
      '2',
    ]);
  });
});

// what a kernel 6.18.44 answered to RWF_NOWAIT in every run
describe('FALLOCATE makes a file end in a page that nobody has read', () => {
  const results = (
    size: number,
    ranges: readonly (readonly [number, number])[],
    off: number,
    len = 100,
  ): number[] => {
    const sqes = [
      ...ranges.map(([at, length]) => ({ op: 'FALLOCATE', file: 'f', off: at, len: length })),
      { op: 'READ', file: 'f', off, buf: 'b', len, rw_flags: ['NOWAIT'] },
      { op: 'READ', file: 'f', off, buf: 'b', len },
      { op: 'READ', file: 'f', off, buf: 'b', len, rw_flags: ['NOWAIT'] },
    ].map((sqe, i) => ({ ...sqe, user_data: String(i) }));
    const steps = sqes.flatMap((sqe) => [{ submit: [sqe] }, { reap: 'all' }]);
    const files = { f: { kind: 'file', size } };
    const text = JSON.stringify({
      name: 'p',
      ring: { entries: 8 },
      files,
      buffers: { b: { size: 8192 } },
      steps,
    });
    const { steps: done } = runProgram(readProgram(text), { profile });
    return done.flatMap(({ cqes }) => (cqes ?? []).map(({ res }) => res)).slice(ranges.length);
  };

  it.each([
    ['its page', 0, [[0, 100]], 0, [-11, 100, 100]],
    ['behind its end', 0, [[0, 100]], 200, [0, 0, 0]],
    ['a file that ends with a page', 0, [[0, 4096]], 0, [100, 100, 100]],
    ['a page before it', 0, [[0, 5000]], 0, [100, 100, 100]],
    ['the last page of two', 0, [[0, 5000]], 4096, [-11, 100, 100]],
    [
      'a page that was the last one',
      0,
      [
        [0, 100],
        [0, 5000],
      ],
      0,
      [-11, 100, 100],
    ],
    ['a page with bytes before', 50, [[0, 100]], 0, [100, 100, 100]],
  ] as const)('%s', (_name, size, ranges, off, expected) => {
    expect(results(size, ranges, off)).toEqual(expected);
  });

  it('what comes before it is read alone', () => {
    expect(results(0, [[0, 5000]], 0, 5000)).toEqual([4096, 5000, 5000]);
  });
});
