/** The bytes of an SQE field by field, named as the opcode names them: the data of a hex view. */
import { flagNames, toHex, viewOf } from './bytes';
import { errnoName } from './errno';
import { FUSE_CMD_REQ_73_LAYOUT, FUSE_CMD_REQ_LAYOUT } from './fuse';
import {
  FALLOC_FL,
  IORING_ASYNC_CANCEL,
  IORING_FSYNC_DATASYNC,
  IORING_TIMEOUT,
  IORING_URING_CMD,
  IOSQE,
  RWF,
  SYNC_FILE_RANGE,
} from './io_uring_abi';
import { IORING_OP, opcodeName } from './io_uring_ops';
import { describeStruct, formatInteger } from './layout';
import type { ByteField, FieldSpec, StructLayout } from './layout';
import { SPLICE_F } from './splice';
import { UBLK_IO, encodeUblkCmd, isUblkIoNr, ublkCmdName, ublkCmdNr } from './ublk_cmds';
import { BATCH_IO_LAYOUT, CTRL_CMD_LAYOUT, IO_CMD_LAYOUT } from './ublk_structs';

/**
 * What the command area of a URING_CMD holds. 'auto' recognises ublk I/O commands and encoded ublk control
 * commands; small legacy numbers are shared by ublk and FUSE, so they are shown raw unless the caller says
 * which file it is.
 */
export type CmdArea = 'auto' | 'ublk-io' | 'ublk-ctrl' | 'fuse' | 'fuse-7.3' | 'raw';

type Flags = Readonly<Record<string, number>>;
type AnyLayout = StructLayout<Readonly<Record<string, FieldSpec>>>;

interface OpNames {
  readonly off?: string;
  readonly addr?: string;
  readonly len?: string;
  readonly opFlags?: string;
  readonly opFlagTable?: Flags;
  readonly lenTable?: Flags;
  readonly bufIndex?: string;
  readonly spliceFdIn?: string;
}

const RW: OpNames = { opFlags: 'rw_flags', opFlagTable: RWF };
const SPLICE: OpNames = { addr: 'splice_off_in', opFlags: 'splice_flags', opFlagTable: SPLICE_F };
const TIMEOUT: OpNames = { opFlags: 'timeout_flags', opFlagTable: IORING_TIMEOUT };
const CMD: OpNames = { opFlags: 'uring_cmd_flags', opFlagTable: IORING_URING_CMD };

const NAMES_BY_OPCODE: Readonly<Record<number, OpNames>> = {
  [IORING_OP.NOP]: { opFlags: 'nop_flags' },
  [IORING_OP.READV]: RW,
  [IORING_OP.WRITEV]: RW,
  [IORING_OP.READ_FIXED]: RW,
  [IORING_OP.WRITE_FIXED]: RW,
  [IORING_OP.READ]: RW,
  [IORING_OP.WRITE]: RW,
  [IORING_OP.READV_FIXED]: RW,
  [IORING_OP.WRITEV_FIXED]: RW,
  [IORING_OP.FSYNC]: { opFlags: 'fsync_flags', opFlagTable: { DATASYNC: IORING_FSYNC_DATASYNC } },
  [IORING_OP.POLL_ADD]: { opFlags: 'poll32_events' },
  [IORING_OP.SYNC_FILE_RANGE]: { opFlags: 'sync_range_flags', opFlagTable: SYNC_FILE_RANGE },
  [IORING_OP.TIMEOUT]: TIMEOUT,
  [IORING_OP.LINK_TIMEOUT]: TIMEOUT,
  [IORING_OP.TIMEOUT_REMOVE]: TIMEOUT,
  [IORING_OP.ASYNC_CANCEL]: { opFlags: 'cancel_flags', opFlagTable: IORING_ASYNC_CANCEL },
  [IORING_OP.FALLOCATE]: { addr: 'addr (length)', len: 'len (mode)', lenTable: FALLOC_FL },
  [IORING_OP.SPLICE]: SPLICE,
  [IORING_OP.TEE]: { ...SPLICE, addr: 'addr' },
  [IORING_OP.URING_CMD]: CMD,
  [IORING_OP.URING_CMD128]: CMD,
};

/**
 * All bytes of a 64- or 128-byte SQE as consecutive fields, without gaps.
 * @throws RangeError for another length.
 */
export function describeSqeBytes(bytes: Uint8Array, cmdArea: CmdArea = 'auto'): ByteField[] {
  if (bytes.length !== 64 && bytes.length !== 128)
    throw new RangeError(`an SQE has 64 or 128 bytes, not ${bytes.length}`);
  const view = viewOf(bytes);
  const opcode = view.getUint8(0);
  const names = NAMES_BY_OPCODE[opcode] ?? {};
  const isCmd = opcode === IORING_OP.URING_CMD || opcode === IORING_OP.URING_CMD128;
  const flags = view.getUint8(1);
  const field = (name: string, offset: number, size: number, value: string): ByteField => ({
    name,
    offset,
    size,
    hex: toHex(bytes.subarray(offset, offset + size)),
    value,
  });
  const opFlags = view.getUint32(28, true);
  const len = view.getUint32(24, true);
  const fields = [
    field('opcode', 0, 1, `${opcode} ${opcodeName(opcode)}`),
    field('flags', 1, 1, flagText(flags, IOSQE)),
    field('ioprio', 2, 2, formatInteger(view.getUint16(2, true))),
    field(
      'fd',
      4,
      4,
      (flags & IOSQE.FIXED_FILE) !== 0 ? `fixed ${view.getInt32(4, true)}` : `${view.getInt32(4, true)}`,
    ),
    ...(isCmd
      ? [
          field('cmd_op', 8, 4, cmdOpText(view.getUint32(8, true))),
          field('__pad1', 12, 4, formatInteger(view.getUint32(12, true))),
        ]
      : [field(names.off ?? 'off', 8, 8, offsetText(view.getBigUint64(8, true)))]),
    field(
      names.addr ?? 'addr',
      16,
      8,
      names.addr === 'splice_off_in'
        ? offsetText(view.getBigUint64(16, true))
        : formatInteger(view.getBigUint64(16, true)),
    ),
    field(names.len ?? 'len', 24, 4, names.lenTable ? flagText(len, names.lenTable) : formatInteger(len)),
    field(names.opFlags ?? 'op_flags', 28, 4, flagText(opFlags, names.opFlagTable ?? {})),
    field('user_data', 32, 8, `0x${view.getBigUint64(32, true).toString(16)}`),
    field(
      (flags & IOSQE.BUFFER_SELECT) !== 0 ? 'buf_group' : 'buf_index',
      40,
      2,
      formatInteger(view.getUint16(40, true)),
    ),
    field('personality', 42, 2, formatInteger(view.getUint16(42, true))),
    field('splice_fd_in', 44, 4, String(view.getInt32(44, true))),
  ];
  if (!isCmd) {
    fields.push(field('addr3', 48, 8, formatInteger(view.getBigUint64(48, true))));
    fields.push(field('__pad2', 56, 8, formatInteger(view.getBigUint64(56, true))));
    if (bytes.length === 128) fields.push(field('ext', 64, 64, ''));
    return fields;
  }
  const layout = cmdLayout(cmdArea, view.getUint32(8, true));
  let end = 48;
  if (layout !== undefined && 48 + layout.size <= bytes.length) {
    fields.push(...describeStruct(layout, bytes, 48, 'cmd.').map(withErrno));
    end += layout.size;
  }
  if (end < bytes.length) fields.push(field('cmd[]', end, bytes.length - end, ''));
  return fields;
}

function cmdLayout(area: CmdArea, cmdOp: number): AnyLayout | undefined {
  const nr = ublkCmdNr(cmdOp);
  switch (area) {
    case 'raw':
      return undefined;
    case 'fuse':
      return FUSE_CMD_REQ_LAYOUT;
    case 'fuse-7.3':
      return FUSE_CMD_REQ_73_LAYOUT;
    case 'ublk-ctrl':
      return CTRL_CMD_LAYOUT;
    case 'ublk-io':
      return nr >= UBLK_IO.PREP_IO_CMDS ? BATCH_IO_LAYOUT : IO_CMD_LAYOUT;
    case 'auto':
      if (ublkCmdName(cmdOp) === undefined) return undefined;
      if (isUblkIoNr(nr)) return cmdLayout('ublk-io', cmdOp);
      return cmdOp === encodeUblkCmd(nr) ? CTRL_CMD_LAYOUT : undefined;
  }
}

function withErrno(row: ByteField): ByteField {
  if (row.name !== 'cmd.result' || !row.value.startsWith('-')) return row;
  const name = errnoName(Number.parseInt(row.value, 10));
  return name === undefined ? row : { ...row, value: `${row.value} (-${name})` };
}

function flagText(value: number, table: Flags): string {
  const hex = `0x${value.toString(16)}`;
  const names = flagNames(value, table).join('|');
  return value === 0 ? '0' : names === hex ? hex : `${hex} ${names}`;
}

function offsetText(value: bigint): string {
  return value === 0xffffffffffffffffn ? '-1' : formatInteger(value);
}

function cmdOpText(cmdOp: number): string {
  const name = isUblkIoNr(ublkCmdNr(cmdOp)) || cmdOp > 0xff ? ublkCmdName(cmdOp) : undefined;
  return `0x${cmdOp.toString(16)}${name === undefined ? '' : ` ${name}`}`;
}
