/** struct ublk_params: 64 bytes in 6.1, 152 bytes in 7.3. Every member sits at a fixed offset. */
import { decodeStruct, encodeStruct, structLayout } from './layout';
import type { ValueOf } from './layout';

/** sizeof(struct ublk_params) by kernel. */
export const UBLK_PARAMS_SIZE = { '6.1': 64, '7.3': 152 } as const;
export type UblkParamsSize = 64 | 152;

export const PARAM_BASIC_LAYOUT = structLayout('ublk_param_basic', 32, {
  attrs: ['u32', 0],
  logicalBsShift: ['u8', 4],
  physicalBsShift: ['u8', 5],
  ioOptShift: ['u8', 6],
  ioMinShift: ['u8', 7],
  maxSectors: ['u32', 8],
  chunkSectors: ['u32', 12],
  devSectors: ['u64', 16],
  virtBoundaryMask: ['u64', 24],
});
export const PARAM_DISCARD_LAYOUT = structLayout(
  'ublk_param_discard',
  20,
  {
    discardAlignment: ['u32', 0],
    discardGranularity: ['u32', 4],
    maxDiscardSectors: ['u32', 8],
    maxWriteZeroesSectors: ['u32', 12],
    maxDiscardSegments: ['u16', 16],
  },
  [{ offset: 18, size: 2 }],
);
export const PARAM_DEVT_LAYOUT = structLayout('ublk_param_devt', 16, {
  charMajor: ['u32', 0],
  charMinor: ['u32', 4],
  diskMajor: ['u32', 8],
  diskMinor: ['u32', 12],
});
export const PARAM_ZONED_LAYOUT = structLayout(
  'ublk_param_zoned',
  32,
  {
    maxOpenZones: ['u32', 0],
    maxActiveZones: ['u32', 4],
    maxZoneAppendSectors: ['u32', 8],
  },
  [{ offset: 12, size: 20 }],
);
export const PARAM_DMA_ALIGN_LAYOUT = structLayout(
  'ublk_param_dma_align',
  8,
  {
    alignment: ['u32', 0],
  },
  [{ offset: 4, size: 4 }],
);
export const PARAM_SEGMENT_LAYOUT = structLayout(
  'ublk_param_segment',
  16,
  {
    segBoundaryMask: ['u64', 0],
    maxSegmentSize: ['u32', 8],
    maxSegments: ['u16', 12],
  },
  [{ offset: 14, size: 2 }],
);
export const PARAM_INTEGRITY_LAYOUT = structLayout(
  'ublk_param_integrity',
  16,
  {
    flags: ['u32', 0],
    maxIntegritySegments: ['u16', 4],
    intervalExp: ['u8', 6],
    metadataSize: ['u8', 7],
    piOffset: ['u8', 8],
    csumType: ['u8', 9],
    tagSize: ['u8', 10],
  },
  [{ offset: 11, size: 5 }],
);

/** Byte offsets in struct ublk_params. Bytes 60-63 are padding in the 64-byte form. */
export const PARAMS_OFFSET = {
  LEN: 0,
  TYPES: 4,
  BASIC: 8,
  DISCARD: 40,
  DEVT: 60,
  ZONED: 76,
  DMA_ALIGN: 108,
  SEGMENT: 120,
  INTEGRITY: 136,
} as const;
// Between dma_align (ends at 116) and segment (8-byte aligned).
const SEGMENT_PAD = { offset: 116, size: 4 } as const;

export type ParamBasic = ValueOf<typeof PARAM_BASIC_LAYOUT>;
export type ParamDiscard = ValueOf<typeof PARAM_DISCARD_LAYOUT>;
export type ParamDevt = ValueOf<typeof PARAM_DEVT_LAYOUT>;
export type ParamZoned = ValueOf<typeof PARAM_ZONED_LAYOUT>;
export type ParamDmaAlign = ValueOf<typeof PARAM_DMA_ALIGN_LAYOUT>;
export type ParamSegment = ValueOf<typeof PARAM_SEGMENT_LAYOUT>;
export type ParamIntegrity = ValueOf<typeof PARAM_INTEGRITY_LAYOUT>;

/** struct ublk_params. The members after discard do not exist in the 64-byte form and are null there. */
export interface UblkParams {
  /** Bytes of the struct that the caller knows. */
  len: number;
  /** Mask of UBLK_PARAM_TYPE: which members hold values. */
  types: number;
  basic: ParamBasic;
  discard: ParamDiscard;
  devt: ParamDevt | null;
  zoned: ParamZoned | null;
  dmaAlign: ParamDmaAlign | null;
  segment: ParamSegment | null;
  integrity: ParamIntegrity | null;
}

/**
 * Writes `size` bytes; members given as null become zeros.
 * @throws RangeError when a field does not fit, or when a member that the 64-byte form lacks is given.
 */
export function encodeParams(
  dst: DataView,
  at: number,
  params: Readonly<UblkParams>,
  size: UblkParamsSize,
): void {
  for (let i = 0; i < size; i++) dst.setUint8(at + i, 0);
  dst.setUint32(at, params.len, true);
  dst.setUint32(at + 4, params.types, true);
  encodeStruct(PARAM_BASIC_LAYOUT, dst, at + PARAMS_OFFSET.BASIC, params.basic);
  encodeStruct(PARAM_DISCARD_LAYOUT, dst, at + PARAMS_OFFSET.DISCARD, params.discard);
  const { devt, zoned, dmaAlign, segment, integrity } = params;
  if (size === 64) {
    if (devt ?? zoned ?? dmaAlign ?? segment ?? integrity) {
      throw new RangeError('ublk_params of 64 bytes holds only basic and discard');
    }
    return;
  }
  if (devt) encodeStruct(PARAM_DEVT_LAYOUT, dst, at + PARAMS_OFFSET.DEVT, devt);
  if (zoned) encodeStruct(PARAM_ZONED_LAYOUT, dst, at + PARAMS_OFFSET.ZONED, zoned);
  if (dmaAlign) encodeStruct(PARAM_DMA_ALIGN_LAYOUT, dst, at + PARAMS_OFFSET.DMA_ALIGN, dmaAlign);
  if (segment) encodeStruct(PARAM_SEGMENT_LAYOUT, dst, at + PARAMS_OFFSET.SEGMENT, segment);
  if (integrity) encodeStruct(PARAM_INTEGRITY_LAYOUT, dst, at + PARAMS_OFFSET.INTEGRITY, integrity);
}

/** Reads `size` bytes. Members are read whether or not their bit is set in types. */
export function decodeParams(src: DataView, at: number, size: UblkParamsSize): UblkParams {
  const large = size === 152;
  return {
    len: src.getUint32(at, true),
    types: src.getUint32(at + 4, true),
    basic: decodeStruct(PARAM_BASIC_LAYOUT, src, at + PARAMS_OFFSET.BASIC),
    discard: decodeStruct(PARAM_DISCARD_LAYOUT, src, at + PARAMS_OFFSET.DISCARD),
    devt: large ? decodeStruct(PARAM_DEVT_LAYOUT, src, at + PARAMS_OFFSET.DEVT) : null,
    zoned: large ? decodeStruct(PARAM_ZONED_LAYOUT, src, at + PARAMS_OFFSET.ZONED) : null,
    dmaAlign: large ? decodeStruct(PARAM_DMA_ALIGN_LAYOUT, src, at + PARAMS_OFFSET.DMA_ALIGN) : null,
    segment: large ? decodeStruct(PARAM_SEGMENT_LAYOUT, src, at + PARAMS_OFFSET.SEGMENT) : null,
    integrity: large ? decodeStruct(PARAM_INTEGRITY_LAYOUT, src, at + PARAMS_OFFSET.INTEGRITY) : null,
  };
}

/** Padding of the 152-byte form that belongs to no member. */
export const PARAMS_RESERVED = { 64: [{ offset: 60, size: 4 }], 152: [SEGMENT_PAD] } as const;
