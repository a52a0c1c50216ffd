/** How long the disk takes, ns: likely, at least, at most. They order things plausibly and are not measurements. */
export const DISK = {
  read: { likely: 250_000, least: 20_000, most: 20_000_000 },
  write: { likely: 300_000, least: 20_000, most: 20_000_000 },
  flush: { likely: 120_000, least: 20_000, most: 60_000_000 },
  sync: { likely: 1_500_000, least: 20_000, most: 100_000_000 },
} as const;
