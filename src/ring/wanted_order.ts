/** An order of CQEs that is looked for. */
import { IORING_OP } from '../uapi/io_uring_ops';
import type { Outcome } from './outcome';
import type { RingProgram } from './program';

/** user_data of all CQEs of an outcome, in order. */
export function cqeOrder(outcome: Pick<Outcome, 'steps'>): string[] {
  return outcome.steps.flatMap((step) => step.cqes ?? []).map((cqe) => cqe.user_data);
}

/** The order that a text such as `3,1,0x2` or `3 1 | 2` asks for, user_data in decimal; undefined when it is no such text. */
export function readOrder(text: string): string[] | undefined {
  const words = text.trim().split(/[\s,|]+/);
  if (!words.every((word) => /^(\d{1,20}|0x[0-9a-f]{1,16})$/i.test(word))) return undefined;
  return words.map((word) => BigInt(word).toString());
}

/** CQEs by user_data, in the order in which they are wanted; others may come between. */
export class WantedOrder {
  private readonly place = new Map<bigint, number>();

  constructor(
    program: RingProgram,
    private readonly wanted: readonly string[],
  ) {
    const sqes = program.steps.flatMap((step) => (step.kind === 'submit' ? step.sqes : []));
    wanted.forEach((value, i) => {
      const userData = BigInt(value);
      const same = sqes.filter((sqe) => sqe.userData === userData);
      // what may post more than one CQE says nothing by coming early
      const many = same.some(({ opcode }) => opcode === IORING_OP.POLL_ADD || opcode === IORING_OP.TIMEOUT);
      if (same.length === 1 && !many && wanted.indexOf(value) === wanted.lastIndexOf(value))
        this.place.set(userData, i);
    });
  }

  /** How many of them were posted in order; -1 when they can no longer come so. */
  met(posted: readonly bigint[]): number {
    let at = 0;
    for (const userData of posted) {
      const value = this.wanted[at];
      if (value !== undefined && BigInt(value) === userData) at++;
      else if ((this.place.get(userData) ?? -1) >= at) return -1;
    }
    return at;
  }

  /** Whether an outcome has them in this order. */
  isIn(outcome: Pick<Outcome, 'steps'>): boolean {
    let at = 0;
    for (const value of cqeOrder(outcome)) if (value === this.wanted[at]) at++;
    return at === this.wanted.length;
  }
}
