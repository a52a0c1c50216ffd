import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hiWord, joinWords, loWord } from '../../src/uapi/bytes';
import {
  decodeShmemAddr,
  decodeSpliceZcPos,
  decodeUserCopyPos,
  descArrayLength,
  descArrayOffset,
  encodeShmemAddr,
  encodeSpliceZcPos,
  encodeUserCopyPos,
} from '../../src/uapi/ublk_pos';
import { ublkCmdNr } from '../../src/uapi/ublk_cmds';
import {
  UD_EVENTFD,
  UD_TAG_IGNORE,
  buildKublkUserData,
  buildUserData,
  decodeUserData,
  decodeUserDataWords,
  isServerUserData,
  udHi,
  udIsEventfd,
  udIsTarget,
  udLo,
  udOp,
  udQid,
  udTag,
  udTgtData,
} from '../../src/uapi/user_data';
import type { UserDataLayout } from '../../src/uapi/user_data';
import recorded from '../fixtures/uapi/recorded_user_data.json';
import { u16, u32, u64, u8 } from './arbitraries';

const upTo = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
const layoutOf = (name: string): UserDataLayout => (name === 'kublk' ? 'kublk' : 'ublksrv');

describe('USER_COPY position', () => {
  it('round-trips', () => {
    fc.assert(
      fc.property(upTo(4095), u16(), upTo(2 ** 25 - 1), fc.boolean(), (qid, tag, offset, integrity) => {
        expect(decodeUserCopyPos(encodeUserCopyPos(qid, tag, offset, integrity))).toEqual({
          qid,
          tag,
          offset,
          integrity,
        });
      }),
    );
  });

  it('has the known bits', () => {
    expect(encodeUserCopyPos(0, 0, 0)).toBe(0x80000000n);
    expect(encodeUserCopyPos(1, 2, 3)).toBe(0x80000000n + (1n << 41n) + (2n << 25n) + 3n);
    expect(encodeUserCopyPos(0, 0, 0, true)).toBe(0x4000000080000000n);
  });

  it('refuses what does not fit', () => {
    expect(() => encodeUserCopyPos(4096, 0, 0)).toThrow('qid is 4096');
    expect(() => encodeUserCopyPos(0, 65536, 0)).toThrow('tag is 65536');
    expect(() => encodeUserCopyPos(0, 0, 2 ** 25)).toThrow('offset is 33554432');
    for (const pos of [-1n, 0n, 0x7fffffffn, 0x80000000n + (1n << 53n)])
      expect(() => decodeUserCopyPos(pos)).toThrow(RangeError);
  });
});

describe('RFC splice position', () => {
  it('round-trips', () => {
    fc.assert(
      fc.property(upTo(0x1fffff), upTo(4095), upTo(2 ** 30 - 1), (qid, tag, offset) => {
        expect(decodeSpliceZcPos(encodeSpliceZcPos(qid, tag, offset))).toEqual({ qid, tag, offset });
      }),
    );
  });

  it('every loff_t decodes and encodes back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }), (pos) => {
        const { qid, tag, offset } = decodeSpliceZcPos(pos);
        expect(encodeSpliceZcPos(qid, tag, offset)).toBe(pos);
      }),
    );
  });

  it('has no base offset, and refuses what does not fit', () => {
    expect(encodeSpliceZcPos(0, 5, 0)).toBe(0x140000000n);
    expect(encodeSpliceZcPos(0, 6, 0)).toBe(0x180000000n);
    expect(() => encodeSpliceZcPos(0, 4096, 0)).toThrow('tag is 4096');
    expect(() => encodeSpliceZcPos(0x200000, 0, 0)).toThrow('qid is 2097152');
    expect(() => encodeSpliceZcPos(0, 0, 2 ** 30)).toThrow('offset');
    expect(() => decodeSpliceZcPos(-1n)).toThrow(RangeError);
    expect(() => decodeSpliceZcPos(1n << 63n)).toThrow(RangeError);
  });
});

describe('SHMEM_ZC address', () => {
  it('round-trips and refuses stray bits', () => {
    fc.assert(
      fc.property(u16(), u32(), (index, offset) => {
        expect(decodeShmemAddr(encodeShmemAddr(index, offset))).toEqual({ index, offset });
      }),
    );
    expect(() => decodeShmemAddr(1n << 48n)).toThrow(RangeError);
    expect(() => encodeShmemAddr(0x10000, 0)).toThrow('index is 65536');
  });
});

describe('descriptor array', () => {
  it('has the mmap places the driver asks for', () => {
    expect([0, 1, 3].map((q) => descArrayOffset(q))).toEqual([0, 98304, 294912]);
    expect([1, 128, 170, 171, 256].map((depth) => descArrayLength(depth))).toEqual([
      4096, 4096, 4096, 8192, 8192,
    ]);
    expect(descArrayOffset(1, 65536)).toBe(131072);
  });
});

describe('user_data', () => {
  const fields = [u16(), u8(), u16(), fc.boolean()] as const;

  it('ublksrv values round-trip, as bigint and as words', () => {
    fc.assert(
      fc.property(...fields, (tag, op, tgtData, isTarget) => {
        const value = buildUserData(tag, op, tgtData, isTarget);
        expect(decodeUserData(value)).toEqual({ tag, op, tgtData, isTarget, qid: 0 });
        expect(isServerUserData(value)).toBe(true);
        expect(joinWords(udLo(tag, op, tgtData), udHi(tgtData, isTarget))).toBe(value);
      }),
    );
  });

  it('kublk values round-trip, as bigint and as words', () => {
    fc.assert(
      fc.property(...fields, upTo(127), (tag, op, tgtData, isTarget, qid) => {
        const value = buildKublkUserData(tag, op, tgtData, qid, isTarget);
        expect(decodeUserData(value, 'kublk')).toEqual({ tag, op, tgtData, isTarget, qid });
        expect(joinWords(udLo(tag, op, tgtData), udHi(tgtData, isTarget, qid))).toBe(value);
      }),
    );
  });

  it('the 32-bit shift of Nov 2022 loses the upper byte of tgt_data and nothing else', () => {
    fc.assert(
      fc.property(...fields, (tag, op, tgtData, isTarget) => {
        const value = buildUserData(tag, op, tgtData, isTarget, { truncateTgtData: true });
        // The C expression: 32-bit ors and shifts, then the 64-bit target bit.
        const low = BigInt((tag | (op << 16) | (tgtData << 24)) >>> 0);
        expect(value).toBe(low | (isTarget ? 1n << 63n : 0n));
      }),
    );
    expect(decodeUserData(buildUserData(1, 22, 256, true, { truncateTgtData: true })).tgtData).toBe(0);
  });

  it('the word functions agree with the bigint decoder', () => {
    fc.assert(
      fc.property(u64(), fc.constantFrom('ublksrv' as const, 'kublk' as const), (value, layout) => {
        const [lo, hi] = [loWord(value), hiWord(value)];
        const out = { tag: -1, op: -1, tgtData: -1, isTarget: false, qid: -1 };
        expect(decodeUserDataWords(lo, hi, layout, out)).toBe(out);
        expect(out).toEqual(decodeUserData(value, layout));
        expect([udTag(lo), udOp(lo), udTgtData(lo, hi)]).toEqual([
          Number(value & 0xffffn),
          Number((value >> 16n) & 0xffn),
          Number((value >> 24n) & 0xffffn),
        ]);
        expect([udIsTarget(hi), udQid(hi), udIsEventfd(lo, hi)]).toEqual([
          value >> 63n === 1n,
          Number((value >> 56n) & 0x7fn),
          value === UD_EVENTFD,
        ]);
        // Words kept in Int32Array cells come back signed.
        expect([udIsTarget(hi | 0), udTgtData(lo | 0, hi | 0)]).toEqual([udIsTarget(hi), udTgtData(lo, hi)]);
      }),
    );
    expect(udIsEventfd(0, 0xc0000000 | 0)).toBe(true);
  });

  it('has the values of the reference', () => {
    expect(buildUserData(5, 0x20, 0, false)).toBe(0x200005n);
    expect(buildUserData(5, 0x21, 0, false)).toBe(0x210005n);
    expect(buildUserData(5, 0, 0, true)).toBe(0x8000000000000005n);
    expect(buildUserData(UD_TAG_IGNORE, 3, 0, true)).toBe(0x800000000003ffffn);
    expect(buildKublkUserData(3, 0, 0, 1, true)).toBe(0x8100000000000003n);
  });

  it('refuses fields that the servers assert on', () => {
    expect(() => buildUserData(0x10000, 0, 0, false)).toThrow('tag is 65536');
    expect(() => buildUserData(0, 0x100, 0, false)).toThrow('op is 256');
    expect(() => buildUserData(0, 0, 0x10000, false)).toThrow('tgtData is 65536');
    expect(() => buildKublkUserData(0, 0, 0, 128, false)).toThrow('qid is 128');
  });

  it('tells the pointers of control commands from server values', () => {
    for (const pointer of [0x7f178d582010n, 0x7ffd12345678n, 0x55d0c0de1000n]) {
      expect([isServerUserData(pointer), isServerUserData(pointer, 'kublk')]).toEqual([false, false]);
    }
    expect(isServerUserData(UD_EVENTFD)).toBe(true);
    fc.assert(
      fc.property(u16(), u8(), fc.bigInt({ min: 40n, max: 62n }), (tag, op, bit) => {
        const value = buildUserData(tag, op, 0, true) | (1n << bit);
        expect([isServerUserData(value), isServerUserData(value, 'kublk')]).toEqual([
          value === UD_EVENTFD,
          bit >= 56n,
        ]);
      }),
    );
  });

  it('of recorded ublk commands carries the tag, queue and number that the driver read from the SQE', () => {
    expect(recorded.commands.length).toBeGreaterThan(400);
    expect(recorded.commands.some((entry) => entry.qid === 1)).toBe(true);
    for (const { run, layout, userData, cmdOp, qid, tag } of recorded.commands) {
      const fieldsOf = decodeUserData(BigInt(userData), layoutOf(layout));
      const expected = { tag, op: ublkCmdNr(Number(cmdOp)), qid: layout === 'kublk' ? qid : 0, tgtData: 0 };
      expect({ run, userData, ...fieldsOf }).toMatchObject({ run, userData, ...expected });
    }
  });

  it('of recorded backend I/O is marked as such', () => {
    expect(recorded.targets.length).toBeGreaterThan(100);
    for (const { run, layout, userData, opcode } of recorded.targets) {
      const value = BigInt(userData);
      expect([run, opcode, decodeUserData(value, layoutOf(layout)).isTarget]).toEqual([run, opcode, true]);
      expect(isServerUserData(value, layoutOf(layout))).toBe(true);
    }
  });
});
