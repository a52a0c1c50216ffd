import { opcodeByName, opcodeName } from '../uapi/io_uring_ops';
import { ublkOpName } from '../uapi/ublk_abi';
import { ublkCmdName } from '../uapi/ublk_cmds';
import { decodeUserData, isServerUserData, UD_EVENTFD, UD_TAG_IGNORE } from '../uapi/user_data';

const TARGET = 1n << 63n;

/**
 * A user_data in words, as ublk servers build it: `tag 3, op READ, tgt 0, backend I/O`. `opcode` is the SQE's, where known: targets put
 * either a ublk operation or an io_uring opcode there. undefined for a value that no server built (a pointer, a number of another
 * program).
 */
export function userDataText(value: bigint, opcode?: string): string | undefined {
  if (value === UD_EVENTFD) return 'eventfd of the queue';
  const layout = isServerUserData(value) ? 'ublksrv' : 'kublk';
  if (!isServerUserData(value, layout)) return undefined;
  const { tag, op, tgtData, isTarget, qid } = decodeUserData(value, layout);
  const command = ublkCmdName(op);
  // other programs number their I/O from 0 on
  if ((value & TARGET) === 0n && (command === undefined || op < 0x20)) return undefined;
  const what = isTarget ? backendOp(op, opcode) : (command ?? String(op));
  return [
    ...(layout === 'kublk' ? [`q ${qid}`] : []),
    tag === UD_TAG_IGNORE ? 'no tag' : `tag ${tag}`,
    `op ${what}`,
    `tgt ${tgtData}`,
    isTarget ? 'backend I/O' : 'command',
  ].join(', ');
}

function backendOp(op: number, opcode: string | undefined): string {
  if (opcode !== undefined && opcodeByName(opcode) === op) return opcode;
  return ublkOpName(op) ?? opcodeName(op);
}
