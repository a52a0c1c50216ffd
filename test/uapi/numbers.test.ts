import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asU64,
  flagNames,
  fromHex,
  getHi,
  getLo,
  getSafeU64,
  hiWord,
  joinWords,
  loWord,
  putSafeU64,
  putU64,
  toHex,
} from '../../src/uapi/bytes';
import {
  BLK_STS,
  REQ_FLAG,
  REQ_OP,
  blkStatusToErrno,
  formatRwbs,
  parseRwbs,
  rwbsOf,
} from '../../src/uapi/block';
import type { BlockOp } from '../../src/uapi/block';
import { ERRNO, errnoByName, errnoName, formatResult } from '../../src/uapi/errno';
import {
  IORING_OP,
  IORING_OP_LAST,
  IORING_SETUP,
  opcodeByName,
  opcodeName,
  ringEntries,
} from '../../src/uapi/io_uring';
import { spliceFlagsText } from '../../src/uapi/splice';
import {
  UBLK_CMD,
  UBLK_F,
  UBLK_IO,
  UBLK_IO_OP,
  UBLK_U_CMD,
  UBLK_U_IO,
  hasLegacyCmd,
  ublkCmdByName,
  ublkCmdName,
  ublkCmdNr,
  ublkFeatureNames,
  ublkOpFlagNames,
  ublkOpName,
  ublkStateName,
} from '../../src/uapi/ublk';
import recorded from '../fixtures/uapi/recorded_user_data.json';
import { u32, u64 } from './arbitraries';

describe('ublk command encoding', () => {
  // The values that a C compiler gives for the uapi header on x86-64.
  it('matches the header', () => {
    expect(UBLK_U_CMD).toEqual({
      GET_QUEUE_AFFINITY: 0x80207501,
      GET_DEV_INFO: 0x80207502,
      ADD_DEV: 0xc0207504,
      DEL_DEV: 0xc0207505,
      START_DEV: 0xc0207506,
      STOP_DEV: 0xc0207507,
      SET_PARAMS: 0xc0207508,
      GET_PARAMS: 0x80207509,
      START_USER_RECOVERY: 0xc0207510,
      END_USER_RECOVERY: 0xc0207511,
      GET_DEV_INFO2: 0x80207512,
      GET_FEATURES: 0x80207513,
      DEL_DEV_ASYNC: 0x80207514,
      UPDATE_SIZE: 0xc0207515,
      QUIESCE_DEV: 0xc0207516,
      TRY_STOP_DEV: 0xc0207517,
      REG_BUF: 0xc0207518,
      UNREG_BUF: 0xc0207519,
    });
    expect(UBLK_U_IO).toEqual({
      FETCH_REQ: 0xc0107520,
      COMMIT_AND_FETCH_REQ: 0xc0107521,
      NEED_GET_DATA: 0xc0107522,
      REGISTER_IO_BUF: 0xc0107523,
      UNREGISTER_IO_BUF: 0xc0107524,
      PREP_IO_CMDS: 0xc0107525,
      COMMIT_IO_CMDS: 0xc0107526,
      FETCH_IO_CMDS: 0xc0107527,
    });
  });

  it('names legacy and encoded values alike, and nothing else', () => {
    for (const [name, nr] of [...Object.entries(UBLK_CMD), ...Object.entries(UBLK_IO)]) {
      const encoded = { ...UBLK_U_CMD, ...UBLK_U_IO }[name as keyof typeof UBLK_U_CMD];
      expect([ublkCmdName(nr), ublkCmdName(encoded), ublkCmdByName(name), ublkCmdNr(encoded)]).toEqual([
        name,
        name,
        nr,
        nr,
      ]);
      expect(ublkCmdName(encoded ^ 0x100)).toBeUndefined();
    }
    expect([0, 3, 0x1a, 0x28, 0x121].map(ublkCmdName)).toEqual(new Array(5).fill(undefined));
    expect(ublkCmdByName('FETCH')).toBeUndefined();
  });

  it('knows which commands have a legacy number', () => {
    expect([0x02, 0x12, 0x20, 0x22].map(hasLegacyCmd)).toEqual([true, true, true, true]);
    expect([0x03, 0x13, 0x19, 0x23, 0x27, 0x99].map(hasLegacyCmd)).toEqual(new Array(6).fill(false));
  });

  it('names every command value of the recordings', () => {
    for (const { cmdOp } of recorded.commands) expect(ublkCmdName(Number(cmdOp)), cmdOp).toBeDefined();
  });
});

describe('io_uring opcodes', () => {
  it('are dense and name each other', () => {
    Object.entries(IORING_OP).forEach(([name, nr], index) => {
      expect(nr).toBe(index);
      expect(opcodeName(nr)).toBe(name);
      expect(opcodeByName(name)).toBe(nr);
    });
    expect(Object.keys(IORING_OP).length).toBe(IORING_OP_LAST['7.3']);
  });

  it('are INVALID above what a kernel knows', () => {
    expect(opcodeName(250)).toBe('INVALID');
    expect(opcodeName(65)).toBe('INVALID');
    expect(opcodeName(IORING_OP.READ_MULTISHOT, IORING_OP_LAST['6.1'])).toBe('INVALID');
    expect(opcodeName(IORING_OP.SENDMSG_ZC, IORING_OP_LAST['6.1'])).toBe('SENDMSG_ZC');
    expect(opcodeByName('INVALID')).toBeUndefined();
    expect(opcodeByName('toString')).toBeUndefined();
  });

  it('know the names in the recordings', () => {
    for (const { opcode } of recorded.targets) expect(opcodeByName(opcode), opcode).toBeDefined();
  });
});

describe('ring size', () => {
  it('is the smallest power of two that fits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65536 }), (entries) => {
        const size = ringEntries(entries);
        expect(Number.isInteger(Math.log2(size)) && size >= entries && size < 2 * entries).toBe(true);
      }),
    );
    expect(() => ringEntries(0)).toThrow(RangeError);
  });
});

describe('flags', () => {
  it('each table has one distinct bit per name', () => {
    for (const table of [UBLK_F, IORING_SETUP, REQ_FLAG]) {
      const values = Object.values(table);
      expect(values.every((value) => Number.isInteger(Math.log2(value)))).toBe(true);
      expect(new Set(values).size).toBe(values.length);
    }
    expect(Object.values(UBLK_F).reduce<number>((sum, bit) => sum | bit, 0)).toBe(0x1fffff);
    expect(IORING_SETUP.SQE128 | IORING_SETUP.COOP_TASKRUN | IORING_SETUP.CQSIZE).toBe(0x508);
  });

  it('names and unknown bits together are the value', () => {
    fc.assert(
      fc.property(u64(), (value) => {
        const table: Record<string, number> = UBLK_F;
        const sum = flagNames(value, table).reduce((bits, name) => bits | BigInt(table[name] ?? name), 0n);
        expect(sum).toBe(value);
      }),
    );
  });

  it('are printed by name', () => {
    expect(spliceFlagsText(0x30)).toBe('DIRECT|READ_TO_READ');
    expect(spliceFlagsText(0x80000001)).toBe('MOVE|FD_IN_FIXED');
    expect(spliceFlagsText(0)).toBe('0');
    expect(ublkFeatureNames(0x1fe)[0]).toBe('URING_CMD_COMP_IN_TASK');
    expect(ublkFeatureNames(1n << 40n)).toEqual(['0x10000000000']);
  });

  it('of io_desc.op_flags are tested unshifted', () => {
    const opFlags = UBLK_IO_OP.WRITE | (1 << 13);
    expect(ublkOpName(opFlags)).toBe('WRITE');
    expect(ublkOpFlagNames(opFlags)).toEqual(['FUA']);
    expect(ublkOpName(6)).toBeUndefined();
    expect(ublkStateName(2)).toBe('QUIESCED');
    expect(ublkStateName(4)).toBeUndefined();
  });
});

describe('errno', () => {
  it('names and numbers are one to one', () => {
    for (const [name, nr] of Object.entries(ERRNO)) {
      expect([errnoName(nr), errnoName(-nr), errnoByName(name), errnoByName(`-${name}`)]).toEqual([
        name,
        name,
        nr,
        nr,
      ]);
    }
    expect(new Set(Object.values(ERRNO)).size).toBe(Object.keys(ERRNO).length);
    expect([errnoName(0), errnoName(41), errnoByName('EFOO'), errnoByName('constructor')]).toEqual(
      new Array(4).fill(undefined),
    );
    expect([errnoByName('EWOULDBLOCK'), errnoByName('-ENOTSUP')]).toEqual([11, 95]);
  });

  it('results are printed with the name', () => {
    expect([4096, -125, -19, -529, -9999].map(formatResult)).toEqual([
      '4096',
      '-125 (-ECANCELED)',
      '-19 (-ENODEV)',
      '-529 (-EIOCBQUEUED)',
      '-9999',
    ]);
  });

  it('block status codes map to them', () => {
    expect([BLK_STS.OK, BLK_STS.IOERR, BLK_STS.TARGET, BLK_STS.NOTSUPP, 99].map(blkStatusToErrno)).toEqual([
      0,
      -ERRNO.EIO,
      -ERRNO.EREMOTEIO,
      -ERRNO.EOPNOTSUPP,
      -ERRNO.EIO,
    ]);
  });
});

describe('rwbs', () => {
  const ops: readonly BlockOp[] = [
    'READ',
    'WRITE',
    'FLUSH',
    'DISCARD',
    'SECURE_ERASE',
    'OTHER',
    'ZONE_APPEND',
    'ZONE_RESET_ALL',
    'ZONE_FINISH',
    'ZONE_OPEN',
    'ZONE_CLOSE',
  ];
  const b = fc.boolean;

  it('round-trips', () => {
    fc.assert(
      fc.property(
        fc.record({
          op: fc.constantFrom(...ops),
          preflush: b(),
          fua: b(),
          readahead: b(),
          sync: b(),
          meta: b(),
          atomic: b(),
        }),
        (value) => {
          // The letters cannot tell FLUSH+FUA from PREFLUSH+FLUSH; the block layer only makes the latter.
          fc.pre(!(value.op === 'FLUSH' && value.fua && !value.preflush));
          expect(parseRwbs(formatRwbs(value))).toEqual(value);
        },
      ),
    );
  });

  it('reads every combination in the recordings', () => {
    expect(recorded.rwbs.length).toBeGreaterThan(10);
    for (const text of recorded.rwbs) {
      const parsed = parseRwbs(text);
      expect(parsed && formatRwbs(parsed)).toBe(text);
    }
    expect(parseRwbs('FWFSM')).toMatchObject({
      op: 'WRITE',
      preflush: true,
      fua: true,
      sync: true,
      meta: true,
    });
    expect(parseRwbs('FF')).toMatchObject({ op: 'FLUSH', preflush: true, fua: false });
  });

  it('refuses other text', () => {
    expect(['', 'S', 'WSW', 'WSF', 'w', 'RQ', 'FFF '].map(parseRwbs)).toEqual(new Array(7).fill(undefined));
  });

  it('follows the request flags', () => {
    expect(formatRwbs(rwbsOf(REQ_OP.WRITE | REQ_FLAG.SYNC | REQ_FLAG.FUA | REQ_FLAG.PREFLUSH))).toBe('FWFS');
    expect(formatRwbs(rwbsOf(REQ_OP.FLUSH | REQ_FLAG.PREFLUSH))).toBe('FF');
    expect(formatRwbs(rwbsOf(REQ_OP.WRITE_ZEROES | REQ_FLAG.SYNC))).toBe('NS');
    expect(formatRwbs(rwbsOf(REQ_OP.READ | REQ_FLAG.RAHEAD | REQ_FLAG.META))).toBe('RAM');
  });
});

describe('words', () => {
  it('split and join', () => {
    fc.assert(
      fc.property(u64(), (value) => {
        const view = new DataView(new ArrayBuffer(8));
        putU64(view, 0, loWord(value), hiWord(value));
        expect(view.getBigUint64(0, true)).toBe(value);
        expect(joinWords(getLo(view, 0), getHi(view, 0))).toBe(value);
      }),
    );
    expect([loWord(-2n), hiWord(-2n), asU64(-1n)]).toEqual([0xfffffffe, 0xffffffff, 0xffffffffffffffffn]);
    fc.assert(fc.property(u32(), (lo) => joinWords(lo | 0, 0) === BigInt(lo)));
  });

  it('safe integers survive and others are refused', () => {
    const view = new DataView(new ArrayBuffer(8));
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        putSafeU64(view, 0, value);
        expect(view.getBigUint64(0, true)).toBe(BigInt(value));
        expect(getSafeU64(view, 0)).toBe(value);
      }),
    );
    for (const bad of [-1, 0.5, 2 ** 53]) expect(() => putSafeU64(view, 0, bad)).toThrow(RangeError);
    view.setBigUint64(0, 1n << 53n, true);
    expect(() => getSafeU64(view, 0)).toThrow(RangeError);
  });

  it('hex text round-trips, bad text is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes);
      }),
    );
    expect(() => fromHex('abc')).toThrow('odd length 3');
    expect(() => fromHex('0x')).toThrow("'x' at 1 is not a hex digit");
  });
});
