import * as vscode from 'vscode';
import type { Sliced } from '../../trace/slices';
import { answerAbout } from '../../view/answer';
import type { TraceView } from '../../view/view';
import type { Ask, RequestName, Requests } from '../../webview/protocol';
import type { CursorState } from '../../webview/protocol_data';
import { STACK_SCHEME, type DebugHosts } from '../debug/adapter';
import { placeOfEvent } from '../trace/excerpts';
import type { WindowMemory } from '../memory';
import type { Entry, Traces } from '../traces';
import { turns } from '../work';
import { savePicture } from './save';

/** One trace of a view. */
export interface Shown {
  readonly entry: Entry;
  readonly view: TraceView;
  /** Name of the trace in the messages. */
  readonly uri: string;
}

/** What views reach of the rest of the extension. */
export interface ViewServices {
  readonly traces: Traces;
  readonly hosts: DebugHosts;
  readonly memory: WindowMemory;
}

/** What moves of a cursor by a view are called. */
export const VIEW_MOVER = 'view';

type Answer = Requests[RequestName]['answer'];

/** Answers a request of a webview. @throws Error with a message for the person */
export async function answerTo(
  ask: Exclude<Ask, { ask: 'hello' | 'pin' }>,
  shown: readonly Shown[],
  services: ViewServices,
): Promise<Answer> {
  switch (ask.ask) {
    case 'save':
      return { saved: await savePicture(ask.with, shown[0]?.entry.uri) };
    case 'copy':
      await vscode.env.clipboard.writeText(ask.with.text);
      return {};
    default:
      break;
  }
  if (!('trace' in ask.with)) throw unknownRequest(ask.ask);
  const one = shown[ask.with.trace];
  if (one === undefined) throw new Error(vscode.l10n.t('This trace is not shown any more'));
  return answerOf(ask as Parameters<typeof answerOf>[0], one, services);
}

async function answerOf(
  ask: Exclude<Ask, { ask: 'hello' | 'pin' | 'save' | 'copy' }>,
  { entry, view }: Shown,
  services: ViewServices,
): Promise<Answer> {
  switch (ask.ask) {
    case 'move':
      return move(entry, view, ask.with, services);
    case 'step':
      return step(entry, view, ask.with.step, services);
    case 'breakWhen':
      return { message: breakWhen(ask.with.path) };
    case 'reveal':
      await reveal(entry, ask.with, services);
      return {};
    default: {
      const answer = await inTurns(answerAbout(view, ask));
      if (answer === undefined) throw unknownRequest((ask as Ask).ask);
      return answer;
    }
  }
}

/** A webview of another build may ask what this one does not know. */
function unknownRequest(name: string): Error {
  return new Error(vscode.l10n.t('The extension does not know this request: {0}', name));
}

/** Does work in slices, and lets others run between them. */
async function inTurns<T>(work: Sliced<T>): Promise<T> {
  const pause = turns();
  for (;;) {
    const next = work.next();
    if (next.done === true) return next.value;
    await pause();
  }
}

/** Moves the one cursor; a debug session of the trace, the tree and the text follow. */
function move(
  entry: Entry,
  view: TraceView,
  { event, request }: Requests['move']['ask'],
  { traces }: ViewServices,
): CursorState {
  if (!Number.isInteger(event)) throw new RangeError(`event ${event}`);
  const { open } = entry;
  traces.select(entry);
  open.cursor.move(event, request < 0 || request >= open.requests.length ? undefined : request, VIEW_MOVER);
  return view.cursor();
}

/** A step: by the debugger where one shows the trace, so that its stop says so; else by the model itself. */
async function step(
  entry: Entry,
  view: TraceView,
  name: Requests['step']['ask']['step'],
  { hosts, traces }: ViewServices,
): Promise<CursorState> {
  traces.select(entry);
  const next = view.step(name);
  const session = hosts.sessionOf(entry);
  if (session !== undefined && next.kind !== undefined) {
    const { STEP_REQUEST } = await import('../../debug/dap_session');
    await session.customRequest(STEP_REQUEST, { kind: next.kind });
  } else entry.open.cursor.move(next.event, next.request, VIEW_MOVER);
  return view.cursor();
}

/** Adds the data breakpoint that the tree's "Break When" adds. */
function breakWhen(path: string): string {
  if (path === '') throw new Error(vscode.l10n.t('This value cannot be watched'));
  vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint(path)]);
  return vscode.l10n.t('The debugger stops when {0} changes', path);
}

async function reveal(
  entry: Entry,
  { event, where }: Requests['reveal']['ask'],
  { traces, hosts }: ViewServices,
): Promise<void> {
  const { t } = vscode.l10n;
  const { open } = entry;
  switch (where) {
    case 'text': {
      const { uri, line } = placeOfEvent(entry, event);
      await showLine(uri, line, 'ublktrace');
      return;
    }
    case 'tree':
      traces.select(entry);
      await vscode.commands.executeCommand('ublkTrace.requests.focus');
      return;
    case 'session': {
      const chain = open.causes.chain(event);
      const line = chain
        .map((at) => open.sessionLines.lineOf(at) ?? open.sqeOf(at)?.line)
        .find((each) => each !== undefined);
      if (line === undefined || open.source.kind === 'text')
        throw new Error(t('The trace does not tell which line of a session led to this event'));
      await showLine(entry.uri, line);
      return;
    }
    case 'stack': {
      const name = open.trace.nameOf(event);
      const place = (await hosts.pseudoCode()).locate(name);
      if (place === undefined) throw new Error(t('The pseudo-code has no line for {0}', name));
      const uri = vscode.Uri.from({ scheme: STACK_SCHEME, path: `/media/stack/${place.file}` });
      await showLine(uri, place.line);
    }
  }
}

/** Shows a line beside the view, not over it. `language` is that of a document without one. */
async function showLine(uri: vscode.Uri, line: number, language?: string): Promise<void> {
  const document = await vscode.workspace.openTextDocument(uri);
  if (language !== undefined && document.languageId === 'plaintext')
    await vscode.languages.setTextDocumentLanguage(document, language);
  const selection = new vscode.Range(line - 1, 0, line - 1, 0);
  const viewColumn = vscode.window.visibleTextEditors[0]?.viewColumn ?? vscode.ViewColumn.Beside;
  await vscode.window.showTextDocument(document, {
    preserveFocus: true,
    preview: true,
    selection,
    viewColumn,
  });
}
