// Runs all tests, npm test: each part is a script of package.json; one after the other, whatever became of the one before.
// `npm test -- test:unit test:host` runs only some. Ends with how long each took and exit status 1 if one failed.
// Each part leaves its report in out/; scripts/test-summary.mjs adds them up.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REPORTS, readCounts } from './test-summary.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const PARTS = [
  'check:types',
  'check:lint',
  'check:unused',
  'test:grammar',
  'test:unit',
  'test:host',
  'test:e2e',
];
/** They need a VS Code and a browser. */
const HOST_PARTS = ['test:host', 'test:e2e'];
/** Reports that parts leave. The other parts count as one test each. */
const REPORTS_OF = { 'test:unit': ['unit'], 'test:host': ['host-node', 'host-web'], 'test:e2e': ['e2e'] };

/** Runs a Node script or an npm script; resolves to whether it succeeded. */
function run(args, stdio = 'inherit') {
  return new Promise((resolve) => {
    const child = spawn(args[0], args.slice(1), { cwd: root, stdio, shell: process.platform === 'win32' });
    child.on('error', (error) => {
      process.stderr.write(`test: cannot run ${args.join(' ')}: ${error.message}\n`);
      resolve(false);
    });
    child.on('exit', (status) => resolve(status === 0));
  });
}

/** Runs it in the background; what it prints is kept in `log` and shown once it has ended. */
function inBackground(args, log) {
  const file = openSync(log, 'w');
  const printed = run(args, ['ignore', file, file]).then(() => {
    closeSync(file);
    process.stderr.write(readFileSync(log, 'utf8'));
  });
  return () => printed;
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : PARTS;
const unknown = wanted.find((part) => !PARTS.includes(part));
if (unknown !== undefined) {
  process.stderr.write(`test: no part ${unknown}; there are ${PARTS.join(', ')}\n`);
  process.exit(2);
}

const results = [];
async function timed(name, body) {
  const start = performance.now();
  const passed = await body();
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  results.push({ name, passed, line: `${passed ? 'ok    ' : 'FAILED'} ${name}, ${seconds} s` });
  return passed;
}

mkdirSync(join(root, 'out'), { recursive: true });
for (const name of REPORTS) rmSync(join(root, 'out', `${name}.json`), { force: true });

if (await timed('setup', () => run([process.execPath, 'scripts/setup.mjs']))) {
  const runPart = (part) => timed(part, () => run(['npm', 'run', '--silent', part]));
  // Mostly waits for the network, so it goes on beside the first parts.
  const host =
    wanted.some((part) => HOST_PARTS.includes(part)) &&
    inBackground([process.execPath, 'scripts/host_setup.mjs'], join(root, 'out', 'host-setup.log'));
  for (const part of wanted) {
    // The launchers say what is missing, and whether that is a failure.
    if (host && HOST_PARTS.includes(part)) await host();
    await runPart(part);
  }
}

process.stdout.write(`\n${results.map(({ line }) => `${line}\n`).join('')}`);
if (!results.every(({ passed }) => passed)) process.exitCode = 1;
/** Whether the reports of a part say how it ended: a part may fail beside its tests. */
function told({ name, passed }) {
  const reports = REPORTS_OF[name];
  return reports !== undefined && (passed || reports.some((report) => readCounts(report).failed > 0));
}
const assertionResults = results
  .filter((result) => !told(result))
  .map(({ name, passed }) => ({ title: name, status: passed ? 'passed' : 'failed' }));
const status = assertionResults.every((test) => test.status === 'passed') ? 'passed' : 'failed';
writeFileSync(
  join(root, 'out', 'parts.json'),
  JSON.stringify({ testResults: [{ name: 'parts', status, assertionResults }] }),
);
