import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const SCRIPT = join(__dirname, '..', '..', 'scripts', 'test-summary.mjs');
const REPORTS = ['parts', 'unit', 'host-node', 'host-web', 'e2e'];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ublk-summary-'));
  mkdirSync(join(folder, 'scripts'));
  mkdirSync(join(folder, 'out'));
  cpSync(SCRIPT, join(folder, 'scripts', 'test-summary.mjs'));
  for (const name of REPORTS) report(name, 'passed', ['passed', 'passed']);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Writes a report with one file of tests. */
function report(name: string, status: string, tests: readonly string[]): void {
  const assertionResults = tests.map((state) => ({ title: state, status: state }));
  const text = JSON.stringify({ testResults: [{ name, status, assertionResults }] });
  writeFileSync(join(folder, 'out', `${name}.json`), text);
}

/** Last line and exit status of the summary. */
function summary(): [line: string, status: number | null] {
  const script = join(folder, 'scripts', 'test-summary.mjs');
  const { stdout, status } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  return [stdout.trimEnd().split('\n').at(-1)!, status];
}

test('all reports are added up', () => {
  expect(summary()).toEqual(['10 passed, 0 failed', 0]);
  report('e2e', 'passed', ['passed', 'skipped', 'pending']);
  expect(summary()).toEqual(['9 passed, 0 failed, 2 skipped', 0]);
});

test('one failed test fails all', () => {
  report('host-web', 'failed', ['passed', 'failed', 'failed']);
  expect(summary()).toEqual(['9 passed, 2 failed', 1]);
});

test.each(REPORTS)('a missing report fails: %s', (name) => {
  rmSync(join(folder, 'out', `${name}.json`));
  expect(summary()).toEqual(['8 passed, 1 failed', 1]);
});

test('so do a report that is cut off, one without a test, and a file that could not be loaded', () => {
  writeFileSync(join(folder, 'out', 'unit.json'), '{"testResults":[');
  report('e2e', 'passed', []);
  report('host-node', 'failed', ['passed']);
  expect(summary()).toEqual(['5 passed, 3 failed', 1]);
});
