import type { Plan } from './measure';
import type { Sizes } from './workloads';

/** What a bench is run with. */
export interface Setting {
  readonly plan: Plan;
  readonly sizes: Sizes;
  /** Also what takes minutes and gigabytes. */
  readonly full: boolean;
}
