import { durationText, sizeText } from '../debug/request_label';
import type { FieldSpec } from '../trace/schema_types';
import type { Trace } from '../trace/trace';
import { errnoName } from '../uapi/errno';
import { IORING_ENTER, IORING_SETUP, IOSQE } from '../uapi/io_uring_abi';
import type { Translate } from './machine_names';

/** Largest error number that a kernel returns. */
const MAX_ERRNO = 4095;

/** A field of an event as a person reads it, in its unit. */
export function fieldText(
  trace: Trace,
  event: number,
  field: string,
  about: FieldSpec | undefined,
  t: Translate,
): string {
  const text = trace.str(event, field);
  if (text !== undefined) return text;
  const value = signed(trace.num(event, field) ?? 0);
  const hex = (): string => `0x${BigInt.asUintN(64, trace.big(event, field) ?? 0n).toString(16)}`;
  const { name, fields, template } = trace.shapeOf(event);
  const format = template.formats[fields.get(field) ?? -1];
  if (/flags$/.test(field)) return flagsText(hex(), value, field === 'flags' ? namesOf(name) : undefined);
  switch (about?.unit ?? (format === 'p' || (format === 'x' && field !== 'ret') ? 'address' : undefined)) {
    case 'bytes':
      if (value < 0) return errorText(value);
      return value < 1024 ? t('{0} bytes', value) : `${t('{0} bytes', value)} (${sizeText(value)})`;
    case 'sectors':
      return `${t('{0} sectors', value)} (${sizeText(value * 512)})`;
    case 'ns':
      return durationText(value);
    case 'errno':
      return errorText(value);
    case 'flags':
    case 'address':
      return hex();
    default:
      // a number that is neither small nor an error is an address
      if (!Number.isSafeInteger(value) || value < -MAX_ERRNO) return hex();
      return value < 0 ? errorText(value) : String(value);
  }
}

/** Names of the bits of the field `flags` of an event; undefined where none are known. */
function namesOf(event: string): Readonly<Record<string, number>> | undefined {
  switch (event) {
    // the low bits of a request's flags are those of its SQE, the others are the kernel's own
    case 'io_uring_submit_sqe':
    case 'io_uring_submit_req':
    case 'io_uring_queue_async_work':
    case 'io_uring_req_failed':
      return IOSQE;
    case 'io_uring_create':
      return IORING_SETUP;
    case 'sys_enter_io_uring_enter':
      return IORING_ENTER;
    default:
      return undefined;
  }
}

function flagsText(hex: string, value: number, names: Readonly<Record<string, number>> | undefined): string {
  const set = Object.entries(names ?? {}).flatMap(([name, bit]) => ((value & bit) === 0 ? [] : [name]));
  return set.length === 0 ? hex : `${hex} (${set.join(' | ')})`;
}

function errorText(value: number): string {
  const name = value < 0 ? errnoName(-value) : undefined;
  return name === undefined ? String(value) : `${value} (-${name})`;
}

function signed(value: number): number {
  return value >= 2 ** 63 ? value - 2 ** 64 : value >= 2 ** 31 && value < 2 ** 32 ? value - 2 ** 32 : value;
}
