/** What a fault does to the operation that it strikes. */
export interface FaultEffect {
  /** Bytes moved instead of all. */
  readonly short?: number;
  /** Negative errno instead of success. */
  readonly error?: number;
  readonly delayNs?: number;
}

/** Facts about an operation that a fault may select by. Offsets and lengths are bytes. */
export interface FaultSite {
  readonly kind: 'splice' | 'read' | 'write' | 'fsync' | 'device' | 'commit' | 'server';
  readonly queue?: number | undefined;
  readonly tag?: number | undefined;
  readonly offset?: number | undefined;
  readonly length?: number | undefined;
  readonly op?: 'read' | 'write' | 'flush' | 'discard';
}

/** Asks whether a fault strikes here; the answer may use the fault up. */
export type FaultPlan = (site: FaultSite) => FaultEffect | undefined;

/** A plan in which nothing goes wrong. */
export const NO_FAULTS: FaultPlan = () => undefined;
