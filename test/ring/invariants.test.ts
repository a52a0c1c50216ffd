import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Req } from '../../src/kernel/uring/types';
import { opcodeName } from '../../src/uapi/io_uring_ops';
import { type UringProfile, uringProfile } from '../../src/kernel/uring/uring_profile';
import { IORING_SETUP } from '../../src/uapi/io_uring_abi';
import { explore, replay } from '../../src/ring/explore';
import { orderRelation } from '../../src/ring/order';
import type { RingProgram } from '../../src/ring/program';
import { readProgram } from '../../src/ring/read_program';
import { type RunResult, runProgram, StepError } from '../../src/ring/run';

const LINK = 0x4;
const HARDLINK = 0x8;
const DRAIN = 0x2;
const SKIP = 0x40;
const MORE = 2;
const NEVER_FAILS = new Set([3, 8, 17]);
const LINK_TIMEOUT = 15;
const ECANCELED = -125;

const flags = fc.uniqueArray(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant('IO_LINK') },
    fc.constantFrom('IO_HARDLINK', 'IO_DRAIN', 'ASYNC', 'CQE_SKIP_SUCCESS'),
  ),
  { maxLength: 2 },
);

const op = fc.oneof(
  fc.constant({ op: 'NOP' }),
  fc.record({
    op: fc.constant('READ'),
    file: fc.constantFrom('f', 'g', 'p.r'),
    off: fc.constantFrom(0, 100, 5000),
    buf: fc.constant('b'),
    len: fc.constantFrom(1, 100, 5000),
  }),
  fc.record({
    op: fc.constant('WRITE'),
    file: fc.constantFrom('g', 'p.w'),
    off: fc.constantFrom(0, 3000),
    buf: fc.constant('b'),
    len: fc.constantFrom(1, 5000),
  }),
  fc.record({
    op: fc.constant('SPLICE'),
    file_in: fc.constant('f'),
    off_in: fc.constant(0),
    file: fc.constant('p.w'),
    len: fc.constantFrom(10, 9000),
    splice_flags: fc.constant(['NONBLOCK']),
  }),
  fc.record({
    op: fc.constant('SPLICE'),
    file_in: fc.constant('p.r'),
    file: fc.constant('g'),
    off: fc.constant(0),
    len: fc.constant(10),
  }),
  fc.record({ op: fc.constant('FSYNC'), file: fc.constantFrom('g', 'p.r') }),
  fc.record({ op: fc.constant('POLL_ADD'), file: fc.constant('p.r'), poll_events: fc.constant(['IN']) }),
  fc.record({
    op: fc.constant('TIMEOUT'),
    ns: fc.constantFrom(5_000_000, 9_000_000),
    count: fc.constantFrom(0, 2),
  }),
  fc.record({ op: fc.constant('LINK_TIMEOUT'), ns: fc.constant(7_000_000) }),
  fc.record({ op: fc.constant('ASYNC_CANCEL'), target: fc.constantFrom('1', '2') }),
  fc.constant({ op: 200 }),
);

const programs = fc
  .record({
    setup: fc.constantFrom(
      [],
      ['SUBMIT_ALL'],
      ['SINGLE_ISSUER', 'DEFER_TASKRUN'],
      ['COOP_TASKRUN', 'SUBMIT_ALL'],
    ),
    cq: fc.constantFrom(undefined, 4),
    first: fc.array(fc.tuple(op, flags), { minLength: 1, maxLength: 4 }),
    second: fc.array(fc.tuple(op, flags), { minLength: 1, maxLength: 2 }),
  })
  .map(({ setup, cq, first, second }) => {
    let next = 1;
    const sqes = (list: typeof first): object[] =>
      list.map(([fields, set]) => ({ ...fields, flags: set, user_data: String(next++) }));
    return JSON.stringify({
      name: 'random',
      ring: { entries: 4, ...(cq ? { cq_entries: cq } : {}), setup },
      files: {
        f: { kind: 'file', size: 6000 },
        g: { kind: 'file', size: 4096 },
        p: { kind: 'pipe', size: 8192 },
      },
      buffers: { b: { size: 8192 } },
      steps: [
        { submit: sqes(first) },
        { reap: 'all' },
        { submit: sqes(second), to_submit: 4 },
        { reap: 'all' },
      ],
    });
  });

/** Tells of a rule that does not hold. */
type Check = (fine: boolean, rule: string) => void;

/** Broken invariants of a run, by number. */
function broken(program: RingProgram, run: RunResult): string[] {
  const { ring, events, steps } = run;
  const found: string[] = [];
  const check: Check = (fine, rule) => {
    if (!fine) found.push(rule);
  };
  const given = program.steps.flatMap((step) => (step.kind === 'submit' ? step.sqes : []));
  const cqes = ring.cq;
  check(
    ring.requests.every((req, i) => req.sqe === given[i]),
    'INV-02 SQEs are taken in order',
  );
  check(cqes.length - ring.cqHead <= ring.cqEntries, 'INV-04 the CQ holds no more than its size');
  check(
    ring.overflow.length === 0 || cqes.length - ring.cqHead === ring.cqEntries,
    'INV-06 overflow only when full',
  );
  const submitted = steps.reduce((sum, step) => sum + (step.submitted ?? 0), 0);
  check(submitted === ring.taken, 'INV-10 enter returns what was taken');
  const position = new Map<number, number>();
  [...cqes, ...ring.overflow].forEach((cqe, i) => {
    if ((cqe.flags & MORE) !== 0) return;
    check(!position.has(cqe.req), 'INV-07 one final CQE');
    position.set(cqe.req, i);
    check(cqe.userData === ring.requests[cqe.req - 1]?.userData, 'INV-08 user_data is copied');
  });
  check(given.length - ring.taken <= ring.sqEntries, 'INV-01 the SQ holds no more than its size');
  steps.forEach((step, i) => {
    const asked = program.steps[i];
    if (asked?.kind === 'reap' && asked.count !== 'all' && !step.hang) {
      check(step.cqes?.length === asked.count, 'INV-10 a wait ends when there are enough CQEs');
    }
  });
  for (const req of ring.requests) {
    const head = ring.requests[req.chain - 1]!;
    check(head.batch === req.batch, 'INV-13 a chain lies in one submit call');
    const before = ring.requests[req.id - 2];
    const linked = before !== undefined && (before.sqe.flags & (LINK | HARDLINK)) !== 0;
    if (linked && before.batch === req.batch)
      check(before.chain === req.chain, 'INV-13 linked SQEs are one chain');
    else check(req.chain === req.id, 'INV-13 a chain goes on only by a link');
  }
  checkEvents(run, check);
  checkApplication(program, run, check);
  checkOrders(run, check);
  const begun = new Set<number>();
  for (const { event, req } of events) {
    if (event === 'submit_req' || event === 'req_failed') begun.add(req.id);
    if (event === 'complete') check(begun.has(req.id), 'INV-09 no completion before the SQE was taken');
  }
  for (const req of ring.requests) {
    const at = position.get(req.id);
    const cqe = at === undefined ? undefined : [...cqes, ...ring.overflow][at];
    if (cqe && (req.sqe.flags & SKIP) !== 0 && req.opcode === 0 && !req.malformed) {
      check(cqe.res < 0, 'INV-18 no CQE on success with SKIP');
    }
    const head = ring.requests[req.chain - 1]!;
    const drain = (head.flags & DRAIN) !== 0 && !req.malformed;
    for (const other of ring.requests) {
      const there = position.get(other.id);
      if (at === undefined || there === undefined || other.id <= req.id) continue;
      const plain = req.sqe.opcode !== LINK_TIMEOUT && other.sqe.opcode !== LINK_TIMEOUT;
      if (other.chain === req.chain) check(!plain || at < there, 'INV-16 CQEs of a chain in order');
      else if (drain && ring.profile.drainByLive && !other.malformed)
        check(at < there, 'INV-19 later requests wait for a drain');
    }
    if (
      cqe &&
      cqe.res < 0 &&
      (req.sqe.flags & HARDLINK) === 0 &&
      !req.malformed &&
      req.sqe.opcode !== LINK_TIMEOUT
    ) {
      if (NEVER_FAILS.has(req.opcode) || (req.sqe.flags & LINK) === 0) continue;
      for (const later of ring.requests.filter((next) => next.chain === req.chain && next.id > req.id)) {
        const there = position.get(later.id);
        if (there !== undefined && there < cqes.length && later.sqe.opcode !== LINK_TIMEOUT) {
          check(cqes[there]!.res === -125, 'INV-15 a broken chain is cancelled');
        }
      }
    }
  }
  return [...new Set(found)];
}

/** Invariants about what the application writes and sees. */
function checkApplication(program: RingProgram, run: RunResult, check: Check): void {
  const { ring, steps, events } = run;
  let written = 0;
  let taken = 0;
  const seen: string[] = [];
  const begun = new Set<string>();
  program.steps.forEach((asked, i) => {
    const step = steps[i];
    if (asked.kind === 'submit') {
      written += asked.sqes.length;
      check(written - taken <= ring.sqEntries, 'INV-03 no SQE is written over one that was not taken');
      for (const sqe of asked.sqes) begun.add(String(sqe.userData));
    }
    taken += step?.submitted ?? 0;
    if (step?.cqes === undefined || asked.kind === 'submit') return;
    for (const { user_data: name } of step.cqes) {
      seen.push(name);
      check(begun.has(name), 'INV-05 no CQE is seen before its SQE was written');
    }
  });
  const published = ring.cq.slice(0, ring.cqHead).map((cqe) => String(cqe.userData));
  check(seen.join() === published.join(), 'INV-05 CQEs are seen as they were published, each once');
  const many = ring.requests.length > ring.cqEntries || ring.cq.some((cqe) => (cqe.flags & MORE) !== 0);
  check(many || !steps.some((step) => step.overflow), 'INV-11 no overflow while the CQ has room for all');
  const submits = events.filter(({ event }) => event === 'submit_req' || event === 'req_failed');
  check(new Set(submits.map(({ context }) => context)).size <= 1, 'INV-12 one task submits');
  if ((ring.setup & IORING_SETUP.DEFER_TASKRUN) === 0 || !ring.profile.workerDefersCqe) return;
  const others = events.some(({ event, context }) => event === 'complete' && context !== submits[0]?.context);
  check(!others, 'INV-12 the task that submits completes what it deferred to itself');
}

/** Invariants about orders that follow from a flag, and from nothing else. */
function checkOrders(run: RunResult, check: Check): void {
  const { ring } = run;
  const one = (name: string): Req | undefined => {
    const found = ring.requests.filter((req) => String(req.userData) === name);
    return found.length === 1 ? found[0] : undefined;
  };
  for (const { first, second, rules, guaranteed } of orderRelation(run).pairs) {
    const a = one(first);
    const b = one(second);
    if (a === undefined || b === undefined) continue;
    if (rules.length === 1 && rules[0] === 'chain-order') {
      const between = ring.requests.filter((req) => req.id >= a.id && req.id < b.id);
      const linked = between.every((req) => (req.sqe.flags & (LINK | HARDLINK)) !== 0);
      check(linked && a.batch === b.batch, 'INV-20 a link orders what lies directly behind it');
    }
    const flagged = ring.requests.some((req) => (req.sqe.flags & DRAIN) !== 0);
    const independent = a.chain !== b.chain && a.batch === b.batch && !flagged;
    check(!(independent && guaranteed), 'INV-23 independent requests have no promised order');
  }
}

const WORKER_ONLY = new Set(['SPLICE', 'TEE', 'FSYNC', 'SYNC_FILE_RANGE', 'FALLOCATE']);

/** Invariants about when things happen. */
function checkEvents(run: RunResult, check: Check): void {
  const { events, ring } = run;
  const at = (req: Req, names: readonly string[]): number =>
    events.findIndex((event) => event.req === req && names.includes(event.event));
  for (const req of ring.requests) {
    const done = at(req, ['complete']);
    const queued = at(req, ['queue_async_work']);
    const posted = events[done];
    check(queued < 0 || done < 0 || queued < done, 'INV-09 a punt comes before its CQE');
    const next = ring.requests[req.id];
    const follows = next !== undefined && next.chain === req.chain;
    if (follows && next.sqe.opcode !== LINK_TIMEOUT && req.sqe.opcode !== LINK_TIMEOUT && done >= 0) {
      const started = at(next, ['queue_async_work', 'poll_arm', 'task_add']);
      check(started < 0 || done < started, 'INV-14 the next of a chain starts after the CQE');
    }
    const name = opcodeName(req.opcode, 256);
    if (WORKER_ONLY.has(name) && posted !== undefined && Number(posted.fields.result) >= 0)
      check(req.cause === 'worker', 'INV-21 blocking ops run in io-wq only');
    const hard = (req.sqe.flags & HARDLINK) !== 0 && !req.malformed && req.sqe.opcode !== LINK_TIMEOUT;
    if (
      hard &&
      posted !== undefined &&
      follows &&
      !ring.requests.some((other) => other.chain === req.chain && other.malformed)
    ) {
      const broke = events.some(
        ({ event, fields, req: by }) => event === 'fail_link' && by === req && fields.link !== undefined,
      );
      const cancelled = Number(posted.fields.result) === ECANCELED;
      check(!broke || cancelled, 'INV-17 what fails while running does not break a hard link');
    }
  }
  const running = new Map<number, number[]>();
  for (const req of ring.requests) {
    const hashed = events.findIndex(
      (event) => event.req === req && event.event === 'queue_async_work' && event.fields.queue === 'hashed',
    );
    if (hashed < 0 || req.cause !== 'worker') continue;
    const done = at(req, ['complete']);
    if (done < 0) continue;
    const list = running.get(req.work.hash) ?? [];
    list.push(hashed, done);
    running.set(req.work.hash, list);
  }
  for (const list of running.values()) {
    for (let i = 0; i < list.length; i += 2)
      for (let j = 0; j < list.length; j += 2)
        if (list[i]! < list[j]!)
          check(list[i + 1]! < list[j + 1]!, 'INV-22 hashed work of one inode is first in, first out');
  }
}

/** The likeliest run; undefined where SQEs that were not taken leave no room for the next ones. */
function runnable(program: RingProgram, profile: UringProfile): RunResult | undefined {
  try {
    return runProgram(program, { profile, trace: true });
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    expect(error.message).toContain('the SQ is full');
    return undefined;
  }
}

describe('random ring programs', () => {
  for (const name of ['6.1', '6.12', '6.18', '7.3']) {
    it(`keep the invariants in every outcome on ${name}`, { timeout: 120_000 }, () => {
      const profile = uringProfile(name)!;
      fc.assert(
        fc.property(programs, (text) => {
          const program = readProgram(text);
          const first = runnable(program, profile);
          fc.pre(first !== undefined);
          expect(broken(program, first)).toEqual([]);
          const limits = { schedules: 300, time: 60_000, outcomes: 50 };
          const { found } = explore(program, profile, () => 0, limits);
          expect(found[0]?.outcome).toEqual(first.outcome());
          for (const { choices } of found.slice(1)) {
            expect(broken(program, replay(program, profile, choices))).toEqual([]);
          }
        }),
        { numRuns: 300 },
      );
    });
  }
});
