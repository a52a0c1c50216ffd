// Feeds damaged traces and sessions to the readers: npm run fuzz -- [--count N] [--seed N] [--from N].
// Each input is made from seed and number alone. A watcher ends an input that takes too long. Exit 1: there were failures.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';

const LONGEST_MS = 10_000;
const MOST_FAILURES = 20;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    from: { type: 'string', default: '0' },
  },
});
const seed = Number(values.seed);
const end = Number(values.from) + Number(values.count);
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(end))
  throw new Error('--seed, --from and --count are numbers');

const folder = mkdtempSync(join(tmpdir(), 'ublk-fuzz-'));
const bundle = join(folder, 'fuzz.cjs');
const driver = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { Fuzzer, runInput } = require(workerData.bundle);
  (async () => {
    const at = new Int32Array(workerData.at);
    const fuzzer = new Fuzzer();
    for (let index = workerData.from; index < workerData.end; index++) {
      Atomics.store(at, 0, index);
      const input = fuzzer.input(workerData.seed, index);
      try {
        Atomics.add(at, (await runInput(input)) === 'read' ? 1 : 2, 1);
      } catch (error) {
        parentPort.postMessage({ index, target: input.target, mutations: input.mutations, stack: String(error.stack) });
      }
    }
    Atomics.store(at, 0, workerData.end);
  })();
`;

let failures = 0;
function report(index, what, detail) {
  failures++;
  process.stdout.write(
    `FAILED seed ${seed} input ${index} (${what})\n  ${detail.split('\n').slice(0, 6).join('\n  ')}\n`,
  );
}

/** Runs inputs from..end; resolves to the number of the first one not run. */
function run(from, at) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(driver, { eval: true, workerData: { bundle, seed, from, end, at: at.buffer } });
    let last = -1;
    let since = Date.now();
    const stop = (next) => {
      clearInterval(watch);
      worker.terminate().then(() => resolve(next), reject);
    };
    const watch = setInterval(() => {
      const index = Atomics.load(at, 0);
      if (index !== last) {
        last = index;
        since = Date.now();
      } else if (Date.now() - since > LONGEST_MS) {
        report(index, 'hang', `took more than ${LONGEST_MS} ms`);
        stop(index + 1);
      }
    }, 500);
    worker.on('message', (found) => {
      report(found.index, `${found.target}: ${found.mutations.join(', ')}`, found.stack);
      if (failures >= MOST_FAILURES) stop(end);
    });
    worker.on('error', (error) => {
      const index = Atomics.load(at, 0);
      report(index, 'worker died', String(error.stack));
      stop(index + 1);
    });
    worker.on('exit', () => {
      clearInterval(watch);
      resolve(end);
    });
  });
}

try {
  await build({
    absWorkingDir: root,
    entryPoints: ['test/support/fuzz.ts'],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    outfile: bundle,
    define: { __dirname: JSON.stringify(join(root, 'test/support')) },
    logLevel: 'warning',
  });
  const at = new Int32Array(new SharedArrayBuffer(12));
  const start = Date.now();
  const tick = setInterval(() => {
    const done = at[1] + at[2] + failures;
    const rate = Math.round((done * 1000) / (Date.now() - start));
    process.stdout.write(`${done} inputs, ${rate}/s, ${at[1]} read, ${at[2]} refused, ${failures} failed\n`);
  }, 5000);
  for (let next = Number(values.from); next < end && failures < MOST_FAILURES; ) next = await run(next, at);
  clearInterval(tick);
  const seconds = (Date.now() - start) / 1000;
  const done = at[1] + at[2] + failures;
  process.stdout.write(
    `seed ${seed}: ${done} inputs in ${seconds.toFixed(1)} s (${Math.round(done / seconds)}/s), ` +
      `${at[1]} read, ${at[2]} refused, ${failures} failed\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failures > 0) process.exitCode = 1;
