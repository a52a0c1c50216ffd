import * as vscode from 'vscode';
import { type Place, programUri, type RingLive, runsHere } from '../ring/live';

const TYPE = 'ublk-ring';
const RUNS = 10;

/** Tasks that run ring programs on the kernel of this machine. */
export function ringLive(context: vscode.ExtensionContext): RingLive {
  const script = vscode.Uri.joinPath(context.extensionUri, 'dist', 'conformance.js').fsPath;
  const taskOf = (
    definition: vscode.TaskDefinition,
    scope: vscode.WorkspaceFolder | undefined,
  ): vscode.Task => {
    const { program, runs } = definition;
    const args = ['--live', '--runs', String(runs ?? RUNS), String(program)];
    // the host may be Electron, which is told to be Node
    const options = { env: { ELECTRON_RUN_AS_NODE: '1' } };
    const task = new vscode.Task(
      definition,
      scope ?? vscode.TaskScope.Workspace,
      vscode.l10n.t("Run on this machine's kernel"),
      'ublk',
      new vscode.ProcessExecution(process.execPath, [script, ...args], options),
    );
    task.presentationOptions = { clear: true, reveal: vscode.TaskRevealKind.Always };
    return task;
  };
  const available = (uri: Place): boolean =>
    runsHere(uri, {
      platform: process.platform,
      trusted: vscode.workspace.isTrusted,
      folders: (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri),
    });
  context.subscriptions.push(
    vscode.tasks.registerTaskProvider(TYPE, {
      provideTasks: async () => {
        const found = await vscode.workspace.findFiles('**/*.ring.json', '**/{node_modules,out,dist}/**', 50);
        return found
          .filter(available)
          .map((uri) =>
            taskOf({ type: TYPE, program: uri.fsPath }, vscode.workspace.getWorkspaceFolder(uri)),
          );
      },
      resolveTask: ({ definition, scope }) => {
        const folder = typeof scope === 'object' ? scope : undefined;
        const uri = programUri(definition.program, (folder ?? vscode.workspace.workspaceFolders?.[0])?.uri);
        return uri !== undefined && available(uri) ? taskOf(definition, folder) : undefined;
      },
    }),
  );
  void vscode.commands.executeCommand('setContext', 'ublkTrace.native', process.platform === 'linux');
  return {
    available,
    run: async (uri) => {
      await vscode.tasks.executeTask(
        taskOf({ type: TYPE, program: uri.fsPath }, vscode.workspace.getWorkspaceFolder(uri)),
      );
    },
  };
}
