import * as vscode from 'vscode';
import type { Requests } from '../../webview/protocol';

type Picture = Requests['save']['ask'];

const KINDS: Readonly<Record<Picture['kind'], { readonly ending: string; readonly filter: string }>> = {
  png: { ending: 'png', filter: 'PNG' },
  svg: { ending: 'svg', filter: 'SVG' },
  mermaid: { ending: 'mmd', filter: 'Mermaid' },
};

/** Asks where, and saves what a webview drew. `near` is the file whose folder is proposed. False: the person gave up. */
export async function savePicture(picture: Picture, near: vscode.Uri | undefined): Promise<boolean> {
  const { ending, filter } = KINDS[picture.kind];
  const name = picture.name.replace(/[\\/:*?"<>|]/g, '_');
  const folder =
    near?.scheme === 'untitled'
      ? vscode.workspace.workspaceFolders?.[0]?.uri
      : near?.with({ path: parent(near.path) });
  const target = await vscode.window.showSaveDialog({
    ...(folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, `${name}.${ending}`) }),
    filters: { [filter]: [ending] },
    saveLabel: vscode.l10n.t('Save'),
  });
  if (target === undefined) return false;
  await writeWhole(target, bytesOf(picture));
  return true;
}

/** Writes a file beside its place and puts it there once it is complete. */
export async function writeWhole(target: vscode.Uri, bytes: Uint8Array): Promise<void> {
  const { fs } = vscode.workspace;
  const beside = target.with({ path: `${target.path}.${Date.now().toString(36)}.part` });
  try {
    await fs.writeFile(beside, bytes);
    await fs.rename(beside, target, { overwrite: true });
  } catch (error) {
    try {
      await fs.delete(beside);
    } catch {
      // it was never made
    }
    throw error;
  }
}

/** Text in UTF-8; a PNG comes as bytes or, from where only text goes through, as a data URL. */
function bytesOf({ data, kind }: Picture): Uint8Array {
  if (typeof data !== 'string') return data;
  const base64 = kind === 'png' ? /^data:image\/png;base64,(.*)$/s.exec(data)?.[1] : undefined;
  if (base64 === undefined) return new TextEncoder().encode(data);
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function parent(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
