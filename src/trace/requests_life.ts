import { MARK, VIA_NAMES } from './requests_sqe';
import type { MatchState } from './requests_state';
import type { DataPath, RequestSqe } from './requests_types';

const COMMAND_NAMES: Readonly<Record<number, string>> = {
  32: 'FETCH_REQ',
  33: 'COMMIT_AND_FETCH_REQ',
  34: 'NEED_GET_DATA',
  35: 'REGISTER_IO_BUF',
  36: 'UNREGISTER_IO_BUF',
};

/** Backend SQEs of a life, in the order of submission. */
export function sqesOf(state: MatchState, life: number): RequestSqe[] {
  const { sqes, lives } = state;
  const list: RequestSqe[] = [];
  for (let q = lives.firstSqe[life]; q >= 0; q = sqes.next[q]) {
    const opcode = opcodeOf(state, q);
    const cmd = opcode === 'URING_CMD' ? COMMAND_NAMES[sqes.op[q]] : undefined;
    list.push(entry(state, q, opcode, cmd, sqes.complete[q] >= 0));
  }
  return list;
}

/** An SQE by itself. */
export function sqeOf(state: MatchState, q: number): RequestSqe {
  return entry(state, q, opcodeOf(state, q), undefined, state.sqes.complete[q] >= 0);
}

/** Commands of a life: the one that delivered it, then NEED_GET_DATA, refused commands and the COMMIT that ended it. */
export function commandsOf(state: MatchState, life: number): RequestSqe[] {
  const { sqes, lives } = state;
  const later = [lives.getData[life], ...(state.refused.get(life) ?? []), lives.commit[life]].sort(
    (a, b) => a - b,
  );
  const list: RequestSqe[] = [];
  for (const q of [lives.fetch[life], ...later]) {
    if (q < 0) continue;
    const cmd = lives.fuse[life] === 1 ? fuseCommand(state, q) : (COMMAND_NAMES[sqes.op[q]] ?? '');
    // the CQE of the COMMIT that ended this request delivers the next one
    list.push(entry(state, q, 'URING_CMD', cmd, sqes.complete[q] >= 0 && q !== lives.commit[life]));
  }
  return list;
}

/** What the backend SQEs say about the operation, where the block events are not in the trace. */
export function opOf(state: MatchState, life: number): string {
  const { sqes, lives } = state;
  for (let q = lives.firstSqe[life]; q >= 0; q = sqes.next[q]) {
    switch (opcodeOf(state, q)) {
      case 'READ':
      case 'READ_FIXED':
        return 'READ';
      case 'WRITE':
      case 'WRITE_FIXED':
        return 'WRITE';
      case 'SPLICE':
        return sqes.op[q] === 1 ? 'WRITE' : 'READ';
      case 'FSYNC':
      case 'SYNC_FILE_RANGE':
        return 'FLUSH';
      case 'FALLOCATE':
        return sqes.op[q] === 3 ? 'DISCARD' : 'WRITE_ZEROES';
    }
  }
  return 'UNKNOWN';
}

/** Data path of a request with these marks. */
export function pathOf(op: string, marks: number): DataPath {
  if (op === 'FLUSH' || op === 'DISCARD' || op === 'WRITE_ZEROES') return 'none';
  if (marks & MARK.splice) return 'splice';
  if (marks & MARK.registered) return 'registered';
  if (marks & MARK.fixed) return 'auto-buf';
  if (marks & MARK.userCopy) return 'user-copy';
  if (marks & MARK.getData && op !== 'READ') return 'get-data';
  return marks & (MARK.copy | MARK.plain) ? 'copy' : 'unknown';
}

function entry(
  state: MatchState,
  q: number,
  opcode: string,
  cmd: string | undefined,
  done: boolean,
): RequestSqe {
  const { sqes } = state;
  return {
    user_data: `0x${state.wide.big(sqes.data[q]).toString(16)}`,
    opcode,
    ...(cmd === undefined ? {} : { cmd }),
    result: done ? sqes.result[q] : null,
    via: done ? (VIA_NAMES[sqes.via[q]] ?? null) : null,
  };
}

function opcodeOf(state: MatchState, q: number): string {
  return state.trace.strings.text(state.sqes.opcode[q]);
}

function fuseCommand(state: MatchState, q: number): string {
  if (state.sqes.life[q] >= 0) return 'COMMIT_AND_FETCH';
  return state.sqes.submit[q] >= 0 ? 'REGISTER' : '';
}
