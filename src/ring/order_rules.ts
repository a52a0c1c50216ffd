/** Rules that order CQEs. */

/** Rules that order two CQEs, with what they say. */
export const ORDER_RULES = {
  'chain-order': 'in a chain the next request starts after the CQE of the one before',
  drain: 'a DRAIN waits for all earlier requests; from 6.18 on all later ones wait for it too',
  batch: 'what completes inline in one submit call posts in the order of the SQ, at the end of the call',
  'followers-later': 'followers start after the CQEs of their submit call were posted',
  rounds:
    'task work starts the second members of all chains in the order of their heads, then the third ones, and so on',
  'submit-order': 'it was posted before the later submit call began',
  rest: 'it was taken before the other one was submitted',
  hashed: 'hashed work on one inode runs one at a time, in the order it was queued',
  multishot: 'CQEs of one request come in order',
  once: 'a request posts one CQE',
  skip: 'a request with CQE_SKIP_SUCCESS posts no CQE when it succeeds',
  'no-cqe': 'no schedule posts a CQE of it',
  dependence:
    'every schedule completes it first: the other one needs what it does (data or room in a pipe, an inode, a worker, time)',
} as const;

/** Name of a rule. */
export type OrderRule = keyof typeof ORDER_RULES;

/** Rules that io_uring promises; the others are how this kernel does it, which another version may change. */
export const PROMISED: ReadonlySet<OrderRule> = new Set(['chain-order', 'drain', 'rest', 'multishot']);
