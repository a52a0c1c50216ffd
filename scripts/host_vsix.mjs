// Packages the extension as it would be published.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HostError } from './host_setup.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * Builds and packages into out/.
 * @returns {string} path of the VSIX
 */
export function packageExtension() {
  const vsix = join(root, 'out', 'ublk-trace-debugger.vsix');
  mkdirSync(dirname(vsix), { recursive: true });
  const vsce = join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
  const args = [vsce, 'package', '--no-dependencies', '--no-rewrite-relative-links', '--out', vsix];
  const done = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (done.status !== 0)
    throw new HostError(`host: cannot package the extension:\n${done.stdout}${done.stderr}`);
  return vsix;
}
