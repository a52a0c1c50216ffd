import { describe, expect, it } from 'vitest';
import { ProgramError } from '../../src/ring/json_text';
import { readProgram } from '../../src/ring/read_program';
import { initialBytesMemo } from '../../src/ring/program';

/** The message with its place, or the empty string when the program is fine. */
function complaint(text: string): string {
  try {
    readProgram(text);
    return '';
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    return `${error.place.line}:${error.place.column}: ${error.message}`;
  }
}

function program(sqe: string, rest = ''): string {
  return `{"name": "t", "ring": {"entries": 8}, "files": {"f": {"kind": "file", "size": 10}, "p": {"kind": "pipe"}},
 "buffers": {"b": {"size": 100}}, ${rest}
 "steps": [{"submit": [${sqe}]}]}`;
}

describe('reading a ring program', () => {
  it.each([
    ['{"op": "NOPE", "user_data": "1"}', '3:31: unknown op "NOPE"; did you mean \'NOP\'?'],
    ['{"op": "NOP"}', '3:24: NOP needs "user_data"'],
    ['{"op": "NOP", "user_data": 1}', '3:51: user_data must be a string'],
    [
      '{"op": "NOP", "user_data": "0x1ffffffffffffffff"}',
      '3:51: user_data must be a decimal or 0x number of 64 bits, not "0x1ffffffffffffffff"',
    ],
    ['{"op": "NOP", "user_data": "99999999999999999999"}', '3:51: user_data does not fit 64 bits'],
    ['{"op": "READ", "file": "g", "len": 1, "user_data": "1"}', '3:47: no file "g"; did you mean \'f\'?'],
    [
      '{"op": "READ", "file": "p", "len": 1, "user_data": "1"}',
      '3:47: no file "p"; a pipe has the ends p.r and p.w',
    ],
    [
      '{"op": "READ", "file": "f", "buf": "b", "len": -1, "user_data": "1"}',
      '3:71: len must not be negative',
    ],
    [
      '{"op": "READ", "file": "f", "buf": "b", "len": 101, "user_data": "1"}',
      '3:71: the range goes beyond buffer "b" (100 bytes)',
    ],
    [
      '{"op": "READ", "file": "f", "len": 1, "flags": ["FIXED_FILE"], "user_data": "1"}',
      '3:47: file "f" is not in the file table ("fixed": true)',
    ],
    [
      '{"op": "NOP", "flags": ["LINK"], "user_data": "1"}',
      '3:48: flags has no "LINK"; it can have FIXED_FILE, IO_DRAIN, IO_LINK, IO_HARDLINK, ASYNC, CQE_SKIP_SUCCESS',
    ],
    ['{"op": "NOP", "flags": ["0x100"], "user_data": "1"}', '3:47: flags has 8 bits'],
    ['{"op": "NOP", "op": "NOP", "user_data": "1"}', '3:38: duplicate key "op"'],
    [
      '{"op": "NOP", "lenn": 1, "user_data": "1"}',
      '3:38: NOP has no "lenn"; it can have op, user_data, flags, fd, splice_fd_in, addr, ioprio, buf_index, personality',
    ],
  ])('refuses %s', (sqe, message) => {
    expect(complaint(program(sqe))).toBe(message);
  });

  it('refuses more SQEs than the SQ has entries', () => {
    const sqes = Array.from({ length: 70_000 }, (_, i) => `{"op": "NOP", "user_data": "${i}"}`).join(',\n');
    expect(complaint(program(sqes))).toBe('11:1: the SQ has 8 entries, 70000 SQEs do not fit');
  });

  it('refuses rings that io_uring_setup refuses', () => {
    const ring = (text: string): string => complaint(`{"name": "t", "ring": ${text}, "steps": []}`);
    expect(ring('{"entries": 8, "cq_entries": 4}')).toContain('fewer CQ entries than SQ entries');
    expect(ring('{"entries": 8, "setup": ["DEFER_TASKRUN"]}')).toContain('DEFER_TASKRUN needs SINGLE_ISSUER');
    expect(ring('{"entries": 0}')).toContain('entries must be from 1 to 4096, not 0');
    expect(ring('{"entries": 5, "setup": ["SUBMIT_ALL"]}')).toBe('');
  });

  it('refuses text that is no JSON, with the place', () => {
    expect(complaint('')).toBe('1:1: the file is empty');
    expect(complaint('{"name": "t",\n "ring" 1}')).toBe('2:9: expected \':\' after the key, not "1"');
    expect(complaint('{"name": "t\n"}')).toContain('1:12: a string must not contain a line break');
    expect(complaint('[1, 2')).toContain("expected ',' or ']', not the end of the file");
    expect(complaint(`${'['.repeat(200)}`)).toContain('nested too deeply');
  });

  it('takes 64-bit values and raw fields as they are', () => {
    const { steps } = readProgram(
      program(
        '{"op": "SPLICE", "file_in": "f", "file": "p.w", "len": 5, "splice_flags": ["FD_IN_FIXED"], "splice_fd_in": 3, "user_data": "0xffffffffffffffff"}',
      ),
    );
    const sqe = steps[0]?.kind === 'submit' ? steps[0].sqes[0] : undefined;
    expect(sqe).toMatchObject({
      userData: 0xffffffffffffffffn,
      off: 0xffffffffffffffffn,
      addr: 0xffffffffffffffffn,
      spliceFdIn: 3,
      opFlags: 0x80000000,
    });
  });

  it('gives every name its pattern', () => {
    const bytes = initialBytesMemo().get('b', 600);
    expect([bytes[0], bytes[1], bytes[250], bytes[251], bytes[502]]).toEqual([
      98,
      99,
      (250 + 98) % 256,
      98,
      98,
    ]);
  });
});
