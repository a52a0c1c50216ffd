import * as vscode from 'vscode';
import type { OpenTrace } from '../debug/model';
import { markOf, placeOf } from './places';
import { readBytes, readIfThere, textChunks } from './files';
import { longWork, type Watcher, type Work } from './work';

/** Scheme of documents that show the text of a simulated or unpacked trace. */
export const TRACE_SCHEME = 'ublk-trace';
/** VS Code neither colours nor hands over documents beyond this, bytes. */
export const LARGE_TEXT = 20 << 20;

/** What a session is simulated with instead of what its text says. */
export interface Overrides {
  readonly kernel?: string;
  readonly server?: string;
  readonly seed?: string;
  /** Decisions of a run of a ring program; the likeliest run where it is left out. */
  readonly schedule?: string;
  /** Every device with (`on`) or without (`off`) zero copy. */
  readonly zeroCopy?: 'on' | 'off';
}

/** How to open a trace. */
export interface OpenHow {
  /** Also when it is open and unchanged. */
  readonly again?: boolean;
  /** Shows the progress; without one a notification does. */
  readonly watcher?: Watcher;
  /** Takes a recording without events too; without it that is an error. */
  readonly eventless?: boolean;
}

/** Whether the file is still what was opened. */
export type Freshness = 'fresh' | 'changed' | 'deleted';

/** One trace that is open in this window. */
export interface Entry {
  /** The same for the same file and overrides. */
  readonly key: string;
  /** Session or trace file. */
  readonly uri: vscode.Uri;
  readonly overrides: Overrides;
  readonly open: OpenTrace;
  /** Document with the text of the trace: the file itself, or a virtual one. */
  readonly textUri: vscode.Uri;
  /** Size of that text in bytes, about. */
  readonly textBytes: number;
  /** The session or ring program as it was written when it ran; undefined for a trace. */
  readonly written?: string;
  readonly freshness: Freshness;
  /** 1, or another number where it was opened again while a debug session went on with what was open. */
  readonly run: number;
}

/** The traces that are open in this window, shared by tree, editors and debug sessions. */
export class Traces implements vscode.Disposable {
  private readonly entries = new Map<string, Entry>();
  /** How many debug sessions show a trace, also one that was replaced or closed since. */
  private readonly held = new Map<OpenTrace, { entry: Entry; count: number }>();
  private runs = 1;
  private readonly opening = new Map<string, Promise<Entry>>();
  private readonly watchers = new Map<string, vscode.Disposable>();
  private readonly changed = new vscode.EventEmitter<Entry | undefined>();
  private readonly subscriptions: vscode.Disposable[];
  private currentKey: string | undefined;

  /** An entry came, went, was replaced, grew stale, or became the current one. */
  readonly onDidChange = this.changed.event;

  constructor() {
    this.subscriptions = [
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) this.outdate(document.uri, 'changed');
      }),
    ];
  }

  /** Open traces, oldest first. */
  get all(): readonly Entry[] {
    return [...this.entries.values()];
  }

  /** The trace that was opened or looked at last. */
  get current(): Entry | undefined {
    return this.currentKey === undefined ? undefined : this.entries.get(this.currentKey);
  }

  /** Makes a trace the current one. */
  select(entry: Entry): void {
    if (this.currentKey === entry.key) return;
    this.currentKey = entry.key;
    this.changed.fire(entry);
  }

  /** The open trace whose session, file or text document this is; undefined where it is not open. */
  find(uri: vscode.Uri): Entry | undefined {
    const text = uri.toString();
    const fits = (entry: Entry): boolean =>
      entry.uri.toString() === text || entry.textUri.toString() === text;
    const { current } = this;
    if (current && fits(current)) return current;
    return this.all.findLast(fits) ?? [...this.held.values()].find(({ entry }) => fits(entry))?.entry;
  }

  /** Keeps a trace findable while a debug session shows it. */
  hold(entry: Entry): void {
    const known = this.held.get(entry.open);
    this.held.set(entry.open, { entry, count: (known?.count ?? 0) + 1 });
  }

  /** Ends one {@link hold}. */
  release(entry: Entry): void {
    const known = this.held.get(entry.open);
    if (known === undefined) return;
    if (known.count > 1) this.held.set(entry.open, { entry: known.entry, count: known.count - 1 });
    else this.held.delete(entry.open);
  }

  /** The open trace of a file with these overrides: that of a run, which a debug session may show still, else the latest. */
  byKey(uri: vscode.Uri, overrides: Overrides, run?: number): Entry | undefined {
    const key = keyOf(uri, overrides);
    const latest = this.entries.get(key);
    if (run === undefined || latest?.run === run) return latest;
    const held = [...this.held.values()].find(({ entry }) => entry.key === key && entry.run === run);
    return held?.entry ?? latest;
  }

  /** The entry of an open trace. */
  entryOf(open: OpenTrace): Entry | undefined {
    return this.all.find((entry) => entry.open === open);
  }

  /**
   * Opens a session (simulating it) or a trace file. One that is open and unchanged is not read again.
   * @throws OpenError, OpenCancelled, FileError.
   */
  async open(uri: vscode.Uri, overrides: Overrides = {}, how: OpenHow = {}): Promise<Entry> {
    const key = keyOf(uri, overrides);
    const known = this.entries.get(key);
    if (known?.freshness === 'fresh' && !how.again && isFor(known, how)) {
      this.select(known);
      return known;
    }
    const running = this.opening.get(key);
    if (running !== undefined) {
      const entry = await shared(running, how);
      if (entry !== undefined) return entry;
    }
    const loading = this.load(key, uri, overrides, how);
    this.opening.set(key, loading);
    try {
      return await loading;
    } finally {
      this.opening.delete(key);
    }
  }

  private async load(
    key: string,
    uri: vscode.Uri,
    overrides: Overrides,
    { watcher, eventless = false }: OpenHow,
  ): Promise<Entry> {
    const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    const title = vscode.l10n.t('Opening {0}', name);
    const read = await longWork(
      title,
      (host) => this.read(key, uri, overrides, { ...host, eventless }),
      watcher,
    );
    const known = this.entries.get(key);
    // A debug session goes on with the old text, so the new one gets documents of its own.
    const apart = known !== undefined && this.held.has(known.open);
    const run = apart ? ++this.runs : (known?.run ?? 1);
    const virtual = read.textUri.scheme === TRACE_SCHEME;
    const entry = { ...read, run, textUri: virtual ? virtualUri(uri, overrides, run) : read.textUri };
    if (known !== undefined) keepCursor(known.open, entry.open);
    this.entries.set(key, entry);
    this.currentKey = key;
    this.watch(entry);
    this.changed.fire(entry);
    return entry;
  }

  /** Closes a trace. */
  close(entry: Entry): void {
    if (!this.entries.delete(entry.key)) return;
    this.watchers.get(entry.key)?.dispose();
    this.watchers.delete(entry.key);
    if (this.currentKey === entry.key) this.currentKey = this.all.at(-1)?.key;
    this.changed.fire(undefined);
  }

  dispose(): void {
    // Nobody is told: the window ends, and its traces are to be open again in the next one.
    this.changed.dispose();
    for (const each of [...this.subscriptions, ...this.watchers.values()]) each.dispose();
    this.entries.clear();
  }

  private async read(
    key: string,
    uri: vscode.Uri,
    overrides: Overrides,
    work: Work & { readonly eventless: boolean },
  ): Promise<Omit<Entry, 'run'>> {
    const { openSession, openTraceText } = await import('../debug/open');
    const path = shownPath(uri);
    const common = { key, uri, overrides, freshness: 'fresh' as const };
    if (isSession(uri)) {
      const { zeroCopy } = overrides;
      const written = await sessionText(uri);
      const { withZeroCopy } = await import('../view/variants');
      const text = zeroCopy === undefined ? written : withZeroCopy(written, zeroCopy === 'on');
      const open = await openSession(path, text, {
        ...work,
        readFile: (file) => readIfThere(vscode.Uri.joinPath(uri, '..', file)),
        schedule: overrides.schedule,
        overrides: {
          ...(overrides.kernel === undefined ? {} : { kernel: overrides.kernel }),
          ...(overrides.server === undefined ? {} : { server: overrides.server }),
          ...(overrides.seed === undefined ? {} : { seed: BigInt(overrides.seed) }),
        },
      });
      return {
        ...common,
        written,
        open,
        textUri: virtualUri(uri, overrides),
        textBytes: open.lineCount * 160,
      };
    }
    if (isRing(uri)) {
      const { openRing } = await import('../debug/open_ring');
      const written = await sessionText(uri);
      const open = await openRing(path, written, work, overrides);
      return {
        ...common,
        written,
        open,
        textUri: virtualUri(uri, overrides),
        textBytes: open.lineCount * 160,
      };
    }
    const bytes = await readBytes(uri);
    const open = await openTraceText(path, textChunks(uri, bytes), work, bytes.length);
    const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
    const textBytes = open.source.kind === 'text' ? open.source.bytes : bytes.length;
    return { ...common, open, textUri: packed ? virtualUri(uri, overrides) : uri, textBytes };
  }

  private watch(entry: Entry): void {
    this.watchers.get(entry.key)?.dispose();
    const { uri } = entry;
    if (uri.scheme === 'untitled') return;
    const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    const pattern = new vscode.RelativePattern(
      vscode.Uri.joinPath(uri, '..'),
      name.replace(/[[\]{}*?]/g, '?'),
    );
    const watcher = vscode.workspace.createFileSystemWatcher(pattern);
    watcher.onDidChange((at) => this.outdate(at, 'changed'));
    watcher.onDidCreate((at) => this.outdate(at, 'changed'));
    watcher.onDidDelete((at) => this.outdate(at, 'deleted'));
    this.watchers.set(entry.key, watcher);
  }

  private outdate(uri: vscode.Uri, freshness: Freshness): void {
    const text = uri.toString();
    for (const entry of this.all) {
      if (entry.uri.toString() !== text || entry.freshness === freshness) continue;
      const next = { ...entry, freshness };
      this.entries.set(entry.key, next);
      this.changed.fire(next);
    }
  }
}

/** Whether a file is a session rather than a trace. */
export function isSession(uri: vscode.Uri): boolean {
  const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
  return document ? document.languageId === 'ublk' : uri.path.endsWith('.ublk');
}

/** Whether a file is a ring program. */
export function isRing(uri: vscode.Uri): boolean {
  const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
  return document?.languageId === 'ublkring' || uri.path.endsWith('.ring.json');
}

/** How a file is named to a person and to the debugger: its path, or the whole URI where it is no plain file. */
export function shownPath(uri: vscode.Uri): string {
  return uri.scheme === 'file' ? uri.fsPath : uri.toString();
}

/** The document that shows the text of a simulated or unpacked trace; it can be made again from its URI alone. */
export function virtualUri(uri: vscode.Uri, overrides: Overrides, run = 1): vscode.Uri {
  const query = new URLSearchParams({ of: uri.toString() });
  for (const [name, value] of Object.entries(overrides))
    if (typeof value === 'string') query.set(name, value);
  if (run > 1) query.set('run', String(run));
  const base = uri.path.replace(/\.gz$/, '').replace(/\.ublktrace$/, '');
  return vscode.Uri.from({ scheme: TRACE_SCHEME, path: `${base}.ublktrace`, query: query.toString() });
}

/** What a virtual document shows; undefined where the URI is of something else. */
export function sourceOf(
  virtual: vscode.Uri,
): { uri: vscode.Uri; overrides: Overrides; run: number } | undefined {
  const { of, run = '1', ...overrides } = Object.fromEntries(new URLSearchParams(virtual.query));
  return of === undefined ? undefined : { uri: vscode.Uri.parse(of), overrides, run: Number(run) };
}

/** Where a person looked in the run before is where he looks in the next one. */
function keepCursor(before: OpenTrace, after: OpenTrace): void {
  const { event, request, untouched } = before.cursor;
  if (event < 0 || untouched) return;
  const place = placeOf(after, markOf(before, { row: request ?? -1, event }));
  const row = place?.row ?? -1;
  after.cursor.move(place?.event ?? event, row < 0 ? undefined : row);
}

/** Whether a trace is what a person asks for: a recording without events is one to the views only. */
function isFor({ open }: Entry, { eventless }: OpenHow): boolean {
  return eventless === true || open.length > 0 || open.source.kind !== 'text';
}

/** What another one opens already; undefined where it is no trace to him but one to this one, or the other way round. */
async function shared(running: Promise<Entry>, how: OpenHow): Promise<Entry | undefined> {
  try {
    const entry = await running;
    return isFor(entry, how) ? entry : undefined;
  } catch (error) {
    if (how.eventless && error instanceof Error && error.name === 'OpenError') return undefined;
    throw error;
  }
}

function keyOf(uri: vscode.Uri, overrides: Overrides): string {
  return virtualUri(uri, overrides).toString();
}

/** The session as the person sees it, unsaved edits included. */
async function sessionText(uri: vscode.Uri): Promise<string> {
  const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
  return document ? document.getText() : new TextDecoder().decode(await readBytes(uri));
}
