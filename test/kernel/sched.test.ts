import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Gen, PARK, WaitQueue } from '../../src/kernel/sched';
import { kernel, runTasks } from './support';

describe('Scheduler', () => {
  it('calls in order of time, equal times in the order they were asked for', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 3000 }), (times) => {
        const k = kernel();
        const order: { time: number; at: number }[] = [];
        times.forEach((time, at) => {
          k.sched.at(time, () => order.push({ time, at }));
        });
        k.sched.run();
        const sorted = times.map((time, at) => ({ time, at })).sort((a, b) => a.time - b.time || a.at - b.at);
        expect(order).toEqual(sorted);
        expect(k.sched.idle).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('does not lose a wake-up that comes before the sleep', () => {
    const k = kernel();
    let ended = false;
    runTasks(k, function* (task): Gen<void> {
      k.sched.wake(task);
      yield PARK;
      ended = true;
    });
    expect(ended).toBe(true);
  });

  it('keeps a stopped task from running, whatever wakes it', () => {
    const k = kernel();
    const task = k.newTask('t');
    const at: number[] = [];
    k.sched.start(
      task,
      (function* (): Gen<void> {
        yield 1000;
        at.push(k.rec.now);
        yield PARK;
        at.push(k.rec.now);
      })(),
    );
    k.sched.at(500, () => k.sched.setStopped(task, true));
    k.sched.at(5000, () => k.sched.wake(task));
    k.sched.at(9000, () => k.sched.setStopped(task, false));
    k.sched.at(50_000, () => k.sched.wake(task));
    k.sched.run();
    expect(at.length).toBe(2);
    expect(at[0]).toBeGreaterThanOrEqual(9000);
    expect(task.state).toBe('dead');
  });

  it('wakes everybody who waits in a queue', () => {
    const k = kernel();
    const queue = new WaitQueue(k.sched);
    let open = false;
    let through = 0;
    const body = function* (task: ReturnType<typeof k.newTask>): Gen<void> {
      yield* queue.until(task, () => open);
      through++;
    };
    k.sched.at(100, () => queue.wakeAll());
    k.sched.at(1e6, () => {
      open = true;
      queue.wakeAll();
    });
    runTasks(k, body, body, body);
    expect(through).toBe(3);
  });
});
