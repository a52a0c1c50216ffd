/** io_uring's issue flags as the driver sees them. */

/** NONBLOCK, COMPLETE_DEFER and the SQE128 bit of the recordings of 6.1. */
const INLINE = 0x80000005;
/** The same on 7.3. */
const LATER_INLINE = 0x80000111;
/** In task work: the CQE is posted with the batch. */
export const ISSUE_FROM_TASK = 1;

/** Flags of a command that comes inline. */
export function issueFlags(later: boolean): number {
  return later ? LATER_INLINE : INLINE;
}
