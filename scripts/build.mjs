// Bundles each entry that exists into dist/. Exits non-zero when a bundle fails.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Settings shared by everything that runs on Node. */
const node = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: false,
  sourcemap: true,
  logLevel: 'warning',
};

const entries = [
  {
    ...node,
    entryPoints: ['src/cli/main.ts'],
    outfile: 'dist/cli.js',
    banner: { js: '#!/usr/bin/env node' },
  },
  {
    ...node,
    entryPoints: ['src/extension/node/extension.ts'],
    outfile: 'dist/extension.js',
    external: ['vscode'],
  },
  {
    ...node,
    entryPoints: ['src/extension/browser/extension.ts'],
    outfile: 'dist/browser.js',
    platform: 'browser',
    target: 'es2023',
    external: ['vscode'],
  },
];

/** What a webview loads: one script, one style sheet and the fonts that it names. */
const webview = {
  ...node,
  platform: 'browser',
  target: 'es2023',
  format: 'iife',
  minify: true,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  outdir: 'dist/webview',
  loader: { '.ttf': 'file' },
  assetNames: '[name]',
};
for (const entry of ['src/webview/main.tsx', 'src/webview/main.css'])
  entries.push({ ...webview, entryPoints: [entry] });

if (existsSync(join(root, 'src/bench/main.ts'))) {
  entries.push({
    ...node,
    entryPoints: ['src/bench/main.ts'],
    outfile: 'dist/bench.js',
    // A peer to compare with, loaded as it was published.
    external: ['simjs'],
  });
}

try {
  await Promise.all(entries.map((entry) => build(entry)));
} catch {
  // esbuild has already printed the errors with their positions.
  process.exitCode = 1;
}
