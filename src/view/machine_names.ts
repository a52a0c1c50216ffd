import { ublkCmdName } from '../uapi/ublk_cmds';
import { decodeUserData, isServerUserData } from '../uapi/user_data';

/** Turns an English message into the language of the person and fills in `{0}`, `{1}`, …; `vscode.l10n.t` is one. */
export type Translate = (message: string, ...args: (string | number)[]) => string;

/** English, for tests and tools without translations. */
export const english: Translate = (message, ...args) =>
  message.replace(/\{(\d+)\}/g, (hole, k: string) => String(args[Number(k)] ?? hole));

/** What an SQE or CQE of a ublk server is about, as its user_data tells. */
export interface ServerData {
  readonly tag: number;
  /** Command without `_REQ`, such as `COMMIT_AND_FETCH`; empty for backend I/O. */
  readonly command: string;
}

/**
 * Reads user_data as ublksrv and kublk lay it out; undefined for values of other programs. The two layouts agree but for
 * kublk's queue id in bits 56-62, which says nothing of the tag.
 */
export function serverData(userData: bigint): ServerData | undefined {
  if (!isServerUserData(userData, 'kublk') && !isServerUserData(userData)) return undefined;
  const { tag, op, isTarget } = decodeUserData(userData);
  if (tag === 0xffff) return undefined;
  if (isTarget) return { tag, command: '' };
  const command = ublkCmdName(op);
  return op < 0x20 || command === undefined ? undefined : { tag, command: command.replace('_REQ', '') };
}

/** An SQE in a few letters: `SPLICE tag 3`, `FETCH tag 0`; what nobody can read is its number. */
export function sqeText(opcode: string, userData: bigint, t: Translate): string {
  const data = serverData(userData);
  if (data === undefined) return opcode === '' ? `user_data 0x${userData.toString(16)}` : opcode;
  const what = data.command !== '' ? data.command : opcode === '' ? t('backend I/O') : opcode;
  return t('{0} tag {1}', what, data.tag);
}

/** Last digits of a pointer: enough to tell pages and requests of one picture apart. */
export function shortPointer(pointer: string): string {
  const digits = pointer.replace(/^0x/, '');
  return digits.length <= 6 ? pointer : `…${digits.slice(-5)}`;
}
