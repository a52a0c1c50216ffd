import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import Mocha from 'mocha';

interface TestResult {
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
  readonly error?: string;
}

/**
 * Called by VS Code in its extension host. Rejects when a test failed.
 * Writes the results to the file named by HOST_TEST_REPORT, because nothing printed here comes out readable.
 */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 60_000, reporter: 'base', grep: process.env.HOST_TEST_GREP });
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
  const file = process.env.HOST_TEST_REPORT;
  if (file) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify({ tests }, undefined, 1));
  }
  if (failures > 0) throw new Error(`${failures} failed`);
}
