import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkText } from './support';

/** A queue of depth 4 as a trace of 6.1, written step by step. */
class Queue {
  private readonly lines = ['# tracer: nop'];
  private now = 0;
  private readonly reqs = new Map<number, string>();
  private next = 0xffff888000001000n;
  /** The command that a slot is armed with. */
  private readonly armedBy = new Map<number, number>();

  constructor() {
    for (let tag = 0; tag < 4; tag++) this.arm(tag, 0x20);
  }

  private line(task: string, event: string): void {
    this.now++;
    this.lines.push(
      `${task.padStart(16)}     [000] .....     1.${String(this.now).padStart(6, '0')}: ${event}`,
    );
  }

  private arm(tag: number, op: number): void {
    this.next += 0x100n;
    const req = this.next.toString(16);
    this.reqs.set(tag, req);
    this.armedBy.set(tag, op);
    this.line(
      'ublk-100',
      `io_uring_submit_sqe: ring ffff888000000100, req ${req}, user_data 0x${((op << 16) + tag).toString(16)}, opcode URING_CMD, flags 0x1, non block 1, sq_thread 0`,
    );
  }

  start(tag: number, sector: number): this {
    this.line(
      'dd-200',
      `ublk_queue_rq: (ublk_queue_rq+0x0) qid=0 tag=${tag} sector=${sector} len=4096 flags=0x0`,
    );
    this.line('dd-200', `block_rq_issue: 259,0 R 4096 () ${sector} + 8 [dd]`);
    return this;
  }

  deliver(tag: number): this {
    const data = ((this.armedBy.get(tag)! << 16) + tag).toString(16);
    this.line(
      'ublk-100',
      `io_uring_complete: ring ffff888000000100, req ${this.reqs.get(tag)}, user_data 0x${data}, result 0, cflags 0x0 extra1 0 extra2 0 `,
    );
    return this;
  }

  commit(tag: number): this {
    this.arm(tag, 0x21);
    return this;
  }

  end(sector: number): this {
    this.line('ublk-100', `block_rq_complete: 259,0 R () ${sector} + 8 [0]`);
    return this;
  }

  broken(): string[] {
    const { violations } = checkText(`${this.lines.join('\n')}\n`);
    return [...new Set(violations.map(({ rule }) => rule))].sort();
  }
}

/** A, B, C and D with their tags and sectors, in the order of submission. */
const REQUESTS = [
  { tag: 2, sector: 0 },
  { tag: 0, sector: 8 },
  { tag: 3, sector: 16 },
  { tag: 1, sector: 24 },
];
const [A, , C] = REQUESTS as [(typeof REQUESTS)[0], unknown, (typeof REQUESTS)[0]];

function started(): Queue {
  const queue = new Queue();
  for (const { tag, sector } of REQUESTS) queue.start(tag, sector);
  return queue;
}

describe('tags and CQEs of a queue of depth 4', () => {
  it('every order of deliveries is right, commits C and A, and then E with tag 3 or 2 in front of an older request', () => {
    const orders = fc.shuffledSubarray(REQUESTS, { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(orders, fc.constantFrom(A, C), (order, again) => {
        const queue = started();
        for (const { tag } of order) queue.deliver(tag);
        queue.commit(C.tag).end(C.sector).commit(A.tag).end(A.sector);
        queue.start(again.tag, 32).deliver(again.tag).commit(again.tag).end(32);
        expect(queue.broken()).toEqual([]);
      }),
    );
  });

  it('not two requests in flight with tag 3', () => {
    expect(started().start(3, 32).broken()).toContain('INV-24');
  });

  it('not a CQE with tag 3 before slot 3 is armed again', () => {
    const queue = started().deliver(3);
    expect(queue.deliver(3).broken()).toEqual(['INV-28']);
  });

  it('not a COMMIT for tag 1 before its delivery', () => {
    expect(started().commit(1).broken()).toContain('INV-31');
  });
});
