import * as vscode from 'vscode';
import { type Entry, LARGE_TEXT, sourceOf, TRACE_SCHEME, type Traces } from './traces';

/** Shows the text of simulated and unpacked traces as read-only documents; after a reload of the window they are made again. */
export class TraceDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscriptions: vscode.Disposable[];
  readonly onDidChange = this.changed.event;

  constructor(private readonly traces: Traces) {
    const seen = new WeakSet<Entry['open']>();
    this.subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(TRACE_SCHEME, this),
      traces.onDidChange((entry) => {
        if (entry?.textUri.scheme !== TRACE_SCHEME || seen.has(entry.open)) return;
        seen.add(entry.open);
        this.changed.fire(entry.textUri);
      }),
    ];
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const known = this.traces.find(uri);
    if (known !== undefined) return textOf(known);
    const source = sourceOf(uri);
    if (source === undefined) throw new Error(vscode.l10n.t('This document names no trace'));
    const entry = await this.traces.open(source.uri, source.overrides);
    return textOf(entry);
  }

  dispose(): void {
    for (const each of this.subscriptions) each.dispose();
    this.changed.dispose();
  }
}

/** Events shown of a trace whose text is too large for an editor. */
const FIRST_EVENTS = 4096;

function textOf({ open, textBytes }: Entry): string {
  if (textBytes <= LARGE_TEXT) return open.printer.text();
  const rest = open.length - FIRST_EVENTS;
  const more = vscode.l10n.t('{0} more events: choose one in the tree to see its part of the text', rest);
  return `${open.printer.text(0, FIRST_EVENTS)}# ${more}\n`;
}
