// Gets what the tests in a real VS Code need: the locked packages of tools/host (code-server and Node 24), and Chromium.
// Node built-ins only. Imported by the launchers; `node scripts/host_setup.mjs` does the same ahead of time.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const tools = join(root, 'tools', 'host');
const server = join(tools, 'node_modules', 'code-server');
const workbench = join(server, 'lib', 'vscode');
const workbenchLock = join(tools, 'vscode-lock.json');
const stamp = join(tools, 'node_modules', '.setup-stamp');
const npmQuiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

/** Chromium's usual names, and those of browsers built from it. */
const browserNames = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
  'msedge',
];
const browserPaths = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/** A reason why there is no VS Code here, to be shown without a stack. */
export class HostError extends Error {}

/** There is no browser, and it cannot be installed from here. */
class NoBrowser extends HostError {}

function run(command, args, cwd, what) {
  const done = spawnSync(command, args, {
    cwd,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (done.error) throw new HostError(`${what}: cannot run ${command}: ${done.error.message}`);
  if (done.status !== 0) throw new HostError(`${what}: ${command} ${args.join(' ')} failed`);
}

/** The Node 24 that the server runs on: the locked one, or the running one where npm has none for this platform. */
function nodeOfHost() {
  const locked = join(tools, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(locked)) return locked;
  if (process.versions.node.startsWith('24.')) return process.execPath;
  throw new HostError(`no Node 24 for ${process.platform}-${process.arch}: run this under Node 24`);
}

function wanted() {
  const hash = createHash('sha256');
  for (const lock of [join(tools, 'package-lock.json'), workbenchLock]) hash.update(readFileSync(lock));
  return `${hash.digest('hex')} ${process.platform}-${process.arch}\n`;
}

/**
 * Installs tools/host when it is missing or older than its locks.
 * @returns {{ node: string, entry: string }} the Node to run, and code-server's main script
 */
export function ensureServer() {
  const want = wanted();
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== want) {
    process.stderr.write('host: installing VS Code (code-server) into tools/host\n');
    run('npm', ['ci', ...npmQuiet], tools, 'host');
    // The shrinkwrap that code-server ships misses packages, and npm ci refuses it.
    copyFileSync(workbenchLock, join(workbench, 'npm-shrinkwrap.json'));
    run('npm', ['ci', '--omit=dev', ...npmQuiet], workbench, 'host');
    writeFileSync(stamp, want);
  }
  return { node: nodeOfHost(), entry: join(server, 'out', 'node', 'entry.js') };
}

function findBrowser() {
  const given = process.env.CHROMIUM;
  if (given) {
    if (!existsSync(given)) throw new HostError(`CHROMIUM is set to ${given}, which does not exist`);
    return given;
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const candidates = browserNames.flatMap((name) => folders.map((folder) => join(folder, name + suffix)));
  return [...candidates, ...browserPaths].find((path) => existsSync(path));
}

/** Whether a page has letters to draw: a Chromium without any font shows boxes. Only Linux comes without fonts. */
function hasFont() {
  if (process.platform !== 'linux') return true;
  const home = process.env.HOME ?? '/';
  const folders = [
    '/usr/share/fonts',
    '/usr/local/share/fonts',
    join(home, '.fonts'),
    join(home, '.local/share/fonts'),
  ];
  return folders.some(
    (folder) =>
      existsSync(folder) &&
      readdirSync(folder, { recursive: true }).some((name) => /\.(tt[fc]|otf)$/i.test(name)),
  );
}

function aptInstall(packages) {
  process.stderr.write(`host: installing ${packages.join(' and ')} with apt-get\n`);
  const apt = ['DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  // Another apt-get may be at work, and mirrors are sometimes away.
  apt.push('-qq', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3');
  run('env', [...apt, 'update'], root, 'host');
  run('env', [...apt, 'install', '-y', '--no-install-recommends', ...packages], root, 'host');
}

/**
 * Path of a Chromium: $CHROMIUM, one on the PATH, or as root on Debian one that apt-get installs now, with a font.
 * @returns {string}
 */
export function ensureBrowser() {
  const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  const found = findBrowser();
  if (found) {
    if (!hasFont() && canInstall) aptInstall(['fonts-dejavu-core']);
    return found;
  }
  if (!canInstall)
    throw new NoBrowser(
      'no Chromium found: install chromium (apt-get install chromium), or set CHROMIUM to the path of one',
    );
  aptInstall(['chromium', 'fonts-dejavu-core']);
  const installed = findBrowser();
  if (!installed) throw new HostError('apt-get installed chromium, but it is not on the PATH');
  return installed;
}

/**
 * The same for the launchers of tests. Where there is none, one test is reported as skipped in each of `reports`; in CI it is an error.
 * @returns {string | undefined} undefined: nothing can be run
 */
export function browserForTests(reports) {
  try {
    return ensureBrowser();
  } catch (error) {
    if (!(error instanceof NoBrowser) || !['', 'false', undefined].includes(process.env.CI)) throw error;
    process.stderr.write(`skipped: ${error.message}\n`);
    const assertionResults = [{ title: `not run: ${error.message}`, status: 'skipped' }];
    for (const file of reports)
      writeFileSync(
        file,
        JSON.stringify({ testResults: [{ name: file, status: 'passed', assertionResults }] }),
      );
    return undefined;
  }
}

/** Runs a launcher: a HostError becomes one line and exit status 1. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main(() => {
    ensureServer();
    ensureBrowser();
  });
