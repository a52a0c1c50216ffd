// Runs the suite of test/host inside the extension host of the VS Code of tools/host: npm run test:host.
// Writes out/host.json (tests in vitest's report form) and exits with the suite's status.
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { bundleSuite, printReport } from './host_suite.mjs';
import { startServer } from './host_server.mjs';
import { ensureBrowser, HostError, main } from './host_setup.mjs';

const LONGEST_MS = 240_000;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const reportFile = join(root, 'out', 'host-mocha.json');

/** Opens the page that makes VS Code run the suite, and resolves to its exit status. */
async function runInPage(browser, server, workspace, suite) {
  const remote = (path) => `vscode-remote://127.0.0.1:${server.port}${path}`;
  const payload = [
    ['extensionDevelopmentPath', remote(root)],
    ['extensionTestsPath', remote(suite)],
    ['skipWelcome', 'true'],
    ['skipReleaseNotes', 'true'],
  ];
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await page.exposeFunction('codeAutomationLog', () => {});
  let timer;
  const over = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new HostError('host: the suite did not end in time')), LONGEST_MS);
  });
  const status = new Promise((resolve, reject) => {
    page.exposeFunction('codeAutomationExit', resolve).catch(reject);
  });
  const query = `folder=${encodeURIComponent(workspace)}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
  try {
    await page.goto(`${server.url}/?${query}`);
    return await Promise.race([status, over]);
  } catch (error) {
    await page.screenshot({ path: join(root, 'out', 'host-failed.png') }).catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

await main(async () => {
  const suite = await bundleSuite();
  rmSync(reportFile, { force: true });
  const executablePath = ensureBrowser();
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), 'ublk-ws-')));
  let server;
  let browser;
  try {
    cpSync(join(root, 'samples'), workspace, { recursive: true });
    const env = { HOST_TEST_REPORT: reportFile, HOST_TEST_ROOT: root };
    server = await startServer({ testDriver: true, env });
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    browser = await chromium.launch({ executablePath, args });
    const status = await runInPage(browser, server, workspace, suite);
    if (!existsSync(reportFile)) throw new HostError('host: the suite ended without a report');
    const failed = printReport(JSON.parse(readFileSync(reportFile, 'utf8')), join(root, 'out', 'host.json'));
    if (status !== 0 || failed > 0) process.exitCode = 1;
  } finally {
    await browser?.close();
    await server?.stop();
    rmSync(workspace, { recursive: true, force: true });
  }
});
