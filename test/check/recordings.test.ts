import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RULES } from '../../src/check/rules';
import { listRecordings, loadRecording } from '../support/oracle';
import { brokenRules, checkText } from './support';

/** Rules that servers break by themselves: ublk-qcow2 puts its link behind what it should hold back. */
const MISTAKES: Readonly<Record<string, readonly string[]>> = {
  'k6.1-qcow2-ublksrvold-q1d16': ['INV-20'],
  'k7.3-qcow2-ublksrvold-q1d16': ['INV-20'],
};

/** Rules that a fault of the recorded server breaks, by the name the recording has for the fault. */
const FAULTS: Readonly<Record<string, readonly string[]>> = {
  no_r2r: ['INV-57'],
  r2r_only: ['INV-57'],
  retry_same: ['INV-56'],
  // The server asks for parts, which the rules allow; the kernel moves more than it was asked for.
  sub_half: ['INV-60'],
  sub_chunk: ['INV-60'],
  sub_tail: ['INV-42', 'INV-48'],
  overcommit: ['INV-42', 'INV-48'],
  no_fill: ['INV-48'],
  commit_early: ['INV-42', 'INV-48', 'INV-59'],
  commit_early_delay: ['INV-42', 'INV-48', 'INV-59'],
  user_pipe: ['INV-56', 'INV-57'],
  // The kernel dies before the position is printed.
  off_minus1_in: [],
};

const names = listRecordings();
const faultOf = (name: string): string | null =>
  (loadRecording(name).meta.fault as string | null | undefined) ?? null;
const correct = names.filter((name) => faultOf(name) === null && !(name in MISTAKES));

describe('recordings', () => {
  it.each(names)('%s', (name) => {
    const { text } = loadRecording(name);
    const fault = faultOf(name);
    const report = checkText(text);
    if (fault !== null) expect(FAULTS, fault).toHaveProperty(fault);
    expect([...new Set(report.violations.map((v) => v.rule))].sort()).toEqual(
      fault === null ? (MISTAKES[name] ?? []) : FAULTS[fault],
    );
    const told = [...report.evaluated, ...report.notEvaluated.map((n) => n.rule)].sort();
    expect(told).toEqual(RULES.map((rule) => rule.id));
    for (const { reason } of report.notEvaluated) expect(reason).not.toBe('');
    const fetches = /submit_(sqe|req): .*user_data 0x20[0-9a-f]{4}, opcode URING_CMD/.test(text);
    expect(report.evaluated.includes('INV-32')).toBe(fetches);
  });

  it('a recording of a lifecycle has the rules of the start', () => {
    const { evaluated } = checkText(loadRecording('k7.3-life-loop-copy-kublk-q1d4').text);
    expect(evaluated).toEqual(expect.arrayContaining(['INV-25', 'INV-26', 'INV-32', 'INV-36', 'INV-37']));
  });

  it('tells where and which request', () => {
    const { violations } = checkText(loadRecording('rfc-zc-fault-retry-same-range').text);
    const first = violations[0];
    expect(first).toMatchObject({
      rule: 'INV-56',
      severity: 'S',
      event: 51,
      line: 64,
      queue: 0,
      tag: 3,
      life: 1,
      device: '259,0',
    });
    expect(first.evidence).toEqual([8, 16, 48, 51]);
    expect(first.firstCause).toBe(16);
    expect(violations.map((v) => v.event)).toEqual([...violations.map((v) => v.event)].sort((a, b) => a - b));
  });
});

describe('what is not known is not broken', () => {
  const texts = new Map<string, string[]>();
  const linesOf = (name: string): string[] => {
    let lines = texts.get(name);
    if (!lines) {
      lines = loadRecording(name)
        .text.split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'));
      texts.set(name, lines);
    }
    return lines;
  };

  it('a recording that starts later', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...correct),
        fc.double({ min: 0, max: 0.95, noNaN: true }),
        (name, part) => {
          const lines = linesOf(name);
          expect(brokenRules(lines.slice(Math.floor(lines.length * part)).join('\n'))).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('a recording that ends earlier', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...correct),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        (name, part) => {
          const lines = linesOf(name);
          expect(brokenRules(lines.slice(0, Math.ceil(lines.length * part)).join('\n'))).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('a recording that lost events, and says so', () => {
    const cut = fc.record({
      at: fc.double({ min: 0.05, max: 0.9, noNaN: true }),
      count: fc.integer({ min: 1, max: 200 }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...correct), cut, (name, { at, count }) => {
        const lines = [...linesOf(name)];
        lines.splice(Math.floor(lines.length * at), count, `CPU:0 [LOST ${count} EVENTS]`);
        expect(brokenRules(lines.join('\n'))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
