import * as vscode from 'vscode';
import type { Entry, Traces } from '../traces';
import { placeOfEvent } from './excerpts';

/** Marks the cursor's line in the editors that show its trace, while no debugger marks it. */
export class CursorMarks implements vscode.Disposable {
  private readonly mark = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.rangeHighlightBackground'),
    overviewRulerColor: new vscode.ThemeColor('editorOverviewRuler.rangeHighlightForeground'),
    overviewRulerLane: vscode.OverviewRulerLane.Full,
  });
  private readonly followed = new Map<Entry['open'], vscode.Disposable>();
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly traces: Traces,
    private readonly debugged: (entry: Entry) => boolean,
  ) {
    this.subscriptions = [
      this.mark,
      traces.onDidChange(() => this.sync()),
      vscode.window.onDidChangeVisibleTextEditors(() => this.draw()),
      vscode.debug.onDidStartDebugSession(() => this.draw()),
      vscode.debug.onDidTerminateDebugSession(() => this.draw()),
    ];
  }

  dispose(): void {
    for (const each of [...this.subscriptions, ...this.followed.values()]) each.dispose();
  }

  private sync(): void {
    const opens = new Set(this.traces.all.map((entry) => entry.open));
    for (const [open, listener] of this.followed) {
      if (opens.has(open)) continue;
      listener.dispose();
      this.followed.delete(open);
    }
    for (const open of opens) {
      if (!this.followed.has(open))
        this.followed.set(
          open,
          open.cursor.onDidChange(() => this.draw()),
        );
    }
    this.draw();
  }

  private draw(): void {
    const lines = new Map<string, number[]>();
    for (const entry of this.traces.all) {
      const { event } = entry.open.cursor;
      if (event < 0 || this.debugged(entry)) continue;
      const { uri, line } = placeOfEvent(entry, event);
      lines.set(uri.toString(), [...(lines.get(uri.toString()) ?? []), line - 1]);
    }
    for (const editor of vscode.window.visibleTextEditors) {
      const here = (lines.get(editor.document.uri.toString()) ?? []).filter(
        (line) => line < editor.document.lineCount,
      );
      editor.setDecorations(
        this.mark,
        here.map((line) => editor.document.lineAt(line).range),
      );
    }
  }
}
