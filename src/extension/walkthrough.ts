import * as vscode from 'vscode';
import type { Entry, Traces } from './traces';
import type { Views } from './view/views';

/** Marks that complete the steps of the walkthrough: each is set once, when its fact has come true by whatever way. */
export const MARKS = {
  ran: 'ublkTrace.did.run',
  stepped: 'ublkTrace.did.step',
  viewed: 'ublkTrace.did.view',
  compared: 'ublkTrace.did.compare',
  recorded: 'ublkTrace.did.openRecording',
} as const;

/** What the debugger calls itself when it moves a cursor. */
const DEBUGGER_MOVER = 'debugger';
const RECORDINGS = [
  '6.1-loop-copy.ublktrace',
  'rfc-loop-zc.ublktrace',
  '7.3-auto-buf-reg.ublktrace',
] as const;

/**
 * Registers what the walkthrough needs: the marks of its steps, and the command that opens a recording of the samples.
 * Returns the marks that are set.
 */
export function registerWalkthrough(
  context: vscode.ExtensionContext,
  traces: Traces,
  views: Views,
): ReadonlySet<string> {
  const { t } = vscode.l10n;
  const marked = new Set<string>();
  const cursors = new Map<Entry['open'], vscode.Disposable>();
  const mark = (name: string): void => {
    if (marked.has(name)) return;
    marked.add(name);
    void vscode.commands.executeCommand('setContext', name, true);
  };
  const follow = (): void => {
    const opens = new Set(traces.all.map(({ open }) => open));
    for (const [open, cursor] of cursors) {
      if (opens.has(open)) continue;
      cursor.dispose();
      cursors.delete(open);
    }
    for (const open of opens) {
      const { source } = open;
      if (source.kind === 'session') mark(MARKS.ran);
      if (source.kind === 'text' && source.session === undefined) mark(MARKS.recorded);
      if (cursors.has(open)) continue;
      let before: number | undefined;
      cursors.set(
        open,
        open.cursor.onDidChange(({ by }) => {
          const { event, request } = open.cursor;
          const own = request !== undefined && open.requests.requestOf(event) === request;
          if (by === DEBUGGER_MOVER && own && before === request) mark(MARKS.stepped);
          before = own ? request : undefined;
        }),
      );
    }
  };
  follow();
  context.subscriptions.push(
    traces.onDidChange(follow),
    views.onDidShow((subject) => mark(subject.compares ? MARKS.compared : MARKS.viewed)),
    { dispose: () => vscode.Disposable.from(...cursors.values()).dispose() },
    vscode.commands.registerCommand('ublkTrace.openRecording', async (name?: unknown) => {
      const says = [
        t('Linux 6.1, copies'),
        t('RFC of November 2022, zero copy'),
        t('Linux 7.3, automatic buffers'),
      ];
      const items = RECORDINGS.map((label, k) => ({ label, description: says[k]! }));
      const given = items.find(({ label }) => label === name);
      const picked =
        given ?? (await vscode.window.showQuickPick(items, { placeHolder: t('Recording to open') }));
      if (picked === undefined) return;
      const uri = vscode.Uri.joinPath(context.extensionUri, 'samples', 'recordings', picked.label);
      await vscode.commands.executeCommand('ublkTrace.openTrace', uri);
    }),
  );
  return marked;
}
