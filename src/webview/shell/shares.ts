/** A share of everything, in per cent. */
export const MAX_SHARE = 100;

/** Whole per cent of each phase, which together make exactly 100: the largest remainders are rounded up. */
export function phaseShares(phases: readonly { readonly total: number }[]): number[] {
  const sum = phases.reduce((all, { total }) => all + total, 0);
  if (!(sum > 0)) return phases.map(() => 0);
  const exact = phases.map(({ total }) => (total / sum) * MAX_SHARE);
  const shares = exact.map(Math.floor);
  const left = MAX_SHARE - shares.reduce((all, share) => all + share, 0);
  const byRemainder = [...exact.keys()].sort((a, b) => exact[b]! - shares[b]! - (exact[a]! - shares[a]!));
  for (const k of byRemainder.slice(0, left)) shares[k]!++;
  return shares;
}
