import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { saveFiles } from '../../src/cli/save_files';
import { cliUnderTest } from '../support/cli';

const SESSION = `#: kernel 6.1+splice-zc
#: seed 7
truncate -s 1M disk.img
ublk add -t loop -f disk.img -z -q 1 -d 4
dd if=/dev/urandom of=/dev/ublkb0 bs=64k count=1 oflag=direct
dd if=/dev/ublkb0 of=/dev/null bs=64k count=1 iflag=direct
ublk del -n 0
`;

let folder = '';
const cli = cliUnderTest();
const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ublk-run-'));
  writeFileSync(at('s.ublk'), SESSION);
  writeFileSync(at('fails.ublk'), 'ublk add -t loop -f missing.img\n');
  writeFileSync(at('bad.ublk'), 'ublk add -t lop -f x\nfrobnicate\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('run', () => {
  test('prints the trace, which reads back as requests served by SPLICE', async () => {
    const { code, stdout } = await cli.run(['run', at('s.ublk')]);
    expect(code).toBe(0);
    writeFileSync(at('t.ublktrace'), stdout);
    const rows = JSON.parse((await cli.run(['requests', at('t.ublktrace'), '--json'])).stdout) as {
      path: string;
      op: string;
    }[];
    expect(rows.filter((row) => row.op === 'WRITE')).toMatchObject([
      { path: 'splice', length: 65536, result: 65536 },
    ]);
  });

  test('-o writes the same bytes as stdout got, and the same on every run', async () => {
    expect((await cli.run(['run', at('s.ublk'), '-o', at('a.ublktrace')])).code).toBe(0);
    const first = readFileSync(at('a.ublktrace'), 'utf8');
    expect((await cli.run(['run', at('s.ublk')])).stdout).toBe(first);
    expect((await cli.run(['run', at('s.ublk'), '--seed', '8'])).stdout).not.toBe(first);
  });

  test('seed and kernel reach the run with all their digits', async () => {
    const { stdout } = await cli.run([
      'run',
      at('s.ublk'),
      '--json',
      '--count',
      '--seed',
      '18446744073709551615',
      '--kernel',
      '6.1',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ kernel: '6.1', seed: '18446744073709551615', client_ios: 2 });
  });

  test('--count tells how many events of each name there were, and agrees with the trace', async () => {
    const counts = JSON.parse((await cli.run(['run', at('s.ublk'), '--count', '--json'])).stdout) as {
      events: number;
      by_name: Record<string, number>;
    };
    const lines = readFileSync(at('a.ublktrace'), 'utf8').trimEnd().split('\n');
    expect(counts.events).toBe(lines.filter((line) => !line.startsWith('#')).length);
    expect(counts.by_name.ublk_queue_rq).toBe(
      lines.filter((line) => line.includes(': ublk_queue_rq:')).length,
    );
  });

  test('a command of the session that fails makes exit code 1 and says why', async () => {
    const { code, stderr } = await cli.run(['run', at('fails.ublk'), '--count']);
    expect(code).toBe(1);
    expect(stderr).toContain("missing.img can't be opened");
  });

  test('a session with errors is not run; each error is one line with its place', async () => {
    const { code, stdout, stderr } = await cli.run(['run', at('bad.ublk')]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const lines = stderr.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(2);
    for (const line of lines) expect(line).toMatch(/bad\.ublk:[12]:\d+: ./);
  });

  test.each([
    [['--kernel', '6.2'], /kernel '6\.2' is unknown; did you mean '6\.1[^']*'\?; simulated: 6\.1/],
    [
      ['--kernel', '6.18'],
      /s\.ublk:1:1: kernel '6\.18' is simulated for sessions that have only files, pipes and a ring/,
    ],
    [['--seed', '18446744073709551616'], /--seed needs a number from 0 to 2\^64-1/],
    [['--seed', '-1'], /--seed needs a value/],
    [['--count', '--requests'], /run takes --requests or --count, not both/],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await cli.run(['run', at('s.ublk'), ...args]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('--save-files writes what the device wrote; a real disk.img beside the session is never changed', async () => {
    writeFileSync(at('disk.img'), Buffer.alloc(1 << 20, 0x5a));
    const saved = at('saved');
    expect((await cli.run(['run', at('s.ublk'), '-o', at('t2'), '--save-files', saved])).code).toBe(0);
    const bytes = readFileSync(join(saved, 'disk.img'));
    expect(bytes.length).toBe(1 << 20);
    expect(bytes.subarray(0, 65536).equals(Buffer.alloc(65536, 0x5a))).toBe(false);
    expect(bytes.subarray(65536).every((byte) => byte === 0x5a)).toBe(true);
    expect(readFileSync(at('disk.img')).every((byte) => byte === 0x5a)).toBe(true);
    rmSync(at('disk.img'));
  });

  test('files are saved with their holes, and none outside the folder', async () => {
    const ranges = [{ offset: 8192, bytes: new TextEncoder().encode('data') }];
    saveFiles(at('out'), [{ path: 'a/disk.img', size: 16384, ranges }]);
    const bytes = readFileSync(join(folder, 'out/a/disk.img'));
    expect(bytes.length).toBe(16384);
    expect(bytes.filter((byte) => byte !== 0)).toHaveLength(4);
    expect(() => saveFiles(at('out'), [{ path: '../escaped.img', size: 1, ranges: [] }])).toThrow(
      /leads out of/,
    );
    expect(existsSync(at('escaped.img'))).toBe(false);
  });
});
