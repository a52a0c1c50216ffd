import type { Exploration } from './explore';
import { type OrderRelation, orderRelation } from './order';
import type { RunResult } from './run';
import { cqeOrder } from './wanted_order';

/** The relation for the CQEs of all outcomes of an exploration; `first` is the likeliest run. */
export function exploredRelation(
  first: RunResult,
  { found, comes }: Pick<Exploration, 'found' | 'comes'>,
): OrderRelation {
  const known = new Set(cqeOrder(first));
  const others = found.flatMap(({ outcome }) => cqeOrder(outcome)).filter((name) => !known.has(name));
  return orderRelation(first, comes, [...new Set(others)]);
}
