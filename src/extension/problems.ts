import * as vscode from 'vscode';
import type { Violation } from '../check/types';
import type { OpenTrace } from '../debug/model';
import type { Entry, Traces } from './traces';
import { turns } from './work';

/** Most broken rules of one trace in the Problems panel; the rest is in the tree. */
const MOST = 200;
const SEVERITIES = {
  K: vscode.DiagnosticSeverity.Error,
  S: vscode.DiagnosticSeverity.Warning,
  P: vscode.DiagnosticSeverity.Information,
} as const;

/** Checks every trace after it was opened, and puts broken rules at the session's lines into the Problems panel. */
export class Problems implements vscode.Disposable {
  private readonly found = vscode.languages.createDiagnosticCollection('ublk-rules');
  private readonly known = new Map<string, { open: OpenTrace; uri: vscode.Uri }>();
  private readonly subscription: vscode.Disposable;

  constructor(
    private readonly traces: Traces,
    private readonly tell: (entry: Entry, violations: readonly Violation[]) => void,
  ) {
    this.subscription = traces.onDidChange(() => this.sync());
  }

  dispose(): void {
    this.subscription.dispose();
    this.found.dispose();
  }

  private sync(): void {
    const { all } = this.traces;
    const keys = new Set(all.map((entry) => entry.key));
    for (const [key, { uri }] of this.known) {
      if (keys.has(key)) continue;
      this.known.delete(key);
      this.show(uri);
    }
    for (const entry of all) {
      if (this.known.get(entry.key)?.open === entry.open) continue;
      this.known.set(entry.key, { open: entry.open, uri: targetOf(entry) });
      // The tree is drawn first.
      setTimeout(() => void this.check(entry), 20);
    }
  }

  private async check(entry: Entry): Promise<void> {
    const gone = (): boolean => this.known.get(entry.key)?.open !== entry.open;
    if (gone()) return;
    const report = await entry.open.ensureChecked({ pause: turns(), cancelled: gone });
    if (report === undefined || gone()) return;
    this.tell(entry, report.violations);
    this.show(targetOf(entry));
  }

  /** Two traces of one session (other seeds) share its lines: all of them are listed. */
  private show(uri: vscode.Uri): void {
    const entries = this.traces.all.filter((entry) => targetOf(entry).toString() === uri.toString());
    void Promise.all(entries.map((entry) => diagnosticsOf(entry))).then((lists) =>
      this.found.set(uri, lists.flat()),
    );
  }
}

/** The file whose lines a trace's broken rules are shown at. */
function targetOf(entry: Entry): vscode.Uri {
  return entry.open.source.kind === 'session' ? entry.uri : entry.textUri;
}

function diagnosticsOf({ open, textUri }: Entry): vscode.Diagnostic[] {
  return open.violations.slice(0, MOST).map((violation) => {
    const line = open.source.kind === 'session' ? sessionLine(open, violation) : violation.line;
    const range = new vscode.Range(line - 1, 0, line - 1, 1000);
    const tag = violation.tag === undefined ? '' : `q${violation.queue ?? '?'} tag ${violation.tag}: `;
    const diagnostic = new vscode.Diagnostic(
      range,
      `${tag}${violation.message}`,
      SEVERITIES[violation.severity],
    );
    diagnostic.source = 'ublk rules';
    diagnostic.code = violation.rule;
    diagnostic.relatedInformation = violation.evidence.slice(0, 8).map((event) => {
      const at = new vscode.Position(open.lineOf(event) - 1, 0);
      return new vscode.DiagnosticRelatedInformation(
        new vscode.Location(textUri, at),
        open.trace.nameOf(event),
      );
    });
    return diagnostic;
  });
}

/** Line of the session whose command led to the violation, from 1. */
function sessionLine(open: OpenTrace, { event, firstCause, evidence }: Violation): number {
  for (const start of [firstCause, event, ...evidence]) {
    if (start === undefined) continue;
    for (const at of open.causes.chain(start)) {
      const line = open.sessionLines.lineOf(at);
      if (line !== undefined) return line;
    }
  }
  return 1;
}
