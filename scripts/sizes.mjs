// Fails when what is shipped is too large: node scripts/sizes.mjs FILE.vsix
import { statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const MOST_VSIX_BYTES = 1_500_000;
/** As it is shipped, minified. */
const MOST_WEBVIEW_BYTES = 250_000;

function fits(path, most) {
  const bytes = statSync(path).size;
  const line = `${relative(root, path)}: ${(bytes / 1e3).toFixed(1)} kB of at most ${most / 1e3} kB\n`;
  (bytes <= most ? process.stdout : process.stderr).write(bytes <= most ? line : `too large: ${line}`);
  return bytes <= most;
}

/**
 * Prints the sizes of a VSIX and of the built webview script.
 * @returns {boolean} whether both are small enough
 */
export function checkSizes(vsix) {
  return [
    fits(join(root, 'dist', 'webview', 'main.js'), MOST_WEBVIEW_BYTES),
    fits(vsix, MOST_VSIX_BYTES),
  ].every(Boolean);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const path = process.argv[2];
  if (path === undefined) {
    process.stderr.write('usage: sizes.mjs FILE.vsix\n');
    process.exitCode = 2;
  } else if (!checkSizes(join(process.cwd(), path))) process.exitCode = 1;
}
