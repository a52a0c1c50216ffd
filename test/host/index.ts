import Mocha from 'mocha';
import * as vscode from 'vscode';
import { folder } from './support';

/** Set when this is bundled: where the results go, and which tests are wanted; empty for none and all. */
declare const REPORT_FILE: string;
declare const TEST_PATTERN: string;

interface TestResult {
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
  readonly error?: string;
}

/**
 * Called by VS Code in its extension host. Rejects when a test failed.
 * Writes the results to a file, because nothing printed here comes out readable, and by VS Code's own file system,
 * because a web worker has no other.
 */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 60_000, reporter: 'base' });
  if (TEST_PATTERN !== '') mocha.grep(new RegExp(TEST_PATTERN));
  mocha.suite.emit('pre-require', globalThis, 'test/host', mocha);
  await import('./suites');

  const tests: TestResult[] = [];
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run(resolve);
    runner.on('pass', (test) =>
      tests.push({ title: test.fullTitle(), state: 'passed', ms: test.duration ?? 0 }),
    );
    runner.on('pending', (test) => tests.push({ title: test.fullTitle(), state: 'skipped', ms: 0 }));
    runner.on('fail', (test, error: Error) => {
      const title = test.fullTitle();
      tests.push({ title, state: 'failed', ms: test.duration ?? 0, error: String(error.stack ?? error) });
    });
  });
  if (REPORT_FILE !== '') {
    const report = JSON.stringify({ tests }, undefined, 1);
    await vscode.workspace.fs.writeFile(
      folder().uri.with({ path: REPORT_FILE }),
      new TextEncoder().encode(report),
    );
  }
  if (failures > 0) throw new Error(`${failures} failed`);
}
