import * as vscode from 'vscode';
import type { DebugHost, LaunchArguments, Opened } from '../../debug/dap_host';
import type { StackIndex } from '../../debug/stack';
import { excerptUri, partOf } from '../trace/excerpts';
import { type Entry, type Overrides, shownPath, type Traces } from '../traces';
import { turns, type Watcher } from '../work';
import { uriOfProgram } from './configurations';

/** Scheme of the read-only documents with the annotated pseudo-code. */
export const STACK_SCHEME = 'ublk-stack';

/** What debug sessions need of VS Code, and which trace each of them shows. */
export class DebugHosts {
  private readonly entries = new Map<
    string,
    { readonly entry: Entry; readonly session: vscode.DebugSession }
  >();
  private stack: Promise<StackIndex> | undefined;

  constructor(
    private readonly extension: vscode.Uri,
    private readonly traces: Traces,
  ) {}

  /** The trace that a debug session shows; undefined before it is open. */
  entryOf(session: vscode.DebugSession | undefined): Entry | undefined {
    return session && this.entries.get(session.id)?.entry;
  }

  /** Whether a debug session shows this very trace. */
  debugged(entry: Entry): boolean {
    return this.sessionOf(entry) !== undefined;
  }

  /** The debug session that shows this very trace; the active one where there are several. */
  sessionOf(entry: Entry): vscode.DebugSession | undefined {
    const all = [...this.entries.values()].filter((other) => other.entry.open === entry.open);
    const active = all.find(({ session }) => session.id === vscode.debug.activeDebugSession?.id);
    return (active ?? all[0])?.session;
  }

  /** Forgets a session that has ended. */
  ended(session: vscode.DebugSession): void {
    const known = this.entries.get(session.id);
    this.entries.delete(session.id);
    if (known !== undefined) this.traces.release(known.entry);
  }

  private show(session: vscode.DebugSession, entry: Entry): void {
    const old = this.entries.get(session.id);
    this.entries.set(session.id, { entry, session });
    this.traces.hold(entry);
    if (old !== undefined) this.traces.release(old.entry);
  }

  /** The annotated pseudo-code. */
  pseudoCode(): Promise<StackIndex> {
    this.stack ??= this.readStack();
    return this.stack;
  }

  /** What one debug session is lent. */
  async hostOf(session: vscode.DebugSession): Promise<DebugHost> {
    return {
      open: async (args, watcher) => {
        const entry = await this.open(session, args, watcher);
        this.show(session, entry);
        return { ...opened(entry), ...this.sessionText(entry) };
      },
      pause: turns(),
      stack: await this.pseudoCode(),
      stackPath: (file) => vscode.Uri.from({ scheme: STACK_SCHEME, path: `/media/stack/${file}` }).toString(),
    };
  }

  /** The session as it ran, and whether its document or, where none is open, its file was changed since. */
  private sessionText(entry: Entry): Pick<Opened, 'sessionText'> {
    const { written, uri, overrides } = entry;
    if (written === undefined) return {};
    const same = (document: vscode.TextDocument): boolean => document.uri.toString() === uri.toString();
    const edited = (): boolean => {
      const document = vscode.workspace.textDocuments.find(same);
      if (document !== undefined) return unixLines(document.getText()) !== unixLines(written);
      const now = this.traces.byKey(uri, overrides);
      return now !== undefined && (now.freshness !== 'fresh' || now.written !== written);
    };
    const now = (): string | undefined => {
      const document = vscode.workspace.textDocuments.find(same);
      if (document !== undefined) return document.getText();
      const entry = this.traces.byKey(uri, overrides);
      return entry?.freshness === 'fresh' ? entry.written : undefined;
    };
    const onDidEdit = (listener: () => void): vscode.Disposable => {
      const version = (): string | undefined | false => edited() && now();
      let was = version();
      const look = (): void => {
        const is = version();
        if (is !== was) listener();
        was = is;
      };
      return vscode.Disposable.from(
        vscode.workspace.onDidChangeTextDocument(({ document }) => {
          if (same(document)) look();
        }),
        this.traces.onDidChange(look),
      );
    };
    return { sessionText: { text: written, edited, now, onDidEdit } };
  }

  private async open(session: vscode.DebugSession, args: LaunchArguments, watcher: Watcher): Promise<Entry> {
    const { program, kernel, server, seed, zeroCopy, schedule } = args;
    if (typeof program !== 'string' || program === '')
      throw new Error(vscode.l10n.t('"program" has to name a .ublk session or a trace'));
    const folder = session.workspaceFolder ?? vscode.workspace.workspaceFolders?.[0];
    const overrides: Overrides = {
      ...(kernel === undefined ? {} : { kernel }),
      ...(server === undefined ? {} : { server }),
      ...(seed === undefined ? {} : { seed: String(seed) }),
      ...(typeof schedule === 'string' ? { schedule } : {}),
      ...(zeroCopy === 'on' || zeroCopy === 'off' ? { zeroCopy } : {}),
    };
    try {
      return await this.traces.open(uriOfProgram(program, folder?.uri), overrides, { watcher });
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'OpenCancelled') throw error;
      const { RequestError } = await import('../../debug/dap_host');
      throw new RequestError('cancelled', false);
    }
  }

  /** Text of a document of the pseudo-code. */
  async stackText({ path }: vscode.Uri): Promise<string> {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const bytes = await vscode.workspace.fs.readFile(
      vscode.Uri.joinPath(this.extension, 'media', 'stack', name),
    );
    return new TextDecoder().decode(bytes);
  }

  private async readStack(): Promise<StackIndex> {
    const { StackIndex } = await import('../../debug/stack');
    const folder = vscode.Uri.joinPath(this.extension, 'media', 'stack');
    const names = (await vscode.workspace.fs.readDirectory(folder))
      .map(([name]) => name)
      .filter((name) => name.endsWith('.c'));
    const decoder = new TextDecoder();
    const files = await Promise.all(
      names.map(async (name) => {
        const bytes = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder, name));
        return { name, text: decoder.decode(bytes) };
      }),
    );
    return new StackIndex(files);
  }
}

function opened(entry: Entry): Opened {
  const { open, textUri, textBytes, uri } = entry;
  return {
    open,
    traceDocument: shownPath(textUri),
    traceBytes: textBytes,
    excerpts: {
      path: (part) => excerptUri(entry, part).toString(),
      partOf: (path) => {
        const excerpt = /^ublk-excerpt:/.test(path) ? vscode.Uri.parse(path) : undefined;
        const own = excerpt && excerptUri(entry, 0);
        return excerpt?.query === own?.query ? excerpt && partOf(excerpt) : undefined;
      },
    },
    ...(open.source.kind !== 'text' ? { sessionDocument: shownPath(uri) } : {}),
  };
}

/** VS Code gives all lines of a document the same end, whatever its file has. */
function unixLines(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}
