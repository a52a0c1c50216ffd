/** What follows from rules that order two CQEs each, and how many orders they leave open. */
import type { OrderRule } from './order_rules';

/** For each pair of CQEs the rules along a path from one to the other; undefined where there is none. */
export type Paths = (readonly OrderRule[] | undefined)[][];

/** The rule that puts a CQE before another one by itself, if any. */
export type Direct = (OrderRule | undefined)[][];

/** What follows from the direct rules that `takes` accepts. */
export function closure(direct: Direct, takes: (rule: OrderRule) => boolean): Paths {
  const paths: Paths = direct.map((row) => row.map((rule) => (rule && takes(rule) ? [rule] : undefined)));
  const n = paths.length;
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < k; i++) {
      const head = paths[i]![k];
      if (head === undefined) continue;
      for (let j = k + 1; j < n; j++) {
        const tail = paths[k]![j];
        if (tail && paths[i]![j] === undefined) paths[i]![j] = [...new Set([...head, ...tail])];
      }
    }
  }
  return paths;
}

/**
 * Orders of the CQEs that keep every guaranteed pair, counted over sets of CQEs that came first; `earlier` tells how many, whichever
 * they are, were taken before the request of a CQE was submitted.
 */
export function linearExtensions(rules: Paths, earlier: readonly number[]): number {
  const n = rules.length;
  const before = Array.from({ length: n }, (_, j) =>
    rules.reduce((mask, row, i) => (row[j] ? mask | (1 << i) : mask), 0),
  );
  const ways = new Float64Array(2 ** n);
  ways[0] = 1;
  for (let set = 0; set < ways.length; set++) {
    const here = ways[set]!;
    if (here === 0) continue;
    const came = bitCount(set);
    for (let j = 0; j < n; j++) {
      const bit = 1 << j;
      if (came < earlier[j]!) continue;
      if ((set & bit) === 0 && (before[j]! & set) === before[j]) ways[set | bit]! += here;
    }
  }
  return ways[ways.length - 1]!;
}

function bitCount(set: number): number {
  let count = 0;
  for (let left = set; left !== 0; left &= left - 1) count++;
  return count;
}
