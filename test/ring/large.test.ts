import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import { initialBytes } from '../../src/ring/program';
import { readProgram } from '../../src/ring/read_program';
import { runProgram } from '../../src/ring/run';
import { sha256Hex } from '../../src/ring/sha256';

const profile = uringProfile('6.18')!;

function sha(pieces: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

describe('contents', () => {
  it('begin with the bytes of the format', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]\w{0,9}$/), fc.integer({ min: 0, max: 3000 }), (name, size) => {
        const sum = [...name].reduce((total, letter) => total + letter.charCodeAt(0), 0);
        const bytes = Uint8Array.from({ length: size }, (_, i) => ((i % 251) + sum) % 256);
        expect(initialBytes(name, size)).toEqual(bytes);
      }),
    );
  });

  it('have the hash that others compute', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (pieces) => {
        expect(sha256Hex(pieces)).toBe(sha(pieces));
      }),
    );
  });

  it('of a large file are taken in few pieces: what nobody looked at, and the pages between', () => {
    const size = (64 << 20) + 100;
    const write = { op: 'WRITE', file: 'f', off: 1 << 20, buf: 'b', len: 3, user_data: '1' };
    const program = readProgram(
      JSON.stringify({
        name: 'p',
        ring: { entries: 1 },
        files: { f: { kind: 'file', size } },
        buffers: { b: { size: 4 } },
        steps: [{ submit: [write] }, { reap: 'all' }],
      }),
    );
    const pieces: number[] = [];
    const run = runProgram(program, { profile });
    const { sha256 } = run.outcome((given) => {
      const list = [...given];
      pieces.push(list.length);
      return sha(list);
    }).files.f!;
    const bytes = initialBytes('f', size);
    bytes.set(initialBytes('b', 3), 1 << 20);
    expect(sha256).toBe(sha([bytes]));
    expect(pieces[0]).toBeLessThan(10);
  });

  it('of a program with very many steps come out', { timeout: 60_000 }, () => {
    const steps = Array.from({ length: 30_000 }, () => ({ submit: [{ op: 'NOP', user_data: '1' }] }));
    const run = runProgram(readProgram(JSON.stringify({ name: 'p', ring: { entries: 1 }, steps })), {
      profile,
    });
    expect(run.steps.every(({ submitted }) => submitted === 1)).toBe(true);
    expect(run.outcome().cq_overflow).toBeUndefined();
  });
});
