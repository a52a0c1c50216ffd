import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { SourceFile } from './rules';
import { arrowViolations, importCycles, importsOf, lengthViolations, MAX_LINES } from './rules';

const root = fileURLToPath(new URL('../../', import.meta.url));

function readSources(): SourceFile[] {
  const names = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => ({
      path: `src/${name.split(sep).join('/')}`,
      text: readFileSync(join(root, 'src', name), 'utf8'),
    }));
}

describe('the source tree', () => {
  const files = readSources();

  it('is found, with its imports', () => {
    const extension = files.find((file) => file.path === 'src/extension/node/extension.ts');
    expect(importsOf(extension?.text ?? '').map((entry) => entry.specifier)).toContain('vscode');
  });

  it('has arrows that run one way', () => {
    expect(arrowViolations(files)).toEqual([]);
  });

  it('has no cyclic imports', () => {
    expect(importCycles(files)).toEqual([]);
  });

  it(`has no file over ${MAX_LINES} lines`, () => {
    expect(lengthViolations(files)).toEqual([]);
  });
});

describe('the scanner', () => {
  it('sees every form of import and no comment', () => {
    const text = [
      "import { a } from './a';",
      "import type { B } from './b';",
      "import * as c from './c';",
      "import d, { type D } from './d';",
      'import {',
      '  e,',
      "} from './e';",
      "import './f';",
      "export * from './g';",
      "export type { H } from './h';",
      "export{i}from'./i';",
      "const j = await import('./j');",
      "const k = require('./k');",
      "// import { no } from './no';",
      "/* text\n * import { no } from './no';\n */",
      "export const l = 'from';",
      "export function m(from = './no') {}",
    ].join('\n');
    const all = importsOf(text);
    expect(all.map((entry) => entry.specifier).sort()).toEqual([...'abcdefghijk'].map((x) => `./${x}`));
    expect(all.filter((entry) => entry.typeOnly).map((entry) => entry.specifier)).toEqual(['./b', './h']);
  });
});

describe('the rules', () => {
  const broken: [path: string, text: string][] = [
    ['src/uapi/x.ts', "import { y } from '../trace/y';"],
    ['src/uapi/x.ts', "import cac from 'cac';"],
    ['src/trace/x.ts', "import type { Kernel } from '../kernel/kernel';"],
    ['src/kernel/x.ts', "import { s } from '../server/s';"],
    ['src/server/x.ts', "import { simulate } from '../simulate';"],
    ['src/kernel/x.ts', "import { readFileSync } from 'node:fs';"],
    ['src/convert/x.ts', "import { gunzipSync } from 'zlib';"],
    ['src/extension/x.ts', "import { readFileSync } from 'node:fs';"],
    ['src/debug/x.ts', "import * as vscode from 'vscode';"],
    ['src/cli/x.ts', "import { activate } from '../extension/node/extension';"],
    ['src/extension/x.ts', "import { draw } from '../webview/draw';"],
    ['src/webview/x.ts', "import { Trace } from '../trace/trace';"],
    ['src/webview/x.ts', "import type { Sqe } from '../uapi/sqe';"],
    ['src/helpers/x.ts', ''],
    ['src/cli/x.ts', "import { x } from '../../scripts/x';"],
  ];
  it.each(broken)('refuse %s with %s', (path, text) => {
    const found = arrowViolations([{ path, text }]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${path}: `));
  });

  const sound: [path: string, text: string][] = [
    ['src/uapi/x.ts', "import { y } from './y';"],
    ['src/simulate.ts', "import { s } from './server/s';"],
    ['src/convert/x.ts', "import { simulate } from '../simulate';"],
    ['src/cli/x.ts', "import { readFileSync } from 'node:fs';"],
    [
      'src/extension/node/x.ts',
      "import { Worker } from 'node:worker_threads';\nimport * as vscode from 'vscode';",
    ],
    ['src/extension/x.ts', "import type { Message } from '../webview/protocol';"],
    ['src/webview/x.ts', "import type { Trace } from '../trace/trace';\nimport { send } from './protocol';"],
  ];
  it.each(sound)('allow %s with %s', (path, text) => {
    expect(arrowViolations([{ path, text }])).toEqual([]);
  });

  it('name a cycle, through type imports and index files too', () => {
    const files = [
      { path: 'src/trace/a.ts', text: "import { b } from './b';" },
      { path: 'src/trace/b.ts', text: "import type { C } from './c';" },
      { path: 'src/trace/c/index.ts', text: "export { a } from '../a';" },
      { path: 'src/trace/d.ts', text: "import { a } from './a';" },
    ];
    expect(importCycles(files)).toEqual([
      'src/trace/a.ts -> src/trace/b.ts -> src/trace/c/index.ts -> src/trace/a.ts',
    ]);
    expect(importCycles(files.slice(0, 2))).toEqual([]);
  });

  it('count lines, the last newline not among them', () => {
    const path = 'src/trace/a.ts';
    expect(lengthViolations([{ path, text: 'x\n'.repeat(MAX_LINES) }])).toEqual([]);
    expect(lengthViolations([{ path, text: 'x\n'.repeat(MAX_LINES + 1) }])).toHaveLength(1);
  });
});
