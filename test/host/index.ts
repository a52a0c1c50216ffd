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

/** Writes the results so far one after the other, so that the launcher can tell a suite that hangs from one that never began. */
class Report {
  readonly tests: TestResult[] = [];
  private written: Promise<void> = Promise.resolve();

  /** `running`: the test that goes on now. */
  write(running?: string): void {
    if (REPORT_FILE === '') return;
    const text = JSON.stringify({ running, tests: this.tests }, undefined, 1);
    const uri = folder().uri.with({ path: REPORT_FILE });
    this.written = this.written.then(() =>
      vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text)),
    );
  }

  async end(): Promise<void> {
    this.write();
    await this.written;
  }
}

/**
 * Called by VS Code in its extension host. Rejects when a test failed.
 * Writes the results to a file, because nothing printed here comes out readable, and by VS Code's own file system,
 * because a web worker has no other.
 */
export async function run(): Promise<void> {
  const report = new Report();
  report.write('start');
  const mocha = new Mocha({ ui: 'bdd', timeout: 120_000, reporter: 'base' });
  if (TEST_PATTERN !== '') mocha.grep(new RegExp(TEST_PATTERN));
  mocha.suite.emit('pre-require', globalThis, 'test/host', mocha);
  await import('./suites');

  const { tests } = report;
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run(resolve);
    runner.on('test', (test) => report.write(test.fullTitle()));
    runner.on('pass', (test) =>
      tests.push({ title: test.fullTitle(), state: 'passed', ms: test.duration ?? 0 }),
    );
    runner.on('pending', (test) => tests.push({ title: test.fullTitle(), state: 'skipped', ms: 0 }));
    runner.on('fail', (test, error: Error) => {
      const title = test.fullTitle();
      tests.push({ title, state: 'failed', ms: test.duration ?? 0, error: String(error.stack ?? error) });
    });
  });
  await report.end();
  if (failures > 0) throw new Error(`${failures} failed`);
}
