import * as vscode from 'vscode';
import type { DebugHosts } from './debug/adapter';
import type { Entry, Traces } from './traces';

/** What a person is told when the file of an open trace is no longer what was opened. */
export interface StaleNotice {
  readonly message: string;
  /** Button that brings the new content; none where there is none. */
  readonly action?: string;
}

/**
 * The notice for an entry. An edited session says so in the tree and above its text only, unless a debugger shows its old run:
 * whoever types knows that he types.
 */
export function staleNotice(entry: Entry, debugged: boolean): StaleNotice | undefined {
  const { t } = vscode.l10n;
  const { name, source } = entry.open;
  if (entry.freshness === 'deleted')
    return { message: t('{0} was deleted. What was read of it stays open until you close it.', name) };
  if (entry.freshness !== 'changed') return undefined;
  if (source.kind !== 'text')
    return debugged
      ? {
          message: t('{0} was edited. The debugger goes on with the run before the edit.', name),
          action: t('Restart Debugging'),
        }
      : undefined;
  return debugged
    ? {
        message: t('{0} has changed. The debugger goes on with what it has read.', name),
        action: t('Restart Debugging'),
      }
    : { message: t('{0} has changed since it was opened.', name), action: t('Open Again') };
}

/** Tells once for each opened file that it has changed or is gone, and offers to take the new content. */
export class StaleNotices implements vscode.Disposable {
  private readonly told = new WeakMap<Entry['open'], Entry['freshness']>();
  private readonly subscription: vscode.Disposable;

  constructor(
    traces: Traces,
    private readonly hosts: DebugHosts,
  ) {
    this.subscription = traces.onDidChange((entry) => {
      if (entry === undefined || entry.freshness === 'fresh') return;
      void this.tell(entry);
    });
  }

  dispose(): void {
    this.subscription.dispose();
  }

  private async tell(entry: Entry): Promise<void> {
    const { open, freshness } = entry;
    const session = this.hosts.sessionOf(entry);
    const notice = staleNotice(entry, session !== undefined);
    if (notice === undefined || this.told.get(open) === freshness) return;
    this.told.set(open, freshness);
    const { message, action } = notice;
    if (action === undefined) {
      void vscode.window.showWarningMessage(message);
      return;
    }
    if ((await vscode.window.showInformationMessage(message, action)) !== action) return;
    const now = this.hosts.sessionOf(entry);
    if (now !== undefined) await now.customRequest('restart', {});
    else await vscode.commands.executeCommand('ublkTrace.rerun', undefined, entry.key);
  }
}
