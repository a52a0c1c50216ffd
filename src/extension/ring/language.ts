import * as vscode from 'vscode';
import { DocumentRemarks, lens, orderLenses, remark, runLenses } from '../editing';
import type { Traces } from '../traces';
import { viewLenses } from '../view/lenses';
import type { RingLive } from './live';

const SELECTOR = { language: 'ublkring' } as const;

/** Registers what the editor offers for ring programs besides their schema; the parser is loaded when first needed. */
export function registerRingLanguage(
  { subscriptions }: vscode.ExtensionContext,
  traces: Traces,
  live: RingLive | undefined,
): void {
  const { languages } = vscode;
  const lensesChanged = new vscode.EventEmitter<void>();
  subscriptions.push(
    lensesChanged,
    traces.onDidChange(() => lensesChanged.fire()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => lensesChanged.fire()),
    languages.registerCompletionItemProvider(SELECTOR, { provideCompletionItems }, '"'),
    languages.registerHoverProvider(SELECTOR, { provideHover }),
    languages.registerCodeLensProvider(SELECTOR, {
      onDidChangeCodeLenses: lensesChanged.event,
      provideCodeLenses: (document) => ringLenses(document, traces, live),
    }),
    new DocumentRemarks('ublk-ring', SELECTOR.language, remarks),
  );
}

/** Buttons above a ring program. */
function ringLenses(
  document: vscode.TextDocument,
  traces: Traces,
  live: RingLive | undefined,
): vscode.CodeLens[] {
  const { t } = vscode.l10n;
  return [
    ...runLenses(document, traces, {
      run: t('Run this program in the simulator and show its requests'),
      debug: t('Step through the likeliest run'),
    }),
    ...orderLenses(document),
    ...(live?.available(document.uri)
      ? [
          lens(
            document,
            `$(terminal) ${t("Run on This Machine's Kernel")}`,
            t('Compare the prediction with what the kernel of this machine does'),
            'ublkTrace.ringLive',
          ),
        ]
      : []),
    ...viewLenses(document),
  ];
}

async function provideCompletionItems(
  document: vscode.TextDocument,
  position: vscode.Position,
): Promise<vscode.CompletionItem[]> {
  const { proposeNames } = await import('./names');
  const names = proposeNames(document.getText(), document.offsetAt(position), vscode.l10n.t);
  return names.map(({ label, detail, start, end, bare }) => {
    const item = new vscode.CompletionItem(
      { label, description: detail },
      vscode.CompletionItemKind.Reference,
    );
    item.range = new vscode.Range(document.positionAt(start), document.positionAt(end));
    item.insertText = bare ? `"${label}"` : label;
    if (bare) item.filterText = `"${label}"`;
    return item;
  });
}

async function provideHover(
  document: vscode.TextDocument,
  position: vscode.Position,
): Promise<vscode.Hover | undefined> {
  const { hoverName } = await import('./names');
  const hover = hoverName(document.getText(), document.offsetAt(position), vscode.l10n.t);
  if (hover === undefined) return undefined;
  const range = new vscode.Range(document.positionAt(hover.start), document.positionAt(hover.end));
  return new vscode.Hover(new vscode.MarkdownString(hover.text), range);
}

/** What the parser says of a program beyond its schema. */
async function remarks(document: vscode.TextDocument): Promise<vscode.Diagnostic[]> {
  const { checkRing } = await import('../../debug/open_ring');
  const { mistake } = checkRing(document.getText());
  if (mistake === undefined) return [];
  const at = document.positionAt(mistake.offset);
  const range = document.getWordRangeAtPosition(at) ?? new vscode.Range(at, at.translate(0, 1));
  return [remark(range, mistake.message, vscode.DiagnosticSeverity.Error)];
}
