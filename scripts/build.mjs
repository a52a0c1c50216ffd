// Bundles everything that runs into dist/. Exits non-zero when a bundle fails.
// `--clean` first removes the parts that an earlier build has left, for packaging: an extension host that runs may still load them.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const common = {
  absWorkingDir: root,
  bundle: true,
  sourcemap: true,
  logLevel: 'warning',
};

/** Settings shared by everything that runs on Node. */
const node = { ...common, platform: 'node', target: 'node20', format: 'cjs' };

/** Smaller, but with the names that a stack is read by: source maps stay out of the VSIX. */
const shipped = { minifyWhitespace: true, minifySyntax: true };

/** What runs in a browser: its extension host in a web worker, and webviews. */
const browser = { ...common, platform: 'browser', target: 'es2023' };

const webview = {
  ...browser,
  format: 'iife',
  minify: true,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  outdir: 'dist/webview',
  loader: { '.ttf': 'file' },
  assetNames: '[name]',
};

const entries = [
  {
    ...node,
    entryPoints: ['src/cli/main.ts'],
    outfile: 'dist/cli.js',
    banner: { js: '#!/usr/bin/env node' },
  },
  { ...node, ...shipped, entryPoints: ['src/cli/conformance.ts'], outfile: 'dist/conformance.js' },
  {
    ...browser,
    ...shipped,
    entryPoints: ['src/extension/browser/extension.ts'],
    outfile: 'dist/browser.js',
    format: 'cjs',
    external: ['vscode'],
  },
  { ...webview, entryPoints: ['src/webview/main.tsx'] },
  { ...webview, entryPoints: ['src/webview/main.css'] },
  {
    ...node,
    entryPoints: ['src/bench/main.ts'],
    outfile: 'dist/bench.js',
    // A peer to compare with, loaded as it was published.
    external: ['simjs'],
  },
];

/**
 * Bundles the extension for Node: dist/extension.js is what activation needs, dist/extension/ what is imported later.
 * esbuild splits only into ES modules, so each part is made a CommonJS module afterwards.
 */
async function buildExtension() {
  const { outputFiles } = await build({
    ...node,
    entryPoints: { extension: 'src/extension/node/extension.ts' },
    outdir: 'dist',
    chunkNames: 'extension/[name]-[hash]',
    external: ['vscode'],
    format: 'esm',
    splitting: true,
    sourcemap: 'inline',
    write: false,
  });
  await Promise.all(
    outputFiles.map(async ({ path, text }) => {
      const { code, map } = await transform(text, {
        ...shipped,
        platform: 'node',
        target: 'node20',
        format: 'cjs',
        supported: { 'dynamic-import': false },
        sourcemap: 'external',
        sourcefile: path,
        sourcesContent: false,
      });
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(`${path}.map`, map);
      writeFileSync(path, `${code}//# sourceMappingURL=${basename(path)}.map\n`);
    }),
  );
}

if (process.argv.includes('--clean'))
  rmSync(join(root, 'dist', 'extension'), { recursive: true, force: true });
try {
  await Promise.all([...entries.map((entry) => build(entry)), buildExtension()]);
} catch {
  // esbuild has already printed the errors with their positions.
  process.exitCode = 1;
}
