import { durationText, sizeText } from '../debug/request_label';
import type { FieldSpec } from '../trace/schema_types';
import type { Trace } from '../trace/trace';
import { errnoName } from '../uapi/errno';

/** Largest error number that a kernel returns. */
const MAX_ERRNO = 4095;

/** A field of an event as a person reads it, in its unit. */
export function fieldText(trace: Trace, event: number, field: string, about: FieldSpec | undefined): string {
  const text = trace.str(event, field);
  if (text !== undefined) return text;
  const value = signed(trace.num(event, field) ?? 0);
  const hex = (): string => `0x${BigInt.asUintN(64, trace.big(event, field) ?? 0n).toString(16)}`;
  switch (about?.unit) {
    case 'bytes':
      if (value < 0) return errorText(value);
      return value < 1024 ? `${value} bytes` : `${value} bytes (${sizeText(value)})`;
    case 'sectors':
      return `${value} sectors (${sizeText(value * 512)})`;
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

function errorText(value: number): string {
  const name = value < 0 ? errnoName(-value) : undefined;
  return name === undefined ? String(value) : `${value} (-${name})`;
}

function signed(value: number): number {
  return value >= 2 ** 63 ? value - 2 ** 64 : value >= 2 ** 31 && value < 2 ** 32 ? value - 2 ** 32 : value;
}
