// Starts and stops the VS Code of tools/host with a profile of its own, thrown away at the end.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureServer, HostError } from './host_setup.mjs';

const READY_MS = 120_000;
const STOP_MS = 3_000;

/** The server ended, or does not answer. */
class NotReady extends HostError {}

/** Nothing that asks the network, welcomes or advertises, so that two runs look the same. */
const settings = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'security.workspace.trust.enabled': false,
  'git.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  'remote.autoForwardPorts': false,
  'workbench.editor.enablePreview': false,
  'workbench.reduceMotion': 'on',
  'window.menuBarVisibility': 'classic',
  'workbench.colorTheme': 'Dark Modern',
  'debug.toolBarLocation': 'floating',
  'debug.openDebug': 'openOnDebugBreak',
  'debug.internalConsoleOptions': 'neverOpen',
};

/** A TCP port that is free now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function ready(url, child, log) {
  const end = Date.now() + READY_MS;
  while (Date.now() < end && child.exitCode === null) {
    const answer = await fetch(`${url}/healthz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new NotReady(`host: VS Code did not start; its log:\n${readFileSync(log, 'utf8').slice(-4000)}`);
}

/** Ends a process and all it started: the extension host outlives its parent otherwise. */
async function stopGroup(child) {
  const signal = (name) => {
    try {
      process.kill(-child.pid, name);
      return true;
    } catch {
      return false; // Nobody of the group is left.
    }
  };
  const end = Date.now() + STOP_MS;
  while (signal(Date.now() < end ? 'SIGTERM' : 'SIGKILL') && Date.now() < end + STOP_MS)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

/**
 * Starts VS Code on 127.0.0.1.
 * @param {{ port?: number, vsix?: string, testDriver?: boolean, settings?: object, ownSignals?: boolean }} options
 *   vsix: installed first; settings: of the user, besides the usual ones; testDriver: lets the page be told to run an extension and its tests from a folder;
 *   ownSignals: the caller handles Ctrl+C itself
 * @returns {Promise<{ url: string, port: number, stop: () => Promise<void> }>}
 */
export async function startServer(options) {
  try {
    return await startOnce(options);
  } catch (error) {
    // Between looking for a free port and listening on it another program may take it.
    if (!(error instanceof NotReady) || options.port !== undefined) throw error;
    process.stderr.write(`${error.message}\nhost: once more\n`);
    return startOnce(options);
  }
}

async function startOnce(options) {
  const { node, entry } = ensureServer();
  // Under the system's temporary folder, because paths of Unix sockets are at most some 108 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'ublk-vsc-'));
  const temporary = join(folder, 'tmp');
  const userFolder = join(folder, 'user', 'User');
  mkdirSync(temporary, { recursive: true });
  mkdirSync(userFolder, { recursive: true });
  const settingsFile = join(userFolder, 'settings.json');
  const wanted = { ...settings, ...options.settings };
  writeFileSync(settingsFile, `${JSON.stringify(wanted, undefined, 2)}\n`);
  // Without a file of its own it writes one into the user's home.
  const config = join(folder, 'config.yaml');
  writeFileSync(config, 'cert: false\n');

  const env = { ...process.env, TMPDIR: temporary, EXTENSIONS_GALLERY: '{"serviceUrl":""}' };
  delete env.VSCODE_IPC_HOOK_CLI;
  const common = [entry, '--config', config, '--user-data-dir', join(folder, 'user')];
  common.push('--extensions-dir', join(folder, 'extensions'));

  if (options.vsix) {
    const done = spawnSync(node, [...common, '--install-extension', options.vsix], { env, encoding: 'utf8' });
    if (done.status !== 0 || !/successfully installed/.test(done.stdout))
      throw new HostError(`host: cannot install ${options.vsix}:\n${done.stdout}${done.stderr}`);
  }

  const port = options.port ?? (await freePort());
  const flags = [
    '--auth',
    'none',
    '--bind-addr',
    `127.0.0.1:${port}`,
    '--ignore-last-opened',
    '--disable-proxy',
  ];
  flags.push('--disable-telemetry', '--disable-update-check', '--disable-workspace-trust');
  flags.push('--disable-getting-started-override');
  if (options.testDriver) flags.push('--vscode-option', 'enable-smoke-test-driver');
  const log = join(folder, 'server.log');
  const out = openSync(log, 'w');
  const child = spawn(node, [...common, ...flags], { env, detached: true, stdio: ['ignore', out, out] });
  // The server leads a group of its own: Ctrl+C or the end of this process would leave it running.
  const atExit = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const atSignal = () => process.exit(130);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  process.once('exit', atExit);
  if (!options.ownSignals) for (const signal of signals) process.once(signal, atSignal);
  const stop = async () => {
    await stopGroup(child);
    process.removeListener('exit', atExit);
    for (const signal of signals) process.removeListener(signal, atSignal);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await ready(url, child, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, port, stop };
}
