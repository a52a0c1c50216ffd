/** ublk control and I/O commands: numbers, names, and their ioctl-style encoding in sqe.cmd_op. */

/** Control commands by number, sent to /dev/ublk-control. */
export const UBLK_CMD = {
  GET_QUEUE_AFFINITY: 0x01,
  GET_DEV_INFO: 0x02,
  ADD_DEV: 0x04,
  DEL_DEV: 0x05,
  START_DEV: 0x06,
  STOP_DEV: 0x07,
  SET_PARAMS: 0x08,
  GET_PARAMS: 0x09,
  START_USER_RECOVERY: 0x10,
  END_USER_RECOVERY: 0x11,
  GET_DEV_INFO2: 0x12,
  GET_FEATURES: 0x13,
  DEL_DEV_ASYNC: 0x14,
  UPDATE_SIZE: 0x15,
  QUIESCE_DEV: 0x16,
  TRY_STOP_DEV: 0x17,
  REG_BUF: 0x18,
  UNREG_BUF: 0x19,
} as const;

/** I/O commands by number, sent to /dev/ublkcN. */
export const UBLK_IO = {
  FETCH_REQ: 0x20,
  COMMIT_AND_FETCH_REQ: 0x21,
  NEED_GET_DATA: 0x22,
  REGISTER_IO_BUF: 0x23,
  UNREGISTER_IO_BUF: 0x24,
  PREP_IO_CMDS: 0x25,
  COMMIT_IO_CMDS: 0x26,
  FETCH_IO_CMDS: 0x27,
} as const;

export type UblkCtrlName = keyof typeof UBLK_CMD;
export type UblkIoName = keyof typeof UBLK_IO;
/** Name of any ublk command; the two sets share no name and no number. */
export type UblkCmdName = UblkCtrlName | UblkIoName;

/** Highest command numbers that also exist unencoded. */
const LAST_LEGACY_CTRL = UBLK_CMD.GET_DEV_INFO2;
const LAST_LEGACY_IO = UBLK_IO.NEED_GET_DATA;

/** Commands declared with read direction only. */
const READ_ONLY_CMDS: ReadonlySet<number> = new Set<number>([
  UBLK_CMD.GET_QUEUE_AFFINITY,
  UBLK_CMD.GET_DEV_INFO,
  UBLK_CMD.GET_PARAMS,
  UBLK_CMD.GET_DEV_INFO2,
  UBLK_CMD.GET_FEATURES,
  UBLK_CMD.DEL_DEV_ASYNC,
]);

const CTRL_CMD_SIZE = 32;
const IO_CMD_SIZE = 16;
const UBLK_IOC_TYPE = 0x75; // 'u'

/** Direction bits of an ioctl number. */
export const IOC_DIR = { NONE: 0, WRITE: 1, READ: 2, READ_WRITE: 3 } as const;

/** An ioctl number as _IOC() builds it on x86-64: direction 2 bits, size 14, type 8, number 8. */
export function ioc(dir: number, type: number, nr: number, size: number): number {
  return ((dir << 30) | (size << 16) | (type << 8) | nr) >>> 0;
}

/**
 * Number part of a command value (_IOC_NR): what the driver switches on, for legacy and encoded values
 * alike.
 */
export function ublkCmdNr(cmdOp: number): number {
  return cmdOp & 0xff;
}

/** Whether a number is an I/O command (as opposed to a control command). */
export function isUblkIoNr(nr: number): boolean {
  return nr >= UBLK_IO.FETCH_REQ && nr <= UBLK_IO.FETCH_IO_CMDS;
}

/** The encoded cmd_op of a command number. */
export function encodeUblkCmd(nr: number): number {
  const dir = READ_ONLY_CMDS.has(nr) ? IOC_DIR.READ : IOC_DIR.READ_WRITE;
  return ioc(dir, UBLK_IOC_TYPE, nr, isUblkIoNr(nr) ? IO_CMD_SIZE : CTRL_CMD_SIZE);
}

/** Whether a command has a legacy (unencoded) number. */
export function hasLegacyCmd(nr: number): boolean {
  return NAMES.has(nr) && (isUblkIoNr(nr) ? nr <= LAST_LEGACY_IO : nr <= LAST_LEGACY_CTRL);
}

const NAMES: ReadonlyMap<number, UblkCmdName> = new Map(
  [...Object.entries(UBLK_CMD), ...Object.entries(UBLK_IO)].map(([name, nr]) => [nr, name as UblkCmdName]),
);

/** Number of a command name. */
export function ublkCmdByName(name: string): number | undefined {
  for (const [nr, known] of NAMES) if (known === name) return nr;
  return undefined;
}

/**
 * Name of a command given its number or its encoded cmd_op; undefined for anything else. A plain number is
 * named even when it was never valid unencoded (importers meet such numbers in user_data).
 */
export function ublkCmdName(cmdOp: number): UblkCmdName | undefined {
  const nr = ublkCmdNr(cmdOp);
  const value = cmdOp >>> 0;
  return value === nr || value === encodeUblkCmd(nr) ? NAMES.get(nr) : undefined;
}

function encodeAll<N extends string>(table: Readonly<Record<N, number>>): Readonly<Record<N, number>> {
  const entries = Object.entries<number>(table).map(([name, nr]) => [name, encodeUblkCmd(nr)]);
  return Object.fromEntries(entries) as Record<N, number>;
}

/** Encoded control commands (UBLK_U_CMD_*). */
export const UBLK_U_CMD: Readonly<Record<UblkCtrlName, number>> = encodeAll(UBLK_CMD);
/** Encoded I/O commands (UBLK_U_IO_*). */
export const UBLK_U_IO: Readonly<Record<UblkIoName, number>> = encodeAll(UBLK_IO);

/** CQE results of I/O commands. ABORT (-ENODEV) means: do not fetch again. */
export const UBLK_IO_RES = { OK: 0, NEED_GET_DATA: 1, ABORT: -19 } as const;
