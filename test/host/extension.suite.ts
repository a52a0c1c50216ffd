import * as assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as vscode from 'vscode';
import { EXTENSION, sample } from './support';

describe('extension', () => {
  it('activates', async () => {
    const extension = vscode.extensions.getExtension(EXTENSION);
    assert.ok(extension, 'not installed');
    await extension.activate();
    assert.equal(extension.isActive, true);
  });

  it('contributes its languages', async () => {
    const languages = await vscode.languages.getLanguages();
    for (const id of ['ublk', 'ublktrace']) assert.ok(languages.includes(id), id);
  });

  it('opens a sample as a session', async () => {
    const document = await vscode.workspace.openTextDocument(sample('loop-zc.ublk'));
    await vscode.window.showTextDocument(document);
    assert.equal(document.languageId, 'ublk');
  });
});
