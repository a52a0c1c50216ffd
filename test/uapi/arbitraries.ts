import fc from 'fast-check';
import type { FieldSpec, FieldType, StructLayout } from '../../src/uapi/layout';

export type AnyLayout = StructLayout<Readonly<Record<string, FieldSpec>>>;

export const u8 = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: 0xff });
export const u16 = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: 0xffff });
export const u32 = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: 0xffffffff });
export const s32 = (): fc.Arbitrary<number> => fc.integer({ min: -0x80000000, max: 0x7fffffff });
export const u64 = (): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: 0xffffffffffffffffn });

function arbField(type: FieldType): fc.Arbitrary<number | bigint> {
  switch (type) {
    case 'u8':
      return u8();
    case 'u16':
      return u16();
    case 'u32':
      return u32();
    case 's32':
      return s32();
    case 'u64':
      return u64();
  }
}

/** Random valid values of every field of a layout. */
export function arbStruct(layout: AnyLayout): fc.Arbitrary<Record<string, number | bigint>> {
  return fc.record(
    Object.fromEntries(Object.entries(layout.fields).map(([key, [type]]) => [key, arbField(type)])),
  );
}
