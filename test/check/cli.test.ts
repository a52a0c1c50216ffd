import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RULES } from '../../src/check/rules';
import { cliUnderTest } from '../support/cli';
import { listRecordings, loadRecording } from '../support/oracle';
import { checkText } from './support';

describe('ublk-trace check', () => {
  const cli = cliUnderTest();
  const put = (name: string): string => {
    const file = join(cli.folder(), `${name}.txt`);
    writeFileSync(file, loadRecording(name).text);
    return file;
  };

  it('a correct server: exit 0, what holds and what was not evaluated', async () => {
    const { code, stdout, stderr } = await cli.run(['check', put('k7.3-loop-copy-kublk-q1d32')]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [first, ...reasons] = stdout.trimEnd().split('\n');
    expect(first).toMatch(/^\d+ rules hold, \d+ not evaluated:$/);
    expect(reasons.join('\n')).toContain('INV-56, INV-57, INV-59: needs the probe ublk_splice_read');
    const named = new Set(stdout.match(/INV-\d+/g));
    const [holds, open] = first.match(/\d+/g)!.map(Number);
    expect(named.size).toBe(open);
    expect(holds + open).toBe(RULES.length);
  });

  it('a broken rule: exit 1, a line with its place, the lines that show it', async () => {
    const file = put('rfc-zc-fault-retry-same-range');
    const { code, stdout } = await cli.run(['check', file]);
    expect(code).toBe(1);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe(
      `${file}:64:1: INV-56 S bytes 0 to 4095 are spliced again within one delivery [259,0 0:3#1]`,
    );
    expect(lines.slice(1, 5).map((line) => /^ {2}( |>) (\d+): /.exec(line)?.slice(1))).toEqual([
      [' ', '21'],
      [' ', '29'],
      [' ', '61'],
      ['>', '64'],
    ]);
    expect(stdout).toContain('\nINV-56 broken, ');
    expect(stdout).not.toContain('\u001b');
  });

  it('--json: the report as one object', async () => {
    const name = 'rfc-zc-overcommit-leak-buffered';
    const { code, stdout } = await cli.run(['check', '--json', put(name)]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual(checkText(loadRecording(name).text));
  });

  it('no trace: exit 2', async () => {
    const { code, stdout, stderr } = await cli.run(['check', 'nowhere.txt']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe('nowhere.txt:1:1: no such file or folder\n');
  });

  it('--help lists the rules', async () => {
    const { stdout } = await cli.run(['check', '--help']);
    for (const rule of RULES) expect(stdout).toContain(`${rule.id} ${rule.severity}  ${rule.title}`);
  });
});

describe('any text', () => {
  it('lines in any order are checked without an exception', () => {
    const line = fc.record({ from: fc.nat(), to: fc.nat() });
    fc.assert(
      fc.property(fc.constantFrom(...listRecordings()), fc.array(line, { maxLength: 60 }), (name, moves) => {
        const lines = loadRecording(name).text.split('\n').slice(0, 1500);
        for (const { from, to } of moves) {
          const [moved] = lines.splice(from % lines.length, 1);
          lines.splice(to % lines.length, 0, moved);
        }
        const { violations } = checkText(lines.join('\n'));
        for (const v of violations) expect(v.evidence).toContain(v.event);
      }),
      { numRuns: 100 },
    );
  });
});
