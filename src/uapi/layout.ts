/**
 * Struct layouts as data: one table per C struct gives encoding, decoding and a field-by-field view of the
 * bytes.
 */
import { asU64, checkBigRange, checkRange, toHex, viewOf } from './bytes';

/** Integer types of the uapi headers. */
export type FieldType = 'u8' | 'u16' | 'u32' | 's32' | 'u64';

/** Type and byte offset of one field. */
export type FieldSpec = readonly [type: FieldType, offset: number];

/** A run of bytes that carries no field: padding or a reserved member. */
export interface ReservedBytes {
  readonly offset: number;
  readonly size: number;
}

/** A C struct: its size in bytes, its fields and the bytes no field uses. */
export interface StructLayout<F extends Readonly<Record<string, FieldSpec>>> {
  readonly name: string;
  readonly size: number;
  readonly fields: F;
  readonly reserved: readonly ReservedBytes[];
}

type FieldValue<T extends FieldType> = T extends 'u64' ? bigint : number;

/** The JS value of a struct: u64 fields are bigint, all others number. */
export type StructValue<F extends Readonly<Record<string, FieldSpec>>> = {
  -readonly [K in keyof F]: FieldValue<F[K][0]>;
};

/** The value type of a layout: `type DevInfo = ValueOf<typeof DEV_INFO_LAYOUT>`. */
export type ValueOf<L> = L extends StructLayout<infer F> ? StructValue<F> : never;

/** One field as a hex view shows it. */
export interface ByteField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** Bytes in memory order. */
  readonly hex: string;
  /** Human-readable value. */
  readonly value: string;
}

const SIZES = { u8: 1, u16: 2, u32: 4, s32: 4, u64: 8 } as const;
const LIMITS = {
  u8: [0, 0xff],
  u16: [0, 0xffff],
  u32: [0, 0xffffffff],
  s32: [-0x80000000, 0x7fffffff],
} as const;

/** Size in bytes of a field type. */
export function fieldSize(type: FieldType): number {
  return SIZES[type];
}

/** Builds a layout; the argument order is that of a C declaration: name, size, members, padding. */
export function structLayout<const F extends Readonly<Record<string, FieldSpec>>>(
  name: string,
  size: number,
  fields: F,
  reserved: readonly ReservedBytes[] = [],
): StructLayout<F> {
  return { name, size, fields, reserved };
}

/**
 * Writes `value` at byte `at`; reserved bytes become 0.
 * @throws RangeError naming struct and field when a value does not fit, or when dst is too short.
 */
export function encodeStruct<F extends Readonly<Record<string, FieldSpec>>>(
  layout: StructLayout<F>,
  dst: DataView,
  at: number,
  value: Readonly<StructValue<F>>,
): void {
  const values: Readonly<Record<string, number | bigint>> = value;
  for (const [key, [type, offset]] of Object.entries(layout.fields)) {
    writeField(dst, at + offset, type, values[key], `${layout.name}.${key}`);
  }
  for (const gap of layout.reserved) {
    for (let i = 0; i < gap.size; i++) dst.setUint8(at + gap.offset + i, 0);
  }
}

function writeField(
  dst: DataView,
  at: number,
  type: FieldType,
  value: number | bigint | undefined,
  name: string,
): void {
  if (type === 'u64') {
    if (typeof value !== 'bigint') throw new RangeError(`${name} is ${String(value)}, expected a bigint`);
    checkBigRange(name, value, -0x8000000000000000n, 0xffffffffffffffffn);
    dst.setBigUint64(at, asU64(value), true);
    return;
  }
  if (typeof value !== 'number') throw new RangeError(`${name} is ${String(value)}, expected a number`);
  const [min, max] = LIMITS[type];
  checkRange(name, value, min, max);
  if (type === 'u8') dst.setUint8(at, value);
  else if (type === 'u16') dst.setUint16(at, value, true);
  else dst.setUint32(at, value, true);
}

function readField(src: DataView, at: number, type: FieldType): number | bigint {
  switch (type) {
    case 'u8':
      return src.getUint8(at);
    case 'u16':
      return src.getUint16(at, true);
    case 'u32':
      return src.getUint32(at, true);
    case 's32':
      return src.getInt32(at, true);
    case 'u64':
      return src.getBigUint64(at, true);
  }
}

/** Reads the struct at byte `at`. @throws RangeError when src is too short. */
export function decodeStruct<F extends Readonly<Record<string, FieldSpec>>>(
  layout: StructLayout<F>,
  src: DataView,
  at: number,
): StructValue<F> {
  const value: Record<string, number | bigint> = {};
  for (const [key, [type, offset]] of Object.entries(layout.fields))
    value[key] = readField(src, at + offset, type);
  // The loop above has just written every key of F with the type its FieldSpec asks for.
  return value as StructValue<F>;
}

/** Fields of the struct in the order of their offsets, for a hex view; reserved bytes are listed too. */
export function describeStruct(
  layout: StructLayout<Readonly<Record<string, FieldSpec>>>,
  bytes: Uint8Array,
  at = 0,
  prefix = '',
): ByteField[] {
  const view = viewOf(bytes);
  const rows: ByteField[] = [];
  for (const [key, [type, offset]] of Object.entries(layout.fields)) {
    const size = fieldSize(type);
    const start = at + offset;
    const hex = toHex(bytes.subarray(start, start + size));
    rows.push({
      name: prefix + key,
      offset: start,
      size,
      hex,
      value: formatInteger(readField(view, start, type)),
    });
  }
  for (const gap of layout.reserved) {
    const start = at + gap.offset;
    const hex = toHex(bytes.subarray(start, start + gap.size));
    rows.push({ name: `${prefix}reserved`, offset: start, size: gap.size, hex, value: '' });
  }
  return rows.sort((a, b) => a.offset - b.offset);
}

/** Decimal up to 4 digits, with hex added above. */
export function formatInteger(value: number | bigint): string {
  const text = value.toString();
  return value > 9999 ? `${text} (0x${value.toString(16)})` : text;
}
