import * as vscode from 'vscode';
import { DEBUG_TYPE, programOf } from './debug/configurations';
import { placeOfEvent } from './trace/excerpts';
import type { Entry, Traces } from './traces';

/** Registers the commands that open, run and debug. */
export function registerCommands(context: vscode.ExtensionContext, traces: Traces): void {
  const { t } = vscode.l10n;
  const sample = vscode.Uri.joinPath(context.extensionUri, 'samples', 'loop-zc.ublk');
  const command = (name: string, run: (...args: never[]) => Promise<unknown>): void => {
    const guarded = async (...args: never[]): Promise<unknown> => {
      try {
        return await run(...args);
      } catch (error) {
        showError(error);
        return undefined;
      }
    };
    context.subscriptions.push(vscode.commands.registerCommand(`ublkTrace.${name}`, guarded));
  };

  const show = async (uri: vscode.Uri): Promise<Entry> => {
    const entry = await traces.open(uri);
    await vscode.commands.executeCommand('ublkTrace.requests.focus');
    return entry;
  };

  command('run', async (uri?: vscode.Uri) => {
    const target = uri ?? activeUri() ?? (await pickFile(t('Run'), true));
    if (target === undefined) return;
    const entry = await show(target);
    if (entry.open.source.kind === 'session' && entry.open.source.exitCode !== 0) {
      const lines = entry.open.source.output.trim().split('\n');
      void vscode.window.showWarningMessage(
        t('The session ended with exit code {0}: {1}', entry.open.source.exitCode, lines.at(-1) ?? ''),
      );
    }
    await showText(entry, true);
  });
  command('openTrace', async (uri?: vscode.Uri) => {
    const target = uri ?? (await pickFile(t('Open trace'), false));
    if (target === undefined) return;
    const entry = await show(target);
    await showText(entry, true);
  });
  command('debug', async (uri?: vscode.Uri) => {
    const target = uri ?? activeUri() ?? traces.current?.uri ?? (await pickFile(t('Debug'), true));
    if (target === undefined) return;
    await startDebugging(target);
  });
  command('runSample', async () => {
    const target = await sampleIn(sample);
    await vscode.window.showTextDocument(target, { preview: false });
    await show(target);
  });
  command('debugSample', async () => {
    const target = await sampleIn(sample);
    await vscode.window.showTextDocument(target, { preview: false });
    await startDebugging(target);
  });
}

/** Shows the text of a trace at an event (-1: at its start): whole, or by an excerpt where it is too large for an editor. */
export async function showText(entry: Entry, preserveFocus: boolean, event = -1): Promise<void> {
  const { uri, line } = placeOfEvent(entry, event);
  const document = await vscode.workspace.openTextDocument(uri);
  if (document.languageId === 'plaintext')
    await vscode.languages.setTextDocumentLanguage(document, 'ublktrace');
  const selection = event < 0 ? undefined : new vscode.Range(line - 1, 0, line - 1, 0);
  await vscode.window.showTextDocument(document, {
    preserveFocus,
    preview: true,
    ...(selection === undefined ? {} : { selection }),
  });
}

/** Tells a person what went wrong; a cancelled task is no error. */
export function showError(error: unknown): void {
  if (error instanceof Error && error.name === 'OpenCancelled') return;
  const message = error instanceof Error ? error.message : String(error);
  const known = error instanceof Error && (error.name === 'OpenError' || error.name === 'FileError');
  void vscode.window.showErrorMessage(known ? message.split('\n')[0]! : `ublk Trace: ${message}`);
}

async function startDebugging(uri: vscode.Uri): Promise<void> {
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
  await vscode.debug.startDebugging(folder, {
    type: DEBUG_TYPE,
    request: 'launch',
    name: vscode.l10n.t('Debug {0}', name),
    program: programOf(uri),
    stopOnEntry: true,
  });
}

function activeUri(): vscode.Uri | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document && ['ublk', 'ublktrace', 'ublkring'].includes(document.languageId)
    ? document.uri
    : undefined;
}

/** The sample as the workspace has it, else the one that came with the extension. */
export async function sampleIn(packed: vscode.Uri): Promise<vscode.Uri> {
  const [own] = await vscode.workspace.findFiles('**/loop-zc.ublk', '**/node_modules/**', 1);
  return own ?? packed;
}

async function pickFile(label: string, sessions: boolean): Promise<vscode.Uri | undefined> {
  const { t } = vscode.l10n;
  const filters: Record<string, string[]> = sessions
    ? { [t('Sessions and traces')]: ['ublk', 'ublktrace', 'txt', 'log', 'gz'] }
    : { [t('Traces')]: ['ublktrace', 'txt', 'log', 'gz', 'ublk'], [t('All files')]: ['*'] };
  const picked = await vscode.window.showOpenDialog({ openLabel: label, filters, canSelectMany: false });
  return picked?.[0];
}
