/** How long the timers of a program can run. */
import { IORING_OP } from '../uapi/io_uring_ops';
import type { Sqe } from '../uapi/sqe';
import type { RingProgram } from './program';

/** IORING_POLL_ADD_MULTI */
const ADD_MULTI = 1;
/** IORING_TIMEOUT_MULTISHOT */
const MULTISHOT = 0x40;
/** How much later than it says a timer fires at most where time is counted, ns. */
const COST = 100_000;

/** The most that timers and sleeps take, one after the other, ns; Infinity where a timer repeats or its time is not known. */
export function horizonOf(program: Pick<RingProgram, 'steps' | 'memory'>): number {
  const memory = new Map(program.memory.map(({ addr, bytes }) => [addr, bytes]));
  let sum = 0;
  for (const step of program.steps) {
    if (step.kind === 'sleep') sum += step.ns + COST;
    else if (step.kind === 'submit') for (const sqe of step.sqes) sum += timeOf(memory, sqe);
  }
  return sum;
}

/** Whether some request of a program may post more than one CQE. */
export function repeats({ steps }: Pick<RingProgram, 'steps'>): boolean {
  return steps.some(
    (step) =>
      step.kind === 'submit' &&
      step.sqes.some(
        ({ opcode, len, opFlags }) =>
          (opcode === IORING_OP.POLL_ADD && (len & ADD_MULTI) !== 0) ||
          (opcode === IORING_OP.TIMEOUT && (opFlags & MULTISHOT) !== 0),
      ),
  );
}

function timeOf(memory: ReadonlyMap<number, Uint8Array>, sqe: Sqe): number {
  if (sqe.opcode !== IORING_OP.TIMEOUT && sqe.opcode !== IORING_OP.LINK_TIMEOUT) return 0;
  if ((sqe.opFlags & MULTISHOT) !== 0) return Number.POSITIVE_INFINITY;
  const bytes = memory.get(Number(sqe.addr));
  if (bytes === undefined || bytes.length < 16) return Number.POSITIVE_INFINITY;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const ns = Number(view.getBigInt64(0, true)) * 1e9 + Number(view.getBigInt64(8, true));
  return Math.max(0, ns) + COST;
}
