// Fails when a VSIX is larger than 1.5 MB: node scripts/vsix_size.mjs FILE.vsix
import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const MOST_BYTES = 1_500_000;

/**
 * Prints a VSIX's size.
 * @returns {boolean} whether it is small enough
 */
export function checkSize(path) {
  const bytes = statSync(path).size;
  const fits = bytes <= MOST_BYTES;
  const line = `${path}: ${(bytes / 1e6).toFixed(3)} MB of at most ${MOST_BYTES / 1e6} MB\n`;
  (fits ? process.stdout : process.stderr).write(fits ? line : `too large: ${line}`);
  return fits;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const path = process.argv[2];
  if (path === undefined) {
    process.stderr.write('usage: vsix_size.mjs FILE.vsix\n');
    process.exitCode = 2;
  } else if (!checkSize(path)) process.exitCode = 1;
}
