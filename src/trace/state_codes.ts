import type { RingRequestPhase, SlotPhase, SlotRequestPhase } from './state_types';

/** Phases of an io_uring request as numbers. `armed`: a driver keeps the command and answers later. */
export const PHASE = {
  submitted: 0,
  linked: 1,
  deferred: 2,
  wqQueued: 3,
  wqRunning: 4,
  pollArmed: 5,
  woken: 6,
  armed: 7,
  failed: 8,
  cancelled: 9,
} as const;

/** Text of each phase, by number. */
export const PHASE_NAMES: readonly RingRequestPhase[] = [
  'submitted',
  'linked',
  'deferred',
  'io-wq queued',
  'io-wq running',
  'poll armed',
  'woken',
  'armed',
  'failed',
  'cancelled',
];

/** States of a slot as numbers. */
export const SLOT = {
  unknown: -1,
  free: 0,
  active: 1,
  owned: 2,
  needGetData: 3,
  getDataQueued: 4,
  canceled: 5,
  aborted: 6,
} as const;

/** Text of each slot state, by number. */
export const SLOT_NAMES: readonly SlotPhase[] = [
  'FREE',
  'ACTIVE',
  'OWNED',
  'NEED_GET_DATA',
  'GET_DATA_QUEUED',
  'CANCELED',
  'ABORTED',
];

/** States of the request in a slot as numbers. */
export const REQUEST = {
  unknown: -1,
  none: 0,
  tagHeld: 1,
  queued: 2,
  delivered: 3,
  committed: 4,
  requeued: 5,
  failed: 6,
} as const;

/** Text of each request state, by number. */
export const REQUEST_NAMES: readonly SlotRequestPhase[] = [
  'none',
  'tag held',
  'queued',
  'delivered',
  'committed',
  'requeued',
  'failed',
];
