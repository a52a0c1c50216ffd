import { sizeText } from '../debug/request_label';
import type { RequestTable } from '../trace/requests';
import { rwbsOp } from '../trace/state_disk';
import type { Trace } from '../trace/trace';
import { formatResult } from '../uapi/errno';
import { opcodeName } from '../uapi/io_uring_ops';
import { decodeSpliceZcPos } from '../uapi/ublk_pos';
import { ublkCmdName } from '../uapi/ublk_cmds';
import { sqeText, serverData, shortPointer, type Translate } from './machine_names';

const OPS: Readonly<Record<string, string>> = {
  R: 'READ',
  W: 'WRITE',
  D: 'DISCARD',
  F: 'FLUSH',
  N: 'I/O',
};
const SUBMITS: ReadonlySet<string> = new Set(['io_uring_submit_sqe', 'io_uring_submit_req']);
/** Events of a request that are looked at for the SQE behind a CQE. */
const REACH = 400;

/** Reads one event in words. Every method gives empty text where the event does not say. */
export class EventWords {
  constructor(
    readonly trace: Trace,
    readonly requests: RequestTable,
    readonly e: number,
    private readonly t: Translate,
  ) {}

  get name(): string {
    return this.trace.nameOf(this.e);
  }

  num(field: string): number | undefined {
    return this.trace.num(this.e, field);
  }

  str(field: string): string {
    return this.trace.str(this.e, field) ?? '';
  }

  /** A field as a number in text, `?` where the event has none. */
  show(field: string): string {
    return String(this.num(field) ?? '?');
  }

  /** Bytes or -errno. */
  result(field: string): string {
    const value = this.num(field);
    return value === undefined ? '?' : formatResult(value);
  }

  size(field: string): string {
    const value = this.num(field);
    return value === undefined ? '' : sizeText(value);
  }

  /** `page …408740`. */
  page(): string {
    const page = this.trace.big(this.e, 'page');
    const { t } = this;
    return page === undefined ? t('page') : t('page {0}', shortPointer(`0x${page.toString(16)}`));
  }

  /** `tag 3`, of the event's own field, else of its request. */
  tag(): string {
    const row = this.requests.requestOf(this.e);
    const tag = this.num('tag') ?? (row < 0 ? -1 : this.requests.tag[row]);
    const { t } = this;
    return t('tag {0}', tag < 0 ? '?' : tag);
  }

  /** `READ 4 KiB` of a block event. */
  block(): string {
    const rwbs = this.str('rwbs');
    const op = OPS[rwbsOp(rwbs)] ?? (rwbs === '' ? 'I/O' : rwbs);
    const sectors = this.num('nr_sector');
    return sectors === undefined || sectors === 0 ? op : `${op} ${sizeText(sectors * 512)}`;
  }

  /** `major,minor` of a block event. */
  disk(): string {
    return `${this.show('major')},${this.show('minor')}`;
  }

  /** What the SQE or CQE of this event is about: `SPLICE tag 3`. */
  sqe(): string {
    const data = this.trace.big(this.e, 'user_data');
    if (data === undefined) return 'SQE';
    return sqeText(this.opcode(), data, this.t);
  }

  /** Command of the CQE or SQE, such as `FETCH`; empty for backend I/O and other programs. */
  command(): string {
    const data = this.trace.big(this.e, 'user_data');
    return data === undefined ? '' : (serverData(data)?.command ?? '');
  }

  /** The driver's command: `COMMIT_AND_FETCH`. */
  driverCommand(): string {
    const op = this.num('op');
    const { t } = this;
    if (op === undefined) return t('command');
    return ublkCmdName(op)?.replace('_REQ', '') ?? t('command {0}', `0x${op.toString(16)}`);
  }

  /** `q0 tag 3 + 0` of a splice position of the RFC. */
  splicePlace(): string {
    const pos = this.trace.big(this.e, 'pos');
    if (pos === undefined || pos > 0x7fffffffffffffffn) return '';
    const { qid, tag, offset } = decodeSpliceZcPos(pos);
    const { t } = this;
    const place = `q${qid} ${t('tag {0}', tag)}`;
    return offset === 0 ? place : `${place} + ${sizeText(offset)}`;
  }

  /** Opcode by the event's own field, by the bytes of the SQE, else by the SQE that it answers. */
  private opcode(): string {
    const own = this.str('opcode');
    if (own !== '') return own;
    const bytes = this.str('bytes');
    return bytes === '' ? this.opcodeOf() : opcodeName(Number.parseInt(bytes.slice(0, 2), 16));
  }

  /** Opcode of the SQE with this event's user_data, from the request's earlier events. */
  private opcodeOf(): string {
    const { trace, requests, e } = this;
    const at = trace.shapeOf(e).fields.get('user_data');
    const row = requests.requestOf(e);
    if (at === undefined || row < 0) return '';
    const word = trace.word(e, at);
    const list = requests.events(row);
    for (let k = list.length - 1, seen = 0; k >= 0 && seen < REACH; k--) {
      if (list[k] >= e) continue;
      seen++;
      const { name, fields } = trace.shapeOf(list[k]);
      const field = SUBMITS.has(name) ? fields.get('user_data') : undefined;
      if (field !== undefined && trace.word(list[k], field) === word)
        return trace.str(list[k], 'opcode') ?? '';
    }
    return '';
  }
}

/** Outcome of an event that carries one: negative means an error. */
export function outcomeOf(trace: Trace, e: number): number {
  const { name, fields, raw } = trace.shapeOf(e);
  if (raw) return 0;
  for (const field of ['result', 'ret', 'error', 'res']) {
    if (!fields.has(field)) continue;
    if (field === 'result' && name === 'ublk_ch_uring_cmd') continue;
    return trace.num(e, field) ?? 0;
  }
  return 0;
}
