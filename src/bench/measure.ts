import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Standing } from './standing';

/** Which way a figure is better. */
export type Better = 'higher' | 'lower';

/** One figure: a median over runs, its goal, and the same work done by a peer in the same process. */
export interface Figure {
  readonly bench: string;
  readonly unit: string;
  readonly better: Better;
  readonly median: number;
  /** Of single operations, where one run times many of them. */
  readonly p95?: number;
  readonly runs: number;
  readonly goal?: number;
  /** How many times as fast as the peer. */
  readonly ratio?: number;
  readonly peer?: { readonly name: string; readonly median: number };
}

/** How often work is repeated. */
export interface Plan {
  readonly warmups: number;
  readonly runs: number;
}

/** Median and the value that 95 of 100 samples do not exceed. */
export function spread(samples: readonly number[]): { median: number; p95: number } {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, p95: sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * 0.95) - 1)]! };
}

/**
 * Seconds of processor that each of the given works takes, a list of samples per work. The works take turns, so that whatever
 * slows the machine down for a while slows all of them. What stands meanwhile keeps their machine code, see `stopped`.
 */
export function timeInTurns(
  plan: Plan,
  works: readonly (() => unknown)[],
  standing: readonly Standing[] = [],
): number[][] {
  const samples: number[][] = works.map(() => []);
  for (let run = -plan.warmups; run < plan.runs; run++) {
    for (const [k, work] of works.entries()) {
      collectGarbage();
      const start = busyTime();
      work();
      const seconds = (busyTime() - start) / 1000;
      if (run >= 0) samples[k]!.push(seconds);
    }
  }
  for (const work of standing) work.return?.();
  return samples;
}

/** Milliseconds of processor that this process has used, all threads together: what other programs use does not count. */
export function busyTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Frees what nobody holds, so that one work does not pay for the garbage of another. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  // The second one waits until the first has given array buffers back.
  gc();
  gc();
}

/** Bytes that `make` leaves behind, and what it made: array buffers and other heap apart. */
export function retained<T>(make: () => T): { made: T; arrays: number; heap: number } {
  collectGarbage();
  const before = process.memoryUsage();
  const made = make();
  collectGarbage();
  const after = process.memoryUsage();
  return {
    made,
    arrays: after.arrayBuffers - before.arrayBuffers,
    heap: after.heapUsed - before.heapUsed,
  };
}
