// Makes a fresh clone ready: installs the locked packages when they are missing or stale, then builds.
// Node built-ins only, because it runs before anything is installed. Silent when there is nothing to say.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.setup-stamp');

/** What the installed tree depends on: the lock file, and the Node that native packages were chosen for. */
function wanted() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex');
  return `${hash} node-abi-${process.versions.modules} ${process.platform}-${process.arch}\n`;
}

/** Runs a command with its stdout sent to stderr, and ends this process with its status if it fails. */
function run(command, args) {
  const done = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (done.error) {
    process.stderr.write(`setup: cannot run ${command}: ${done.error.message}\n`);
    process.exit(1);
  }
  if (done.status !== 0) {
    process.stderr.write(`setup: ${command} ${args.join(' ')} failed\n`);
    process.exit(done.status ?? 1);
  }
}

const want = wanted();
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== want) {
  process.stderr.write('setup: installing packages\n');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, want);
}

run(process.platform === 'win32' ? `"${process.execPath}"` : process.execPath, ['scripts/build.mjs']);
