import * as vscode from 'vscode';
import type { ServerName } from '../../session/ast';
import { DocumentRemarks, orderLenses, remark, runLenses } from '../editing';
import type { Traces } from '../traces';
import { viewLenses } from '../view/lenses';

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
    new DocumentRemarks('ublk', SELECTOR.language, remarks),
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
  return [
    ...runLenses(document, traces, {
      run: vscode.l10n.t('Simulate this session and show its requests'),
      debug: vscode.l10n.t('Step through the requests of this session'),
    }),
    ...(isRingOnly(document) ? orderLenses(document) : []),
    ...viewLenses(document),
  ];
}

/** Whether a session looks as if it had nothing but a ring; the command that is behind the buttons knows. */
function isRingOnly(document: vscode.TextDocument): boolean {
  const text = document.getText();
  return (
    /^\s*sqe\s/m.test(text) && !/^\s*(?:sudo\s+)?(?:taskset\s.*)?(?:ublk|fio|iogen|blkdiscard)\s/m.test(text)
  );
}

const SEVERITIES = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  info: vscode.DiagnosticSeverity.Information,
} as const;

/** Remarks of the parser on a session. */
async function remarks(document: vscode.TextDocument): Promise<vscode.Diagnostic[]> {
  const { parseSession } = await import('../../session/parse');
  const session = parseSession(document.getText(), document.uri.path);
  const diagnostics = [...session.diagnostics];
  if (session.onRing && !diagnostics.some(({ severity }) => severity === 'error')) {
    const { sessionMistake } = await import('../../ring/session_program');
    const mistake = sessionMistake(session);
    if (mistake !== undefined)
      diagnostics.push({ severity: 'error', message: mistake.message, ...mistake.at });
  }
  return diagnostics.map(({ severity, line, column, endColumn, message }) => {
    const range = new vscode.Range(line - 1, column - 1, line - 1, endColumn - 1);
    return remark(document.validateRange(range), message, SEVERITIES[severity]);
  });
}
