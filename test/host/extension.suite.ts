import * as assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as vscode from 'vscode';
import { activated, EXTENSION, inRepository, sample, show } from './support';

/** Set when this is bundled: the kind of extension host that it is for. */
declare const HOST_KIND: 'node' | 'web';

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly languages: readonly { readonly id: string }[];
  };
}

function manifest(): Manifest {
  const extension = vscode.extensions.getExtension(EXTENSION);
  assert.ok(extension);
  return extension.packageJSON as Manifest;
}

describe('extension', () => {
  it(`is tested in the extension host of kind ${HOST_KIND}`, () => {
    assert.equal(typeof process === 'object' && process.versions?.node !== undefined, HOST_KIND === 'node');
  });

  it('activates', async () => {
    await activated();
    assert.equal(vscode.extensions.getExtension(EXTENSION)?.isActive, true);
  });

  it('contributes its languages', async () => {
    const known = await vscode.languages.getLanguages();
    for (const id of ['ublk', 'ublktrace']) assert.ok(known.includes(id), id);
  });

  it('registers every command that it contributes', async () => {
    await activated();
    const known = new Set(await vscode.commands.getCommands(true));
    const contributed = manifest().contributes.commands.map(({ command }) => command);
    assert.deepEqual(
      contributed.filter((command) => !known.has(command)),
      [],
    );
  });

  it('opens a sample as a session', async () => {
    assert.equal((await show(sample('loop-zc.ublk'))).languageId, 'ublk');
  });

  it('runs a session and keeps its trace', async () => {
    const { traces } = await activated();
    const entry = await traces.open(sample('loop-zc.ublk'));
    assert.ok(entry.open.length > 100, String(entry.open.length));
    const text = await vscode.workspace.openTextDocument(entry.textUri);
    assert.match(text.lineAt(0).text, /^# tracer:/);
    assert.equal(traces.current, entry);
  });

  it('opens a recording of a real kernel', async () => {
    const { traces } = await activated();
    const entry = await traces.open(
      inRepository('test/fixtures/oracle/rfc-zc-loop-direct-q1d32/trace.txt.gz'),
    );
    assert.equal(entry.open.source.kind, 'text');
    assert.ok(entry.open.requests.length > 0, 'no requests');
  });
});
