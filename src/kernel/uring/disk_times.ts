/** How long the disk takes, ns: likely, at least, at most. They order things plausibly and are not measurements. */
export const DISK = {
  read: { likely: 130_000, least: 20_000, most: 20_000_000 },
  write: { likely: 62_200, least: 20_000, most: 20_000_000 },
  /** Writing without the cache. */
  direct: { likely: 240_000, least: 20_000, most: 20_000_000 },
  flush: { likely: 390_000, least: 20_000, most: 60_000_000 },
  sync: { likely: 3_200_000, least: 20_000, most: 100_000_000 },
} as const;

/** Time between two reads that the disk was given together, ns. */
export const DISK_NEXT = 5_000;

/** Time between two timer ticks, with which the time stamps of files change, ns. */
export const TICK = 4_000_000;
