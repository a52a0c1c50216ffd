/**
 * Block layer numbers: request operations and flags, the rwbs letters of block events, block status codes.
 */

/**
 * Request operations with a number that is the same in 6.1 to 7.3. The zone operations were renumbered within
 * stable series, so they are known here by name only (see `BlockOp`).
 */
export const REQ_OP = {
  READ: 0,
  WRITE: 1,
  FLUSH: 2,
  DISCARD: 3,
  SECURE_ERASE: 5,
  WRITE_ZEROES: 9,
  DRV_IN: 34,
  DRV_OUT: 35,
} as const;

/** Bits of the operation in a blk_opf_t; flags follow above. */
export const REQ_OP_BITS = 8;

/** Request flags (blk_opf_t) with the same bit in 6.1 to 7.3. */
export const REQ_FLAG = {
  FAILFAST_DEV: 1 << 8,
  FAILFAST_TRANSPORT: 1 << 9,
  FAILFAST_DRIVER: 1 << 10,
  SYNC: 1 << 11,
  META: 1 << 12,
  PRIO: 1 << 13,
  NOMERGE: 1 << 14,
  IDLE: 1 << 15,
  INTEGRITY: 1 << 16,
  FUA: 1 << 17,
  PREFLUSH: 1 << 18,
  RAHEAD: 1 << 19,
  BACKGROUND: 1 << 20,
  NOWAIT: 1 << 21,
  POLLED: 1 << 22,
} as const;

/**
 * Operation as the rwbs letters can tell it. OTHER is what 'N' stands for (WRITE_ZEROES, passthrough, old
 * zone ops).
 */
export type BlockOp =
  | 'READ'
  | 'WRITE'
  | 'FLUSH'
  | 'DISCARD'
  | 'SECURE_ERASE'
  | 'OTHER'
  | 'ZONE_APPEND'
  | 'ZONE_RESET'
  | 'ZONE_RESET_ALL'
  | 'ZONE_FINISH'
  | 'ZONE_OPEN'
  | 'ZONE_CLOSE';

/** What the rwbs letters say about a bio or request. */
export interface Rwbs {
  readonly op: BlockOp;
  readonly preflush: boolean;
  readonly fua: boolean;
  readonly readahead: boolean;
  readonly sync: boolean;
  readonly meta: boolean;
  /** Untorn write; the letter exists from 6.11 on. */
  readonly atomic: boolean;
}

const OP_LETTERS: Readonly<Record<BlockOp, string>> = {
  READ: 'R',
  WRITE: 'W',
  FLUSH: 'F',
  DISCARD: 'D',
  SECURE_ERASE: 'DE',
  OTHER: 'N',
  ZONE_APPEND: 'ZA',
  ZONE_RESET: 'ZR',
  ZONE_RESET_ALL: 'ZRA',
  ZONE_FINISH: 'ZF',
  ZONE_OPEN: 'ZO',
  ZONE_CLOSE: 'ZC',
};

const LETTERS_OP: ReadonlyMap<string, BlockOp> = new Map(
  (Object.keys(OP_LETTERS) as BlockOp[]).map((op) => [OP_LETTERS[op], op]),
);

/** All false, READ: a base for literals such as `{ ...PLAIN_READ, op: 'WRITE', sync: true }`. */
export const PLAIN_READ: Rwbs = {
  op: 'READ',
  preflush: false,
  fua: false,
  readahead: false,
  sync: false,
  meta: false,
  atomic: false,
};

/** The letters as blk_fill_rwbs() writes them: [F] operation [F] [A] [S] [M] [U]. */
export function formatRwbs(rwbs: Rwbs): string {
  return (
    (rwbs.preflush ? 'F' : '') +
    OP_LETTERS[rwbs.op] +
    (rwbs.fua ? 'F' : '') +
    (rwbs.readahead ? 'A' : '') +
    (rwbs.sync ? 'S' : '') +
    (rwbs.meta ? 'M' : '') +
    (rwbs.atomic ? 'U' : '')
  );
}

// An F directly before an operation letter is PREFLUSH; a lone F is the FLUSH operation.
const RWBS_PATTERN = /^(F(?=[RWDFNZ]))?(R|W|F|DE|D|N|ZRA|ZA|ZR|ZF|ZO|ZC)(F)?(A)?(S)?(M)?(U)?$/;

/**
 * Reads rwbs letters; undefined for text that is not made of them in kernel order, and for the empty text
 * that some kernels print. 'FF' reads as PREFLUSH + FLUSH, which is what the flush machinery issues. 'ZRA'
 * reads as ZONE_RESET_ALL (zone resets carry no readahead).
 */
export function parseRwbs(text: string): Rwbs | undefined {
  const match = RWBS_PATTERN.exec(text);
  const op = LETTERS_OP.get(match?.[2] ?? '');
  if (match === null || op === undefined) return undefined;
  return {
    op,
    preflush: match[1] !== undefined,
    fua: match[3] !== undefined,
    readahead: match[4] !== undefined,
    sync: match[5] !== undefined,
    meta: match[6] !== undefined,
    atomic: match[7] !== undefined,
  };
}

/** What blk_fill_rwbs() of 6.1 to 6.12 sees in a blk_opf_t; operations without a letter become OTHER. */
export function rwbsOf(opf: number): Rwbs {
  const nr = opf & 0xff;
  const op: BlockOp =
    nr === REQ_OP.READ
      ? 'READ'
      : nr === REQ_OP.WRITE
        ? 'WRITE'
        : nr === REQ_OP.FLUSH
          ? 'FLUSH'
          : nr === REQ_OP.DISCARD
            ? 'DISCARD'
            : nr === REQ_OP.SECURE_ERASE
              ? 'SECURE_ERASE'
              : 'OTHER';
  const has = (bit: number): boolean => (opf & bit) !== 0;
  return {
    op,
    preflush: has(REQ_FLAG.PREFLUSH),
    fua: has(REQ_FLAG.FUA),
    readahead: has(REQ_FLAG.RAHEAD),
    sync: has(REQ_FLAG.SYNC),
    meta: has(REQ_FLAG.META),
    atomic: false,
  };
}

/** blk_status_t codes. */
export const BLK_STS = {
  OK: 0,
  NOTSUPP: 1,
  TIMEOUT: 2,
  NOSPC: 3,
  TRANSPORT: 4,
  TARGET: 5,
  RESV_CONFLICT: 6,
  MEDIUM: 7,
  PROTECTION: 8,
  RESOURCE: 9,
  IOERR: 10,
  DM_REQUEUE: 11,
  AGAIN: 12,
  DEV_RESOURCE: 13,
} as const;

const STATUS_ERRNO: readonly number[] = [0, 95, 110, 28, 67, 121, 52, 61, 84, 12, 5, 78, 11, 16];

/** Negative errno of a block status (blk_status_to_errno); unknown codes give -EIO, as the kernel does. */
export function blkStatusToErrno(status: number): number {
  const errno = STATUS_ERRNO[status] ?? 5;
  return errno === 0 ? 0 : -errno;
}

/** Unit of sector fields, in bytes, whatever the logical block size. */
export const SECTOR_SIZE = 512;
