import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventNames, eventSpec } from '../../src/trace/schema';

const root = join(__dirname, '..', '..');
/** Code that speaks to people by `t`. */
const folders = ['extension', 'view'].map((room) => join(root, 'src', room));
const json = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));

const sources = folders.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') })),
);

/** First arguments of all calls of `t`, `l10n.t` and `look.t`: [file, literal]; undefined for what is no plain literal. */
const calls = sources.flatMap(({ name, text }) =>
  [
    ...text.matchAll(
      /(?<![\w.])(?:vscode\.l10n\.|l10n\.)?t\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|(?=\S))/g,
    ),
  ].map((match) => ({ name, message: (match[1] ?? match[2])?.replace(/\\(.)/g, '$1') })),
);

/** What the webview translates by the host's table: the same, and what `said` marks in tables. */
const webview = readdirSync(join(root, 'src', 'webview'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(root, 'src', 'webview', name), 'utf8') }));

const webviewCalls = webview.flatMap(({ name, text }) =>
  [
    ...text.matchAll(
      /(?<![\w.])(?<!function )(?:t|said)\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|([^,)]*))/g,
    ),
  ].map((match) => ({
    name,
    message: (match[1] ?? match[2])?.replace(/\\(.)/g, '$1'),
    other: match[3],
  })),
);

/** Sentences of the schema, which views translate as they stand there. */
const schema = eventNames().flatMap((name) => {
  const { says, fields = {} } = eventSpec(name)!;
  return [says, ...Object.values(fields).map((field) => field?.says)].filter((text) => text !== undefined);
});

describe('what the extension says', () => {
  it('is written as plain literals, so that it can be collected', () => {
    expect(calls.filter(({ message }) => message === undefined)).toEqual([]);
    expect(calls.length).toBeGreaterThan(100);
  });

  it('is written as plain literals in the webview, or marked in a table', () => {
    const others = new Set(webviewCalls.flatMap(({ other }) => other ?? []));
    expect([...others].sort()).toEqual(['line(command', 'title', 'what']);
    expect(webview.filter(({ text }) => /words\.peek\(\)\(|\bt\([^'"()]*\?/.test(text))).toEqual([]);
  });

  it('says in no picture, button or message what is not translated', () => {
    const shown =
      /(?:aria-label|title|placeholder)="[^"]*[A-Za-z]{2}|>\s*[A-Z][a-z]+ [a-z]+[^<{}=;]*<\/|\.say\(\s*['`"]|new Error\(\s*['`"]/;
    expect(webview.filter(({ text }) => shown.test(text)).map(({ name }) => name)).toEqual([]);
  });

  it('is in the bundle, and nothing else is; vitest -u writes it', async () => {
    const messages = [
      ...new Set([
        ...calls.map(({ message }) => message!),
        ...webviewCalls.flatMap(({ message }) => message ?? []),
        ...schema,
      ]),
    ].sort();
    const bundle = Object.fromEntries(messages.map((message) => [message, message]));
    await expect(`${JSON.stringify(bundle, undefined, 2)}\n`).toMatchFileSnapshot(
      join(root, 'l10n', 'bundle.l10n.json'),
    );
  });

  it('never goes past the translation into a message, a title or a label', () => {
    const shown =
      /(?:show(?:Error|Warning|Information)Message|setStatusBarMessage)\(\s*['`]|\b(?:title|prompt|placeHolder|openLabel|tooltip): '[A-Z]/;
    expect(sources.filter(({ text }) => shown.test(text)).map(({ name }) => name)).toEqual([]);
  });
});

describe('the manifest', () => {
  const manifest = json('package.json') as { contributes: Record<string, unknown> };
  const texts = json('package.nls.json') as Record<string, string>;
  const used = new Set<string>();
  const plain: string[] = [];
  const look = (value: unknown, path: string): void => {
    if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) look(inner, `${path}.${key}`);
      return;
    }
    if (typeof value !== 'string') return;
    const key = /^%([\w.]+)%$/.exec(value)?.[1];
    if (key !== undefined) used.add(key);
    else if (/\.(title|label|description|contents|category|contextualTitle|shortTitle)$/.test(path))
      plain.push(path);
  };
  look(manifest.contributes, 'contributes');

  it('takes every title, label and description from package.nls.json', () => {
    expect(plain).toEqual([]);
  });

  it('uses the keys that are there', () => {
    expect([...used].sort()).toEqual(Object.keys(texts).sort());
  });
});
