import type { RequestTable } from '../trace/requests';
import { formatResult } from '../uapi/errno';

/** Bytes as people say them: `4 KiB`, `1.5 MiB`, `512 B`. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 2 ** (10 * power);
  return `${Number.isInteger(value) ? value : value.toFixed(value < 10 ? 2 : 1)} ${'KMGT'[power - 1]}iB`;
}

/** Nanoseconds as people say them: `83.2 µs`. */
export function durationText(ns: number): string {
  if (ns < 1000) return `${ns} ns`;
  const [unit, size] = ns < 1e6 ? ['µs', 1e3] : ns < 1e9 ? ['ms', 1e6] : ['s', 1e9];
  return `${Number((ns / (size as number)).toFixed(ns / (size as number) < 10 ? 2 : 1))} ${unit}`;
}

/** Queue and tag of a request: `q0 tag 3`, behind its device where the trace has several: `ublkb1 q0 tag 3`; `?` where unknown. */
export function slotText(requests: RequestTable, row: number): string {
  if (requests.isSqe(row)) return `user_data ${requests.sqes(row)[0]?.user_data ?? '?'}`;
  const queue = requests.queue[row] < 0 ? '?' : requests.queue[row];
  const tag = requests.tag[row] < 0 ? '?' : requests.tag[row];
  const device = requests.devicesInUse.length > 1 ? `${requests.devices[requests.device[row]]} ` : '';
  return `${device}q${queue} tag ${tag}`;
}

/** A request in one line: `q0 tag 3 READ 4 KiB @ 8 KiB`. */
export function requestLabel(requests: RequestTable, row: number): string {
  const size = requests.size[row];
  const offset = requests.offset[row];
  const bytes = Number.isNaN(size) || size === 0 ? '' : ` ${sizeText(size)}`;
  const at = Number.isNaN(offset) || bytes === '' ? '' : ` @ ${sizeText(offset)}`;
  return `${slotText(requests, row)} ${requests.op(row)}${bytes}${at}`;
}

/** What became of a request: `4096 in 83.2 µs`, `-5 (-EIO) in 2 ms`, `open`. */
export function outcomeText(requests: RequestTable, row: number): string {
  const end = requests.end[row];
  if (Number.isNaN(end)) return 'open';
  const result = requests.result[row];
  const text = requests.status[row] === 3 ? 'requeued' : Number.isNaN(result) ? 'done' : formatResult(result);
  return `${text} in ${durationText(end - requests.start[row])}`;
}
