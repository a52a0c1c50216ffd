import * as vscode from 'vscode';

/** Called by VS Code when a `.ublk` or `.ublktrace` document is first opened. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('ublk Trace', { log: true });
  context.subscriptions.push(log);
  log.info(`ublk Trace Debugger ${String(context.extension.packageJSON.version)} is active`);
}
