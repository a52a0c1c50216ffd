import * as vscode from 'vscode';
import type { Traces } from '../traces';
import { EXCERPT_SCHEME, Excerpts, eventAtPlace } from './excerpts';
import { TextModels } from './models';

const SELECTOR = { language: 'ublktrace' } as const;
const MOST_FOLDS = 4500;
const SESSION_HEADER = /^# ublk-trace session: (.+)$/;

/** Registers what the editor offers for trace text, and for the lines of a session while it is debugged. */
export function registerTraceLanguage(context: vscode.ExtensionContext, traces: Traces): void {
  const models = new TextModels(traces);
  const excerpts = new Excerpts(traces);
  const { languages, workspace } = vscode;
  context.subscriptions.push(
    excerpts,
    workspace.registerTextDocumentContentProvider(EXCERPT_SCHEME, excerpts),
    languages.registerHoverProvider(SELECTOR, {
      provideHover: async (document, { line }) => {
        const place = await models.at(document, line);
        if (place === undefined || /^\s*(#|$)/.test(document.lineAt(line).text)) return undefined;
        const { eventHover } = await import('./describe');
        return new vscode.Hover(
          new vscode.MarkdownString(eventHover(place.open, place.event, vscode.l10n.t)),
          document.lineAt(line).range,
        );
      },
    }),
    languages.registerFoldingRangeProvider(SELECTOR, {
      provideFoldingRanges: async (document) => {
        const open = await models.of(document);
        if (open === undefined) return [];
        const { traceFolds } = await import('./describe');
        return traceFolds(open, MOST_FOLDS).map(
          ({ start, end, kind }) =>
            new vscode.FoldingRange(
              start,
              end,
              kind === 'header' ? vscode.FoldingRangeKind.Comment : undefined,
            ),
        );
      },
    }),
    languages.registerDocumentLinkProvider(SELECTOR, {
      provideDocumentLinks: (document) => sessionLinks(document, traces),
    }),
    languages.registerInlineValuesProvider([{ language: 'ublktrace' }, { language: 'ublk' }], {
      provideInlineValues: (document, viewPort, { stoppedLocation }) =>
        inlineValues(traces, document, viewPort, stoppedLocation),
    }),
  );
}

/** Links to the session: from the header, and from events that name a line of it. */
async function sessionLinks(document: vscode.TextDocument, traces: Traces): Promise<vscode.DocumentLink[]> {
  let header = -1;
  for (let line = 0; line < Math.min(document.lineCount, 40) && header < 0; line++)
    if (SESSION_HEADER.test(document.lineAt(line).text)) header = line;
  if (header < 0) return [];
  const name = SESSION_HEADER.exec(document.lineAt(header).text)![1]!;
  const entry = traces.find(document.uri);
  const session = entry?.open.source.kind === 'session' ? entry.uri : await nearby(document.uri, name);
  if (session === undefined) return [];
  const links: vscode.DocumentLink[] = [];
  const start = '# ublk-trace session: '.length;
  links.push(new vscode.DocumentLink(new vscode.Range(header, start, header, start + name.length), session));
  const text = document.getText();
  for (const match of text.matchAll(/: (?:session_command|app_io_submit): .*?\bline=(\d+)/g)) {
    const end = document.positionAt(match.index + match[0].length);
    const range = new vscode.Range(end.translate(0, -5 - match[1]!.length), end);
    links.push(new vscode.DocumentLink(range, session.with({ fragment: `L${match[1]}` })));
    if (links.length >= 5000) break;
  }
  return links;
}

/** The session file that a saved trace names, when it still stands beside it. */
async function nearby(uri: vscode.Uri, name: string): Promise<vscode.Uri | undefined> {
  const last = name.split(/[\\/]/).pop();
  if (last === undefined || last === '' || uri.scheme === 'untitled') return undefined;
  const candidate = vscode.Uri.joinPath(uri, '..', last);
  try {
    await vscode.workspace.fs.stat(candidate);
    return candidate;
  } catch {
    return undefined;
  }
}

/** Texts behind lines while a debug session is stopped: the request of the current line, and what each session line has done. */
async function inlineValues(
  traces: Traces,
  document: vscode.TextDocument,
  viewPort: vscode.Range,
  stopped: vscode.Range,
): Promise<vscode.InlineValue[]> {
  const { stoppedText, sessionLineText } = await import('./describe');
  const behind = (line: number, text: string): vscode.InlineValue[] =>
    text === '' ? [] : [new vscode.InlineValueText(document.lineAt(line).range, text)];
  if (document.languageId === 'ublktrace') {
    const line = stopped.end.line;
    const place = line < document.lineCount ? eventAtPlace(traces, document.uri, line + 1) : undefined;
    return place === undefined ? [] : behind(line, stoppedText(place.entry.open, place.event, vscode.l10n.t));
  }
  const entry = traces.find(document.uri);
  // The lines of an edited session are others than those that ran.
  if (entry === undefined || entry.open.source.kind !== 'session' || entry.freshness !== 'fresh') return [];
  const { open } = entry;
  return open.sessionLines
    .lines()
    .filter(
      (line) =>
        line - 1 >= viewPort.start.line && line - 1 <= viewPort.end.line && line <= document.lineCount,
    )
    .flatMap((line) => behind(line - 1, sessionLineText(open, line, open.cursor.event, vscode.l10n.t)));
}
