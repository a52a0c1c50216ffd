import { describe, expect, it } from 'vitest';
import { Printer } from '../../src/trace/print';
import { parseTrace } from '../support/oracle';

function lines(...rows: string[]): string {
  return `${rows.join('\n')}\n`;
}

function identity(text: string): void {
  expect(new Printer(parseTrace(text).trace).text()).toBe(text);
}

describe('column variants', () => {
  it('reads and prints the TGID column, unknown TGIDs too', () => {
    const text = lines(
      '#           TASK-PID    TGID     CPU#  |||||  TIMESTAMP  FUNCTION',
      '           kublk-489     (    489) [000] .....    33.394697: sys_io_uring_enter -> 0x1',
      '          <idle>-0       (-------) [000] d.h2.    33.395436: block_rq_complete: 254,0 RS () 20482 + 8 be,0,4 [0]',
    );
    identity(text);
    const { trace } = parseTrace(text);
    expect(trace.taskOf(trace.task[0])).toEqual({ comm: 'kublk', pid: 489, tgid: 489 });
    expect(trace.taskOf(trace.task[1])).toEqual({ comm: '<idle>', pid: 0, tgid: -1 });
  });

  it('reads lines without the flags column (noirq-info)', () => {
    const text = lines('           kublk-489     [000]    33.394697: sys_io_uring_enter -> 0x1');
    identity(text);
    expect(parseTrace(text).trace.ts[0]).toBe(33_394_697_000);
  });

  it.each([
    ['Web Content-9', 'Web Content', 9],
    ['a-1 b-22', 'a-1 b', 22],
    ['kworker/0:1H-131', 'kworker/0:1H', 131],
    ['iou-wrk-58-60', 'iou-wrk-58', 60],
    ['<...>-77', '<...>', 77],
    ['-5', '', 5],
  ])('takes comm and pid of %s apart', (head, comm, pid) => {
    const text = lines(
      `${comm.padStart(16)}-${String(pid).padEnd(7)} [001] d.h2.    33.394697: block_plug: [x]`,
    );
    const { trace, counts } = parseTrace(text);
    expect(counts.damaged).toBe(0);
    expect(head).toBe(`${comm}-${pid}`);
    expect(trace.taskOf(trace.task[0])).toEqual({ comm, pid, tgid: -1 });
    identity(text);
  });

  it('keeps nanosecond stamps', () => {
    const text = lines('           kublk-489     [000] .....    33.394697123: block_plug: [kublk]');
    identity(text);
    expect(parseTrace(text).trace.ts[0]).toBe(33_394_697_123);
  });

  it('reads CPU numbers of three digits', () => {
    const text = lines('           kublk-489     [127] .....    33.394697: block_plug: [kublk]');
    identity(text);
    expect(parseTrace(text).trace.cpu[0]).toBe(127);
  });
});

describe('what is no known event', () => {
  it('keeps and counts unknown events', () => {
    const text = lines(
      '           x-1       [000] .....     1.000000: sched_switch: prev_comm=a prev_pid=1 ==> next_comm=b',
      '           x-1       [000] .....     1.000001: my_probe: (f+0x1/0x2 [m]) a=1 b=0xff c="t u"',
      '           x-1       [000] .....     1.000002: block_plug: no such form',
    );
    const { trace, counts } = parseTrace(text);
    expect(counts).toMatchObject({ unknown: 2, damaged: 0 });
    expect(trace.length).toBe(3);
    expect([0, 1, 2].map((e) => trace.nameOf(e))).toEqual(['sched_switch', 'my_probe', 'block_plug']);
  });

  it('counts damaged lines and says where they stand', () => {
    const good = '           x-1       [000] .....     1.000000: block_plug: [x]';
    const text = lines('# tracer: nop', good, 'rubbish', good, `${good.slice(0, 30)}`, good);
    const { trace, counts } = parseTrace(text);
    expect(counts).toMatchObject({ damaged: 2, lines: 6 });
    expect(trace.length).toBe(3);
    const damaged = trace.notes.filter((note) => note.kind === 'damaged');
    expect(damaged.map((note) => [note.line, note.text])).toEqual([
      [3, 'rubbish'],
      [5, good.slice(0, 30)],
    ]);
    expect(trace.lineOf(2)).toBe(6);
  });

  it('sums lost events', () => {
    const { counts, trace } = parseTrace(
      lines('CPU:1 [LOST 12 EVENTS]', 'CPU:0 [LOST EVENTS]', 'CPU:2 [3 EVENTS DROPPED]'),
    );
    expect(trace.notes.map((note) => [note.kind, note.lost])).toEqual([
      ['lost', 12],
      ['lost', -1],
      ['lost', 3],
    ]);
    expect(counts.lost).toBe(16);
  });
});
