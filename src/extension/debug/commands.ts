import * as vscode from 'vscode';
import type { StepKind } from '../../debug/steps';
import { showError } from '../commands';
import { eventAtPlace } from '../trace/excerpts';
import type { Entry, Traces } from '../traces';
import type { Node } from '../tree/nodes';
import type { RequestTree } from '../tree/view';
import type { DebugHosts } from './adapter';
import { DEBUG_TYPE, programOf, START_AT } from './configurations';

const STEPS: Readonly<Record<string, StepKind>> = {
  nextEvent: 'next',
  previousEvent: 'back',
  reverseOver: 'reverseOver',
  reverseOut: 'reverseOut',
  firstEvent: 'first',
  lastEvent: 'last',
  nextLife: 'nextLife',
};
/** Fields that only name a thing. */
const NAMES = /:(device|queue|tag|id|index|ptr|major|minor|inferred)$/;
/** What the cursor is told of a move by these commands. */
const MOVER = 'command';

/** Registers the commands that move through a trace: buttons and keys of the debugger, "Go to" and "Break When". */
export function registerDebugCommands(
  context: vscode.ExtensionContext,
  traces: Traces,
  hosts: DebugHosts,
  tree: RequestTree,
): void {
  const command = (name: string, run: (...args: unknown[]) => Promise<unknown>): void => {
    const guarded = async (...args: unknown[]): Promise<unknown> => {
      try {
        return await run(...args);
      } catch (error) {
        showError(error);
        return undefined;
      }
    };
    context.subscriptions.push(vscode.commands.registerCommand(`ublkTrace.${name}`, guarded));
  };
  for (const [name, kind] of Object.entries(STEPS)) command(name, () => step(kind, traces));
  command('goToEvent', async (number) => {
    const entry = hosts.entryOf(ourSession()) ?? traces.current;
    if (entry === undefined) return;
    const event = typeof number === 'number' ? number : await askEvent(entry);
    if (event !== undefined) go(traces, entry, event);
  });
  command('goToThisEvent', async (uri, line) => {
    const editor = vscode.window.activeTextEditor;
    const document =
      uri instanceof vscode.Uri ? await vscode.workspace.openTextDocument(uri) : editor?.document;
    if (document === undefined) return;
    await goToLine(
      traces,
      document,
      typeof line === 'number' ? line : (editor?.selection.active.line ?? 0) + 1,
    );
  });
  command('breakWhen', async (node) => {
    await breakWhen(tree, traces, isNode(node) ? node : tree.selected);
  });
}

/** Starts debugging the trace of a node unless it is debugged already; then goes to the cursor's place. */
export async function stepTo(entry: Entry, hosts: DebugHosts): Promise<void> {
  const { event, request } = entry.open.cursor;
  const place = { event, ...(request === undefined ? {} : { request }) };
  const running = hosts.sessionOf(entry);
  if (running !== undefined) {
    // It has followed the cursor quietly; this makes the request its focused thread, so that the next step is one of it.
    const { GOTO_REQUEST } = await import('../../debug/dap_session');
    await running.customRequest(GOTO_REQUEST, place);
    return;
  }
  await vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(entry.uri), {
    ...entry.overrides,
    type: DEBUG_TYPE,
    request: 'launch',
    name: vscode.l10n.t('Debug {0}', entry.open.name),
    program: programOf(entry.uri),
    stopOnEntry: true,
    [START_AT]: place,
  });
}

/** Our debug session that has the focus; undefined where another debugger has it. */
function ourSession(): vscode.DebugSession | undefined {
  const session = vscode.debug.activeDebugSession;
  return session?.type === DEBUG_TYPE ? session : undefined;
}

async function step(kind: StepKind, traces: Traces): Promise<void> {
  const session = ourSession();
  if (session !== undefined) {
    const { STEP_REQUEST } = await import('../../debug/dap_session');
    const item = vscode.debug.activeStackItem;
    const thread = item !== undefined && item.session.id === session.id ? { threadId: item.threadId } : {};
    await session.customRequest(STEP_REQUEST, { kind, ...thread });
    return;
  }
  const open = traces.current?.open;
  if (open === undefined) return;
  const { Steps } = await import('../../debug/steps');
  const next = new Steps(open).step(kind, open.cursor.event, open.cursor.request);
  open.cursor.move(next.event, next.request, MOVER);
}

/** Moves the cursor; a debug session of the trace follows. */
function go(traces: Traces, entry: Entry, event: number): void {
  traces.select(entry);
  const row = entry.open.requests.requestOf(event);
  entry.open.cursor.move(event, row < 0 ? undefined : row, MOVER);
}

async function askEvent({ open }: Entry): Promise<number | undefined> {
  const { t } = vscode.l10n;
  const last = open.length - 1;
  const text = await vscode.window.showInputBox({
    title: t('Go to event'),
    prompt: t('Number of the event, 0 to {0}; L and a number: line of the trace text', last),
    value: String(Math.max(0, open.cursor.event)),
    validateInput: (value) => (numberOf(value) === undefined ? t('a number from 0 to {0}', last) : undefined),
  });
  return text === undefined ? undefined : numberOf(text);

  function numberOf(value: string): number | undefined {
    const match = /^\s*(l)?(\d{1,12})\s*$/i.exec(value.replaceAll(',', ''));
    if (match === null) return undefined;
    const event = match[1] === undefined ? Number(match[2]) : open.eventAtLine(Number(match[2]));
    return event >= 0 && event <= last ? event : undefined;
  }
}

/** Goes to what a line (from 1) of a trace text or a session stands for. */
async function goToLine(traces: Traces, document: vscode.TextDocument, line: number): Promise<void> {
  const { t } = vscode.l10n;
  if (document.languageId === 'ublk') {
    const entry = traces.find(document.uri) ?? (await traces.open(document.uri));
    const first = entry.open.sessionLines.first(line);
    if (first === undefined)
      void vscode.window.showInformationMessage(t('Nothing happens in line {0} or below', line));
    else go(traces, entry, first.event);
    return;
  }
  if (eventAtPlace(traces, document.uri, line) === undefined && traces.find(document.uri) === undefined)
    await traces.open(document.uri);
  const place = eventAtPlace(traces, document.uri, line);
  if (place === undefined)
    void vscode.window.showInformationMessage(t('There is no event in line {0} or below', line));
  else go(traces, place.entry, place.event);
}

/** Asks which state variable of a slot, ring or pipe to stop at, and adds the breakpoint. */
async function breakWhen(tree: RequestTree, traces: Traces, node: Node | undefined): Promise<void> {
  const entry = (node && tree.entryOf(node)) ?? traces.current;
  if (entry === undefined) return;
  const { stateLeaves } = await import('../../trace/state');
  const { open } = entry;
  const slot = await slotOf(entry, node);
  const event = node?.kind === 'event' ? node.event : eventFor(entry, node);
  const items = [...stateLeaves(open.states.at(event))]
    .filter(([path]) => /^(slot|ring|pipe|device|page|disk):/.test(path) && !NAMES.test(path))
    .map(([path, value]) => ({ label: path, description: String(value ?? '?') }));
  if (items.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('Nothing is known of any state at event {0}', Math.max(0, event)),
    );
    return;
  }
  // The slot that was asked for comes first, and its state before the rest of it; what names a thing never changes.
  const first = (path: string): number => {
    if (slot === undefined || !path.startsWith(slot)) return 2;
    return path === `${slot}state` ? 0 : 1;
  };
  items.sort((a, b) => first(a.label) - first(b.label));
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Break when this changes'),
    placeHolder: vscode.l10n.t('State variable, with its value now'),
    matchOnDescription: true,
  });
  if (picked === undefined) return;
  vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint(picked.label)]);
  void vscode.window.setStatusBarMessage(
    vscode.l10n.t('The debugger stops when {0} changes', picked.label),
    5000,
  );
}

/** The event whose state is shown: the cursor's, or the first of what the node is about where that comes later. */
function eventFor(entry: Entry, node: Node | undefined): number {
  const { cursor, requests } = entry.open;
  const row = rowOf(entry, node);
  const first = row === undefined || row < 0 ? undefined : requests.events(row)[0];
  return Math.max(cursor.event, first ?? 0);
}

/** The request that a node is about; that of the cursor where it is about none. */
function rowOf({ open }: Entry, node: Node | undefined): number | undefined {
  if (node?.kind === 'request' || node?.kind === 'event') return node.row;
  return node?.kind === 'group' ? node.rows[0] : open.cursor.request;
}

/** Beginning of the paths of the slot that a node is about. */
async function slotOf(entry: Entry, node: Node | undefined): Promise<string | undefined> {
  const row = rowOf(entry, node);
  if (row === undefined || row < 0) return undefined;
  const { slotOfRequest } = await import('../../debug/slot_path');
  const slot = slotOfRequest(entry.open, row);
  return slot === undefined ? undefined : `${slot}:`;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value && 'id' in value;
}
