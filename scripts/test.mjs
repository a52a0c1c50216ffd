// Runs all tests, npm test: each part that is named in package.json, one after the other, whatever became of the one before.
// `npm test -- unit host` runs only some. Ends with how long each took and exit status 1 if one failed.
// Each part leaves its report in out/; scripts/test-summary.mjs adds them up.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REPORTS } from './test-summary.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const PARTS = ['check', 'grammar', 'unit', 'host', 'e2e'];

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

/** Runs it in the background; what it prints is kept in `log` until it is asked for. */
function inBackground(args, log) {
  const file = openSync(log, 'w');
  const done = run(args, ['ignore', file, file]);
  return async () => {
    const succeeded = await done;
    closeSync(file);
    process.stderr.write(readFileSync(log, 'utf8'));
    return succeeded;
  };
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
for (const { file } of REPORTS) rmSync(join(root, file), { force: true });

if (await timed('setup', () => run([process.execPath, 'scripts/setup.mjs']))) {
  // Mostly waits for the network, so it goes on beside the first parts.
  const needsHost = wanted.includes('host') || wanted.includes('e2e');
  const host =
    needsHost &&
    inBackground([process.execPath, 'scripts/host_setup.mjs'], join(root, 'out', 'host-setup.log'));
  for (const part of PARTS.filter((name) => wanted.includes(name) && name !== 'host' && name !== 'e2e'))
    await timed(part, () => run(['npm', 'run', '--silent', part === 'check' ? part : `test:${part}`]));
  // The launchers say what is missing, and whether that is a failure.
  if (host) await host();
  for (const part of ['host', 'e2e'].filter((name) => wanted.includes(name)))
    await timed(part, () => run(['npm', 'run', '--silent', `test:${part}`]));
}

process.stdout.write(`\n${results.map(({ line }) => `${line}\n`).join('')}`);
if (!results.every(({ passed }) => passed)) process.exitCode = 1;
// The parts without tests of their own count as one each.
const assertionResults = results
  .filter(({ name }) => !['unit', 'host', 'e2e'].includes(name))
  .map(({ name, passed }) => ({ title: name, status: passed ? 'passed' : 'failed' }));
const status = assertionResults.every((test) => test.status === 'passed') ? 'passed' : 'failed';
writeFileSync(
  join(root, 'out', 'parts.json'),
  JSON.stringify({ testResults: [{ name: 'parts', status, assertionResults }] }),
);
