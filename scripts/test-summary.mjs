// Prints "N passed, N failed[, N skipped]" from a vitest JSON report, named as the only argument.
// Fails when there is no report, or when it holds no test: silence must not look like success.
import { readFileSync } from 'node:fs';

const path = process.argv[2];
if (path === undefined) {
  process.stderr.write('usage: test-summary.mjs REPORT.json\n');
  process.exit(2);
}

let report;
try {
  report = JSON.parse(readFileSync(path, 'utf8'));
} catch (error) {
  process.stderr.write(`test-summary: no test ran, ${error.message}\n`);
  process.exit(1);
}

const tests = report.testResults.flatMap((file) => file.assertionResults);
const count = (...states) => tests.filter((test) => states.includes(test.status)).length;
// A file that could not be loaded, or whose hooks failed, has no failed test of its own.
const brokenFiles = report.testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
).length;

const passed = count('passed');
const failed = count('failed') + brokenFiles;
const skipped = tests.length - passed - count('failed');
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
if (passed === 0 || failed > 0) process.exitCode = 1;
