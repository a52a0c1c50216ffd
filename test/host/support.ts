import { join } from 'node:path';
import * as vscode from 'vscode';

/** Identifier of the extension under test. */
export const EXTENSION = 'ublk-trace.ublk-trace-debugger';

/** A file of the workspace, which is a copy of samples/. */
export function sample(name: string): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (!folder) throw new Error('no folder is open');
  return vscode.Uri.joinPath(folder.uri, name);
}

/** A file of the checkout, such as a recording of test/fixtures. */
export function inRepository(path: string): vscode.Uri {
  const root = process.env.HOST_TEST_ROOT;
  if (!root) throw new Error('HOST_TEST_ROOT is not set');
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  return (folder ?? vscode.Uri.file('/')).with({ path: join(root, path) });
}

/** Waits until `look` gives something other than undefined or false. `what` names it in the error. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Thenable<T | undefined | false>,
): Promise<T> {
  const end = Date.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
