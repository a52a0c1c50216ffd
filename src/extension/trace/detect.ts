import * as vscode from 'vscode';

/** Lines that are looked at. */
const HEAD = 40;
const HEADER = /^# tracer: \w+|^# ublk-trace session: /;
const EVENT = /^\s*\S.*?-\d+\s+(?:\(\s*[-\d]+\)\s+)?\[\d{3}\]\s+(?:\S{4,8}\s+)?\d+\.\d{6,9}:\s+\S/;

/** Whether a document of another language holds trace text, by its first lines. */
export function looksLikeTrace(document: vscode.TextDocument): boolean {
  for (let line = 0; line < Math.min(document.lineCount, HEAD); line++) {
    const { text } = document.lineAt(line);
    if (HEADER.test(text) || EVENT.test(text)) return true;
  }
  return false;
}

/** Gives plain text and log files that hold a trace the language of traces, so that breakpoints and hovers work there. */
export function registerDetection(context: vscode.ExtensionContext): void {
  const detect = (document: vscode.TextDocument): void => {
    if (!['plaintext', 'log'].includes(document.languageId) || document.uri.scheme === 'output') return;
    if (looksLikeTrace(document)) void vscode.languages.setTextDocumentLanguage(document, 'ublktrace');
  };
  context.subscriptions.push(vscode.workspace.onDidOpenTextDocument(detect));
  for (const document of vscode.workspace.textDocuments) detect(document);
}
