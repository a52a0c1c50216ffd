// Runs the suite of test/host in desktop VS Code: npm run test:electron. $VSCODE_EXECUTABLE names one, else one is downloaded.
// Where none can be had it says so and succeeds, unless ELECTRON_REQUIRED=1.
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { HostError, main } from './host_setup.mjs';
import { bundleSuite, printReport } from './host_suite.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const reportFile = join(root, 'out', 'electron-mocha.json');

/** Path of a desktop VS Code, or the reason why there is none. */
async function findVSCode() {
  const given = process.env.VSCODE_EXECUTABLE;
  if (given) {
    if (!existsSync(given)) throw new HostError(`VSCODE_EXECUTABLE is set to ${given}, which does not exist`);
    return { path: given };
  }
  const silent = { report: () => {}, error: () => {} };
  try {
    return { path: await downloadAndUnzipVSCode({ version: 'stable', reporter: silent }) };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

await main(async () => {
  const found = await findVSCode();
  if (found.path === undefined) {
    const why = `no desktop VS Code can be had here (${found.reason}); set VSCODE_EXECUTABLE to the path of one`;
    if (process.env.ELECTRON_REQUIRED === '1') throw new HostError(`test:electron: ${why}`);
    process.stdout.write(`test:electron: skipped, ${why}\n`);
    return;
  }
  const suite = await bundleSuite({ report: reportFile });
  rmSync(reportFile, { force: true });
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ublk-el-')));
  try {
    const workspace = join(folder, 'samples');
    cpSync(join(root, 'samples'), workspace, { recursive: true });
    const launchArgs = [workspace, '--disable-extensions', '--disable-workspace-trust', '--skip-welcome'];
    launchArgs.push('--skip-release-notes', '--disable-gpu', `--user-data-dir=${join(folder, 'user')}`);
    if (process.getuid?.() === 0) launchArgs.push('--no-sandbox');
    const status = await runTests({
      vscodeExecutablePath: found.path,
      extensionDevelopmentPath: root,
      extensionTestsPath: suite,
      launchArgs,
    }).catch((error) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      return 1;
    });
    if (!existsSync(reportFile)) throw new HostError('test:electron: the suite ended without a report');
    const failed = printReport(
      JSON.parse(readFileSync(reportFile, 'utf8')),
      join(root, 'out', 'electron.json'),
    );
    if (status !== 0 || failed > 0) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
