// Times the timeline's drawing in headless Chromium next to a canvas that draws everything and to vis-timeline, on the same
// intervals: npm run bench:webview [-- --quick]. Prints a JSON line per figure.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { ensureBrowser, main } from './host_setup.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const quick = process.argv.includes('--quick');
const COUNT = quick ? 20_000 : 1_000_000;
/** vis-timeline keeps an object and an element per interval; this many is what it can be asked for. */
const VIS_COUNT = quick ? 500 : 10_000;
/** How long vis-timeline may try the whole, ms. */
const VIS_PATIENCE = quick ? 5000 : 120_000;

function spread(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share) =>
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))];
  return { median: at(0.5), p95: at(0.95) };
}

function print(figure) {
  const digits = (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);
  process.stdout.write(`${JSON.stringify(figure, digits)}\n`);
}

async function buildPage(folder) {
  await build({
    absWorkingDir: root,
    entryPoints: ['test/webview/bench/page.ts'],
    outfile: join(folder, 'bench.js'),
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2023',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
  });
  const file = join(folder, 'index.html');
  const html =
    '<!DOCTYPE html><meta charset="utf-8"><title>bench</title><body style="margin:0"><script src="bench.js"></script>';
  writeFileSync(file, html);
  return pathToFileURL(file).href;
}

/** One way of drawing in a page of its own; undefined after `patience` ms. */
async function measure(browser, url, name, count, frames, patience = 600_000) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 820 } });
  try {
    await page.goto(url);
    if (name === 'vis') {
      const library = 'node_modules/vis-timeline/standalone/umd/vis-timeline-graph2d.min.js';
      await page.addScriptTag({ content: readFileSync(join(root, library), 'utf8') });
    }
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, patience);
    });
    const work = page
      .evaluate(([way, n, m]) => window.bench[way](n, m), [name, count, frames])
      .catch(() => undefined);
    const timing = await Promise.race([work, late]);
    clearTimeout(timer);
    return timing;
  } finally {
    // A page that is still busy does not answer to be closed.
    await Promise.race([page.close(), new Promise((resolve) => setTimeout(resolve, 5000))]);
  }
}

await main(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ublk-bench-'));
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath: ensureBrowser(), args });
  try {
    const url = await buildPage(folder);
    const ours = await measure(browser, url, 'ours', COUNT, quick ? 20 : 300);
    const naive = await measure(browser, url, 'naive', COUNT, quick ? 20 : 30);
    if (ours === undefined || naive === undefined) throw new Error('the page gave up');
    const frame = spread(ours.frames);
    const peer = spread(naive.frames);
    const lower = { better: 'lower', unit: 'ms' };
    print({
      bench: 'webview-frame',
      ...lower,
      ...frame,
      runs: ours.frames.length,
      goal: 12,
      ratio: peer.median / frame.median,
      peer: { name: 'canvas that draws all', ...peer },
      intervals: COUNT,
    });
    print({
      bench: 'webview-open',
      ...lower,
      median: ours.open,
      runs: 1,
      ratio: naive.open / ours.open,
      peer: { name: 'canvas that draws all', median: naive.open },
      intervals: COUNT,
    });
    const cut = spread(ours.slices.map((slice) => slice.ms));
    print({ bench: 'webview-slice', ...lower, ...cut, runs: ours.slices.length, intervals: COUNT });
    const bytes = Math.max(...ours.slices.map((slice) => slice.bytes));
    print({
      bench: 'webview-slice-bytes',
      better: 'lower',
      unit: 'B',
      median: bytes,
      runs: ours.slices.length,
      goal: 2e6,
    });
    const all = await measure(browser, url, 'vis', COUNT, quick ? 5 : 10, VIS_PATIENCE);
    const few = all ?? (await measure(browser, url, 'vis', VIS_COUNT, quick ? 5 : 10, VIS_PATIENCE));
    if (all === undefined) {
      process.stderr.write(`vis-timeline did not open ${COUNT} intervals within ${VIS_PATIENCE / 1000} s\n`);
    }
    if (few === undefined) {
      process.stderr.write(
        `vis-timeline did not open ${VIS_COUNT} intervals within ${VIS_PATIENCE / 1000} s\n`,
      );
    } else {
      const vis = spread(few.frames);
      const intervals = all === undefined ? VIS_COUNT : COUNT;
      print({
        bench: 'webview-frame',
        ...lower,
        ...frame,
        runs: few.frames.length,
        ratio: vis.median / frame.median,
        peer: { name: `vis-timeline, ${intervals} intervals`, ...vis },
        intervals: COUNT,
      });
      print({
        bench: 'webview-open',
        ...lower,
        median: ours.open,
        runs: 1,
        ratio: few.open / ours.open,
        peer: { name: `vis-timeline, ${intervals} intervals`, median: few.open },
        intervals: COUNT,
      });
    }
  } finally {
    await Promise.race([browser.close(), new Promise((resolve) => setTimeout(resolve, 5000))]);
    rmSync(folder, { recursive: true, force: true });
  }
});
process.exit();
