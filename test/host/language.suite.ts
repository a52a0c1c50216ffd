import * as assert from 'node:assert/strict';
import { after, describe, it } from 'mocha';
import * as vscode from 'vscode';
import { behind, folder, remove, sample, show, until, writeAndShow } from './support';

const wrong = ['truncate -s 64M disk.img', 'ublk add -t loop -f disk.img -q 1 --no-such-option', ''].join(
  '\n',
);

function errors(uri: vscode.Uri): vscode.Diagnostic[] {
  return vscode.languages
    .getDiagnostics(uri)
    .filter(({ severity }) => severity === vscode.DiagnosticSeverity.Error);
}

describe('language of sessions', () => {
  after(() => remove('wrong.ublk', 'typing.ublk'));

  it('marks what is wrong, as it is typed', async () => {
    const document = await writeAndShow('wrong.ublk', wrong);
    const [error] = await until('an error', () => {
      const found = errors(document.uri);
      return found.length > 0 && found;
    });
    assert.equal(error!.range.start.line, 1);
    assert.match(error!.message, /no-such-option/);

    const edit = new vscode.WorkspaceEdit();
    const end = behind(document, '--no-such-option');
    edit.replace(document.uri, new vscode.Range(end.translate(0, -' --no-such-option'.length), end), ' -d 4');
    await vscode.workspace.applyEdit(edit);
    await until('no error', () => errors(document.uri).length === 0);
    await document.save();
  });

  it('finds nothing wrong in the samples', async () => {
    const files = await vscode.workspace.fs.readDirectory(folder().uri);
    const samples = files.flatMap(([name]) =>
      /^(wrong|typing)/.test(name) || !name.endsWith('.ublk') ? [] : [name],
    );
    assert.ok(samples.length > 0);
    for (const name of samples) await show(sample(name));
    // Opened last, so the others have been checked once it is marked.
    const { uri } = await writeAndShow('wrong.ublk', wrong);
    await until('an error', () => errors(uri).length > 0);
    const found = samples.flatMap((name) => errors(sample(name)).map(({ message }) => `${name}: ${message}`));
    assert.deepEqual(found, []);
  });

  it('completes options', async () => {
    const document = await writeAndShow(
      'typing.ublk',
      'truncate -s 1M disk.img\nublk add -t loop -f disk.img -\n',
    );
    const list = await vscode.commands.executeCommand<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      document.uri,
      behind(document, 'disk.img -'),
    );
    const labels = list.items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    assert.ok(labels.includes('-q'), labels.join(' '));
  });

  it('explains an option', async () => {
    const { uri } = await show(sample('loop-zc.ublk'));
    const position = behind(await vscode.workspace.openTextDocument(uri), 'disk.img -z').translate(0, -1);
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      uri,
      position,
    );
    const text = hovers.flatMap(({ contents }) =>
      contents.map((part) => (typeof part === 'string' ? part : part.value)),
    );
    assert.match(text.join('\n'), /zero.copy/i);
  });

  it('offers Run and Debug above the session', async () => {
    const { uri } = await show(sample('loop-zc.ublk'));
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      uri,
      10,
    );
    const titles = lenses.map(({ command }) => command?.title ?? '');
    for (const word of ['Run', 'Debug'])
      assert.ok(
        titles.some((title) => title.includes(word)),
        titles.join(' '),
      );
  });
});
