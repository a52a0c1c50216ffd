/** ublk flags, states, operations and limits. */
import { flagNames, nameOf } from './bytes';

/** Feature flags (dev_info.flags). All fit in 32 bits. */
export const UBLK_F = {
  SUPPORT_ZERO_COPY: 1 << 0,
  URING_CMD_COMP_IN_TASK: 1 << 1,
  NEED_GET_DATA: 1 << 2,
  USER_RECOVERY: 1 << 3,
  USER_RECOVERY_REISSUE: 1 << 4,
  UNPRIVILEGED_DEV: 1 << 5,
  CMD_IOCTL_ENCODE: 1 << 6,
  USER_COPY: 1 << 7,
  ZONED: 1 << 8,
  USER_RECOVERY_FAIL_IO: 1 << 9,
  UPDATE_SIZE: 1 << 10,
  AUTO_BUF_REG: 1 << 11,
  QUIESCE: 1 << 12,
  PER_IO_DAEMON: 1 << 13,
  BUF_REG_OFF_DAEMON: 1 << 14,
  BATCH_IO: 1 << 15,
  INTEGRITY: 1 << 16,
  SAFE_STOP_DEV: 1 << 17,
  NO_AUTO_PART_SCAN: 1 << 18,
  SHMEM_ZC: 1 << 19,
  IO_DESC_SIZE: 1 << 20,
} as const;

/** The RFC of Nov 2022 used bit 5 (now UNPRIVILEGED_DEV) for splice zero copy. */
export const UBLK_F_SPLICE_ZC_RFC = 1 << 5;

/** Names of the feature flags set, unknown bits as hex. */
export function ublkFeatureNames(flags: number | bigint): string[] {
  return flagNames(flags, UBLK_F);
}

/** dev_info.state. QUIESCED exists from 6.1, FAIL_IO from 6.13. */
export const UBLK_S_DEV = { DEAD: 0, LIVE: 1, QUIESCED: 2, FAIL_IO: 3 } as const;
export type UblkDevState = keyof typeof UBLK_S_DEV;

/** Name of a device state. */
export function ublkStateName(state: number): string | undefined {
  return nameOf(state, UBLK_S_DEV);
}

/** Operation in bits 0-7 of io_desc.op_flags. WRITE_SAME is never sent. */
export const UBLK_IO_OP = {
  READ: 0,
  WRITE: 1,
  FLUSH: 2,
  DISCARD: 3,
  WRITE_SAME: 4,
  WRITE_ZEROES: 5,
  ZONE_OPEN: 10,
  ZONE_CLOSE: 11,
  ZONE_FINISH: 12,
  ZONE_APPEND: 13,
  ZONE_RESET_ALL: 14,
  ZONE_RESET: 15,
  REPORT_ZONES: 18,
} as const;
export type UblkIoOpName = keyof typeof UBLK_IO_OP;

/** Flags of io_desc.op_flags, to be tested on op_flags itself and never on a shifted value. */
export const UBLK_IO_F = {
  FAILFAST_DEV: 1 << 8,
  FAILFAST_TRANSPORT: 1 << 9,
  FAILFAST_DRIVER: 1 << 10,
  META: 1 << 11,
  FUA: 1 << 13,
  NOUNMAP: 1 << 15,
  SWAP: 1 << 16,
  NEED_REG_BUF: 1 << 17,
  INTEGRITY: 1 << 18,
  SHMEM_ZC: 1 << 19,
} as const;

/** Name of the operation in op_flags (or of a bare operation number). */
export function ublkOpName(opFlags: number): UblkIoOpName | undefined {
  const op = opFlags & 0xff;
  return (Object.keys(UBLK_IO_OP) as UblkIoOpName[]).find((name) => UBLK_IO_OP[name] === op);
}

/** Names of the flags in op_flags, unknown bits as hex. */
export function ublkOpFlagNames(opFlags: number): string[] {
  return flagNames((opFlags & 0xffffff00) >>> 0, UBLK_IO_F);
}

/** Whether the operation moves data between request pages and the server. */
export function ublkOpHasData(op: number): boolean {
  return (
    op === UBLK_IO_OP.READ ||
    op === UBLK_IO_OP.WRITE ||
    op === UBLK_IO_OP.ZONE_APPEND ||
    op === UBLK_IO_OP.REPORT_ZONES
  );
}

/** Driver's struct ublk_io flags. ABORTED is gone and AUTO_BUF_REG there in 7.3. */
export const UBLK_IO_FLAG = {
  ACTIVE: 0x01,
  OWNED_BY_SRV: 0x02,
  ABORTED: 0x04,
  NEED_GET_DATA: 0x08,
  AUTO_BUF_REG: 0x10,
  CANCELED: 0x80000000,
} as const;

/** params.types. */
export const UBLK_PARAM_TYPE = {
  BASIC: 1 << 0,
  DISCARD: 1 << 1,
  DEVT: 1 << 2,
  ZONED: 1 << 3,
  DMA_ALIGN: 1 << 4,
  SEGMENT: 1 << 5,
  INTEGRITY: 1 << 6,
} as const;

/** params.basic.attrs. */
export const UBLK_ATTR = { READ_ONLY: 1, ROTATIONAL: 2, VOLATILE_CACHE: 4, FUA: 8 } as const;

/** Flags of ublk_auto_buf_reg. */
export const UBLK_AUTO_BUF_REG_FALLBACK = 1;

/** Flags of ublk_batch_io. */
export const UBLK_BATCH_F = { HAS_ZONE_LBA: 1, HAS_BUF_ADDR: 2, AUTO_BUF_REG_FALLBACK: 4 } as const;

export const UBLK_MAX_QUEUE_DEPTH = 4096;
export const UBLK_MAX_NR_QUEUES = 4096;
/** Largest request in USER_COPY mode, in bytes. */
export const UBLK_MAX_USER_COPY_BYTES = 1 << 25;
/** Pages 6.1 pins at a time while it copies. */
export const UBLK_MAX_PIN_PAGES = 32;
/** Delay before a requeued request is tried again, in ms. */
export const UBLK_REQUEUE_DELAY_MS = 3;
/** Period of the daemon monitor of 6.1, in ms. */
export const UBLK_DAEMON_MONITOR_PERIOD_MS = 5000;
/** dev_id that asks ADD_DEV for the lowest free id. */
export const UBLK_ANY_DEV_ID = 0xffffffff;
/** queue_id of control commands that address no queue. */
export const UBLK_NO_QUEUE_ID = 0xffff;
export const UBLK_MIN_IO_DESC_SIZE = 24;
export const UBLK_MAX_IO_DESC_SIZE = 256;
export const UBLK_MAX_UNPRIVILEGED_DEVS = 64;
/** Device numbers. */
export const UBLK_MINORS = 1 << 20;
/** Entries of a ring's registered-buffer table. */
export const UBLK_MAX_REG_BUFS = 16384;
/** Tags that one FETCH_IO_CMDS CQE can deliver. */
export const UBLK_MAX_BATCH_TAGS = 128;
