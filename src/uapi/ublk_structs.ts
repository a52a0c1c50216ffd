/** ublk structs: control command, device info, I/O descriptor, I/O command, batch and auto-buffer words. */
import { asU64, checkRange } from './bytes';
import { decodeStruct, encodeStruct, structLayout } from './layout';
import type { ValueOf } from './layout';

/** struct ublksrv_ctrl_cmd: 32 bytes at SQE byte 48. In 6.1 bytes 24-31 are data[1], always 0. */
export const CTRL_CMD_LAYOUT = structLayout('ublksrv_ctrl_cmd', 32, {
  devId: ['u32', 0],
  queueId: ['u16', 4],
  len: ['u16', 6],
  addr: ['u64', 8],
  data0: ['u64', 16],
  devPathLen: ['u16', 24],
  pad: ['u16', 26],
  reserved: ['u32', 28],
});
export type CtrlCmd = ValueOf<typeof CTRL_CMD_LAYOUT>;

/**
 * struct ublksrv_ctrl_dev_info: 64 bytes. ioDescSize is pad0 before 7.3; the owner ids were reserved in 6.1.
 */
export const DEV_INFO_LAYOUT = structLayout(
  'ublksrv_ctrl_dev_info',
  64,
  {
    nrHwQueues: ['u16', 0],
    queueDepth: ['u16', 2],
    state: ['u16', 4],
    ioDescSize: ['u16', 6],
    maxIoBufBytes: ['u32', 8],
    devId: ['u32', 12],
    ublksrvPid: ['s32', 16],
    flags: ['u64', 24],
    ublksrvFlags: ['u64', 32],
    ownerUid: ['u32', 40],
    ownerGid: ['u32', 44],
  },
  [
    { offset: 20, size: 4 },
    { offset: 48, size: 16 },
  ],
);
export type DevInfo = ValueOf<typeof DEV_INFO_LAYOUT>;

/** struct ublksrv_io_desc: 24 bytes, array indexed by tag. */
export const IO_DESC_LAYOUT = structLayout('ublksrv_io_desc', 24, {
  opFlags: ['u32', 0],
  nrSectors: ['u32', 4],
  startSector: ['u64', 8],
  addr: ['u64', 16],
});
export type IoDesc = ValueOf<typeof IO_DESC_LAYOUT>;

/** struct ublksrv_io_cmd: 16 bytes at SQE byte 48. */
export const IO_CMD_LAYOUT = structLayout('ublksrv_io_cmd', 16, {
  qId: ['u16', 0],
  tag: ['u16', 2],
  result: ['s32', 4],
  addr: ['u64', 8],
});
export type IoCmd = ValueOf<typeof IO_CMD_LAYOUT>;

/** struct ublk_batch_io: 16 bytes at SQE byte 48 of a batch command. */
export const BATCH_IO_LAYOUT = structLayout(
  'ublk_batch_io',
  16,
  {
    qId: ['u16', 0],
    flags: ['u16', 2],
    nrElem: ['u16', 4],
    elemBytes: ['u8', 6],
  },
  [
    { offset: 7, size: 1 },
    { offset: 8, size: 8 },
  ],
);
export type BatchIo = ValueOf<typeof BATCH_IO_LAYOUT>;

/**
 * Header of a batch element: 8 bytes; buf_addr and zone_lba (u64 each) follow when the batch flags say so.
 */
export const BATCH_ELEM_LAYOUT = structLayout('ublk_elem_header', 8, {
  tag: ['u16', 0],
  bufIndex: ['u16', 2],
  result: ['s32', 4],
});
export type BatchElem = ValueOf<typeof BATCH_ELEM_LAYOUT>;

/** struct ublk_shmem_buf_reg: 16 bytes, pointed to by ctrl_cmd.addr of REG_BUF. */
export const SHMEM_BUF_REG_LAYOUT = structLayout('ublk_shmem_buf_reg', 16, {
  addr: ['u64', 0],
  len: ['u32', 8],
  flags: ['u32', 12],
});
export type ShmemBufReg = ValueOf<typeof SHMEM_BUF_REG_LAYOUT>;

export const CTRL_CMD_SIZE = 32;
export const DEV_INFO_SIZE = 64;
export const IO_DESC_SIZE = 24;
export const IO_CMD_SIZE = 16;

/** @throws RangeError when a field does not fit its width. */
export function encodeCtrlCmd(dst: DataView, at: number, cmd: Readonly<CtrlCmd>): void {
  encodeStruct(CTRL_CMD_LAYOUT, dst, at, cmd);
}

export function decodeCtrlCmd(src: DataView, at: number): CtrlCmd {
  return decodeStruct(CTRL_CMD_LAYOUT, src, at);
}

/** @throws RangeError when a field does not fit its width. */
export function encodeDevInfo(dst: DataView, at: number, info: Readonly<DevInfo>): void {
  encodeStruct(DEV_INFO_LAYOUT, dst, at, info);
}

export function decodeDevInfo(src: DataView, at: number): DevInfo {
  return decodeStruct(DEV_INFO_LAYOUT, src, at);
}

/** Byte offset of a tag's descriptor in its queue's array. */
export function ioDescAt(tag: number, descSize = IO_DESC_SIZE): number {
  return tag * descSize;
}

/** Writes a descriptor as ublk_setup_iod does; values are stored modulo their width. */
export function encodeIoDesc(dst: DataView, at: number, desc: Readonly<IoDesc>): void {
  dst.setUint32(at, desc.opFlags, true);
  dst.setUint32(at + 4, desc.nrSectors, true);
  dst.setBigUint64(at + 8, asU64(desc.startSector), true);
  dst.setBigUint64(at + 16, asU64(desc.addr), true);
}

export function decodeIoDesc(src: DataView, at: number): IoDesc {
  return {
    opFlags: src.getUint32(at, true),
    nrSectors: src.getUint32(at + 4, true),
    startSector: src.getBigUint64(at + 8, true),
    addr: src.getBigUint64(at + 16, true),
  };
}

/** Writes the command area of an I/O command; values are stored modulo their width. */
export function encodeIoCmd(dst: DataView, at: number, cmd: Readonly<IoCmd>): void {
  dst.setUint16(at, cmd.qId, true);
  dst.setUint16(at + 2, cmd.tag, true);
  dst.setInt32(at + 4, cmd.result, true);
  dst.setBigUint64(at + 8, asU64(cmd.addr), true);
}

export function decodeIoCmd(src: DataView, at: number): IoCmd {
  return {
    qId: src.getUint16(at, true),
    tag: src.getUint16(at + 2, true),
    result: src.getInt32(at + 4, true),
    addr: src.getBigUint64(at + 8, true),
  };
}

/** struct ublk_auto_buf_reg as it sits in sqe.addr: index bits 0-15, flags 16-23; the rest must be 0. */
export interface AutoBufReg {
  index: number;
  flags: number;
  /** Bits 24-63; nonzero is refused with -EINVAL. */
  reserved: bigint;
}

/** @throws RangeError when index exceeds 16 bits or flags exceed 8 bits. */
export function encodeAutoBufReg(index: number, flags = 0): bigint {
  checkRange('index', index, 0, 0xffff);
  checkRange('flags', flags, 0, 0xff);
  return BigInt(index) | (BigInt(flags) << 16n);
}

export function decodeAutoBufReg(addr: bigint): AutoBufReg {
  const word = asU64(addr);
  return { index: Number(word & 0xffffn), flags: Number((word >> 16n) & 0xffn), reserved: word >> 24n };
}
