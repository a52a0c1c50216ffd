import * as vscode from 'vscode';
import { looksLikeTrace } from '../trace/detect';
import { isSession, type Traces } from '../traces';

/** Type of our debug configurations. */
export const DEBUG_TYPE = 'ublk-trace';
/** Property of configurations that we start ourselves: the place to go to after the entry, arguments of GOTO_REQUEST. */
export const START_AT = '__startAt';

/** Fills in what a launch configuration lacks, so that F5 works without launch.json. A new launch.json begins as package.json says. */
export class InitialConfigurations implements vscode.DebugConfigurationProvider {
  constructor(private readonly traces: Traces) {}

  async resolveDebugConfiguration(
    _folder: vscode.WorkspaceFolder | undefined,
    config: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined> {
    const document = vscode.window.activeTextEditor?.document;
    if (config.type === undefined && config.request === undefined && config.name === undefined) {
      const { current } = this.traces;
      if (document?.languageId === 'ublkstack' && current !== undefined)
        return launch(vscode.l10n.t('Debug {0}', current.open.name), programOf(current.uri));
      // Without a program the next step says what to do.
      if (document === undefined || !debuggable(document))
        return { type: DEBUG_TYPE, request: 'launch', name: vscode.l10n.t('Debug') };
      return { ...launch(vscode.l10n.t('Debug {0}', lastPart(document.uri)), programOf(document.uri)) };
    }
    return config.program === undefined && document !== undefined && debuggable(document)
      ? { ...config, program: programOf(document.uri) }
      : config;
  }

  async resolveDebugConfigurationWithSubstitutedVariables(
    _folder: vscode.WorkspaceFolder | undefined,
    config: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined> {
    if (typeof config.program === 'string' && config.program !== '') return config;
    const { t } = vscode.l10n;
    const sample = t('Debug the sample');
    const picked = await vscode.window.showErrorMessage(
      t('There is nothing to debug: open a .ublk session or a trace, or name one as "program".'),
      sample,
    );
    if (picked === sample) await vscode.commands.executeCommand('ublkTrace.debugSample');
    return undefined;
  }
}

/** Offers a configuration for each session and trace of the workspace. */
export class DynamicConfigurations implements vscode.DebugConfigurationProvider {
  constructor(private readonly traces: Traces) {}

  async provideDebugConfigurations(
    folder: vscode.WorkspaceFolder | undefined,
  ): Promise<vscode.DebugConfiguration[]> {
    const pattern = '**/*.{ublk,ublktrace,ublktrace.gz,ring.json}';
    const found = await vscode.workspace.findFiles(
      folder === undefined ? pattern : new vscode.RelativePattern(folder, pattern),
      '**/{node_modules,out,dist}/**',
      50,
    );
    const uris = new Map(found.map((uri) => [uri.toString(), uri]));
    for (const { uri } of this.traces.all) uris.set(uri.toString(), uri);
    return [...uris.values()]
      .sort((a, b) => Number(isSession(b)) - Number(isSession(a)) || (a.path < b.path ? -1 : 1))
      .map((uri) => launch(vscode.l10n.t('Debug {0}', vscode.workspace.asRelativePath(uri)), programOf(uri)));
  }
}

function launch(name: string, program: string): vscode.DebugConfiguration {
  return { type: DEBUG_TYPE, request: 'launch', name, program, stopOnEntry: true };
}

function debuggable(document: vscode.TextDocument): boolean {
  const { languageId, uri } = document;
  return (
    ['ublk', 'ublktrace', 'ublkring'].includes(languageId) ||
    /\.(ublk|ublktrace|ring\.json)$/.test(uri.path) ||
    looksLikeTrace(document)
  );
}

/** How a configuration names a file: its path, or the URI where it is on another file system. */
export function programOf(uri: vscode.Uri): string {
  return uri.scheme === 'file' ? uri.fsPath : uri.toString();
}

/** The file that a configuration names: a URI, an absolute path, or a path in the first folder of the workspace. */
export function uriOfProgram(program: string, folder: vscode.Uri | undefined): vscode.Uri {
  if (/^[a-z][\w+.-]+:\/?/i.test(program) && !/^[a-z]:[\\/]/i.test(program)) return vscode.Uri.parse(program);
  const absolute = program.startsWith('/') || /^[a-z]:[\\/]/i.test(program);
  // In a window whose folder is not on the local disk, an absolute path means the folder's own file system.
  if (folder !== undefined && folder.scheme !== 'file' && absolute) return folder.with({ path: program });
  if (absolute) return vscode.Uri.file(program);
  return folder === undefined ? vscode.Uri.file(`/${program}`) : vscode.Uri.joinPath(folder, program);
}

function lastPart(uri: vscode.Uri): string {
  return uri.path.slice(uri.path.lastIndexOf('/') + 1);
}
