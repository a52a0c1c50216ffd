import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MqDeadline } from '../../src/kernel/deadline';
import type { Request } from '../../src/kernel/request';

function request(sector: number, write: boolean): Request {
  return { sector, nrSectors: 8, isWrite: write } as unknown as Request;
}

function drain(sched: MqDeadline, now = 1): string[] {
  const order: string[] = [];
  for (let rq = sched.dispatch(now); rq; rq = sched.dispatch(now))
    order.push(`${rq.isWrite ? 'w' : 'r'}${rq.sector}`);
  return order;
}

describe('MqDeadline', () => {
  it('goes on by sector in batches of 16, from the oldest request', () => {
    const sched = new MqDeadline();
    const sectors = [
      900,
      ...Array.from({ length: 20 }, (_, i) => i * 10),
      ...Array.from({ length: 20 }, (_, i) => 1000 + i * 10),
    ];
    for (const sector of sectors) sched.insert(request(sector, false), false, 0);
    const order = drain(sched);
    expect(order.slice(0, 17)).toEqual([
      'r900',
      ...Array.from({ length: 16 }, (_, i) => `r${1000 + i * 10}`),
    ]);
    expect(order.length).toBe(41);
  });

  it('lets reads pass writes twice, then the writes have their turn', () => {
    const sched = new MqDeadline();
    for (let i = 0; i < 64; i++) sched.insert(request(i * 100, false), false, 0);
    for (let i = 0; i < 20; i++) sched.insert(request(i * 100, true), false, 0);
    const order = drain(sched);
    const firstWrite = order.findIndex((name) => name.startsWith('w'));
    expect(firstWrite).toBe(32);
    expect(order.slice(32, 48).every((name) => name.startsWith('w'))).toBe(true);
  });

  it('serves the oldest request once its time is up', () => {
    const sched = new MqDeadline();
    sched.insert(request(5000, false), false, 0);
    for (let i = 0; i < 40; i++) sched.insert(request(i * 10, false), false, 600_000_000 + i);
    expect(sched.dispatch(0)?.sector).toBe(5000);
    const late = new MqDeadline();
    late.insert(request(100, false), false, 0);
    late.insert(request(50, false), false, 0);
    for (let i = 0; i < 40; i++) late.insert(request(200 + i * 10, false), false, 0);
    const order: number[] = [];
    for (let i = 0; i < 18; i++) order.push(late.dispatch(i < 16 ? 1 : 500_000_001)?.sector ?? -1);
    expect(order[16]).toBe(50);
  });

  it('gives every request out exactly once, those at the head first', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.nat(100), fc.boolean(), fc.constantFrom(false, false, false, true), fc.nat(1e9)),
          { maxLength: 80 },
        ),
        fc.array(fc.nat(2e9), { maxLength: 40 }),
        (requests, times) => {
          const sched = new MqDeadline();
          const inserted = new Set<Request>();
          const seen = new Set<Request>();
          let t = 0;
          for (const [sector, write, head, now] of requests) {
            const rq = request(sector, write);
            inserted.add(rq);
            sched.insert(rq, head, now);
            if (head && sched.length > 1) {
              expect(sched.dispatch(0)).toBe(rq);
              seen.add(rq);
            } else if (times.length > 0 && t % 3 === 2) {
              const out = sched.dispatch(times[t % times.length]);
              if (out) {
                expect(seen.has(out)).toBe(false);
                seen.add(out);
              }
            }
            t++;
            expect(sched.length).toBe(inserted.size - seen.size);
          }
          for (let rq = sched.dispatch(0); rq; rq = sched.dispatch(0)) {
            expect(seen.has(rq)).toBe(false);
            seen.add(rq);
          }
          expect(seen).toEqual(inserted);
        },
      ),
    );
  });
});
