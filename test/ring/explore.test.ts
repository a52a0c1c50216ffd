import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IORING_OP } from '../../src/uapi/io_uring_ops';
import { type UringProfile, uringProfile } from '../../src/kernel/uring/uring_profile';
import { explore, exploring, replay } from '../../src/ring/explore';
import { orderRelation } from '../../src/ring/order';
import { outcomeKey } from '../../src/ring/outcome';
import { readProgram } from '../../src/ring/read_program';
import { runProgram } from '../../src/ring/run';
import type { RingProgram } from '../../src/ring/program';
import { cqeOrder, scheduleFor } from '../../src/ring/schedule';

const LIMITS = { schedules: 30_000, time: Number.POSITIVE_INFINITY, outcomes: 10_000 };

const sqe = fc.record({
  op: fc.constantFrom('NOP', 'READ', 'FSYNC', 'WRITE', 'SPLICE'),
  call: fc.constantFrom(0, 0, 1),
  flags: fc.uniqueArray(fc.constantFrom('IO_LINK', 'IO_LINK', 'IO_DRAIN', 'ASYNC', 'ASYNC'), {
    maxLength: 2,
  }),
});

interface Drawn {
  readonly op: string;
  readonly call: number;
  readonly flags: readonly string[];
}

function programOf(sqes: readonly Drawn[], setup: readonly string[]): string {
  const fields = (op: string, i: number): object => {
    if (op === 'NOP') return { op };
    if (op === 'FSYNC') return { op, file: 'f' };
    if (op === 'WRITE') return { op, file: `g${i}`, buf: 'b', buf_off: i * 10, len: 10 };
    if (op === 'SPLICE') return { op, file_in: 'f', off_in: 0, file: `p${i}.w`, len: 10 };
    return { op, file: 'f', off: i, buf: 'b', buf_off: i * 10, len: 10 };
  };
  const all = sqes.map(({ op, call, flags }, i) => ({
    call,
    sqe: { ...fields(op, i), flags, user_data: String(i + 1) },
  }));
  const calls = [0, 1].map((nr) => all.filter(({ call }) => call === nr).map((each) => each.sqe));
  return JSON.stringify({
    name: 'p',
    ring: { entries: 8, setup },
    files: Object.fromEntries([
      ['f', { kind: 'file', size: 6000 }],
      ...sqes.flatMap(({ op }, i) => (op === 'WRITE' ? [[`g${i}`, { kind: 'file', size: 0 }]] : [])),
      ...sqes.flatMap(({ op }, i) => (op === 'SPLICE' ? [[`p${i}`, { kind: 'pipe' }]] : [])),
    ]),
    buffers: { b: { size: 4096 } },
    steps: [...calls.map((submit) => ({ submit })), { reap: 'all' }],
  });
}

/** A program whose requests meet at files, a pipe, memory and timers. */
const meeting = fc.record({
  setup: fc.constantFrom([], ['SINGLE_ISSUER', 'DEFER_TASKRUN'], ['COOP_TASKRUN'], ['SUBMIT_ALL']),
  sqes: fc.array(
    fc.record({
      op: fc.constantFrom(
        { op: 'NOP' },
        { op: 'READ', file: 'f', off: 0, buf: 'b', len: 100 },
        { op: 'READ', file: 'p.r', buf: 'b', buf_off: 50, len: 20 },
        { op: 'WRITE', file: 'f', off: 10, buf: 'c', len: 100 },
        { op: 'WRITE', file: 'p.w', buf: 'b', len: 30 },
        { op: 'FSYNC', file: 'f' },
        { op: 'SPLICE', file_in: 'f', off_in: 0, file: 'p.w', len: 100 },
        { op: 'SPLICE', file_in: 'p.r', file: 'g', off: 0, len: 40, splice_flags: ['NONBLOCK'] },
        { op: 'TIMEOUT', ns: 1_000_000 },
        { op: 'TIMEOUT', ns: 90_000_000, count: 1 },
        { op: 'ASYNC_CANCEL', target: '1' },
      ),
      call: fc.constantFrom(0, 0, 1),
      flags: fc.uniqueArray(fc.constantFrom('IO_LINK', 'IO_HARDLINK', 'IO_DRAIN', 'ASYNC'), { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  ending: fc.constantFrom([{ reap: 'all' }], [{ reap: 1 }, { reap: 'all' }], []),
});

function meetingProgram({
  setup,
  sqes,
  ending,
}: typeof meeting extends fc.Arbitrary<infer T> ? T : never): string {
  const all = sqes.map(({ op, call, flags }, i) => ({
    call,
    sqe: { ...op, flags, user_data: String(i + 1) },
  }));
  const calls = [0, 1].map((nr) => all.filter(({ call }) => call === nr).map((each) => each.sqe));
  return JSON.stringify({
    name: 'p',
    ring: { entries: 8, setup },
    files: { f: { kind: 'file', size: 600 }, g: { kind: 'file', size: 0 }, p: { kind: 'pipe', size: 4096 } },
    buffers: { b: { size: 200 }, c: { size: 200 } },
    steps: [...calls.filter((call) => call.length > 0).map((submit) => ({ submit })), ...ending],
  });
}

/**
 * The same program, where each request's effect and its completion are steps of their own, and no time is bound. With a cancel
 * only those that meet another one: a cancel tells what runs from what is done.
 */
function asIfAllMet(program: RingProgram): RingProgram {
  const sqes = program.steps.flatMap((step) => (step.kind === 'submit' ? step.sqes : []));
  const never = { ...sqes[0]! };
  const cancels = sqes.some(({ opcode }) => opcode === IORING_OP.ASYNC_CANCEL);
  const split = cancels ? [...program.contended.keys()] : sqes;
  const contended = new Map(split.map((each) => [each, [never, ...(program.contended.get(each) ?? [])]]));
  return { ...program, contended, horizon: Number.POSITIVE_INFINITY };
}

/** Outcomes of every schedule, each one run; undefined when there are too many. */
function bruteForce(program: RingProgram, profile: UringProfile, most: number): Set<string> | undefined {
  const outcomes = new Set<string>();
  const prefixes: number[][] = [[]];
  let runs = 0;
  for (let prefix = prefixes.pop(); prefix; prefix = prefixes.pop()) {
    if (++runs > most) return undefined;
    const begun = prefix;
    const taken: number[] = [];
    const run = runProgram(program, {
      profile,
      chooser: (n) => {
        const k = begun[taken.length] ?? 0;
        if (taken.length >= begun.length)
          for (let other = 1; other < n; other++) prefixes.push([...taken, other]);
        taken.push(k);
        return k;
      },
    });
    outcomes.add(outcomeKey(run.outcome()));
  }
  return outcomes;
}

describe('the search for every outcome', () => {
  const programs = fc
    .array(sqe, { minLength: 1, maxLength: 4 })
    .chain((sqes) =>
      fc
        .constantFrom([], ['SINGLE_ISSUER', 'DEFER_TASKRUN'], ['COOP_TASKRUN'])
        .map((setup) => programOf(sqes, setup)),
    );
  const any = fc.oneof(programs, meeting.map(meetingProgram));

  it.each(['6.1', '6.12', '6.18', '7.3'])(
    'finds on %s what running each schedule by itself finds, and no rule of order is ever broken',
    { timeout: 120_000 },
    (name) => {
      const profile = uringProfile(name)!;
      fc.assert(
        fc.property(any, (text) => {
          const program = readProgram(text);
          const every = bruteForce(asIfAllMet(program), profile, 1500);
          fc.pre(every !== undefined);
          const run = runProgram(program, { profile });
          every!.add(outcomeKey(run.outcome()));
          const { found, total, complete, comes } = explore(program, profile, () => 0, LIMITS);
          expect(complete).toBe(true);
          expect(found.map(({ outcome }) => outcomeKey(outcome)).sort()).toEqual([...every!].sort());
          expect(total).toBe(every!.size);
          const orders = found.map(({ outcome }) => cqeOrder(outcome));
          for (const { first, second, rules } of orderRelation(run, comes).pairs) {
            const turned = orders.filter(
              (order) => order.includes(second) && order.indexOf(first) > order.indexOf(second),
            );
            expect({ first, second, rules, turns: turned.length > 0 }).toEqual({
              first,
              second,
              rules,
              turns: rules.length === 0,
            });
          }
        }),
        { numRuns: 120 },
      );
    },
  );

  it('gives decisions that lead to each outcome', () => {
    const profile = uringProfile('6.18')!;
    fc.assert(
      fc.property(meeting, (drawn) => {
        const program = readProgram(meetingProgram(drawn));
        const { found } = explore(program, profile, () => 0, { schedules: 400, time: 1, outcomes: 20 });
        for (const { outcome, choices } of found.slice(1)) {
          expect(replay(program, profile, choices).outcome()).toEqual(outcome);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('gives a schedule for every order that an outcome has, and for no other one', () => {
    const profile = uringProfile('6.18')!;
    fc.assert(
      fc.property(meeting, (drawn) => {
        const program = readProgram(meetingProgram(drawn));
        const { found, complete } = explore(program, profile, () => 0, { ...LIMITS, schedules: 2000 });
        fc.pre(complete);
        const orders = new Set(found.map(({ outcome }) => cqeOrder(outcome).join()));
        for (const order of orders) {
          if (order === '') continue;
          const wanted = order.split(',');
          const answer = scheduleFor(program, profile, wanted, () => 0);
          expect(answer.kind).toBe('schedule');
          const turned = [...wanted].reverse();
          const possible = [...orders].some((other) => isPart(turned, other.split(',')));
          expect(scheduleFor(program, profile, turned, () => 0).kind === 'schedule').toBe(possible);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('counts outcomes that it does not list', () => {
    const profile = uringProfile('6.18')!;
    const drawn = Array.from({ length: 8 }, () => ({ op: 'READ', call: 0, flags: ['ASYNC'] }));
    const program = readProgram(programOf(drawn, []));
    const { found, total, complete, schedules } = explore(program, profile, () => 0, {
      ...LIMITS,
      outcomes: 10,
    });
    expect({ found: found.length, total, complete }).toEqual({ found: 10, total: 40_320, complete: true });
    expect(schedules).toBeLessThan(2000);
  });

  it('counts orders with what was taken between two submit calls', () => {
    const profile = uringProfile('6.18')!;
    const read = (i: number): object => ({
      op: 'READ',
      file: 'f',
      off: i,
      buf: 'b',
      buf_off: i,
      len: 1,
      flags: ['ASYNC'],
      user_data: String(i),
    });
    const program = readProgram(
      JSON.stringify({
        name: 'p',
        ring: { entries: 4 },
        files: { f: { kind: 'file', size: 100 } },
        buffers: { b: { size: 100 } },
        steps: [{ submit: [0, 1, 2, 3].map(read) }, { reap: 2 }, { submit: [read(4)] }, { reap: 'all' }],
      }),
    );
    const { total, complete, comes } = explore(program, profile, () => 0, LIMITS);
    const { orders } = orderRelation(runProgram(program, { profile }), comes);
    // the last one comes third, fourth or fifth
    expect({ total, complete, orders }).toEqual({ total: 72, complete: true, orders: 72 });
  });

  it('works in slices of a few milliseconds', () => {
    const profile = uringProfile('6.18')!;
    const drawn = Array.from({ length: 6 }, () => ({ op: 'READ', call: 0, flags: ['ASYNC'] }));
    const program = readProgram(programOf(drawn, []));
    let now = 0;
    const work = exploring(program, profile, () => (now += 20), { ...LIMITS, time: 1_000_000 });
    const slices: number[] = [];
    for (let step = work.next(); ; step = work.next()) {
      if (step.done === true) {
        expect(step.value).toMatchObject({ total: 720, complete: true });
        break;
      }
      slices.push(step.value);
    }
    expect(slices.length).toBeGreaterThan(8);
    expect(slices.slice(1).every((share, i) => share >= slices[i]! && share <= 1)).toBe(true);
  });
});

function isPart(wanted: readonly string[], order: readonly string[]): boolean {
  let at = 0;
  for (const value of order) if (value === wanted[at]) at++;
  return at === wanted.length;
}

describe('a ring whose SQ a thread takes from', () => {
  const nops = (from: number): object[] =>
    [0, 1, 2, 3].map((i) => ({ op: 'NOP', user_data: String(from + i) }));
  const program = (ns: number): RingProgram =>
    readProgram(
      JSON.stringify({
        name: 'p',
        ring: { entries: 4, setup: ['SQPOLL'] },
        steps: [{ submit: nops(0) }, { sleep_us: ns / 1000 }, { submit: nops(4) }, { reap: 'all' }],
      }),
    );

  it('is empty after a sleep that is long enough for it, in every schedule', () => {
    const { total, complete, found } = explore(program(20e6), uringProfile('6.18')!, () => 0, LIMITS);
    expect([total, complete]).toEqual([1, true]);
    expect(found[0]!.outcome.steps.at(-1)!.cqes!.map((cqe) => cqe.user_data)).toEqual([...'01234567']);
  });

  it('leaves out schedules in which it is still full', () => {
    const { total, complete } = explore(program(100_000), uringProfile('6.18')!, () => 0, LIMITS);
    expect([total, complete]).toEqual([1, true]);
    const order = scheduleFor(program(100_000), uringProfile('6.18')!, [...'10'], () => 0, LIMITS);
    expect(order.kind).toBe('forbidden');
  });

  it('that is full in the likeliest run is an error', () => {
    const text = {
      name: 'p',
      ring: { entries: 4 },
      steps: [{ submit: nops(0), to_submit: 0 }, { submit: nops(4) }],
    };
    const full = readProgram(JSON.stringify(text));
    expect(() => explore(full, uringProfile('6.18')!, () => 0, LIMITS)).toThrow('the SQ is full');
  });
});
