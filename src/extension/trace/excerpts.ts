import * as vscode from 'vscode';
import type { OpenTrace } from '../../debug/model';
import { type Entry, LARGE_TEXT, sourceOf, type Traces, virtualUri } from '../traces';

/** Scheme of read-only documents that show a part of a trace too large for an editor. */
export const EXCERPT_SCHEME = 'ublk-excerpt';
/** Events of one excerpt. */
const EXCERPT = 4096;

/** A line of a document that shows trace text; lines count from 1. */
export interface TextPlace {
  readonly uri: vscode.Uri;
  readonly line: number;
}

/** Where the line of an event is shown: in the text itself, or in an excerpt where the text is too large for an editor. */
export function placeOfEvent(entry: Entry, event: number): TextPlace {
  const { open, textUri, textBytes } = entry;
  if (textBytes <= LARGE_TEXT) return { uri: textUri, line: event < 0 ? 1 : open.lineOf(event) };
  const part = Math.max(0, Math.floor(event / EXCERPT));
  return {
    uri: excerptUri(entry, part),
    line: event < 0 ? 1 : open.lineOf(event) - firstLine(open, part) + 1,
  };
}

/** The trace and event of a line (from 1) of a document; the nearest event below where the line has none. */
export function eventAtPlace(
  traces: Traces,
  uri: vscode.Uri,
  line: number,
): { entry: Entry; event: number } | undefined {
  const part = partOf(uri);
  const entry = part === undefined ? traces.find(uri) : entryOf(traces, uri);
  if (entry === undefined) return undefined;
  const base = part === undefined ? 0 : firstLine(entry.open, part) - 1;
  const event = entry.open.eventAtLine(line + base);
  return event < 0 ? undefined : { entry, event };
}

/** Shows parts of large traces. */
export class Excerpts implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly seen = new WeakSet<OpenTrace>();
  private readonly subscription: vscode.Disposable;
  readonly onDidChange = this.changed.event;

  constructor(private readonly traces: Traces) {
    this.subscription = traces.onDidChange((entry) => {
      if (entry === undefined || this.seen.has(entry.open)) return;
      this.seen.add(entry.open);
      for (const { uri } of vscode.workspace.textDocuments)
        if (uri.scheme === EXCERPT_SCHEME && entryOf(traces, uri)?.open === entry.open)
          this.changed.fire(uri);
    });
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const part = partOf(uri);
    const source = sourceOf(uri);
    if (part === undefined || source === undefined)
      throw new Error(vscode.l10n.t('This document names no trace'));
    const { open } = entryOf(this.traces, uri) ?? (await this.traces.open(source.uri, source.overrides));
    return open.printer.text(part * EXCERPT, Math.min(open.length, (part + 1) * EXCERPT));
  }
}

/** The document of a part of a large trace. */
export function excerptUri(entry: Entry, part: number): vscode.Uri {
  const base = virtualUri(entry.uri, entry.overrides, entry.run);
  const last = Math.min(entry.open.length, (part + 1) * EXCERPT) - 1;
  const name = `${base.path.replace(/\.ublktrace$/, '')} events ${part * EXCERPT}-${last}.ublktrace`;
  return base.with({ scheme: EXCERPT_SCHEME, path: name, fragment: String(part) });
}

/** Number of the part that a document shows; undefined for other documents. */
export function partOf(uri: vscode.Uri): number | undefined {
  return uri.scheme === EXCERPT_SCHEME && /^\d+$/.test(uri.fragment) ? Number(uri.fragment) : undefined;
}

function entryOf(traces: Traces, uri: vscode.Uri): Entry | undefined {
  const source = sourceOf(uri);
  return source && traces.byKey(source.uri, source.overrides, source.run);
}

/** Line of the whole text on which an excerpt begins: notes above its first event are in it. */
function firstLine(open: OpenTrace, part: number): number {
  return part <= 0 ? 1 : open.lineOf(part * EXCERPT - 1) + 1;
}
