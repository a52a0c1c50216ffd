import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as fuse from '../../src/uapi/fuse';
import { IO_RINGS_OFFSET } from '../../src/uapi/io_uring';
import { decodeStruct, describeStruct, encodeStruct, fieldSize } from '../../src/uapi/layout';
import * as ublk from '../../src/uapi/ublk';
import { u16, s32, u32, u64, arbStruct } from './arbitraries';
import type { AnyLayout } from './arbitraries';

const SIZES: readonly (readonly [AnyLayout, number])[] = [
  [ublk.CTRL_CMD_LAYOUT, 32],
  [ublk.DEV_INFO_LAYOUT, 64],
  [ublk.IO_DESC_LAYOUT, 24],
  [ublk.IO_CMD_LAYOUT, 16],
  [ublk.BATCH_IO_LAYOUT, 16],
  [ublk.BATCH_ELEM_LAYOUT, 8],
  [ublk.SHMEM_BUF_REG_LAYOUT, 16],
  [ublk.PARAM_BASIC_LAYOUT, 32],
  [ublk.PARAM_DISCARD_LAYOUT, 20],
  [ublk.PARAM_DEVT_LAYOUT, 16],
  [ublk.PARAM_ZONED_LAYOUT, 32],
  [ublk.PARAM_DMA_ALIGN_LAYOUT, 8],
  [ublk.PARAM_SEGMENT_LAYOUT, 16],
  [ublk.PARAM_INTEGRITY_LAYOUT, 16],
  [fuse.FUSE_CMD_REQ_LAYOUT, 24],
  [fuse.FUSE_CMD_REQ_73_LAYOUT, 40],
  [fuse.FUSE_ENT_IN_OUT_LAYOUT, 32],
  [fuse.FUSE_IN_HEADER_LAYOUT, 40],
  [fuse.FUSE_OUT_HEADER_LAYOUT, 16],
  [fuse.FUSE_READ_IN_LAYOUT, 40],
  [fuse.FUSE_WRITE_IN_LAYOUT, 40],
];

describe.each(SIZES)('$name', (layout, size) => {
  it('has the size of the C struct, and every byte belongs to one field or is reserved', () => {
    const owners = new Array<number>(size).fill(0);
    for (const [type, offset] of Object.values(layout.fields)) {
      expect(offset % fieldSize(type), 'natural alignment').toBe(0);
      for (let i = 0; i < fieldSize(type); i++) owners[offset + i]!++;
    }
    for (const gap of layout.reserved) for (let i = 0; i < gap.size; i++) owners[gap.offset + i]!++;
    expect(layout.size).toBe(size);
    expect(owners).toEqual(new Array<number>(size).fill(1));
  });

  it('decodes what was encoded, clears reserved bytes and touches nothing around', () => {
    fc.assert(
      fc.property(arbStruct(layout), fc.integer({ min: 0, max: 9 }), (value, at) => {
        const bytes = new Uint8Array(at + size + 4).fill(0xaa);
        const view = new DataView(bytes.buffer);
        encodeStruct(layout, view, at, value);
        expect(decodeStruct(layout, view, at)).toEqual(value);
        for (const gap of layout.reserved) {
          expect([...bytes.subarray(at + gap.offset, at + gap.offset + gap.size)]).toEqual(
            new Array(gap.size).fill(0),
          );
        }
        expect([...bytes.subarray(0, at), ...bytes.subarray(at + size)]).toEqual(
          new Array(at + 4).fill(0xaa),
        );
      }),
    );
  });

  it('is described without gaps, and the hex of the rows is the struct', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: size, maxLength: size }), (bytes) => {
        const rows = describeStruct(layout, bytes);
        expect(rows.map((row) => row.hex).join('')).toBe(Buffer.from(bytes).toString('hex'));
        rows.reduce((end, row) => {
          expect(row.offset).toBe(end);
          return end + row.size;
        }, 0);
      }),
      { numRuns: 20 },
    );
  });
});

describe('range errors', () => {
  const info = { nrElem: 1, elemBytes: 8, flags: 0, qId: 0 };
  const view = new DataView(new ArrayBuffer(16));
  it('name struct and field', () => {
    expect(() => encodeStruct(ublk.BATCH_IO_LAYOUT, view, 0, { ...info, elemBytes: 256 })).toThrow(
      'ublk_batch_io.elemBytes is 256, expected an integer in 0..255',
    );
    expect(() => encodeStruct(ublk.BATCH_IO_LAYOUT, view, 0, { ...info, qId: 1.5 })).toThrow(/qId is 1\.5/);
    expect(() =>
      encodeStruct(ublk.IO_CMD_LAYOUT, view, 0, { qId: 0, tag: 0, result: 0, addr: 1n << 64n }),
    ).toThrow(/addr is 18446744073709551616/);
  });
});

describe('hand-written codecs agree with the layouts', () => {
  it('io_desc', () => {
    fc.assert(
      fc.property(u32(), u32(), u64(), u64(), (opFlags, nrSectors, startSector, addr) => {
        const value = { opFlags, nrSectors, startSector, addr };
        const [a, b] = [new DataView(new ArrayBuffer(24)), new DataView(new ArrayBuffer(24))];
        ublk.encodeIoDesc(a, 0, value);
        encodeStruct(ublk.IO_DESC_LAYOUT, b, 0, value);
        expect(new Uint8Array(a.buffer)).toEqual(new Uint8Array(b.buffer));
        expect(ublk.decodeIoDesc(b, 0)).toEqual(value);
      }),
    );
  });

  it('io_cmd', () => {
    fc.assert(
      fc.property(u16(), u16(), s32(), u64(), (qId, tag, result, addr) => {
        const value = { qId, tag, result, addr };
        const [a, b] = [new DataView(new ArrayBuffer(16)), new DataView(new ArrayBuffer(16))];
        ublk.encodeIoCmd(a, 0, value);
        encodeStruct(ublk.IO_CMD_LAYOUT, b, 0, value);
        expect(new Uint8Array(a.buffer)).toEqual(new Uint8Array(b.buffer));
        expect(ublk.decodeIoCmd(b, 0)).toEqual(value);
      }),
    );
  });
});

describe('ublk_params', () => {
  const { PARAMS_OFFSET: O } = ublk;
  const members = [
    [O.BASIC, ublk.PARAM_BASIC_LAYOUT],
    [O.DISCARD, ublk.PARAM_DISCARD_LAYOUT],
    [O.DEVT, ublk.PARAM_DEVT_LAYOUT],
    [O.ZONED, ublk.PARAM_ZONED_LAYOUT],
    [O.DMA_ALIGN, ublk.PARAM_DMA_ALIGN_LAYOUT],
    [O.SEGMENT, ublk.PARAM_SEGMENT_LAYOUT],
    [O.INTEGRITY, ublk.PARAM_INTEGRITY_LAYOUT],
  ] as const;

  it.each([
    [64, 2],
    [152, 7],
  ] as const)('%i bytes: members and padding cover every byte once', (size, count) => {
    const owners = new Array<number>(size).fill(0);
    const runs = [
      [0, 8],
      ...members.slice(0, count).map(([at, layout]) => [at, layout.size]),
      ...ublk.PARAMS_RESERVED[size].map((gap) => [gap.offset, gap.size]),
    ];
    for (const [at, length] of runs) for (let i = 0; i < length!; i++) owners[at! + i]!++;
    expect(owners).toEqual(new Array<number>(size).fill(1));
  });

  it('any bytes decode and encode back, apart from padding', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(64 as const, 152 as const),
        fc.uint8Array({ minLength: 152, maxLength: 152 }),
        (size, raw) => {
          const params = ublk.decodeParams(new DataView(raw.buffer), 0, size);
          const again = new DataView(new ArrayBuffer(size));
          ublk.encodeParams(again, 0, params, size);
          expect(ublk.decodeParams(again, 0, size)).toEqual(params);
          const expected = raw.slice(0, size);
          for (const [at, layout] of members)
            for (const gap of layout.reserved) expected.fill(0, at + gap.offset, at + gap.offset + gap.size);
          for (const gap of ublk.PARAMS_RESERVED[size]) expected.fill(0, gap.offset, gap.offset + gap.size);
          expect(new Uint8Array(again.buffer)).toEqual(expected);
        },
      ),
    );
  });

  it('the 64-byte form refuses later members', () => {
    const large = ublk.decodeParams(new DataView(new ArrayBuffer(152)), 0, 152);
    expect(() => ublk.encodeParams(new DataView(new ArrayBuffer(152)), 0, large, 64)).toThrow(
      /only basic and discard/,
    );
  });
});

describe('ublk_auto_buf_reg', () => {
  it('round-trips and reports reserved bits', () => {
    fc.assert(
      fc.property(u16(), fc.integer({ min: 0, max: 255 }), (index, flags) => {
        expect(ublk.decodeAutoBufReg(ublk.encodeAutoBufReg(index, flags))).toEqual({
          index,
          flags,
          reserved: 0n,
        });
      }),
    );
    expect(ublk.decodeAutoBufReg(0x1_0102_0003n)).toEqual({ index: 3, flags: 2, reserved: 0x101n });
    expect(() => ublk.encodeAutoBufReg(0x10000)).toThrow(RangeError);
  });
});

describe('bytes as a C compiler lays them out', () => {
  const hexOf = (size: number, write: (view: DataView) => void): string => {
    const bytes = Buffer.alloc(size);
    write(new DataView(bytes.buffer, bytes.byteOffset, size));
    return bytes.toString('hex').replace(/(0{8})+$/, '');
  };

  it('ublksrv_ctrl_cmd', () => {
    const cmd = {
      devId: 0xffffffff,
      queueId: 0xfffe,
      len: 64,
      addr: 0x11n,
      data0: 0x22n,
      devPathLen: 3,
      pad: 0,
      reserved: 4,
    };
    expect(hexOf(32, (view) => ublk.encodeCtrlCmd(view, 0, cmd))).toBe(
      'ffffffff' + 'feff' + '4000' + '1100000000000000' + '2200000000000000' + '0300' + '0000' + '04000000',
    );
  });

  it('ublksrv_ctrl_dev_info', () => {
    const info = {
      nrHwQueues: 1,
      queueDepth: 2,
      state: 3,
      ioDescSize: 4,
      maxIoBufBytes: 5,
      devId: 6,
      ublksrvPid: -1,
      flags: 7n,
      ublksrvFlags: 8n,
      ownerUid: 9,
      ownerGid: 10,
    };
    expect(hexOf(64, (view) => ublk.encodeDevInfo(view, 0, info))).toBe(
      '0100020003000400' +
        '0500000006000000' +
        'ffffffff00000000' +
        '0700000000000000' +
        '0800000000000000' +
        '090000000a000000',
    );
  });

  it('ublksrv_io_desc and ublksrv_io_cmd', () => {
    const desc = { opFlags: 1, nrSectors: 2, startSector: 3n, addr: 4n };
    expect(hexOf(24, (view) => ublk.encodeIoDesc(view, 0, desc))).toBe(
      '0100000002000000' + '0300000000000000' + '04000000',
    );
    const cmd = { qId: 1, tag: 2, result: -2, addr: 3n };
    expect(hexOf(16, (view) => ublk.encodeIoCmd(view, 0, cmd))).toBe('01000200feffffff' + '03000000');
  });

  it('ublk_param_basic and ublk_param_discard', () => {
    const basic = {
      attrs: 1,
      logicalBsShift: 2,
      physicalBsShift: 3,
      ioOptShift: 4,
      ioMinShift: 5,
      maxSectors: 6,
      chunkSectors: 7,
      devSectors: 8n,
      virtBoundaryMask: 9n,
    };
    expect(hexOf(32, (view) => encodeStruct(ublk.PARAM_BASIC_LAYOUT, view, 0, basic))).toBe(
      '0100000002030405' + '0600000007000000' + '0800000000000000' + '09000000',
    );
    const discard = {
      discardAlignment: 1,
      discardGranularity: 2,
      maxDiscardSectors: 3,
      maxWriteZeroesSectors: 4,
      maxDiscardSegments: 5,
    };
    expect(hexOf(20, (view) => encodeStruct(ublk.PARAM_DISCARD_LAYOUT, view, 0, discard))).toBe(
      '0100000002000000' + '0300000004000000' + '05000000',
    );
  });
});

describe('shared ring header', () => {
  it('has heads and tails on their own cache lines, then eight words, then the aligned CQEs', () => {
    const offsets = Object.values(IO_RINGS_OFFSET);
    expect(offsets.slice(0, 4)).toEqual([0, 64, 128, 192]);
    expect(offsets.slice(4, 12)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((word) => 256 + 4 * word));
    expect(offsets.slice(12)).toEqual([320]);
  });
});
