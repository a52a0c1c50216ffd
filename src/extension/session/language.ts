import * as vscode from 'vscode';
import type { ServerName } from '../../session/ast';
import type { Traces } from '../traces';
import { viewLenses } from '../view/lenses';

const WAIT_MS = 250;
const SELECTOR = { language: 'ublk' } as const;

/** Registers what the editor offers for `.ublk` sessions. The parser is loaded when first needed. */
export function registerSessionLanguage(context: vscode.ExtensionContext, traces: Traces): void {
  const { subscriptions } = context;
  const { languages } = vscode;
  subscriptions.push(
    languages.registerCompletionItemProvider(
      SELECTOR,
      { provideCompletionItems },
      '-',
      '=',
      ' ',
      ':',
      '/',
      ',',
    ),
    languages.registerHoverProvider(SELECTOR, { provideHover }),
    languages.registerDocumentSymbolProvider(SELECTOR, { provideDocumentSymbols }, { label: 'ublk session' }),
    languages.registerFoldingRangeProvider(SELECTOR, { provideFoldingRanges }),
    languages.registerCodeLensProvider(SELECTOR, {
      onDidChangeCodeLenses: (listener) => traces.onDidChange(() => listener()),
      provideCodeLenses: (document) => codeLenses(document, traces),
    }),
    new SessionDiagnostics(),
  );
}

async function serverOf(text: string): Promise<ServerName> {
  const { parseSession } = await import('../../session/parse');
  return parseSession(text, '').settings.server;
}

const COMPLETION_KINDS = {
  command: vscode.CompletionItemKind.Function,
  option: vscode.CompletionItemKind.Field,
  setting: vscode.CompletionItemKind.Property,
  value: vscode.CompletionItemKind.EnumMember,
  file: vscode.CompletionItemKind.File,
} as const;

async function provideCompletionItems(
  document: vscode.TextDocument,
  position: vscode.Position,
): Promise<vscode.CompletionItem[]> {
  const { complete } = await import('./complete');
  const text = document.getText();
  return complete(text, position.line, position.character, await serverOf(text), vscode.l10n.t).map(
    (proposal, index) => {
      const item = new vscode.CompletionItem(proposal.label, COMPLETION_KINDS[proposal.kind]);
      item.range = new vscode.Range(position.line, proposal.start, position.line, proposal.end);
      item.insertText = new vscode.SnippetString(proposal.insert ?? escapeSnippet(proposal.label));
      if (proposal.detail !== undefined) item.detail = proposal.detail;
      if (proposal.doc !== undefined) item.documentation = new vscode.MarkdownString(proposal.doc);
      if (proposal.again) item.command = { command: 'editor.action.triggerSuggest', title: '' };
      item.sortText = `${proposal.last ? 'z' : 'a'}${String(index).padStart(4, '0')}`;
      return item;
    },
  );
}

function escapeSnippet(text: string): string {
  return text.replace(/[\\$}]/g, '\\$&');
}

async function provideHover(
  document: vscode.TextDocument,
  position: vscode.Position,
): Promise<vscode.Hover | undefined> {
  const { hoverAt } = await import('./hover');
  const text = document.getText();
  const hover = hoverAt(text, position.line, position.character, await serverOf(text), vscode.l10n.t);
  if (hover === undefined) return undefined;
  const range = new vscode.Range(position.line, hover.start, position.line, hover.end);
  return new vscode.Hover(new vscode.MarkdownString(hover.text), range);
}

const SYMBOL_KINDS = {
  command: vscode.SymbolKind.Function,
  setting: vscode.SymbolKind.Property,
  fault: vscode.SymbolKind.Event,
  job: vscode.SymbolKind.Object,
} as const;

async function provideDocumentSymbols(document: vscode.TextDocument): Promise<vscode.DocumentSymbol[]> {
  const { outline } = await import('./outline');
  type Item = ReturnType<typeof outline>[number];
  const symbol = (item: Item): vscode.DocumentSymbol => {
    const first = document.lineAt(item.line);
    const range = first.range.union(document.lineAt(item.endLine).range);
    const made = new vscode.DocumentSymbol(
      item.name || '?',
      item.detail,
      SYMBOL_KINDS[item.kind],
      range,
      first.range,
    );
    made.children = item.children.map(symbol);
    return made;
  };
  return outline(document.getText(), vscode.l10n.t).map(symbol);
}

async function provideFoldingRanges(document: vscode.TextDocument): Promise<vscode.FoldingRange[]> {
  const { folds } = await import('./outline');
  return folds(document.getText()).map(
    ({ start, end, comment }) =>
      new vscode.FoldingRange(start, end, comment ? vscode.FoldingRangeKind.Comment : undefined),
  );
}

function codeLenses(document: vscode.TextDocument, traces: Traces): vscode.CodeLens[] {
  const range = new vscode.Range(0, 0, 0, 0);
  const { uri } = document;
  const stale = traces.find(uri)?.freshness === 'changed';
  const run = stale ? vscode.l10n.t('Run Again (edited since)') : vscode.l10n.t('Run');
  return [
    new vscode.CodeLens(range, {
      title: `$(play) ${run}`,
      tooltip: vscode.l10n.t('Simulate this session and show its requests'),
      command: 'ublkTrace.run',
      arguments: [uri],
    }),
    new vscode.CodeLens(range, {
      title: `$(debug-alt) ${vscode.l10n.t('Debug')}`,
      tooltip: vscode.l10n.t('Step through the requests of this session'),
      command: 'ublkTrace.debug',
      arguments: [uri],
    }),
    ...viewLenses(document),
  ];
}

const SEVERITIES = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  info: vscode.DiagnosticSeverity.Information,
} as const;

/** Remarks of the parser on every open session, shortly after each edit. */
class SessionDiagnostics implements vscode.Disposable {
  private readonly found = vscode.languages.createDiagnosticCollection('ublk');
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly events: vscode.Disposable[];

  constructor() {
    const { workspace } = vscode;
    this.events = [
      workspace.onDidOpenTextDocument((document) => this.later(document, 0)),
      workspace.onDidChangeTextDocument(({ document }) => this.later(document, WAIT_MS)),
      workspace.onDidCloseTextDocument((document) => this.forget(document)),
    ];
    for (const document of workspace.textDocuments) this.later(document, 0);
  }

  dispose(): void {
    for (const event of this.events) event.dispose();
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.found.dispose();
  }

  private later(document: vscode.TextDocument, wait: number): void {
    if (document.languageId !== 'ublk') return;
    const key = document.uri.toString();
    clearTimeout(this.timers.get(key));
    this.timers.set(
      key,
      setTimeout(() => void this.check(document), wait),
    );
  }

  private forget({ uri }: vscode.TextDocument): void {
    const key = uri.toString();
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
    this.found.delete(uri);
  }

  private async check(document: vscode.TextDocument): Promise<void> {
    const { parseSession } = await import('../../session/parse');
    if (document.isClosed || document.languageId !== 'ublk') return;
    this.timers.delete(document.uri.toString());
    const { diagnostics } = parseSession(document.getText(), document.uri.path);
    this.found.set(
      document.uri,
      diagnostics.map(({ severity, line, column, endColumn, message }) => {
        const range = new vscode.Range(line - 1, column - 1, line - 1, endColumn - 1);
        const shown = new vscode.Diagnostic(document.validateRange(range), message, SEVERITIES[severity]);
        shown.source = 'ublk';
        return shown;
      }),
    );
  }
}
