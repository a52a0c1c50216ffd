import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex, viewOf } from '../../src/uapi/bytes';
import {
  IORING_OP,
  SQE_OFFSET,
  decodeCqe,
  decodeSqe,
  describeSqeBytes,
  encodeCqe,
  encodeSqe,
  makeSqe,
  offOfCmdOp,
  putCqe,
  sqeCmdOp,
} from '../../src/uapi/io_uring';
import type { Sqe } from '../../src/uapi/io_uring';
import { UBLK_IO, UBLK_U_CMD, UBLK_U_IO, encodeIoCmd } from '../../src/uapi/ublk';
import recorded from '../fixtures/uapi/recorded_sqes.json';
import { s32, u16, u32, u64, u8 } from './arbitraries';

const arbSqe: fc.Arbitrary<Sqe> = fc.record({
  opcode: u8(),
  flags: u8(),
  ioprio: u16(),
  fd: s32(),
  off: u64(),
  addr: u64(),
  len: u32(),
  opFlags: u32(),
  userData: u64(),
  bufIndex: u16(),
  personality: u16(),
  spliceFdIn: s32(),
  addr3: u64(),
  pad2: u64(),
  ext: fc.option(fc.uint8Array({ minLength: 64, maxLength: 64 }), { nil: null }),
});

describe('SQE', () => {
  it('round-trips from fields', () => {
    fc.assert(
      fc.property(arbSqe, fc.integer({ min: 0, max: 9 }), (sqe, at) => {
        const size = sqe.ext === null ? 64 : 128;
        const view = new DataView(new ArrayBuffer(at + size));
        encodeSqe(view, at, sqe, size);
        expect(decodeSqe(view, at, size)).toEqual(sqe);
      }),
    );
  });

  it('round-trips from bytes, so every byte belongs to a field', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(64 as const, 128 as const),
        fc.uint8Array({ minLength: 128, maxLength: 128 }),
        (size, raw) => {
          const bytes = raw.subarray(0, size);
          const again = new Uint8Array(size);
          encodeSqe(viewOf(again), 0, decodeSqe(viewOf(bytes), 0, size), size);
          expect(toHex(again)).toBe(toHex(bytes));
        },
      ),
    );
  });

  it('clears bytes 64-127 when there is no ext, and refuses an ext that does not fit', () => {
    const bytes = new Uint8Array(130).fill(0xff);
    encodeSqe(viewOf(bytes), 1, makeSqe(), 128);
    expect([...bytes]).toEqual([0xff, ...new Array(128).fill(0), 0xff]);
    expect(() => encodeSqe(viewOf(bytes), 0, makeSqe({ ext: new Uint8Array(64) }), 64)).toThrow(RangeError);
    expect(() => encodeSqe(viewOf(bytes), 0, makeSqe({ ext: new Uint8Array(63) }), 128)).toThrow(RangeError);
  });

  it('stores an absent offset as all ones', () => {
    const view = new DataView(new ArrayBuffer(64));
    encodeSqe(view, 0, makeSqe({ opcode: IORING_OP.SPLICE, off: -1n }));
    expect(decodeSqe(view, 0).off).toBe(0xffffffffffffffffn);
  });

  it('keeps cmd_op in the low word of off', () => {
    fc.assert(
      fc.property(u32(), (cmdOp) => {
        expect(sqeCmdOp(makeSqe({ off: offOfCmdOp(cmdOp) }))).toBe(cmdOp);
      }),
    );
  });
});

describe('recorded SQEs of the io_uring programs', () => {
  it('covers the recordings', () => {
    expect(recorded.length).toBe(237);
    expect(new Set(recorded.map((entry) => entry.opcode)).size).toBeGreaterThan(6);
  });

  it.each([...new Set(recorded.map((entry) => entry.run))])(
    '%s: raw bytes decode to the printed fields',
    (run) => {
      for (const { run: from, raw, ...printed } of recorded) {
        if (from !== run) continue;
        const sqe = decodeSqe(viewOf(fromHex(raw)), 0);
        const { off, addr, userData, addr3, ...numbers } = printed;
        expect(sqe).toEqual({
          ...numbers,
          off: BigInt(off),
          addr: BigInt(addr),
          userData: BigInt(userData),
          addr3: BigInt(addr3),
          pad2: 0n,
          ext: null,
        });
        const again = new Uint8Array(64);
        encodeSqe(viewOf(again), 0, sqe);
        expect(toHex(again)).toBe(raw);
      }
    },
  );
});

describe('CQE', () => {
  const arbCqe = fc.record({ userData: u64(), res: s32(), flags: u32(), extra1: u64(), extra2: u64() });
  it('round-trips at both sizes; the small one drops the extra words', () => {
    fc.assert(
      fc.property(arbCqe, (cqe) => {
        const big = new DataView(new ArrayBuffer(32));
        encodeCqe(big, 0, cqe, 32);
        expect(decodeCqe(big, 0, 32)).toEqual(cqe);
        const small = new DataView(new ArrayBuffer(16));
        encodeCqe(small, 0, cqe);
        expect(decodeCqe(small, 0)).toEqual({ ...cqe, extra1: 0n, extra2: 0n });
        expect(new Uint8Array(small.buffer)).toEqual(new Uint8Array(big.buffer, 0, 16));
      }),
    );
  });

  it('split words give the same bytes', () => {
    fc.assert(
      fc.property(u32(), u32(), s32(), u32(), (lo, hi, res, flags) => {
        const view = new DataView(new ArrayBuffer(16));
        putCqe(view, 0, lo, hi, res, flags);
        expect(decodeCqe(view, 0)).toEqual({
          userData: (BigInt(hi) << 32n) | BigInt(lo),
          res,
          flags,
          extra1: 0n,
          extra2: 0n,
        });
      }),
    );
  });
});

describe('describeSqeBytes', () => {
  it('covers any bytes without gaps or overlaps', () => {
    const area = fc.constantFrom('auto', 'ublk-io', 'ublk-ctrl', 'fuse', 'fuse-7.3', 'raw' as const);
    const opcode = fc.constantFrom(0, 1, 3, 17, 22, 30, 46, 46, 46, 64, 250);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 128, maxLength: 128 }),
        fc.boolean(),
        opcode,
        area,
        (raw, large, op, kind) => {
          const bytes = raw.slice(0, large ? 128 : 64);
          bytes[0] = op;
          const rows = describeSqeBytes(bytes, kind);
          expect(rows.map((row) => row.hex).join('')).toBe(toHex(bytes));
          expect(rows.reduce((sum, row) => sum + row.size, 0)).toBe(bytes.length);
          for (let i = 1; i < rows.length; i++)
            expect(rows[i]!.offset).toBe(rows[i - 1]!.offset + rows[i - 1]!.size);
        },
      ),
    );
    expect(() => describeSqeBytes(new Uint8Array(65))).toThrow('an SQE has 64 or 128 bytes, not 65');
  });

  const rowsOf = (sqe: Sqe, size: 64 | 128 = 64): Map<string, string> => {
    const bytes = new Uint8Array(size);
    encodeSqe(viewOf(bytes), 0, sqe, size);
    return new Map(describeSqeBytes(bytes).map((row) => [row.name, row.value]));
  };

  it('names the fields of a zero-copy SPLICE', () => {
    const rows = rowsOf(
      makeSqe({
        opcode: IORING_OP.SPLICE,
        flags: 1,
        fd: 1,
        off: 0x100000n,
        addr: 5n << 30n,
        len: 4096,
        opFlags: 0x30,
        spliceFdIn: 7,
      }),
    );
    expect(rows.get('opcode')).toBe('30 SPLICE');
    expect(rows.get('flags')).toBe('0x1 FIXED_FILE');
    expect(rows.get('fd')).toBe('fixed 1');
    expect(rows.get('splice_off_in')).toBe('5368709120 (0x140000000)');
    expect(rows.get('splice_flags')).toBe('0x30 DIRECT|READ_TO_READ');
    expect(rows.get('splice_fd_in')).toBe('7');
  });

  it.each([UBLK_IO.COMMIT_AND_FETCH_REQ, UBLK_U_IO.COMMIT_AND_FETCH_REQ])(
    'names the command area of a ublk COMMIT (%i)',
    (op) => {
      const bytes = new Uint8Array(64);
      encodeSqe(viewOf(bytes), 0, makeSqe({ opcode: IORING_OP.URING_CMD, off: offOfCmdOp(op) }));
      encodeIoCmd(viewOf(bytes), SQE_OFFSET.CMD, { qId: 1, tag: 9, result: -5, addr: 0x1000n });
      const rows = new Map(describeSqeBytes(bytes).map((row) => [row.name, row.value]));
      expect(rows.get('cmd_op')).toBe(`0x${op.toString(16)} COMMIT_AND_FETCH_REQ`);
      expect(rows.get('cmd.qId')).toBe('1');
      expect(rows.get('cmd.tag')).toBe('9');
      expect(rows.get('cmd.result')).toBe('-5 (-EIO)');
    },
  );

  it('recognises an encoded control command, and leaves ambiguous small numbers raw', () => {
    const ctrl = rowsOf(makeSqe({ opcode: IORING_OP.URING_CMD, off: offOfCmdOp(UBLK_U_CMD.ADD_DEV) }), 128);
    expect(ctrl.get('cmd_op')).toBe('0xc0207504 ADD_DEV');
    expect(ctrl.has('cmd.devId')).toBe(true);
    const small = rowsOf(makeSqe({ opcode: IORING_OP.URING_CMD, off: 2n }), 128);
    expect(small.get('cmd_op')).toBe('0x2');
    expect(small.has('cmd[]')).toBe(true);
    expect(small.has('cmd.devId')).toBe(false);
  });

  it('shows negative offsets, unknown flags and buffer groups', () => {
    const rows = rowsOf(
      makeSqe({ opcode: IORING_OP.READ, flags: 0xa0, off: -1n, opFlags: 0x48, bufIndex: 3 }),
    );
    expect(rows.get('off')).toBe('-1');
    expect(rows.get('flags')).toBe('0xa0 BUFFER_SELECT|0x80');
    expect(rows.get('rw_flags')).toBe('0x48 NOWAIT|0x40');
    expect(rows.get('buf_group')).toBe('3');
  });
});
