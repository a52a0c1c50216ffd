import * as vscode from 'vscode';
import type { Ask, SavedView } from '../../webview/protocol';
import type { CursorState } from '../../webview/protocol_data';
import type { Entry } from '../traces';
import type { Shown } from './answers';
import type { Subject } from './subject';

/** Title of a view. */
export function titleOf(shown: readonly Shown[], { compares }: Subject): string {
  const name = shown[0]?.entry.open.name ?? '';
  if (!compares) return vscode.l10n.t('{0}: timeline', name);
  const rings = shown.some(({ entry }) => entry.open.source.kind === 'ring');
  return rings ? vscode.l10n.t('{0}: two orders', name) : vscode.l10n.t('{0}: with and without -z', name);
}

/** What a view says of a trace whose file is not what was read any more. */
export function staleText({ freshness, open }: Entry): string {
  const { t } = vscode.l10n;
  if (freshness === 'deleted')
    return t('{0} was deleted. What was read of it stays open until you close it.', open.name);
  return open.source.kind !== 'text'
    ? t('{0} was edited since: run it again to see the change', open.name)
    : t('{0} has changed since it was opened.', open.name);
}

/** Translations of the webview's texts, by their English text. */
export function strings(): Readonly<Record<string, string>> {
  const bundle = vscode.l10n.bundle ?? {};
  return Object.fromEntries(Object.entries(bundle).filter(([, text]) => typeof text === 'string'));
}

/** Whether a message is a request of ours. */
export function isAsk(message: unknown): message is Ask {
  if (typeof message !== 'object' || message === null) return false;
  const { id, ask, with: content } = message as Record<string, unknown>;
  return typeof id === 'number' && typeof ask === 'string' && typeof content === 'object' && content !== null;
}

/** Whether a kept view has the parts that are used here. */
export function isSaved(saved: SavedView): boolean {
  const { cursor, others = [] } = saved as Partial<SavedView>;
  return Array.isArray(others) && [cursor, ...others].every(isCursor);
}

function isCursor(cursor: Partial<CursorState> | undefined): boolean {
  return typeof cursor?.event === 'number' && typeof cursor.request === 'number';
}
