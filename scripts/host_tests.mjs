// Runs the suite of test/host inside extension hosts of the VS Code of tools/host: npm run test:host.
// First in Node against dist/extension.js, then in a web worker of the browser against dist/browser.js; `-- node` or `-- web`
// for one of them, HOST_TEST_GREP for some tests. Writes out/host-node.json and out/host-web.json in vitest's report form.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { startServer } from './host_server.mjs';
import { ensureBrowser, HostError, main } from './host_setup.mjs';
import { bundleSuite, printReport } from './host_suite.mjs';

const LONGEST_MS = 240_000;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = join(root, 'out');

const kinds = {
  node: { where: 'extension host in Node', settings: {} },
  // An extension that may only run in a web worker runs the suite there too.
  web: {
    where: 'extension host in a web worker',
    settings: { 'remote.extensionKind': { 'ublk-trace.ublk-trace-debugger': ['web'] } },
  },
};

/** Opens the page that makes VS Code run the suite, and resolves to its exit status. */
async function runInPage(browser, server, { workspace, suite, report, kind }) {
  const remote = (path) => `vscode-remote://127.0.0.1:${server.port}${path}`;
  const payload = [
    ['extensionDevelopmentPath', remote(root)],
    ['extensionTestsPath', remote(suite)],
    ['skipWelcome', 'true'],
    ['skipReleaseNotes', 'true'],
  ];
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  const messages = [];
  page.on('console', (message) => messages.push(message.text()));
  await page.exposeFunction('codeAutomationLog', (_type, args) => messages.push(args.join(' ')));
  let timer;
  const over = new Promise((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new HostError(`${kinds[kind].where}: the suite did not end in time`)),
      LONGEST_MS,
    );
  });
  const status = new Promise((resolve, reject) => {
    page.exposeFunction('codeAutomationExit', resolve).catch(reject);
  });
  const query = `folder=${encodeURIComponent(workspace)}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
  try {
    await page.goto(`${server.url}/?${query}`);
    const ended = await Promise.race([status, over]);
    if (!existsSync(report)) throw new HostError(`${kinds[kind].where}: the suite ended without a report`);
    return ended;
  } catch (error) {
    await page.screenshot({ path: join(out, `host-${kind}-failed.png`) }).catch(() => {});
    writeFileSync(join(out, `host-${kind}-failed.log`), messages.join('\n'));
    throw error;
  } finally {
    clearTimeout(timer);
    await page.close();
  }
}

/** Runs the suite in one kind of host. @returns {Promise<boolean>} whether all of it passed */
async function runSuite(browser, kind) {
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), 'ublk-ws-')));
  const report = join(out, `host-${kind}-mocha.json`);
  rmSync(report, { force: true });
  let server;
  try {
    server = await startServer({ testDriver: true, settings: kinds[kind].settings });
    cpSync(join(root, 'samples'), workspace, { recursive: true });
    const suite = await bundleSuite({ web: kind === 'web', report });
    const status = await runInPage(browser, server, { workspace, suite, report, kind });
    const summary = join(out, `host-${kind}.json`);
    const failed = printReport(JSON.parse(readFileSync(report, 'utf8')), summary, kinds[kind].where);
    return status === 0 && failed === 0;
  } finally {
    await server?.stop();
    rmSync(workspace, { recursive: true, force: true });
  }
}

await main(async () => {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(kinds);
  const unknown = wanted.find((kind) => !Object.hasOwn(kinds, kind));
  if (unknown !== undefined) throw new HostError(`host_tests: ${unknown} is neither node nor web`);
  const executablePath = ensureBrowser();
  mkdirSync(out, { recursive: true });
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args });
  try {
    for (const kind of wanted) if (!(await runSuite(browser, kind))) process.exitCode = 1;
  } finally {
    await browser.close();
  }
});
