import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { Api } from '../../src/extension/activate';

/** Identifier of the extension under test. */
export const EXTENSION = 'ublk-trace.ublk-trace-debugger';

/** The folder that is open: a copy of samples/. */
export function folder(): vscode.WorkspaceFolder {
  const first = vscode.workspace.workspaceFolders?.[0];
  if (!first) throw new Error('no folder is open');
  return first;
}

/** A file of the open folder. */
export const sample = (name: string): vscode.Uri => vscode.Uri.joinPath(folder().uri, name);

/** A file of the checkout, such as a recording of test/fixtures. */
export function inRepository(path: string): vscode.Uri {
  const extension = vscode.extensions.getExtension(EXTENSION);
  assert.ok(extension, `${EXTENSION} is not installed`);
  return vscode.Uri.joinPath(extension.extensionUri, path);
}

/** Waits until `look` gives something other than undefined or false. `what` names it in the error. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Thenable<T | undefined | false>,
): Promise<T> {
  const end = Date.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** What the extension's activate() returned. */
export async function activated(): Promise<Api> {
  const extension = vscode.extensions.getExtension<Api>(EXTENSION);
  assert.ok(extension, `${EXTENSION} is not installed`);
  return extension.activate();
}

/** Writes a file into the open folder and shows it in an editor. */
export async function writeAndShow(name: string, text: string): Promise<vscode.TextDocument> {
  const uri = sample(name);
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document);
  return document;
}

/** Shows a file in an editor. */
export async function show(uri: vscode.Uri): Promise<vscode.TextDocument> {
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document, { preview: false });
  return document;
}

/** Position just behind the first occurrence of `text`. */
export function behind(document: vscode.TextDocument, text: string): vscode.Position {
  const index = document.getText().indexOf(text);
  assert.notEqual(index, -1, `${text} is not in ${document.uri.path}`);
  return document.positionAt(index + text.length);
}

/** Removes those files of the open folder that tests have made. */
export async function remove(...names: string[]): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  const there = new Set((await vscode.workspace.fs.readDirectory(folder().uri)).map(([name]) => name));
  for (const name of names)
    if (there.has(name)) await vscode.workspace.fs.delete(sample(name), { recursive: true });
}

/** Writes a file into the open folder. */
export async function write(name: string, content: string | Uint8Array): Promise<vscode.Uri> {
  const uri = sample(name);
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  await vscode.workspace.fs.writeFile(uri, bytes);
  return uri;
}

/** Bytes in gzip. */
export async function gzip(text: string): Promise<Uint8Array> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** Closes all editors, all traces, and takes the filter away. */
export async function cleared(): Promise<Api> {
  const api = await activated();
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  for (const entry of api.traces.all) api.traces.close(entry);
  await api.tree.applyFilter('');
  return api;
}
