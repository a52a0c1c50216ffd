import * as vscode from 'vscode';
import { registerCommands } from './commands';
import { registerDebugger } from './debug/register';
import { registerSessionLanguage } from './session/language';
import { TraceDocuments } from './trace_documents';
import { Traces } from './traces';

/** What the extension lends to tests and to other extensions. */
export interface Api {
  readonly traces: Traces;
  /** Time spent in activate(), ms. */
  readonly activationMs: number;
}

/** Registers everything; both entries, for Node and for the browser, call this. Heavy parts are loaded when first used. */
export function activateCore(context: vscode.ExtensionContext): Api {
  const start = performance.now();
  const traces = new Traces();
  context.subscriptions.push(traces, new TraceDocuments(traces));
  registerSessionLanguage(context);
  registerDebugger(context, traces);
  registerCommands(context, traces);
  return { traces, activationMs: performance.now() - start };
}
