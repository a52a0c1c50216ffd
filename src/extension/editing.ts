import * as vscode from 'vscode';
import type { Traces } from './traces';

/** Wait after an edit before a document is looked at again. */
const WAIT_MS = 250;

/** Remarks on every open document of a language, shortly after each edit. */
export class DocumentRemarks implements vscode.Disposable {
  private readonly found: vscode.DiagnosticCollection;
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly events: readonly vscode.Disposable[];

  constructor(
    collection: string,
    private readonly language: string,
    private readonly remarks: (document: vscode.TextDocument) => Promise<readonly vscode.Diagnostic[]>,
  ) {
    this.found = vscode.languages.createDiagnosticCollection(collection);
    const { workspace } = vscode;
    this.events = [
      workspace.onDidOpenTextDocument((document) => this.later(document, 0)),
      workspace.onDidChangeTextDocument(({ document }) => this.later(document, WAIT_MS)),
      workspace.onDidCloseTextDocument(({ uri }) => this.forget(uri)),
    ];
    for (const document of workspace.textDocuments) this.later(document, 0);
  }

  dispose(): void {
    for (const event of this.events) event.dispose();
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.found.dispose();
  }

  private later(document: vscode.TextDocument, wait: number): void {
    if (document.languageId !== this.language) return;
    const key = document.uri.toString();
    clearTimeout(this.timers.get(key));
    this.timers.set(
      key,
      setTimeout(() => void this.look(document), wait),
    );
  }

  private forget(uri: vscode.Uri): void {
    const key = uri.toString();
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
    this.found.delete(uri);
  }

  private async look(document: vscode.TextDocument): Promise<void> {
    const { uri, version } = document;
    this.timers.delete(uri.toString());
    const remarks = await this.remarks(document);
    // what was found out about an older text, or one that is no longer shown, is not said
    if (document.isClosed || document.languageId !== this.language || document.version !== version) return;
    this.found.set(uri, remarks);
  }
}

/** A remark of ours. */
export function remark(
  range: vscode.Range,
  message: string,
  severity: vscode.DiagnosticSeverity,
): vscode.Diagnostic {
  const made = new vscode.Diagnostic(range, message, severity);
  made.source = 'ublk';
  return made;
}

/** A button above a program that is handed the program's URI. */
export function lens(
  { uri }: vscode.TextDocument,
  title: string,
  tooltip: string,
  command: string,
): vscode.CodeLens {
  return new vscode.CodeLens(new vscode.Range(0, 0, 0, 0), { title, tooltip, command, arguments: [uri] });
}

/** The buttons that run and debug a program. */
export function runLenses(
  document: vscode.TextDocument,
  traces: Traces,
  says: { readonly run: string; readonly debug: string },
): vscode.CodeLens[] {
  const { t } = vscode.l10n;
  const stale = traces.find(document.uri)?.freshness === 'changed';
  const run = stale ? t('Run Again (edited since)') : t('Run');
  return [
    lens(document, `$(play) ${run}`, says.run, 'ublkTrace.run'),
    lens(document, `$(debug-alt) ${t('Debug')}`, says.debug, 'ublkTrace.debug'),
  ];
}

/** The buttons that look for the orders of a ring's CQEs. */
export function orderLenses(document: vscode.TextDocument): vscode.CodeLens[] {
  const { t } = vscode.l10n;
  return [
    lens(
      document,
      `$(list-ordered) ${t('All Orders')}`,
      t('Every outcome that the rules allow; choose one to step through it'),
      'ublkTrace.ringOrders',
    ),
    lens(
      document,
      `$(diff) ${t('Two Orders')}`,
      t('Choose two outcomes and see both timelines, one above the other'),
      'ublkTrace.ringCompareOrders',
    ),
  ];
}
