import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uringProfile } from '../../src/kernel/uring/uring_profile';
import type { RingProgram } from '../../src/ring/program';
import { readProgram } from '../../src/ring/read_program';
import { runProgram, StepError } from '../../src/ring/run';
import { sessionProgram } from '../../src/ring/session_program';
import { sessionOf } from '../../src/ring/to_session';
import { parseSession } from '../../src/session/parse';
import { randomPrograms } from './random_programs';

const FOLDER = join(import.meta.dirname, '../fixtures/ring');
const NO_FILES = { size: () => undefined, cached: () => false, bytes: () => new Uint8Array() };

/** A program as a session says it. */
function viaSession(program: RingProgram, kernel: string): RingProgram {
  const text = sessionOf(program, kernel);
  const session = parseSession(text, 's.ublk');
  expect(
    session.diagnostics.filter(({ message }) => !message.includes('no submit gives')),
    text,
  ).toEqual([]);
  expect(session.onRing, text).toBe(true);
  return sessionProgram(session, NO_FILES).program;
}

/** What of a program its run depends on. */
function meaning({
  entries,
  cqEntries,
  setup,
  fsizeLimit,
  files,
  buffers,
  memory,
  steps,
  fds,
  fixedIndex,
}: RingProgram) {
  const kinds = files.map(({ kind, name, ...file }) => ({
    ...file,
    kind,
    name: kind === 'file' || kind === 'pipe' ? name : kind,
  }));
  return {
    entries,
    cqEntries,
    setup,
    fsizeLimit,
    files: kinds,
    buffers,
    memory,
    steps,
    fds: [...fds.values()],
    fixed: [...fixedIndex.values()],
  };
}

/** What a program gives; names of devices are paths in a session. */
function outcomeOf(program: RingProgram, kernel: string): unknown {
  try {
    const { steps, files, buffers } = runProgram(program, { profile: uringProfile(kernel)! }).outcome();
    return { steps, files, buffers };
  } catch (error) {
    if (error instanceof StepError) return error.message;
    throw error;
  }
}

describe('ring programs as sessions', () => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json') && !name.includes('.expect.'));
  it.each(names)('%s', (name) => {
    const program = readProgram(readFileSync(join(FOLDER, name), 'utf8'));
    const same = viaSession(program, '6.18');
    expect(meaning(same)).toEqual(meaning(program));
    expect(outcomeOf(same, '6.18')).toEqual(outcomeOf(program, '6.18'));
  });

  it('with every operation, flag and field, on every profile', () => {
    fc.assert(
      fc.property(randomPrograms, fc.constantFrom('6.1', '6.12', '6.18', '7.3'), (text, kernel) => {
        const program = readProgram(text);
        const same = viaSession(program, kernel);
        expect(meaning(same)).toEqual(meaning(program));
        expect(outcomeOf(same, kernel)).toEqual(outcomeOf(program, kernel));
      }),
      { numRuns: 300 },
    );
  });
});
