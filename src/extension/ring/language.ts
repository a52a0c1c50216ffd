import * as vscode from 'vscode';
import type { Traces } from '../traces';
import { viewLenses } from '../view/lenses';
import type { RingLive } from './live';

const SELECTOR = { language: 'ublkring' } as const;
const WAIT_MS = 250;

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
    new RingDiagnostics(),
  );
}

/** Buttons above a ring program. */
function ringLenses(
  document: vscode.TextDocument,
  traces: Traces,
  live: RingLive | undefined,
): vscode.CodeLens[] {
  const { t } = vscode.l10n;
  const range = new vscode.Range(0, 0, 0, 0);
  const { uri } = document;
  const lens = (title: string, tooltip: string, command: string): vscode.CodeLens =>
    new vscode.CodeLens(range, { title, tooltip, command, arguments: [uri] });
  const stale = traces.find(uri)?.freshness === 'changed';
  const run = stale ? t('Run Again (edited since)') : t('Run');
  return [
    lens(`$(play) ${run}`, t('Run this program in the simulator and show its requests'), 'ublkTrace.run'),
    lens(`$(debug-alt) ${t('Debug')}`, t('Step through the likeliest run'), 'ublkTrace.debug'),
    lens(
      `$(list-ordered) ${t('All Orders')}`,
      t('Every outcome that the rules allow; choose one to step through it'),
      'ublkTrace.ringOrders',
    ),
    lens(
      `$(diff) ${t('Two Orders')}`,
      t('Choose two outcomes and see both timelines, one above the other'),
      'ublkTrace.ringCompareOrders',
    ),
    ...(live?.available(uri)
      ? [
          lens(
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

/** What the parser says of every open program beyond its schema, shortly after each edit. */
class RingDiagnostics implements vscode.Disposable {
  private readonly found = vscode.languages.createDiagnosticCollection('ublk-ring');
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly events: vscode.Disposable[];

  constructor() {
    const { workspace } = vscode;
    this.events = [
      workspace.onDidOpenTextDocument((document) => this.later(document, 0)),
      workspace.onDidChangeTextDocument(({ document }) => this.later(document, WAIT_MS)),
      workspace.onDidCloseTextDocument(({ uri }) => {
        clearTimeout(this.timers.get(uri.toString()));
        this.found.delete(uri);
      }),
    ];
    for (const document of workspace.textDocuments) this.later(document, 0);
  }

  dispose(): void {
    for (const event of this.events) event.dispose();
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.found.dispose();
  }

  private later(document: vscode.TextDocument, wait: number): void {
    if (document.languageId !== 'ublkring') return;
    const key = document.uri.toString();
    clearTimeout(this.timers.get(key));
    this.timers.set(
      key,
      setTimeout(() => void this.check(document), wait),
    );
  }

  private async check(document: vscode.TextDocument): Promise<void> {
    const { checkRing } = await import('../../debug/open_ring');
    if (document.isClosed || document.languageId !== 'ublkring') return;
    const { mistake } = checkRing(document.getText());
    if (mistake === undefined) {
      this.found.delete(document.uri);
      return;
    }
    const at = document.positionAt(mistake.offset);
    const range = document.getWordRangeAtPosition(at) ?? new vscode.Range(at, at.translate(0, 1));
    const shown = new vscode.Diagnostic(range, mistake.message, vscode.DiagnosticSeverity.Error);
    shown.source = 'ublk';
    this.found.set(document.uri, [shown]);
  }
}
