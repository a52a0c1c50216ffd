// Runs test/e2e against the packaged VSIX in the VS Code of tools/host: npm run test:e2e [-- -t NAME].
// Screenshots are kept in out/shots, the report in out/e2e.json.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from './host_server.mjs';
import { browserForTests, HostError, main } from './host_setup.mjs';
import { packageExtension } from './host_vsix.mjs';
import { checkSizes } from './sizes.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const shots = join(root, 'out', 'shots');
const report = join(root, 'out', 'e2e.json');

function vitest(env) {
  const program = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [program, 'run', '--config', 'test/e2e/vitest.config.mts', '--reporter=default'];
  args.push('--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...env },
    });
    child.on('error', reject);
    child.on('exit', (status) => resolve(status ?? 1));
  });
}

await main(async () => {
  mkdirSync(join(root, 'out'), { recursive: true });
  rmSync(report, { force: true });
  const browser = browserForTests([report]);
  if (browser === undefined) return;
  const vsix = packageExtension();
  if (!checkSizes(vsix)) throw new HostError('e2e: what is shipped is too large');
  rmSync(shots, { recursive: true, force: true });
  mkdirSync(shots, { recursive: true });
  const workspace = join(realpathSync(mkdtempSync(join(tmpdir(), 'ublk-ws-'))), 'samples');
  let server;
  try {
    cpSync(join(root, 'samples'), workspace, { recursive: true });
    server = await startServer({ vsix });
    process.exitCode = await vitest({
      E2E_URL: server.url,
      E2E_BROWSER: browser,
      E2E_WORKSPACE: workspace,
      E2E_SHOTS: shots,
    });
  } finally {
    await server?.stop();
    rmSync(dirname(workspace), { recursive: true, force: true });
  }
});
