import { describe, expect, it } from 'vitest';
import { balanceOf } from './balance';
import { errorsOf, eventsOf, run } from './support';

const K = '#: kernel 6.1\n#: server ublksrv-1.2\ntruncate -s 4M disk.img\n';
const ADD = 'ublk add -t loop -f disk.img -q 1 -d 4';
const FIO = 'fio --name=j --filename=/dev/ublkb0 --direct=1 --ioengine=libaio --iodepth=8 --bs=4k';

describe('devices', () => {
  it('get the number asked for, or the lowest free one', () => {
    const result = run(
      `${K}${ADD} -n 1\n${ADD}\n${ADD}\nublk list\nublk del -n 0\n${ADD}\nublk del -a\nublk list`,
    );
    expect(result.output.match(/dev id \d+/g)).toEqual([1, 0, 2, 0, 1, 2, 0].map((id) => `dev id ${id}`));
    expect(result.exitCode).toBe(0);
    expect(balanceOf(result.trace, true)).toEqual([]);
  });

  it('refuse a number in use', () => {
    const result = run(`${K}${ADD} -n 0\n${ADD} -n 0`);
    expect(result.output).toContain("can't add dev 0, ret -17");
    expect(result.exitCode).toBe(1);
  });

  it('need their backing file', () => {
    const result = run('ublk add -t loop -f nothing.img\nublk list');
    expect(result.output).toContain('nothing.img');
    expect(result.exitCode).toBe(1);
    expect(eventsOf(result.trace, 'ublk_dev_state')).toEqual([]);
  });

  it('that are not there fail their commands', () => {
    const result = run(
      'fio --name=j --filename=/dev/ublkb3\ndd if=/dev/ublkb3 of=/dev/null\nublk del -n 3\nublk list -n 3\nblkdiscard /dev/ublkb3\niogen /dev/ublkb3 o.json flush',
    );
    expect(result.exitCode).toBe(1);
    expect(result.output.match(/ublkb3/g)?.length).toBe(4);
  });
});

describe('ublk del while I/O runs', () => {
  it.each(['', ' -q 2', ' -d 1'])('ends the I/O with errors and hangs nowhere%s', (more) => {
    const result = run(
      `${K}${ADD}${more}\n${FIO} --rw=randrw --number_ios=400 &\nsleep 0.003\nublk del -n 0\nwait`,
    );
    expect(result.output).not.toContain('hangs');
    expect(result.output).toContain('io_u error');
    expect(result.ios.length).toBeLessThan(400);
    expect(result.ios.filter((io) => io.result === 4096).length).toBeGreaterThan(3);
    expect(
      result.ios.filter((io) => io.result !== 4096).every((io) => [-5, -28, 0].includes(io.result)),
    ).toBe(true);
    expect(balanceOf(result.trace, true)).toEqual([]);
  });
});

describe('kill -9 of the server', () => {
  it('fails what is in flight; later I/O fails too; the device can be deleted', () => {
    const result = run(
      `${K}${ADD}\n${FIO} --rw=randread --number_ios=400 &\nsleep 0.003\nkill -9 $(pgrep -n ublk)\nwait\n${FIO} --rw=randread --number_ios=8\nsleep 6\nublk del -n 0`,
    );
    expect(result.output).not.toContain('hangs');
    expect(result.ios.filter((io) => io.result === 4096).length).toBeGreaterThan(0);
    expect(result.ios.filter((io) => io.result !== 4096).every((io) => io.result === -5)).toBe(true);
    expect(balanceOf(result.trace, true)).toEqual([]);
    expect(eventsOf(result.trace, 'ublk_daemon_monitor_work').length).toBeGreaterThan(0);
  });

  it('with nothing in flight is seen by the monitor at its next period of 5 s', () => {
    const result = run(`${K}${ADD}\nsleep 1\nkill -9 $(pgrep -n ublk)\nsleep 12`);
    const [monitor] = eventsOf(result.trace, 'ublk_daemon_monitor_work');
    expect(result.trace.ts[monitor] / 1e9).toBeCloseTo(5, 2);
    expect(eventsOf(result.trace, 'ublk_stop_dev').length).toBe(1);
  });

  it.each(['-q 1', '-q 2'])('while ublk add runs lets the session end (%s)', (queues) => {
    const result = run(
      `${K}ublk add -t loop -f disk.img ${queues} &\nsleep 0.02\nkill -9 $(pgrep -n ublk)\nwait\n${FIO} --rw=read --number_ios=2`,
    );
    expect(result.exitCode).toBe(1);
    expect(result.ios.every((io) => io.result === -5)).toBe(true);
  });
});

describe('SIGSTOP', () => {
  it('holds I/O until SIGCONT', () => {
    const result = run(
      `${K}${ADD}\n${FIO} --rw=randread --number_ios=100 &\nsleep 0.002\nkill -STOP $(pgrep -n ublk)\nsleep 3\nkill -CONT $(pgrep -n ublk)\nwait\nublk del -n 0`,
    );
    expect([result.exitCode, result.ios.length]).toEqual([0, 100]);
    expect(result.time).toBeGreaterThan(3e9);
    expect(balanceOf(result.trace, true)).toEqual([]);
  });

  it('without SIGCONT makes the session hang, which is said', () => {
    const result = run(`${K}${ADD}\nkill -STOP $(pgrep -n ublk)\n${FIO} --rw=randread --number_ios=4`);
    expect(result.output).toContain('the session hangs');
    expect(result.exitCode).toBe(1);
  });
});

describe('signals to clients', () => {
  it('end a job in the background early', () => {
    const result = run(
      `${K}${ADD}\n${FIO} --rw=randread --time_based --runtime=100 &\nsleep 0.01\nkill $!\nwait\nublk del -n 0`,
    );
    expect(result.time).toBeLessThan(2e9);
    expect(result.ios.length).toBeGreaterThan(5);
    expect(balanceOf(result.trace, true)).toEqual([]);
  });

  it('end a sleep early', () => {
    expect(run('sleep 100 &\nkill -9 $!\nwait').time).toBeLessThan(1e9);
  });
});

describe('user recovery', () => {
  const kill = `${FIO} --rw=randrw --number_ios=200 &\nsleep 0.003\nkill -9 $(pgrep -n ublk)\nsleep 0.1\n`;

  it('with -i 1 issues what was in flight again', () => {
    const result = run(`${K}${ADD} -i 1\n${kill}ublk recover -n 0\nwait\nublk del -n 0`);
    expect(result.output).not.toMatch(/hangs|can't/);
    expect([result.exitCode, result.ios.length]).toEqual([0, 200]);
    expect(result.ios.every((io) => io.result === 4096)).toBe(true);
    expect(balanceOf(result.trace, true)).toEqual([]);
  });

  it('with -r 1 fails what the dead server had, and goes on after', () => {
    const result = run(
      `${K}${ADD} -r 1\n${kill}ublk recover -n 0\nwait\n${FIO} --rw=read --number_ios=10\nublk del -n 0`,
    );
    expect(result.output).not.toMatch(/hangs|can't/);
    expect(result.ios.filter((io) => io.line === 11).map((io) => io.result)).toEqual(
      new Array(10).fill(4096),
    );
    expect(result.ios.some((io) => io.result === -5)).toBe(true);
    expect(balanceOf(result.trace, true)).toEqual([]);
  });

  it('holds new I/O while there is no server; deleting the device then fails it', () => {
    for (const queues of ['', ' -q 2']) {
      const result = run(
        `${K}${ADD}${queues} -r 1\nkill -9 $(pgrep -n ublk)\nsleep 6\n${FIO} --rw=randread --number_ios=64 --iodepth=32 &\nsleep 1\nublk del -n 0\nwait`,
      );
      expect(result.output).not.toContain('hangs');
      expect(result.ios.length).toBeGreaterThan(0);
      expect(result.ios.every((io) => io.result <= 0)).toBe(true);
      expect(balanceOf(result.trace, true)).toEqual([]);
    }
  });

  it('must have been asked for', () => {
    const result = run(`${K}${ADD}\nkill -9 $(pgrep -n ublk)\nsleep 6\nublk recover -n 0\nublk recover -n 7`);
    expect(result.output).toContain("can't start recovery for 0 ret -22");
    expect(result.output).toContain("can't start recovery for 7 ret -19");
    expect(result.exitCode).toBe(1);
  });

  it('while the server lives is refused in the end', () => {
    const result = run(`${K}${ADD} -r 1\nublk recover -n 0`);
    expect(result.output).toContain("can't start recovery for 0 ret -16");
  });
});

describe('options that the simulator lacks', () => {
  it('are errors with a position', () => {
    expect(errorsOf('fio --name=j --filename=/dev/ublkb0 --ioengine=io_uring')).toEqual([
      expect.stringMatching(/io_uring.*not simulated/),
    ]);
  });
});
