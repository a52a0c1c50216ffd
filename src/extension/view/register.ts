import * as vscode from 'vscode';
import type { Events } from '../../webview/protocol';
import type { Face } from '../../webview/protocol_data';
import { sampleIn, showError } from '../commands';
import { DEBUG_TYPE } from '../debug/configurations';
import type { DebugHosts } from '../debug/adapter';
import type { WindowMemory } from '../memory';
import { sourceOf, type Entry, type Traces } from '../traces';
import type { Node } from '../tree/nodes';
import type { RequestTree } from '../tree/view';
import { viewLenses } from './lenses';
import { comparison, type Subject, subjectOf } from './subject';
import { EDITOR_TYPE, VIEW_TYPE, Views } from './views';

/** What links of the walkthrough name instead of a file: the sample. */
const SAMPLE = 'sample';

const FACES: Readonly<Record<string, Face>> = {
  showTimeline: 'timeline',
  showSequence: 'sequence',
  showMachine: 'machine',
};

const COMMANDS: Readonly<Record<string, Events['command']['name']>> = {
  viewFit: 'fit',
  viewSearch: 'search',
  viewSavePng: 'savePng',
  viewSaveSvg: 'saveSvg',
  viewSaveMermaid: 'saveMermaid',
  viewCopyPng: 'copyPng',
  viewCopySvg: 'copySvg',
  viewCopyMermaid: 'copyMermaid',
};

/** Registers the webview: its commands, custom editor, serializer and code lenses. */
export function registerViews(
  context: vscode.ExtensionContext,
  traces: Traces,
  hosts: DebugHosts,
  tree: RequestTree,
  memory: WindowMemory,
): Views {
  const { commands, window, languages } = vscode;
  const views = new Views(context.extensionUri, traces, hosts, memory);
  const command = (name: string, run: (...args: unknown[]) => Promise<unknown>): vscode.Disposable =>
    commands.registerCommand(`ublkTrace.${name}`, async (...args: unknown[]) => {
      try {
        return await run(...args);
      } catch (error) {
        showError(error);
        return undefined;
      }
    });
  const sample = vscode.Uri.joinPath(context.extensionUri, 'samples', 'loop-zc.ublk');
  const subject = async (about: unknown): Promise<Subject | undefined> =>
    about === SAMPLE ? subjectOf(await sampleIn(sample), {}) : subjectAbout(about, traces, hosts, tree);
  context.subscriptions.push(
    views,
    window.registerWebviewPanelSerializer(VIEW_TYPE, views),
    window.registerCustomEditorProvider(EDITOR_TYPE, views, {
      webviewOptions: { retainContextWhenHidden: false },
      supportsMultipleEditorsPerDocument: true,
    }),
    languages.registerCodeLensProvider({ language: 'ublktrace' }, { provideCodeLenses: viewLenses }),
    ...Object.entries(FACES).map(([name, face]) =>
      command(name, async (about) => {
        const wanted = (await subject(about)) ?? (await pickSubject());
        if (wanted !== undefined) await views.show(wanted, face);
      }),
    ),
    command('compareZeroCopy', async (about) => {
      const wanted = await subject(about);
      const part = wanted?.parts[0];
      if (part === undefined) return;
      const { zeroCopy: _, ...overrides } = part.overrides;
      await views.show(comparison(part.uri, overrides), 'timeline');
    }),
    ...Object.entries(COMMANDS).map(([name, event]) =>
      command(name, async () => {
        views.active?.command(event);
      }),
    ),
  );
  return views;
}

/** What a command is about: a file, a node of the tree, else what is debugged, edited or was looked at last. */
function subjectAbout(
  about: unknown,
  traces: Traces,
  hosts: DebugHosts,
  tree: RequestTree,
): Subject | undefined {
  const ofEntry = (entry: Entry | undefined): Subject | undefined =>
    entry && subjectOf(entry.uri, entry.overrides);
  if (about instanceof vscode.Uri) return ofUri(about, traces);
  if (isNode(about)) return ofEntry(tree.entryOf(about));
  const { activeDebugSession } = vscode.debug;
  const document = vscode.window.activeTextEditor?.document;
  if (document !== undefined && ['ublk', 'ublktrace', 'ublkring'].includes(document.languageId))
    return ofUri(document.uri, traces);
  const debugged = activeDebugSession?.type === DEBUG_TYPE ? hosts.entryOf(activeDebugSession) : undefined;
  return ofEntry(debugged ?? traces.current);
}

/** A session or a trace file; for the text of a simulated trace what it was simulated from. */
function ofUri(uri: vscode.Uri, traces: Traces): Subject {
  const entry = traces.find(uri);
  if (entry !== undefined) return subjectOf(entry.uri, entry.overrides);
  const source = uri.scheme === 'file' ? undefined : sourceOf(uri);
  return source === undefined ? subjectOf(uri, {}) : subjectOf(source.uri, source.overrides);
}

async function pickSubject(): Promise<Subject | undefined> {
  const { t } = vscode.l10n;
  const filters = {
    [t('Sessions and traces')]: ['ublk', 'ublktrace', 'txt', 'log', 'gz'],
    [t('All files')]: ['*'],
  };
  const picked = await vscode.window.showOpenDialog({ openLabel: t('Show'), filters, canSelectMany: false });
  return picked?.[0] && subjectOf(picked[0], {});
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value && 'id' in value;
}
