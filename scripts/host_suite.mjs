// The in-host suite as both launchers need it: bundled for the extension host, and its report printed.
// `node scripts/host_suite.mjs` only bundles, for F5.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What stands for packages that a web worker cannot load. */
const webAlias = { mocha: './test/host/web_mocha.ts', 'node:assert/strict': './test/host/web_assert.ts' };

/**
 * Bundles test/host into the one file that VS Code loads as "extension tests".
 * @param {{ web?: boolean, report?: string }} options web: for the extension host in a web worker; report: where results go
 * @returns {Promise<string>} its path
 */
export async function bundleSuite({ web = false, report = '' } = {}) {
  const outfile = join(root, 'out', 'host', web ? 'web.js' : 'index.js');
  await build({
    absWorkingDir: root,
    entryPoints: ['test/host/index.ts'],
    outfile,
    bundle: true,
    platform: web ? 'browser' : 'node',
    target: web ? 'es2023' : 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    external: web ? ['vscode'] : ['vscode', 'mocha'],
    alias: web ? webAlias : {},
    define: {
      // mocha.js would put itself in place of what the bundle exports.
      ...(web ? { module: 'undefined' } : {}),
      HOST_KIND: JSON.stringify(web ? 'web' : 'node'),
      REPORT_FILE: JSON.stringify(report),
      TEST_PATTERN: JSON.stringify(process.env.HOST_TEST_GREP ?? ''),
    },
    logLevel: 'warning',
  });
  return outfile;
}

/**
 * Prints the tests of a report written by test/host/index.ts in `where`, and writes them in vitest's report form to `summaryFile`.
 * @returns {number} how many failed; no test at all counts as one failure
 */
export function printReport(report, summaryFile, where) {
  for (const test of report.tests) {
    const mark = test.state === 'passed' ? '✓' : test.state === 'failed' ? '✗' : '-';
    process.stdout.write(` ${mark} ${test.title} (${test.ms} ms)\n`);
    if (test.error) process.stdout.write(`${test.error.replace(/^/gm, '     ')}\n`);
  }
  const count = (state) => report.tests.filter((test) => test.state === state).length;
  const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')];
  process.stdout.write(
    `${where}: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
  );
  const assertionResults = report.tests.map((test) => ({ title: test.title, status: test.state }));
  const status = failed > 0 || report.tests.length === 0 ? 'failed' : 'passed';
  writeFileSync(
    summaryFile,
    JSON.stringify({ testResults: [{ name: `test/host ${where}`, status, assertionResults }] }),
  );
  if (report.tests.length === 0) process.stdout.write('no test ran\n');
  return report.tests.length === 0 ? 1 : failed;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleSuite();
