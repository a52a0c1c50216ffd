// Adds up the reports of a whole run of the tests and prints "N passed, N failed[, N skipped]".
// Fails when a report is missing or holds no test: silence must not look like success.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The reports, in vitest's JSON form; `parts` are those parts of npm test that have no other. */
export const REPORTS = ['parts', 'unit', 'host-node', 'host-web', 'e2e'];

function countReport(text) {
  let report;
  try {
    report = JSON.parse(text);
  } catch (error) {
    return { passed: 0, failed: 1, skipped: 0, broken: error.message };
  }
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const count = (status) => tests.filter((test) => test.status === status).length;
  // A file that could not be loaded, or whose hooks failed, has no failed test of its own.
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const [passed, failedTests] = [count('passed'), count('failed')];
  const skipped = tests.length - passed - failedTests;
  const failed = failedTests + brokenFiles;
  if (tests.length === 0 && failed === 0) return { passed, failed: 1, skipped, broken: 'no test ran' };
  return { passed, failed, skipped };
}

/** Counts of a report by its name; `broken` is why it cannot be counted. */
export function readCounts(name) {
  const file = `out/${name}.json`;
  try {
    return countReport(readFileSync(join(root, file), 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0, broken: `no report ${file}` };
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const name of REPORTS) {
    const { passed, failed, skipped, broken } = readCounts(name);
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
    const why = broken === undefined ? '' : ` (${broken})`;
    process.stdout.write(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped${why}\n`);
  }
  const { passed, failed, skipped } = total;
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  if (passed === 0 || failed > 0) process.exitCode = 1;
}
