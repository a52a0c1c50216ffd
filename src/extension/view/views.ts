import * as vscode from 'vscode';
import type { SavedView } from '../../webview/protocol';
import type { Face } from '../../webview/protocol_data';
import type { DebugHosts } from '../debug/adapter';
import type { WindowMemory } from '../memory';
import type { Traces } from '../traces';
import { webviewOptions } from './html';
import { ViewModels } from './models';
import type { ViewPanel } from './panel';
import { type Subject, subjectNamed, subjectOf } from './subject';

/** Type of the panels that commands open. */
export const VIEW_TYPE = 'ublkTrace.view';
/** Type of the custom editor of trace files. */
export const EDITOR_TYPE = 'ublkTrace.timelineEditor';

/** All views of this window: panels that commands open, and custom editors. */
export class Views
  implements vscode.Disposable, vscode.WebviewPanelSerializer, vscode.CustomReadonlyEditorProvider
{
  private readonly open = new Set<ViewPanel>();
  private readonly models: ViewModels;
  private readonly shown = new vscode.EventEmitter<Subject>();
  /** What a view was opened or brought to the front for. */
  readonly onDidShow = this.shown.event;

  constructor(
    private readonly extension: vscode.Uri,
    private readonly traces: Traces,
    private readonly hosts: DebugHosts,
    private readonly memory: WindowMemory,
  ) {
    this.models = new ViewModels(() => hosts.pseudoCode(), vscode.l10n.t);
  }

  /** Views that are open, oldest first. */
  get all(): readonly ViewPanel[] {
    return [...this.open];
  }

  /** Traces that are kept prepared for views. */
  get prepared(): number {
    return this.models.size;
  }

  /** The view that has the focus, else the latest one that is visible. */
  get active(): ViewPanel | undefined {
    const { all } = this;
    return all.find(({ panel }) => panel.active) ?? all.findLast(({ panel }) => panel.visible);
  }

  /** Shows a subject, in the view that shows it already where there is one. */
  async show(subject: Subject, face?: Face): Promise<ViewPanel> {
    const known = this.all.find((each) => each.subject.uris[0] === subject.uris[0]);
    if (known !== undefined) {
      known.panel.reveal(undefined, false);
      this.shown.fire(subject);
      if (face !== undefined) known.showFace(face);
      return known;
    }
    const beside = vscode.window.tabGroups.all.some(({ tabs }) => tabs.length > 0);
    const column = beside ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active;
    const title = vscode.l10n.t('Timeline');
    const panel = vscode.window.createWebviewPanel(VIEW_TYPE, title, column, {
      ...webviewOptions(this.extension),
      retainContextWhenHidden: false,
    });
    const view = await this.attach(panel, subject, undefined);
    if (face !== undefined) view.showFace(face);
    return view;
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const saved = savedView(state);
    const subject = saved && subjectNamed(saved.uri);
    if (subject === undefined) {
      panel.dispose();
      return;
    }
    await this.attach(panel, subject, saved);
  }

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  async resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): Promise<void> {
    await this.attach(panel, subjectOf(uri, {}), undefined);
  }

  dispose(): void {
    for (const view of this.open) view.dispose();
    this.shown.dispose();
  }

  private async attach(
    panel: vscode.WebviewPanel,
    subject: Subject,
    saved: SavedView | undefined,
  ): Promise<ViewPanel> {
    const { ViewPanel } = await import('./panel');
    panel.iconPath = {
      light: vscode.Uri.joinPath(this.extension, 'media', 'view', 'light.svg'),
      dark: vscode.Uri.joinPath(this.extension, 'media', 'view', 'dark.svg'),
    };
    const services = { traces: this.traces, hosts: this.hosts, memory: this.memory };
    const view = new ViewPanel(panel, subject, this.traces, this.models, services, this.extension, saved);
    this.open.add(view);
    this.shown.fire(subject);
    view.onDidDispose(() => this.open.delete(view));
    return view;
  }
}

/** What a webview kept, if it is that. */
function savedView(state: unknown): SavedView | undefined {
  return typeof state === 'object' && state !== null && 'uri' in state && typeof state.uri === 'string'
    ? (state as SavedView)
    : undefined;
}
