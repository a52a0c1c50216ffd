import * as vscode from 'vscode';

/** Buttons above a session, behind those that run it, and above the header of a trace. */
export function viewLenses(document: vscode.TextDocument): vscode.CodeLens[] {
  const { t } = vscode.l10n;
  const { uri, languageId } = document;
  const range = new vscode.Range(0, 0, 0, 0);
  const timeline = new vscode.CodeLens(range, {
    title: `$(graph-line) ${t('Timeline')}`,
    tooltip: t('See requests, contexts and rings over time'),
    command: 'ublkTrace.showTimeline',
    arguments: [uri],
  });
  if (languageId !== 'ublk') return [timeline];
  const compare = new vscode.CodeLens(range, {
    title: `$(diff) ${t('Compare with and without -z')}`,
    tooltip: t('Simulate this session with copies and with zero copy, and see both timelines'),
    command: 'ublkTrace.compareZeroCopy',
    arguments: [uri],
  });
  return addsDevice(document) ? [timeline, compare] : [timeline];
}

/** Only a session that adds a device has something to compare. */
function addsDevice(document: vscode.TextDocument): boolean {
  return /^\s*(?:taskset\s.*)?ublk\s+add\b/m.test(document.getText());
}
