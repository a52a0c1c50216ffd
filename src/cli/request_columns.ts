import { errnoName } from '../uapi/errno';
import type { RequestJson } from '../trace/requests_types';
import { microseconds } from '../convert/chrome';
import type { Column } from './table';
import type { Paint } from './terminal';

/** The parts of a request that the table shows. */
export type RequestRow = Omit<RequestJson, 'commands' | 'events'>;

/** The columns of `requests` for people. */
export function requestColumns(paint: Paint): Column<RequestRow>[] {
  return [
    left('dev', (row) => row.device ?? '?'),
    right('q', (row) => orUnknown(row.queue)),
    right('tag', (row) => orUnknown(row.tag)),
    right('life', (row) => String(row.life)),
    left('op', (row) => row.op),
    right('offset', (row) => orUnknown(row.offset)),
    right('length', (row) => orUnknown(row.length)),
    {
      ...right('result', (row) => resultText(row.result)),
      paint: (row, text) => (row.result !== null && row.result < 0 ? paint.red(text) : text),
    },
    right('start(ms)', (row) => milliseconds(row.start_ns)),
    right('latency(us)', (row) => (row.end_ns === null ? '-' : microseconds(row.end_ns - row.start_ns))),
    left('path', (row) => row.path),
    left('sqes', (row) => counted(row.sqes.map((sqe) => sqe.opcode))),
    left('via', (row) => [...new Set(row.sqes.map((sqe) => sqe.via ?? '?'))].join('+') || '-'),
    {
      ...left('confidence', (row) => row.confidence),
      paint: (row, text) => (row.confidence === 'exact' ? text : paint.dim(text)),
    },
  ];
}

function left(head: string, text: (row: RequestRow) => string): Column<RequestRow> {
  return { head, align: 'left', text };
}

function right(head: string, text: (row: RequestRow) => string): Column<RequestRow> {
  return { head, align: 'right', text };
}

function orUnknown(value: number | null): string {
  return value === null ? '?' : String(value);
}

/** Bytes, `-EIO`, or `-` while the request is not over. */
function resultText(result: number | null): string {
  if (result === null) return '-';
  const name = result < 0 ? errnoName(result) : undefined;
  return name === undefined ? String(result) : `-${name}`;
}

/** Nanoseconds as milliseconds with six decimals, from integers. */
function milliseconds(ns: number): string {
  return `${Math.floor(ns / 1e6)}.${String(ns % 1e6).padStart(6, '0')}`;
}

/** `SPLICE`, `4xSPLICE`, `READ+WRITE`: names in order of appearance, neighbours of one name counted. */
function counted(names: readonly string[]): string {
  const parts: string[] = [];
  for (let at = 0; at < names.length; ) {
    let end = at + 1;
    while (names[end] === names[at]) end++;
    parts.push(end - at > 1 ? `${end - at}x${names[at]}` : names[at]!);
    at = end;
  }
  return parts.join('+') || '-';
}
