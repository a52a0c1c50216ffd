import * as vscode from 'vscode';
import type { TraceView } from '../../view/view';
import {
  type Ask,
  type EventKind,
  type Events,
  type Hello,
  PROTOCOL_VERSION,
  type RequestName,
  type Requests,
  type SavedView,
  type Tell,
  type TraceSummary,
} from '../../webview/protocol';
import type { CursorState, Face } from '../../webview/protocol_data';
import { cqeOrder } from '../../ring/compare';
import type { Entry, Traces } from '../traces';
import { answerTo, type Shown, VIEW_MOVER, type ViewServices } from './answers';
import { viewHtml, webviewOptions } from './html';
import type { ViewModels } from './models';
import { isAsk, isSaved, staleText, strings, titleOf } from './panel_texts';
import { pinsOf, setPin } from './pins';
import { openSubject, type Subject } from './subject';
import { turns } from '../work';

/** Moves of the cursor within this time are told as one, ms. */
const MOVES_MS = 12;

/** One webview that shows one or two traces: loads them, answers what it asks, and tells it of moves and replacements. */
export class ViewPanel implements vscode.Disposable {
  private shown: readonly Shown[] = [];
  private loading: Promise<readonly Shown[]> | undefined;
  private disposed = false;
  private started = false;
  private face: Face | undefined;
  private readonly moved = new Map<number, string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly subscriptions: vscode.Disposable[];
  private cursors: { dispose(): void }[] = [];
  /** Traces whose models are kept for this view, also half built ones while it is hidden. */
  private readonly held = new Set<Entry['open']>();
  private readonly closed = new vscode.EventEmitter<void>();
  private readonly told = new vscode.EventEmitter<Tell>();
  readonly onDidDispose = this.closed.event;
  /** Everything that the webview is told. */
  readonly onDidTell = this.told.event;

  constructor(
    readonly panel: vscode.WebviewPanel,
    readonly subject: Subject,
    private readonly traces: Traces,
    private readonly models: ViewModels,
    private readonly services: ViewServices,
    extension: vscode.Uri,
    private saved: SavedView | undefined,
  ) {
    const { webview } = panel;
    webview.options = webviewOptions(extension);
    this.subscriptions = [
      webview.onDidReceiveMessage((message: unknown) => void this.receive(message)),
      panel.onDidDispose(() => this.dispose()),
      panel.onDidChangeViewState(() => this.selected()),
      traces.onDidChange(() => void this.follow()),
      services.memory.onDidChangePins((key) => this.pinned(key)),
    ];
    webview.html = viewHtml(webview, extension);
  }

  /** Whether the webview has said hello and was answered. */
  get ready(): boolean {
    return this.started;
  }

  /** Views of the traces, as far as they are loaded. */
  get views(): readonly TraceView[] {
    return this.shown.map(({ view }) => view);
  }

  /** Shows a face, now or as soon as the webview is there. */
  showFace(face: Face): void {
    this.face = face;
    if (this.started && this.panel.visible) this.send('command', { name: 'face', face });
  }

  /** Pinned tags: one set with the tree's pins. */
  get pins(): readonly string[] {
    return pinsOf(this.shown, this.services.memory);
  }

  /** Tells the webview to do something. */
  command(name: Events['command']['name']): void {
    this.send('command', { name });
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    clearTimeout(this.timer);
    for (const each of [...this.subscriptions, ...this.cursors]) each.dispose();
    this.keepOnly([]);
    this.closed.fire();
    this.closed.dispose();
    this.told.dispose();
  }

  /** Takes a message of the webview; answers it or says why not. */
  async receive(message: unknown): Promise<void> {
    if (!isAsk(message)) return;
    try {
      const answer = message.ask === 'hello' ? await this.hello(message.with) : await this.answer(message);
      this.post({ id: message.id, answer });
    } catch (error) {
      this.post({ id: message.id, error: error instanceof Error ? error.message : String(error) });
    }
  }

  private async answer(ask: Exclude<Ask, { ask: 'hello' }>): Promise<Requests[RequestName]['answer']> {
    if (ask.ask === 'pin') {
      setPin(this.shown, ask.with.key, ask.with.on, this.services.memory);
      return { pins: this.pins };
    }
    return answerTo(ask, this.shown, this.services);
  }

  private async hello({ version, saved }: Requests['hello']['ask']): Promise<Hello> {
    const nothing = { traces: [], cursors: [], pins: [], view: undefined, strings: strings() };
    if (version !== PROTOCOL_VERSION) return { ...nothing, version: PROTOCOL_VERSION };
    const first = !this.started;
    const kept = saved ?? this.saved;
    const shown = await this.load();
    const fits = kept !== undefined && kept.uri === this.subject.uris[0] && isSaved(kept);
    if (first && fits) this.restoreCursors(kept);
    this.begin();
    this.started = true;
    const view = this.viewOf(fits ? kept : undefined);
    return {
      version: PROTOCOL_VERSION,
      traces: this.summaries(),
      cursors: shown.map(({ view }) => view.cursor()),
      pins: this.pins,
      view,
      strings: strings(),
    };
  }

  /** What to show: what was kept, with the face that was asked for since. */
  private viewOf(kept: SavedView | undefined): SavedView | undefined {
    const { face } = this;
    this.face = undefined;
    if (face === undefined) return kept;
    const cursor = this.shown[0]?.view.cursor();
    if (kept !== undefined || cursor === undefined) return kept === undefined ? undefined : { ...kept, face };
    const uri = this.subject.uris[0] ?? '';
    return {
      version: PROTOCOL_VERSION,
      uri,
      face,
      cursor,
      from: 0,
      to: 0,
      scroll: 0,
      sidePanel: true,
    };
  }

  /** Cursors that nobody has moved go to the requests; one that a debugger shows is the debugger's. */
  private begin(): void {
    for (const { entry, view } of this.shown)
      if (!this.services.hosts.debugged(entry)) view.begin(VIEW_MOVER);
  }

  /** After a reload of the window the traces are read anew, and their cursors are where nobody put them. */
  private restoreCursors({ cursor, others = [] }: SavedView): void {
    for (const [trace, { event, request }] of [cursor, ...others].entries()) {
      const open = this.shown[trace]?.entry.open;
      if (open?.cursor.untouched !== true || event < 0 || event >= open.length) continue;
      const focus = request < 0 || request >= open.requests.length ? undefined : request;
      open.cursor.move(event, focus, VIEW_MOVER);
    }
  }

  /** Opens the traces and builds what is shown of them; goes on where a hidden webview left off. */
  private load(): Promise<readonly Shown[]> {
    if (this.shown.length > 0) return Promise.resolve(this.shown);
    this.loading ??= this.open().finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  private async open(): Promise<readonly Shown[]> {
    const entries = await openSubject(this.subject, this.traces);
    const shown = await this.build(entries);
    if (shown === undefined) throw new Error(vscode.l10n.t('The view was closed'));
    this.show(shown);
    this.send('status', { text: '', failed: false });
    return shown;
  }

  /** Builds views of entries; undefined where this view was hidden or closed meanwhile. */
  private async build(entries: readonly Entry[]): Promise<Shown[] | undefined> {
    const built: Shown[] = [];
    for (const entry of entries) {
      if (!this.held.has(entry.open)) this.models.hold(entry.open);
      this.held.add(entry.open);
      let told = 0;
      const text = vscode.l10n.t('Drawing {0}', entry.open.name);
      const view = await this.models.get(entry.open, {
        progress: (share) => {
          if (Date.now() - told < 200) return;
          told = Date.now();
          this.send('status', { text, progress: share, failed: false });
        },
        cancelled: () => this.disposed || !this.panel.visible,
      });
      if (view === undefined || this.disposed) return undefined;
      built.push({ entry, view, uri: this.subject.uris[built.length] ?? entry.key });
    }
    return built;
  }

  /** Lets go of all models but those of some traces. */
  private keepOnly(opens: readonly Entry['open'][]): void {
    for (const open of this.held) {
      if (opens.includes(open)) continue;
      this.held.delete(open);
      this.models.release(open);
    }
  }

  private show(shown: readonly Shown[]): void {
    this.keepOnly(shown.map(({ entry }) => entry.open));
    for (const each of this.cursors) each.dispose();
    this.shown = shown;
    this.cursors = shown.map(({ entry }, trace) =>
      entry.open.cursor.onDidChange(({ by }) => {
        // a webview that is not there asks for the cursor when it comes back
        if (!this.panel.visible) return;
        this.moved.set(trace, by);
        this.timer ??= setTimeout(() => this.tellMoves(), MOVES_MS);
      }),
    );
    this.panel.title = titleOf(shown, this.subject);
    for (const each of shown) void this.findViolations(each);
  }

  /** Rules are checked by others; their marks come when the check is done. */
  private async findViolations({ entry, view }: Shown): Promise<void> {
    // those that were known before are drawn already
    const known = entry.open.checked !== undefined;
    const report = await entry.open.ensureChecked({ pause: turns(), cancelled: () => this.disposed });
    if (known || report === undefined || report.violations.length === 0) return;
    const pause = turns();
    for (const work = view.refreshViolations(); work.next().done !== true; ) await pause();
    if (!this.disposed && this.shown.some((each) => each.view === view)) this.replaced();
  }

  private tellMoves(): void {
    this.timer = undefined;
    for (const [trace, by] of this.moved) {
      const view = this.shown[trace]?.view;
      if (view !== undefined) this.send('cursor', { trace, cursor: view.cursor(), by });
    }
    this.moved.clear();
  }

  /** A trace was opened again, grew stale or was closed. */
  private async follow(): Promise<void> {
    if (this.shown.length === 0 || this.disposed) return;
    const current = this.shown.map(({ entry }) => this.traces.byKey(entry.uri, entry.overrides) ?? entry);
    if (current.every((entry, k) => entry.open === this.shown[k]!.entry.open)) {
      const stale = current.find((entry) => entry.freshness !== 'fresh');
      const was = this.shown.find(({ entry }) => entry.freshness !== 'fresh');
      if (stale?.freshness === was?.entry.freshness) return;
      this.shown = this.shown.map((each, k) => ({ ...each, entry: current[k]! }));
      this.send('status', { text: stale === undefined ? '' : staleText(stale), failed: false });
      return;
    }
    const shown = await this.build(current);
    if (shown === undefined) {
      // hidden: the next hello builds what is current then
      if (!this.disposed) this.forget();
      return;
    }
    this.show(shown);
    this.begin();
    this.replaced();
  }

  private pinned(key: string): void {
    if (this.shown.some(({ entry }) => entry.key === key)) this.send('pins', { pins: this.pins });
  }

  private forget(): void {
    for (const each of this.cursors) each.dispose();
    this.cursors = [];
    this.shown = [];
  }

  private replaced(): void {
    this.send('replaced', { traces: this.summaries(), cursors: this.cursorsNow() });
  }

  private selected(): void {
    const entry = this.shown[0]?.entry;
    if (this.panel.active && entry !== undefined && !this.subject.compares) this.traces.select(entry);
  }

  private summaries(): TraceSummary[] {
    const { t } = vscode.l10n;
    return this.shown.map(({ view, uri, entry }) => {
      const summary = view.summary(uri);
      const { zeroCopy } = entry.overrides;
      const { source } = entry.open;
      if (source.kind !== 'text' && source.steps && this.subject.compares)
        return { ...summary, name: t('{0}, order {1}', summary.name, cqeOrder({ steps: source.steps })) };
      if (zeroCopy === undefined) return summary;
      return {
        ...summary,
        name: zeroCopy === 'on' ? t('{0} with -z', summary.name) : t('{0} without -z', summary.name),
      };
    });
  }

  private cursorsNow(): CursorState[] {
    return this.shown.map(({ view }) => view.cursor());
  }

  private send<K extends EventKind>(event: K, value: Events[K]): void {
    if (this.panel.visible) this.post({ event, with: value } as Tell);
  }

  private post(message: Tell): void {
    if (this.disposed) return;
    void this.panel.webview.postMessage(message);
    this.told.fire(message);
  }
}
