import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { SavedView } from '../../../src/webview/protocol';
import type { Spec } from './host';
import type { ThemeName } from './themes';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Chromium as root has no sandbox. */
export function launch(executablePath: string): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath, args });
}

/** Builds the page of the view with a host inside it; the path of its HTML. */
export async function buildPage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'ublk-view-'));
  mkdirSync(folder, { recursive: true });
  const common = {
    absWorkingDir: root,
    bundle: true,
    format: 'iife',
    target: 'es2023',
    outdir: folder,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.ttf': 'file' },
    logLevel: 'warning',
    minify: true,
  } as const;
  await build({ ...common, entryPoints: ['src/webview/main.tsx', 'src/webview/main.css'] });
  await build({ ...common, minify: false, entryPoints: ['test/webview/harness/host.ts'] });
  // The policy of the extension's page, with a host script besides.
  const policy =
    "default-src 'none'; script-src 'nonce-a'; style-src file: 'unsafe-inline'; font-src file:; img-src file: blob: data:";
  const html = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Timeline</title>
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="main.css"></head>
<body><script nonce="a" src="host.js"></script><script nonce="a" src="main.js"></script></body></html>`;
  const file = join(folder, 'index.html');
  writeFileSync(file, html);
  return file;
}

export interface OpenOptions extends BrowserContextOptions {
  readonly theme?: ThemeName;
  readonly state?: SavedView;
  /** Told of errors of the page and what its policy refused. */
  readonly onError?: (text: string) => void;
}

/** Opens the view over some traces and waits until it has drawn. */
export async function openView(
  browser: Browser,
  file: string,
  specs: readonly Spec[],
  options: OpenOptions = {},
): Promise<Page> {
  const { theme = 'dark', state, onError = () => undefined, ...context } = options;
  const page = await (
    await browser.newContext({ viewport: { width: 1440, height: 820 }, ...context })
  ).newPage();
  page.on('pageerror', (error) => onError(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') onError(message.text());
  });
  await page.addInitScript(
    ([given, name, kept]) => {
      window.SPECS = given;
      window.THEME = name;
      if (kept !== undefined) window.STATE = kept;
    },
    [specs, theme, state] as const,
  );
  await page.goto(pathToFileURL(file).href);
  await page
    .locator('.timeline canvas, .face .calm, .machine h2, [role=alert]')
    .first()
    .waitFor({ timeout: 120_000 });
  return page;
}

/** Waits until the view has nothing to ask and a frame has passed. */
export async function settled(page: Page): Promise<void> {
  let before = -1;
  for (;;) {
    await page.waitForTimeout(150);
    const count = await page.evaluate(() => window.harness.asked.length);
    if (count === before) return;
    before = count;
  }
}
