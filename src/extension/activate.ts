import type * as vscode from 'vscode';
import { registerCommands } from './commands';
import { registerDebugCommands, stepTo } from './debug/commands';
import { registerDebugger } from './debug/register';
import { WindowMemory } from './memory';
import { Problems } from './problems';
import { registerRingCommands } from './ring/commands';
import { registerRingLanguage } from './ring/language';
import type { RingLive } from './ring/live';
import { registerSessionLanguage } from './session/language';
import { registerDetection } from './trace/detect';
import { registerTraceLanguage } from './trace/language';
import { CursorMarks } from './trace/marks';
import { TraceDocuments } from './trace_documents';
import { Traces } from './traces';
import { registerTreeCommands } from './tree/commands';
import { StaleNotices } from './stale';
import { RequestTree } from './tree/view';
import { registerViews } from './view/register';
import { registerWalkthrough } from './walkthrough';
import type { Views } from './view/views';

/** What the extension lends to tests and to other extensions. */
export interface Api {
  readonly traces: Traces;
  readonly tree: RequestTree;
  readonly views: Views;
  /** Steps of the walkthrough that were done in this window. */
  readonly marks: ReadonlySet<string>;
  /** Time spent in activate(), ms. */
  readonly activationMs: number;
}

/** Registers everything; both entries, for Node and for the browser, call this. Heavy parts are loaded when first used. */
export function activateCore(context: vscode.ExtensionContext, live?: RingLive): Api {
  const start = performance.now();
  const traces = new Traces();
  const memory = new WindowMemory(traces, context.workspaceState);
  const tree = new RequestTree(traces, memory, context.workspaceState);
  const problems = new Problems(traces, (entry, violations) => tree.setViolations(entry, violations));
  context.subscriptions.push(memory, traces, tree, problems, new TraceDocuments(traces));
  registerSessionLanguage(context, traces);
  registerRingLanguage(context, traces, live);
  registerDetection(context);
  registerTraceLanguage(context, traces);
  const hosts = registerDebugger(context, traces);
  context.subscriptions.push(new StaleNotices(traces, hosts));
  context.subscriptions.push(new CursorMarks(traces, (entry) => hosts.debugged(entry)));
  registerCommands(context, traces);
  registerTreeCommands(context, traces, tree, async (node) => {
    const entry = tree.entryOf(node);
    if (entry !== undefined) await stepTo(entry, hosts);
  });
  registerDebugCommands(context, traces, hosts, tree);
  const views = registerViews(context, traces, hosts, tree, memory);
  registerRingCommands(context, views, live);
  const marks = registerWalkthrough(context, traces, views);
  return { traces, tree, views, marks, activationMs: performance.now() - start };
}
