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
import { browserForTests, HostError, main } from './host_setup.mjs';
import { bundleSuite, printReport } from './host_suite.mjs';

/** A suite that takes longer than this hangs. */
const LONGEST_MS = 600_000;
/** Longest time from opening the page until the suite begins, on a busy machine. */
const START_MS = 120_000;
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

/** What the suite has written so far, or undefined. A file that is being written cannot be read for a moment. */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** VS Code never came as far as the suite. */
class NotStarted extends HostError {}

/** Opens the page that makes VS Code run the suite, and resolves to its exit status; 'hangs' when it does not end. */
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
  const keep = async () => {
    await page.screenshot({ path: join(out, `host-${kind}-failed.png`) }).catch(() => {});
    writeFileSync(join(out, `host-${kind}-failed.log`), messages.join('\n'));
  };
  let status;
  await page.exposeFunction('codeAutomationExit', (code) => {
    status = code;
  });
  const query = `folder=${encodeURIComponent(workspace)}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
  const start = Date.now();
  let begun = false;
  try {
    await page.goto(`${server.url}/?${query}`, { timeout: START_MS });
    while (status === undefined) {
      begun ||= existsSync(report);
      if (!begun && Date.now() - start > START_MS) break;
      if (Date.now() - start > LONGEST_MS) {
        await keep();
        return 'hangs';
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    if (existsSync(report)) return status;
    throw new HostError('the suite has not begun');
  } catch (error) {
    await keep();
    if (existsSync(report)) throw error;
    throw new NotStarted(`${kinds[kind].where}: ${error.message}`);
  } finally {
    await page.close();
  }
}

/** Runs the suite in one kind of host. @returns {Promise<boolean>} whether all of it passed */
async function runSuite(browser, kind) {
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), 'ublk-ws-')));
  const report = join(out, `host-${kind}-mocha.json`);
  rmSync(report, { force: true });
  rmSync(join(out, `host-${kind}.json`), { force: true });
  let server;
  try {
    server = await startServer({ testDriver: true, settings: kinds[kind].settings });
    cpSync(join(root, 'samples'), workspace, { recursive: true });
    const suite = await bundleSuite({ web: kind === 'web', report });
    const status = await runInPage(browser, server, { workspace, suite, report, kind });
    const results = readReport(report) ?? { tests: [] };
    if (status === 'hangs') {
      const title = results.running ?? 'suite';
      results.tests.push({ title, state: 'failed', ms: 0, error: 'did not end in time' });
    }
    const failed = printReport(results, join(out, `host-${kind}.json`), kinds[kind].where);
    return status === 0 && failed === 0;
  } finally {
    await server?.stop();
    rmSync(workspace, { recursive: true, force: true });
  }
}

/** The same; only a start that failed is tried again, and never a test. What goes wrong here does not keep the other kind from running. */
async function tryTwice(browser, kind) {
  for (let last = false; ; last = true) {
    try {
      return await runSuite(browser, kind);
    } catch (error) {
      process.stderr.write(`${error instanceof HostError ? error.message : error.stack}\n`);
      if (last || !(error instanceof NotStarted)) return false;
      process.stderr.write('once more\n');
    }
  }
}

await main(async () => {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(kinds);
  const unknown = wanted.find((kind) => !Object.hasOwn(kinds, kind));
  if (unknown !== undefined) throw new HostError(`host_tests: ${unknown} is neither node nor web`);
  mkdirSync(out, { recursive: true });
  const executablePath = browserForTests(wanted.map((kind) => join(out, `host-${kind}.json`)));
  if (executablePath === undefined) return;
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args });
  try {
    for (const kind of wanted) if (!(await tryTwice(browser, kind))) process.exitCode = 1;
  } finally {
    await browser.close();
  }
});
