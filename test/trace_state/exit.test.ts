import { describe, expect, test } from 'vitest';
import { eventText } from '../../src/trace/print';
import { StateCache } from '../../src/trace/snapshots';
import type { Trace } from '../../src/trace/trace';
import { SPAN_KINDS } from '../../src/webview/protocol_data';
import { fromText, sample, timelineOf } from '../view/support';

const named = (trace: Trace, name: string): number[] =>
  Array.from({ length: trace.length }, (_, i) => i).filter((i) => trace.nameOf(i) === name);

/** Last end of what each lane of servers does, ns; Infinity for what never ends. */
function ends(open: Awaited<ReturnType<typeof sample>>): Map<string, number> {
  const { tracks, spans, lineOf } = timelineOf(open);
  const found = new Map<string, number>();
  for (let track = 0; track < tracks.kind.length; track++) {
    if (tracks.kind[track] !== 'context' || tracks.group[track] !== 'Daemon threads') continue;
    const from = spans.at[lineOf[track]!]!;
    const to = spans.at[lineOf[track + 1]!]!;
    expect(SPAN_KINDS[spans.kind[from]!]).toMatch(/running|waiting/);
    found.set(tracks.name[track]!, Math.max(...spans.end.slice(from, to)));
  }
  return found;
}

describe('a server that is killed', async () => {
  const open = await sample('killed-daemon.ublk');
  const { trace } = open;
  const exits = named(trace, 'sched_process_exit');
  const cache = new StateCache(trace);
  const [first] = exits as [number];
  const owner = `${trace.taskOf(trace.task[first]!).comm}-${trace.taskOf(trace.task[first]!).pid}`;

  test('each thread of a server tells its end once, before its device is closed', () => {
    const tasks = exits.map((i) => trace.taskOf(trace.task[i]!));
    expect(exits.map((i) => eventText(trace, i).split('sched_process_exit: ')[1])).toEqual(
      tasks.map(({ pid }) => `comm=ublk pid=${pid} prio=120`),
    );
    expect(tasks.map(({ tgid }) => tgid)).toEqual([255, 255, 267, 267]);
    expect(exits.map((i) => trace.nameOf(i + 1))).toEqual(
      exits.flatMap((_, k) => (k % 2 ? ['ublk_ch_release'] : ['sched_process_exit'])),
    );
    const [root] = open.causes.chain(first).slice(-1);
    expect(trace.str(root!, 'text')).toMatch(/^kill -9/);
  });

  test('runs nothing after it, and its ring goes with the last command that the driver held', () => {
    const pid = trace.taskOf(trace.task[first]!).pid;
    const before = cache.at(first - 2);
    expect(before.tasks.find((task) => task.pid === pid)).toMatchObject({ waiting: true });
    expect(trace.nameOf(first - 1)).toBe('sys_exit_io_uring_enter');
    expect(trace.num(first - 1, 'ret')).toBe(4);
    const after = cache.at(first);
    expect(after.tasks.find((task) => task.pid === pid)).toMatchObject({
      syscall: null,
      ring: null,
      waiting: false,
    });
    const left = after.rings.find((ring) => ring.owner === owner)!;
    expect(left).toMatchObject({ inFlight: 4, waiting: 0 });
    expect(after.requests.filter((req) => req.ring === left.id).map((req) => req.opcode)).toEqual(
      Array(4).fill('URING_CMD'),
    );
    expect(after.slots.filter((slot) => slot.request === 'delivered')).toHaveLength(4);
    const cancelled = named(trace, 'ublk_cancel_dev').find((i) => i > first)!;
    const answered = named(trace, 'io_uring_complete').filter((i) => i > cancelled);
    expect(cache.at(answered[2]!).rings.some((ring) => ring.owner === owner)).toBe(true);
    const gone = cache.at(answered[3]!);
    expect(gone.rings.some((ring) => ring.owner === owner || ring.fd === null)).toBe(false);
    expect(cache.at(trace.length - 1).rings.filter((ring) => ring.fd === 8)).toEqual([]);
  });

  test('ends its lane', () => {
    const at = ends(open);
    expect(at.get(owner)).toBeLessThanOrEqual(trace.ts[first]!);
    expect([...at.values()]).not.toContain(Infinity);
  });
});

/** A server with one command in the driver, asleep in io_uring_enter; the line of its end is not in the text. */
const RECORDED = `
  server-58  [000] .....     1.000000: io_uring_create: ring ffff888002000100, fd 4 sq size 4, cq size 8, flags 0x508
  server-58  [000] .....     1.000010: sys_io_uring_enter(fd: 4, to_submit: 1, min_complete: 1, flags: 1, argp: 0, argsz: 8)
  server-58  [000] .....     1.000020: io_uring_submit_sqe: ring ffff888002000100, req ffff888002000200, user_data 0x200000, opcode URING_CMD, flags 0x1, non block 1, sq_thread 0
  server-58  [000] .....     1.000030: ublk_ch_uring_cmd: (ublk_ch_uring_cmd+0x0) op=0x20 q_id=0 tag=0 result=0 issue_flags=0x80000005
  server-58  [000] .....     1.000040: ublk_ch_uring_cmd_ret: (<- ublk_ch_uring_cmd) ret=-529
  server-58  [000] .....     1.000050: io_uring_cqring_wait: ring ffff888002000100, min_events 1
  kworker/0:1-9 [000] ..... 2.000000: ublk_cancel_dev: (ublk_cancel_dev+0x0)
  kworker/0:1-9 [000] ..... 2.000010: io_uring_complete: ring ffff888002000100, req ffff888002000200, user_data 0x200000, result -19, cflags 0x0 extra1 0 extra2 0${' '}
  kworker/0:1-9 [000] ..... 2.000020: ublk_ch_release: (ublk_ch_release+0x0)
  kworker/0:1-9 [000] ..... 9.000000: ublk_daemon_monitor_work: (ublk_daemon_monitor_work+0x0)
`.trimStart();

test('a recording that tells of no thread: what the server did ends with the release of its device', async () => {
  const open = await fromText(RECORDED);
  const [release] = named(open.trace, 'ublk_ch_release') as [number];
  const cache = new StateCache(open.trace);
  expect(cache.at(release - 1)).toMatchObject({ tasks: [{ waiting: true }], rings: [{ waiting: 1 }] });
  expect(cache.at(release)).toMatchObject({ tasks: [{ syscall: null, waiting: false }], rings: [] });
  expect([...ends(open)]).toEqual([['server-58', open.trace.ts[release]! - open.trace.ts[0]!]]);
});

test('where threads tell their end, the release of another device ends nothing', async () => {
  const exit = '  other-99 [000] ..... 1.500000: sched_process_exit: comm=other pid=99 prio=120\n  kworker';
  const open = await fromText(RECORDED.replace('  kworker', exit));
  expect([...ends(open)]).toEqual([['server-58', Infinity]]);
});
